# SPDX-License-Identifier: Apache-2.0
"""One request of each kind that reads something, as a client writes it: seeds for api-requests. Each is followed by a `GET /_ping` on the
same connection."""
import json

CONTAINER = {
    "Image": "busybox", "Cmd": ["sh"], "Entrypoint": "true", "Env": ["A=1"], "User": "app", "Tty": True, "OpenStdin": True, "WorkingDir": "/w",
    "Labels": {"a": "b"}, "ExposedPorts": {"80/tcp": {}}, "Volumes": {"/v": {}}, "StopSignal": "SIGINT", "StopTimeout": 3,
    "Healthcheck": {"Test": ["CMD", "true"], "Interval": 1000000000, "Retries": 3},
    "HostConfig": {
        "Binds": ["/srv:/srv:ro,rslave", "v:/v"], "NetworkMode": "none", "PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]},
        "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 3}, "CapAdd": ["NET_ADMIN"], "CapDrop": ["ALL"], "Memory": 67108864,
        "NanoCpus": 500000000, "PidsLimit": 10, "Ulimits": [{"Name": "nofile", "Soft": 10, "Hard": 20}], "ShmSize": 1048576,
        "LogConfig": {"Type": "json-file", "Config": {"max-size": "1m", "max-file": "3", "labels": "a"}}, "Tmpfs": {"/t": "size=1m,mode=755"},
        "Mounts": [{"Type": "tmpfs", "Target": "/m", "TmpfsOptions": {"SizeBytes": 1, "Mode": 511}},
                   {"Type": "volume", "Source": "v", "Target": "/n", "VolumeOptions": {"NoCopy": True, "Subpath": "a", "Labels": {"x": "y"}}}],
        "Devices": [{"PathOnHost": "/dev/fuse", "PathInContainer": "/dev/fuse", "CgroupPermissions": "rwm"}], "DeviceCgroupRules": ["c 10:* r"],
        "BlkioDeviceReadBps": [{"Path": "/dev/vda", "Rate": 1}], "SecurityOpt": ["no-new-privileges", "label=disable"], "Sysctls": {"net.core.somaxconn": "1"},
        "ExtraHosts": ["db:10.0.0.1"], "Dns": ["10.0.0.1"], "IpcMode": "private", "PidMode": "host", "StorageOpt": {"size": "1g"}, "Init": True},
    "NetworkingConfig": {"EndpointsConfig": {"front": {"IPAMConfig": {"IPv4Address": "10.0.0.3"}, "Aliases": ["web"], "Links": ["db:db"]}}},
}

LOGS = [("json-file", {"max-size": "1m", "max-file": "3", "compress": "true", "mode": "non-blocking", "max-buffer-size": "4m", "labels": "a,b", "env": "A",
                       "labels-regex": "^a", "env-regex": "^A", "tag": "x"}),
        ("json-file", {"max-size": "-1", "max-file": "1", "compress": "1"}), ("json-file", {"max-file": "0"}), ("json-file", {"compress": "perhaps"}),
        ("json-file", {"max-buffer-size": "4m"}), ("json-file", {"mode": "sideways"}), ("json-file", {"labels": "a," * 100}), ("json-file", {"max-size": "1m", "compress": "true"}),
        ("local", {"max-size": "20m", "max-file": "5", "compress": "false"}), ("journald", {"tag": "t", "labels": "a"}), ("none", {"max-size": "1m"}), ("syslog", {})]
RESOURCES = [{"KernelMemory": 1, "KernelMemoryTCP": 1}, {"KernelMemory": -2}, {"CpuQuota": 10, "CpuPeriod": 1}, {"CpuPeriod": 100000, "CpuQuota": 50000}, {"NanoCpus": 1, "CpuQuota": 5000},
             {"CpuRealtimePeriod": 100, "CpuRealtimeRuntime": 200}, {"BlkioWeight": 5}, {"BlkioWeight": 300, "BlkioWeightDevice": [{"Path": "/dev/a", "Weight": 10}]},
             {"Memory": 100}, {"Memory": 8388608, "MemorySwap": 4194304}, {"Memory": 8388608, "MemorySwap": -1, "MemoryReservation": 100}, {"MemoryReservation": 8388608, "Memory": 7340032},
             {"MemorySwap": 8388608}, {"OomKillDisable": True}, {"MemorySwappiness": 101}, {"MemorySwappiness": -1}, {"CpusetCpus": "0-x"}, {"PidsLimit": -1},
             {"BlkioDeviceReadIOps": [{"Path": "/dev/a", "Rate": 5}], "BlkioDeviceWriteBps": [{"Path": "a", "Rate": 5}]}, {"CpuCount": 1, "IOMaximumBandwidth": 1}, {"CpuShares": 2}]
