#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Removing what is not used, and telling what is: container prune with its filters, what docker-compose and
# docker's own `system` commands ask for.
source "$(dirname "$0")/../lib/system.sh"
system_start
system_load

ALICE=61001
request() { curl -s --unix-socket "$SOCKET" "${@:2}" "http://localhost$1"; }
status() { curl -s -o /dev/null -w '%{http_code}' --unix-socket "$SOCKET" "${@:2}" "http://localhost$1"; }
create() { docker create --network none --name "$@" "$IMAGE" true; }
names() { docker ps -a --format '{{.Names}}' | sort | paste -sd ' '; }
now() { date +%s.%N; }
filter() { printf '/containers/prune?filters=%s' "$(python3 -c 'import sys, urllib.parse; print(urllib.parse.quote(sys.argv[1]))' "$1")"; }

only_what_does_not_run() {
    local from id
    from=$(now)
    docker run -d --name running --network none "$IMAGE" sleep 1000
    docker run -d --name paused --network none "$IMAGE" sleep 1000
    docker pause paused
    docker run -d --name again --network none --restart always "$IMAGE" sh -c 'exit 1'
    id=$(create created)
    docker run --name ended --network none "$IMAGE" true
    docker container prune -f >"$WORK/pruned"
    grep -q "^$id$" "$WORK/pruned"
    equal "$(grep -c '^[0-9a-f]\{64\}$' "$WORK/pruned")" 2
    matches "$(cat "$WORK/pruned")" 'Total reclaimed space: '
    equal "$(names)" "again paused running"
    equal "$(docker events --since "$from" --until "$(now)" -f event=destroy -f event=prune --format '{{.Action}}' | paste -sd ' ')" "destroy destroy prune"
    docker rm -f running paused again
    docker run --name large --network none "$IMAGE" dd if=/dev/zero of=/file bs=1M count=2
    docker system df -v | grep -Eq '2\.[01][0-9]*MB .* large$'
    request /containers/prune -X POST | python3 -c 'import json, sys; assert 2 << 20 <= json.load(sys.stdin)["SpaceReclaimed"] < 3 << 20'
    equal "$(request /containers/prune -X POST)" '{"ContainersDeleted":null,"SpaceReclaimed":0}'
}
by_label_and_time() {
    create ca -l keep=yes
    create ccb -l keep=no -l tier=web
    create cc
    docker container prune -f --filter label=keep=no
    equal "$(names)" "ca cc"
    docker container prune -f --filter label!=keep
    equal "$(names)" "ca"
    create cd
    docker container prune -f --filter until=1h
    equal "$(names)" "ca cd"
    docker container prune -f --filter "until=$(date -u +%Y-%m-%dT%H:%M:%S -d yesterday)"
    equal "$(names)" "ca cd"
    docker container prune -f --filter until=1ms
    equal "$(names)" ""
}
refused() {
    equal "$(request "$(filter '{"until":["1h","2h"]}')" -X POST)" '{"message":"more than one until filter specified"}'
    matches "$(request "$(filter '{"until":["soon"]}')" -X POST)" 'invalid value for \\"until\\": \\"soon\\"'
    equal "$(request "$(filter '{"colour":["red"]}')" -X POST)" "{\"message\":\"invalid filter 'colour'\"}"
    equal "$(status /containers/prune)" 405
}
labels_of_the_image_count() {
    local from
    from=$(now)
    tar -C /etc -c hostname | docker import -c 'LABEL tier=image' - labelled:1
    docker create --name labelled --network none -l own=1 labelled:1 /none
    equal "$(docker inspect -f '{{json .Config.Labels}}' labelled)" '{"own":"1","tier":"image"}'
    docker container prune -f --filter label=tier=image --filter label=own
    equal "$(names)" ""
    equal "$(docker events --since "$from" --until "$(now)" -f label=tier=image -f type=container --format '{{.Action}}' | paste -sd ' ')" "create destroy"
    docker rmi labelled:1
}
other_tenants() {
    chmod 0755 "$ENGINE"
    chmod 0666 "$SOCKET"
    create mine
    equal "$(setpriv --reuid $ALICE --regid $ALICE --clear-groups curl -s -X POST --unix-socket "$SOCKET" http://localhost/containers/prune)" \
        '{"ContainersDeleted":null,"SpaceReclaimed":0}'
    equal "$(names)" mine
    docker rm mine
}
empty_prunes() {
    equal "$(request /build/prune -X POST)" '{"CachesDeleted":null,"SpaceReclaimed":0}'
    equal "$(request /networks/prune -X POST)" '{"NetworksDeleted":null}'
    docker builder prune -f
}
python_prunes() {
    timeout 20 python3 - "$SOCKET" <<'END'
import sys

import docker

client = docker.DockerClient(base_url="unix://" + sys.argv[1])
box = client.containers.create("busybox", name="python", network_mode="none", labels={"by": "python"})
assert client.containers.prune(filters={"label": ["by=nobody"]})["ContainersDeleted"] is None
assert client.containers.prune(filters={"label": ["by=python"]})["ContainersDeleted"] == [box.id]
assert [network.name for network in client.networks.list()] == ["bridge", "host", "none"]
END
}

