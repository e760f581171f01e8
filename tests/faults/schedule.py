#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Walks a schedule of faults: for an operation and a helper, the helper meets one at its first system call of a kind, then at its second, and so
on until the operation ends before it comes to that. strace does it, at the call itself, so that nothing in the engine knows of it.

    schedule.py OPERATION ROLE CALL[,CALL...] [--fault SIGKILL|ENOSPC|EIO] [--first N] [--most N]

After each fault: the engine answers by itself, the container "box" has run on, what was acknowledged is there, what was not is either
whole or absent, and the operation succeeds when it is done again. Environment: BULKHEAD (the client), DOCKER_HOST, IMAGE, REMOTE (an image in
a registry). Prints one line for each fault, and exits 1 at the first thing that is wrong. With --most, ends after so many and says "on from N"
where there is more.
"""
import argparse
import json
import os
import select
import subprocess
import sys
import tempfile
import time

BULKHEAD = os.environ["BULKHEAD"]
IMAGE = os.environ["IMAGE"]
REMOTE = os.environ.get("REMOTE", "")
RECOVERY_SECONDS = 30
OPERATION_SECONDS = 60
HEARSAY_SECONDS = 5
QUIET_SECONDS = 0.3
FAULTS_MAX = 400
KILLED = 137  # a container or an exec whose monitor was killed ends so


class Wrong(Exception):
    """Something is not as it must be after a death."""


def client(*arguments, seconds=OPERATION_SECONDS):
    return subprocess.run([BULKHEAD, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=seconds)


def must(*arguments):
    result = client(*arguments)
    if result.returncode != 0:
        raise Wrong(f"{' '.join(arguments)}: exit status {result.returncode}: {result.stderr.strip()}")
    return result.stdout.strip()


def helper(role):
    """The pid of a helper, or None while there is none."""
    result = client("privileges", "--format", "json", seconds=10)
    if result.returncode != 0:
        return None
    return next((row["pid"] for row in json.loads(result.stdout) if row["role"] == role), None)


def eventually(what, condition):
    until = time.monotonic() + RECOVERY_SECONDS
    last = None
    while time.monotonic() < until:
        try:
            if condition():
                return
        except (Wrong, subprocess.TimeoutExpired, json.JSONDecodeError) as failure:
            last = failure
        time.sleep(0.05)
    raise Wrong(f"not within {RECOVERY_SECONDS} s: {what}" + (f" ({last})" if last else ""))


# ---- operations --------------------------------------------------------------------------------------------
#
# Each is a function that does it and returns the client's result, one that says whether it has happened, and one that makes it undone.


def pull():
    return client("pull", REMOTE)


def was_pulled():
    return must("images", "-q", REMOTE) != ""


def unpull():
    client("rmi", "-f", REMOTE)


def run():
    return client("run", "--name", "mayfly", "--network", "none", IMAGE, "echo", "done")


def has_run():
    return must("logs", "mayfly") == "done" and must("inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", "mayfly") == "exited 0"


def unrun():
    must("rm", "-f", "mayfly") if "mayfly" in must("ps", "-a", "--format", "{{.Names}}").split() else None


def execute():
    return client("exec", "box", "sh", "-c", "echo yes >/tmp/mark")


def was_executed():
    return must("exec", "box", "cat", "/tmp/mark") == "yes"


def unexecute():
    must("exec", "box", "rm", "-f", "/tmp/mark")


def commit():
    return client("commit", "--pause=false", "box", "kept:1")


def was_committed():
    return must("images", "-q", "kept:1") != ""


def uncommit():
    if was_committed():
        must("rmi", "-f", "kept:1")


def remove():
    return client("rm", "-f", "victim")


def was_removed():
    return "victim" not in must("ps", "-a", "--format", "{{.Names}}").split()


def unremove():
    if was_removed():
        must("run", "-d", "--name", "victim", "--network", "none", IMAGE, "sleep", "100000")


def link():
    return client("run", "-d", "--name", "mayfly", "--network", "faults", "-p", "18080:80", IMAGE, "sleep", "100000")


def is_linked():
    must("exec", "mayfly", "ping", "-c", "1", "-W", "2", must("inspect", "-f", "{{.NetworkSettings.Networks.faults.Gateway}}", "mayfly"))
    return must("port", "mayfly") == "80/tcp -> 0.0.0.0:18080"


def unlink():
    return client("rm", "-f", "mayfly")


def is_unlinked():
    return "mayfly" not in must("ps", "-a", "--format", "{{.Names}}").split()


def relink():
    if is_unlinked():
        must(*["run", "-d", "--name", "mayfly", "--network", "faults", "-p", "18080:80", IMAGE, "sleep", "100000"])


OPERATIONS = {
    "link": (link, is_linked, unrun),
    "unlink": (unlink, is_unlinked, relink),
    "pull": (pull, was_pulled, unpull),
    "run": (run, has_run, unrun),
    "exec": (execute, was_executed, unexecute),
    "commit": (commit, was_committed, uncommit),
    "rm": (remove, was_removed, unremove),
}

# ---- one death ---------------------------------------------------------------------------------------------


class Fault:
    """strace on a helper and what it forks, which meets the fault at its n-th call."""

    def __init__(self, pid, calls, fault, n):
        self.trace = tempfile.NamedTemporaryFile(mode="r")
        self.victim = os.pidfd_open(pid)
        what = "signal=SIGKILL" if fault == "SIGKILL" else "error=" + fault
        self.process = subprocess.Popen(
            ["strace", "-f", "-e", "trace=" + calls, "-e", f"inject={calls}:{what}:when={n}", "-o", self.trace.name, "-p", str(pid)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        line = self.process.stderr.readline()
        if "attached" not in line:
            raise Wrong(f"strace: {line.strip()}")

    def stop(self):
        """Lets go. A strace that waits for a thread that has just died may not hear that it is to end."""
        os.close(self.victim)
        self.process.terminate()
        self.process.stderr.close()
        try:
            self.process.wait(2)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def happened(self, failed):
        """Asked before stop(). What a client hears of a death may come before strace has written of it."""
        until = time.monotonic() + (HEARSAY_SECONDS if failed else QUIET_SECONDS)
        while True:
            self.trace.seek(0)
            text = self.trace.read()
            if "(INJECTED)" in text or "killed by SIGKILL" in text or select.select([self.victim], [], [], 0)[0]:
                return True
            if time.monotonic() >= until:
                return False
            time.sleep(0.02)


def present(role):
    """The pid of a helper, once there is one: a death that came late may only now have been noticed."""
    found = []
    eventually(f"{role} is there", lambda: found.append(helper(role)) or found[-1] is not None)
    return found[-1]


def box():
    return must("inspect", "-f", "{{.State.Status}} {{.State.Pid}} {{.State.StartedAt}}", "box")


def meet(operation, options, n):
    """One fault. Returns whether it happened at all, and what the client said."""
    do, has_happened, undo = operation
    eventually("it can be made undone", lambda: undo() or True)
    before = box()
    fault = Fault(present(options.role), options.calls, options.fault, n)
    try:
        result = do()
        happened = fault.happened(result.returncode != 0)
    finally:
        fault.stop()
    eventually("the engine answers", lambda: client("version", seconds=5).returncode == 0)
    present(options.role)
    if box() != before:
        raise Wrong(f"box was \"{before}\" and is \"{box()}\"")
    if result.returncode == 0:
        eventually("what was acknowledged is there", has_happened)
    elif not result.stderr.strip() and result.returncode != KILLED:
        raise Wrong(f"exit status {result.returncode} without a word")

    def again():
        undo()
        retried = do()
        if retried.returncode != 0:
            raise Wrong(retried.stderr.strip())
        return has_happened()
    eventually("it succeeds when it is done again", again)
    return happened, result


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("operation", choices=OPERATIONS)
    parser.add_argument("role")
    parser.add_argument("calls")
    parser.add_argument("--fault", choices=("SIGKILL", "ENOSPC", "EIO"), default="SIGKILL")
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--most", type=int, default=FAULTS_MAX)
    options = parser.parse_args()
    faults = 0
    for n in range(options.first, FAULTS_MAX):
        if faults == options.most:
            print(f"on from {n}")
            return 0
        try:
            happened, result = meet(OPERATIONS[options.operation], options, n)
        except (Wrong, subprocess.TimeoutExpired) as failure:
            print(f"{options.operation}, {options.role} met {options.fault} at {options.calls} {n}: {failure}")
            return 1
        if not happened:
            break
        faults += 1
        print(f"{options.role} at {n}: " + (result.stderr.strip().splitlines() or [f"exit status {result.returncode}"])[-1])
    print(f"{faults} faults")
    return 0 if faults or options.first > 1 else 1


if __name__ == "__main__":
    sys.exit(main())
