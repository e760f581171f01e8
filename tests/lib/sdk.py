#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
#
# Drives the engine through docker's Python SDK, as somebody's program would. Every step asserts.
#   sdk.py SOCKET STEP
import sys

import docker

client = docker.DockerClient(base_url="unix://" + sys.argv[1])
QUIET = {"network_mode": "none"}


def system():
    assert client.ping()
    assert client.version()["ApiVersion"] == "1.47"
    assert client.info()["OSType"] == "linux"


def run():
    assert client.containers.run("busybox", "echo hi", remove=True, **QUIET) == b"hi\n"
    try:
        client.containers.run("busybox", ["sh", "-c", "echo bad >&2; exit 5"], remove=True, **QUIET)
    except docker.errors.ContainerError as error:
        assert error.exit_status == 5 and error.stderr == b"bad\n", error
    else:
        raise AssertionError("exit status 5 was no error")
    try:
        client.containers.run("busybox", "nosuch", remove=True, **QUIET)
    except docker.errors.APIError as error:
        assert error.status_code == 400 and "executable file not found in $PATH" in str(error), error
        [left] = client.containers.list(all=True)  # the SDK leaves it, with Docker too
        assert left.status == "created" and left.attrs["State"]["ExitCode"] == 127
        left.remove()
    else:
        raise AssertionError("a program that is not there was run")


def logs():
    box = client.containers.run("busybox", ["sh", "-c", "echo out; echo err >&2; exit 3"], detach=True, **QUIET)
    assert box.wait()["StatusCode"] == 3
    assert box.logs(stdout=True, stderr=False) == b"out\n"
    assert box.logs(stdout=False, stderr=True) == b"err\n"
    assert sorted(box.logs(stream=True)) == [b"err\n", b"out\n"]
    box.reload()
    assert box.status == "exited" and box.attrs["State"]["ExitCode"] == 3
    assert box.attrs["HostConfig"]["NetworkMode"] == "none"
    box.remove()


def attach():
    box = client.containers.create("busybox", "cat", stdin_open=True, **QUIET)
    stream = box.attach_socket(params={"stdin": 1, "stdout": 1, "stream": 1})
    box.start()
    stream._sock.sendall(b"hello\n")
    stream._sock.shutdown(1)
    assert stream.read(14) == b"\x01\0\0\0\0\0\0\x06hello\n"
    assert box.wait()["StatusCode"] == 0
    box.remove()


def exec():
    box = client.containers.run("busybox", ["sleep", "1000"], detach=True, **QUIET)
    for _ in range(100):  # however fast it is, not a byte is lost
        assert box.exec_run(["echo", "hi"]) == (0, b"hi\n")
    assert box.exec_run(["sh", "-c", "echo out; echo err >&2; exit 4"], demux=True) == (4, (b"out\n", b"err\n"))
    assert box.exec_run(["sh", "-c", "id -u; pwd; echo $X"], user="1000", workdir="/tmp", environment={"X": "y"}).output == b"1000\n/tmp\ny\n"
    box.remove(force=True)


def life():
    box = client.containers.run("busybox", "sleep 100", detach=True, name="sdk", mem_limit="64m", labels={"a": "b"}, **QUIET)
    assert [found.id for found in client.containers.list(filters={"label": "a=b"})] == [box.id]
    assert box.attrs["HostConfig"]["Memory"] == 64 << 20
    box.pause()
    box.reload()
    assert box.status == "paused"
    box.unpause()
    box.rename("other")
    box.stop(timeout=1)
    box.reload()
    assert box.status == "exited" and box.name == "other" and box.attrs["State"]["ExitCode"] == 137
    box.start()
    box.kill()
    box.wait()
    box.remove()
    for get in (client.containers.get, client.images.get):
        try:
            get("nosuch")
        except docker.errors.NotFound:
            continue
        raise AssertionError("what is not there was found")


def images():
    image = client.images.get("busybox")
    assert image.tags == ["busybox:latest"] and image.attrs["Os"] == "linux" and image.history()
    assert image.tag("me/x", "v1")
    assert sorted(client.images.get("me/x:v1").tags) == ["busybox:latest", "me/x:v1"]
    client.images.remove("me/x:v1")
    assert client.images.get("busybox").tags == ["busybox:latest"]
    with open(sys.argv[3], "rb") as archive:
        assert [loaded.tags for loaded in client.images.load(archive)] == [["busybox:latest"]]


def plugins():
    assert client.plugins.list() == []
    api = client.api

    def post(what):
        api._raise_for_status(api._post_json(api._url("/plugins/{0}/" + what, "nosuch"), data=[]))
    asks = (lambda: api.inspect_plugin("nosuch"), lambda: api.enable_plugin("nosuch", 1), lambda: api.disable_plugin("nosuch"),
            lambda: api.remove_plugin("nosuch"), lambda: api.configure_plugin("nosuch", {"A": "b"}), lambda: post("push"), lambda: post("upgrade"))
    for ask in asks:
        try:
            ask()
        except docker.errors.NotFound as failure:
            assert 'plugin "nosuch" not found' in str(failure)
        else:
            raise AssertionError("what is not there was found")


globals()[sys.argv[2]]()