MOUNTS = [{"Type": "bind", "Source": "/a", "Target": "/b", "BindOptions": {"Propagation": "sideways"}}, {"Type": "bind", "Source": "a", "Target": "b"},
          {"Type": "bind", "Source": "/a", "Target": "/b", "BindOptions": {"ReadOnlyNonRecursive": True}}, {"Type": "bind", "Source": "/a", "Target": "/b", "BindOptions": {"ReadOnlyForceRecursive": True}},
          {"Type": "bind", "Source": "/a", "Target": "/b", "ReadOnly": True, "BindOptions": {"Propagation": "rshared", "NonRecursive": True, "CreateMountpoint": True, "ReadOnlyNonRecursive": True}},
          {"Type": "tmpfs", "Target": "/b", "TmpfsOptions": {"SizeBytes": 1, "Mode": 511, "Options": [["noexec"], ["uid", "5"], ["a", "b", "c"]]}},
          {"Type": "tmpfs", "Target": "/b", "TmpfsOptions": {"Options": [["noexec"], ["uid", "5"]]}}, {"Type": "tmpfs", "Target": "/b", "TmpfsOptions": {"Options": 1}},
          {"Type": "volume", "Source": "v", "Target": "/b", "VolumeOptions": {"DriverConfig": {"Name": "local", "Options": {"type": "tmpfs"}}, "Labels": {"a": "b"}}},
          {"Type": "volume", "Source": "v", "Target": "/b", "VolumeOptions": {"DriverConfig": 1}}, {"Type": "volume", "Target": "/b", "VolumeOptions": {"Subpath": "../x"}}, {"Type": "npipe", "Target": "/b"},
          {"Type": "image", "Source": "a", "Target": "/b"}, {"Type": "volume", "Source": "v", "Target": "/"}, {"Type": "bind", "Source": "/a", "Target": "/b", "VolumeOptions": {}}]
OTHERS = [{"Tmpfs": {"/t": options}} for options in ("size=1m,nr_inodes=5,mode=1777,uid=1,gid=2,exec,dev,suid", "ro,size=x", "mode=9", "nr_inodes=k", "what", "size=50%")] + [
    {"SecurityOpt": [option]} for option in ("seccomp=unconfined", "apparmor=unconfined", "label=type:x", "no-new-privileges:false", "systempaths=unconfined", "what", "seccomp={", "no-new-privileges=x")] + [
    {"Binds": [bind]} for bind in ("/a:/b:z", "/a:/b:rw,rshared,nocopy", "a:b", "/a", ":/b", "/a:/b:ro:x", "v:/b:nocopy", "/a:/b:ro,rw", "/a:/")] + [
    {"IpcMode": "container:a", "PidMode": "container:b", "UTSMode": "host", "CgroupnsMode": "host", "UsernsMode": "host"}, {"IpcMode": "what"}, {"NetworkMode": "container:a"}, {"NetworkMode": "front"},
    {"RestartPolicy": {"Name": "always", "MaximumRetryCount": 3}}, {"RestartPolicy": {"Name": "what"}}, {"AutoRemove": True, "RestartPolicy": {"Name": "always"}}, {"Isolation": "hyperv"},
    {"DeviceRequests": [{"Driver": "nvidia"}]}, {"Runtime": "runsc"}, {"VolumeDriver": "x"}, {"StorageOpt": {"size": "x"}}, {"StorageOpt": {"a": "1"}}, {"CgroupParent": "/a/../b"}, {"OomScoreAdj": 5000},
    {"ExtraHosts": ["a"]}, {"Dns": ["x"]}, {"DnsOptions": ["ndots:1"], "DnsSearch": ["."]}, {"Links": ["a:b"]}, {"GroupAdd": ["a"]}, {"Privileged": True}, {"ReadonlyPaths": ["/a"], "MaskedPaths": []},
    {"ShmSize": -1}, {"Ulimits": [{"Name": "what", "Soft": 1, "Hard": 2}]}, {"Ulimits": [{"Name": "core", "Soft": 3, "Hard": 2}]}, {"Devices": [{"PathOnHost": "a"}]}, {"DeviceCgroupRules": ["x 1:2 r"]},
    {"PublishAllPorts": True, "PortBindings": {"80/udp": [{"HostIp": "::1", "HostPort": "1-2"}], "what": [{}]}}, {"ConsoleSize": [1, 2], "Annotations": {"a": "b"}}, {"VolumesFrom": ["a:ro"]}]


