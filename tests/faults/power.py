#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Power cuts: for an operation and a helper, the helper is held still at its first sync to the disk, then at its second, and so on; each time a
copy is taken of everything that lies in the state folder, and another engine is started on that copy, as after a reboot.

    power.py OPERATION ROLE COPY

That engine has whatever was acknowledged before, can do the operation again, and its audit log is whole. Environment: BULKHEAD, BULKHEADD,
LIBEXEC, STATE (folder of the engine that is there), CGROUP, DOCKER_HOST, IMAGE, REMOTE, ARCHIVE; COPY is a folder that is made and removed.
"""
import os
import shutil
import subprocess
import sys
import tempfile
import time

from schedule import Wrong, client, eventually, helper, must

SYNCS = "fsync,fdatasync,syncfs"
IMAGE = os.environ["IMAGE"]
OPERATIONS = {
    "pull": (["pull", os.environ.get("REMOTE", "")], ["rmi", "-f", os.environ.get("REMOTE", "")]),
    "load": (["load", "-i", os.environ.get("ARCHIVE", "")], ["rmi", "-f", "power:1"]),
    "create": (["create", "--name", "mayfly", "--network", "none", "-v", "kept:/data", IMAGE, "true"], ["rm", "-f", "mayfly"]),
    "commit": (["commit", "still", "kept:1"], ["rmi", "-f", "kept:1"]),
    "tag": (["tag", IMAGE, "other:1"], ["rmi", "other:1"]),
    "volume": (["volume", "create", "power"], ["volume", "rm", "power"]),
    "rm": (["rm", "victim"], ["create", "--name", "victim", "--network", "none", IMAGE, "true"]),
}


class Held:
    """A helper that stands still at its n-th sync."""

    def __init__(self, role, n):
        self.pid = helper(role)
        self.trace = tempfile.NamedTemporaryFile(mode="r")
        self.strace = subprocess.Popen(
            ["strace", "-f", "-e", "trace=" + SYNCS, "-e", f"inject={SYNCS}:signal=SIGSTOP:when={n}", "-o", self.trace.name, "-p", str(self.pid)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if "attached" not in self.strace.stderr.readline():
            raise Wrong("strace cannot attach")
        self.text = ""

    def stands(self):
        self.text += self.trace.read()
        return "stopped by SIGSTOP" in self.text

    def release(self):
        for line in self.text.splitlines():
            if "stopped by SIGSTOP" in line:
                try:
                    os.kill(int(line.split()[0]), 18)
                except ProcessLookupError:
                    pass
        try:
            os.kill(self.pid, 18)
        except ProcessLookupError:
            pass
        self.strace.terminate()
        self.strace.stderr.close()
        try:
            self.strace.wait(5)
        except subprocess.TimeoutExpired:
            self.strace.kill()
            self.strace.wait()


def restart_on(copy, operation):
    """Another engine on the copy: what must be true of it."""
    do, undo = operation
    socket = os.path.join(copy, "api.sock")
    for name in ("policy.d", "certs.d"):
        os.makedirs(os.path.join(copy, name), exist_ok=True)
    remote = os.environ.get("REGISTRY", "")
    flags = ["--insecure_registry", remote, "--private_registry", remote] if remote else []
    log = open(os.path.join(copy, "engine.log"), "w")
    engine = subprocess.Popen(
        [os.environ["BULKHEADD"], "--state", os.path.join(copy, "state"), "--socket", socket, "--libexec", os.environ["LIBEXEC"],
         "--policy", os.path.join(copy, "policy.d"), "--certs", os.path.join(copy, "certs.d"), "--cgroup_parent", os.environ["CGROUP"] + "-copy",
         *flags], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    before = os.environ["DOCKER_HOST"]
    os.environ["DOCKER_HOST"] = "unix://" + socket
    try:
        eventually("an engine starts on what a power cut left", lambda: client("version", seconds=5).returncode == 0)
        if must("run", "--rm", "--network", "none", IMAGE, "echo", "works") != "works":
            raise Wrong("a container does not say what it should")
        must("inspect", "still")
        client(*undo)
        must(*do)
        client(*undo)
        must("audit", "verify")
        for name in must("ps", "-aq").split():
            must("rm", "-f", name)
    except Wrong as failure:
        raise Wrong(f"{failure}; the log ends: " + "".join(open(log.name).readlines()[-5:])) from failure
    finally:
        os.environ["DOCKER_HOST"] = before
        engine.terminate()
        engine.wait()


def cut(operation, role, copy, n):
    """Returns whether there was an n-th sync."""
    do, undo = operation
    client(*undo)
    held = Held(role, n)
    running = subprocess.Popen([os.environ["BULKHEAD"], *do], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not held.stands() and running.poll() is None:
            time.sleep(0.01)
        stood = held.stands()
        if stood:
            shutil.rmtree(copy, ignore_errors=True)
            os.makedirs(copy)
            subprocess.run(["cp", "-a", "--one-file-system", os.environ["STATE"], os.path.join(copy, "state")], check=True)
    finally:
        held.release()
    if running.wait(60) != 0:
        raise Wrong(f"{do}: exit status {running.returncode} after the helper was let go")
    if stood:
        restart_on(copy, operation)
        shutil.rmtree(copy)
    return stood


def main():
    name, role, copy = sys.argv[1:4]
    cuts = 0
    try:
        while cut(OPERATIONS[name], role, copy, cuts + 1):
            cuts += 1
    except (Wrong, subprocess.TimeoutExpired) as failure:
        print(f"{name}, power cut at sync {cuts + 1} of {role}: {failure}")
        return 1
    print(f"{cuts} power cuts")
    return 0


if __name__ == "__main__":
    sys.exit(main())