disk_usage() {
    docker volume create df
    docker run --name writes --network none -v df:/data "$IMAGE" sh -c 'dd if=/dev/zero of=/data/file bs=1M count=3 2>/dev/null'
    docker system df >"$WORK/df"
    matches "$(cat "$WORK/df")" 'Images +1 +1 '
    matches "$(cat "$WORK/df")" 'Containers +1 +0 '
    matches "$(cat "$WORK/df")" 'Local Volumes +1 +1 +3'
    docker system df -v >"$WORK/df"
    grep -q writes "$WORK/df"
    bulkhead system df
    request /system/df | python3 -c '
import json, sys
usage = json.load(sys.stdin)
[image] = usage["Images"]
[volume] = usage["Volumes"]
[container] = usage["Containers"]
assert usage["LayersSize"] == image["Size"] > 0 and image["SharedSize"] == 0 and image["Containers"] == 1, usage
assert 3 << 20 <= volume["UsageData"]["Size"] < 4 << 20 and volume["UsageData"]["RefCount"] == 1, volume
assert container["Names"] == ["/writes"] and container["State"] == "exited", container
assert usage["BuildCache"] == [] and "BuilderSize" not in usage'
    equal "$(request '/system/df?type=build-cache')" '{"LayersSize":0,"Images":null,"Containers":null,"Volumes":null,"BuildCache":[]}'
    matches "$(request '/system/df?type=image&type=volume')" '"Containers":null,"Volumes":\[\{'
    matches "$(request '/system/df?type=odd')" 'unknown object type: odd'
    matches "$(request /v1.41/system/df)" '"BuilderSize":0'
    docker rm writes
    docker volume rm df
}
all_at_once() {
    create pruned
    docker run -d --name kept --network none "$IMAGE" sleep 1000
    docker system prune -f >"$WORK/pruned"
    equal "$(names)" kept
    matches "$(cat "$WORK/pruned")" 'Total reclaimed space: '
    docker rm -f kept
}
told_by_info() {
    docker info --format '{{json .}}' | python3 -c '
import json, os, sys
info = json.load(sys.stdin)
assert info["NCPU"] == len(os.sched_getaffinity(0)) and info["MemTotal"] == os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"), info
name = next(line.split("=")[1].strip().strip("\"") for line in open("/etc/os-release") if line.startswith("PRETTY_NAME="))
assert info["OperatingSystem"] == name and info["KernelVersion"] == os.uname().release and info["Name"] == os.uname().nodename
assert info["CgroupVersion"] in ("1", "2") and info["CgroupDriver"] == "cgroupfs" and info["LiveRestoreEnabled"] is True
assert info["Images"] == 1 and info["Containers"] == info["ContainersRunning"] + info["ContainersPaused"] + info["ContainersStopped"]
assert info["Plugins"]["Log"] == ["journald", "json-file", "local"] and info["Plugins"]["Volume"] == ["local"]
assert info["Swarm"]["LocalNodeState"] == "inactive" and info["DefaultRuntime"] in info["Runtimes"]
assert info["MemoryLimit"] is True and info["PidsLimit"] is True and info["Driver"] and info["DriverStatus"]
assert not info.get("ServerErrors"), info["ServerErrors"]'
    docker info >"$WORK/info"
    docker version >"$WORK/version"
    matches "$(cat "$WORK/version")" 'API version: +1.47'
}

check "container prune takes what does not run" only_what_does_not_run
check "container prune by label and age" by_label_and_time
check "what container prune refuses" refused
check "labels of the image count" labels_of_the_image_count
check "another tenant's are left alone" other_tenants
check "prunes of what there is none of" empty_prunes
check "what the disk is used for" disk_usage
check "system prune" all_at_once
check "info tells the truth" told_by_info
check "python's SDK" python_prunes
check "nothing is left behind" nothing_left