def creates():
    """Bodies of /containers/create, each with one thing of its own: name -> bytes"""
    configs = [{"LogConfig": {"Type": driver, "Config": options}} for driver, options in LOGS] + RESOURCES + [{"Mounts": [mount]} for mount in MOUNTS] + OTHERS
    found = {f"{number:03}": json.dumps({"Image": "a", "HostConfig": config}).encode() for number, config in enumerate(configs)}
    found["request"] = json.dumps(CONTAINER).encode()
    return found


# method, target, body, further fields
REQUESTS = {
    "create": ("POST", "/v1.47/containers/create?name=web&platform=linux/amd64", CONTAINER),
    "update": ("POST", "/containers/web/update", {"Memory": 67108864, "RestartPolicy": {"Name": "always"}, "BlkioWeight": 300}),
    "exec": ("POST", "/containers/web/exec", {"Cmd": ["true"], "Env": ["A=1"], "AttachStdout": True, "User": "0", "ConsoleSize": [24, 80]}),
    "exec-start": ("POST", f"/exec/{'ab' * 32}/start", {"Detach": False, "Tty": True}),
    "commit": ("POST", "/commit?container=web&repo=a/b&tag=c&changes=CMD%20true%0AENV%20A%3D1&pause=0", {"Cmd": ["sh"], "Labels": {"a": "b"}}),
    "volume": ("POST", "/volumes/create", {"Name": "v", "Driver": "local", "DriverOpts": {"type": "tmpfs", "o": "size=1m"}, "Labels": {"a": "b"}}),
    "network": ("POST", "/networks/create", {"Name": "front", "Driver": "bridge", "IPAM": {"Config": [{"Subnet": "10.1.0.0/24", "IPRange": "10.1.0.0/25",
                "Gateway": "10.1.0.1", "AuxiliaryAddresses": {"x": "10.1.0.2"}}]}, "Internal": True, "EnableIPv6": True, "Options": {"com.docker.network.driver.mtu": "1400"}}),
    "connect": ("POST", "/networks/front/connect", {"Container": "web", "EndpointConfig": {"Aliases": ["a"], "IPAMConfig": {"IPv4Address": "10.1.0.9"}}}),
    "disconnect": ("POST", "/networks/front/disconnect", {"Container": "web", "Force": True}),
    "auth": ("POST", "/auth", {"username": "a", "password": "b", "serveraddress": "registry.example:5000"}),
    "pull": ("POST", "/images/create?fromImage=busybox&tag=latest&platform=linux/arm64", None, "X-Registry-Auth: eyJ1c2VybmFtZSI6ImEifQ=="),
    "import": ("POST", "/images/create?fromSrc=-&repo=a&tag=b&message=m&changes=CMD+true", b"not a tar"),
    "push": ("POST", "/images/registry.example/a/b/push?tag=c", None, "X-Registry-Auth: e30="),
    "tag": ("POST", "/images/a/b/tag?repo=c&tag=d", None),
    "search": ("GET", "/images/search?term=a&limit=5&filters=%7B%22stars%22%3A%5B%223%22%5D%7D", None),
    "images": ("GET", "/v1.24/images/json?all=1&filters=%7B%22dangling%22%3A%7B%22true%22%3Atrue%7D%7D&digests=1", None),
    "ps": ("GET", "/containers/json?all=1&size=1&limit=3&filters=%7B%22status%22%3A%5B%22running%22%5D%2C%22health%22%3A%5B%22none%22%5D%7D", None),
    "logs": ("GET", "/containers/web/logs?stdout=1&stderr=1&tail=5&since=1700000000.5&until=2024-01-01T00:00:00Z&timestamps=1&details=1&follow=1", None),
    "events": ("GET", "/events?since=1&until=2&filters=%7B%22type%22%3A%5B%22container%22%5D%2C%22event%22%3A%5B%22die%22%5D%7D", None),
    "stats": ("GET", "/containers/web/stats?stream=0&one-shot=1", None),
    "top": ("GET", "/containers/web/top?ps_args=-o%20pid,user,cmd", None),
    "archive-get": ("GET", "/containers/web/archive?path=%2Fetc%2F..%2Fetc", None),
    "archive-head": ("HEAD", "/containers/web/archive?path=/etc", None),
    "archive-put": ("PUT", "/containers/web/archive?path=/tmp&noOverwriteDirNonDir=1&copyUIDGID=1", b"tar"),
    "attach": ("POST", "/containers/web/attach?stream=1&stdin=1&stdout=1&detachKeys=ctrl-a,b&logs=1", None, "Upgrade: tcp\r\nConnection: Upgrade"),
    "websocket": ("GET", "/containers/web/attach/ws?stream=1&stdin=1", None,
                  "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="),
    "wait": ("POST", "/containers/web/wait?condition=next-exit", None),
    "kill": ("POST", "/containers/web/kill?signal=SIGHUP", None),
    "stop": ("POST", "/containers/web/stop?t=3&signal=INT", None),
    "resize": ("POST", "/containers/web/resize?h=24&w=80", None),
    "rename": ("POST", "/containers/web/rename?name=other", None),
    "remove": ("DELETE", "/containers/web?v=1&force=1&link=0", None),
    "rmi": ("DELETE", "/images/a:b?force=1&noprune=1", None),
    "prune": ("POST", "/containers/prune?filters=%7B%22until%22%3A%5B%2224h%22%5D%2C%22label%22%3A%5B%22a%3Db%22%5D%7D", None),
    "prune-images": ("POST", "/images/prune?filters=%7B%22dangling%22%3A%5B%22false%22%5D%7D", None),
    "prune-volumes": ("POST", "/volumes/prune?filters=%7B%22all%22%3A%5B%22true%22%5D%7D", None),
    "prune-networks": ("POST", "/networks/prune", None),
    "volumes": ("GET", "/volumes?filters=%7B%22name%22%3A%5B%22v%22%5D%7D", None),
    "networks": ("GET", "/networks?filters=%7B%22driver%22%3A%5B%22bridge%22%5D%7D", None),
    "volume-remove": ("DELETE", "/volumes/v?force=1", None),
    "export": ("GET", "/containers/web/export", None),
    "changes": ("GET", "/containers/web/changes", None),
    "inspect": ("GET", "/containers/web/json?size=1", None),
    "image": ("GET", "/images/a/b:c/json", None),
    "history": ("GET", "/images/a/history", None),
    "save": ("GET", "/images/get?names=a&names=b:c", None),
    "load": ("POST", "/images/load?quiet=1", b"tar"),
    "distribution": ("GET", "/distribution/registry.example/a/json", None),
    "info": ("GET", "/info", None),
    "version": ("GET", "/version", None),
    "df": ("GET", "/system/df?type=image", None),
    "build-prune": ("POST", "/build/prune?all=1", None),
    "unknown": ("GET", "/v1.99/nothing/%2e%2e/here", None),
}


def written(method, target, body, further=None, chunked=False):
    head = [f"{method} {target} HTTP/1.1", "Host: docker"] + ([further] if further else [])
    content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    if body is not None:
        head.append("Content-Type: " + ("application/x-tar" if isinstance(body, bytes) else "application/json"))
        head.append("Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(content)}")
        content = b"%x\r\n%s\r\n0\r\n\r\n" % (len(content), content) if chunked else content
    return "\r\n".join(head).encode() + b"\r\n\r\n" + content


def seeds():
    """name -> bytes"""
    ping = written("GET", "/_ping", None)
    found = {name: written(*request) + ping for name, request in REQUESTS.items()}
    found["chunked"] = written(*REQUESTS["exec"], chunked=True) + ping
    found["expect"] = written(*REQUESTS["auth"], further="Expect: 100-continue") + ping
    return found
