#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What an attacker can do inside the processes of an engine that was built with BH_BREACH.

    breach.py bare CHAPTER            every attempt works in a process without a sandbox
    breach.py attempts NAME CHAPTER   in NAME ("engine", "fetch", "monitor"), what its row allows works and nothing else
    breach.py calls NAME              every system call that its row does not name is refused
    breach.py names                   the processes that can be entered now, one a line

BREACH_FOLDER is the broker's folder, BREACH_BIN the programs', BREACH_SOURCE the sources'. Exits 1 and says what was possible that
should not be, or the other way round.
"""
import errno
import os
import socket
import subprocess
import sys
import time

import attempts
from attempts import CHAPTERS, Attempt, Target
from cast import Cast
from door import Door, callers, give

BIN, SOURCE, FOLDER = (os.environ[f"BREACH_{name}"] for name in ("BIN", "SOURCE", "FOLDER"))
ABSTRACT = f"bulkhead-breach-host-{os.getpid()}"


def cast():
    return Cast(BIN, SOURCE, FOLDER)


def folders_of(pid):
    """Descriptors of folders that a process holds."""
    found = []
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            if os.path.isdir(f"/proc/{pid}/fd/{fd}"):
                found.append(int(fd))
        except OSError:
            pass
    return sorted(found)


def target(victims):
    return Target(victims=victims, files=[f"{FOLDER}/secret", "/etc/shadow", *os.environ["BREACH_FILES"].split()], abstract=ABSTRACT)


def attempt(inside, what, upon, filtered=True):
    """The result of one attempt; errors that come after all checks of rights count as a success. A call that this kernel lacks has
    got past a filter, if there is one, and past nothing else."""
    result = what.act(inside, upon)
    return 0 if -result in what.reached and (filtered or result != -errno.ENOSYS) else result


def tell(result):
    return "works" if result >= 0 else errno.errorcode.get(-result, str(-result))


# ---- without a sandbox ---------------------------------------------------------------------------


class Bare:
    """A process of root's without a sandbox, and a Door into it."""

    def __enter__(self):
        self.process = subprocess.Popen([f"{BIN}/breach-bare"], stdin=subprocess.PIPE)
        deadline = time.monotonic() + 10
        while self.process.pid not in callers(FOLDER):
            assert time.monotonic() < deadline, "breach-bare does not call home"
        self.door = Door(self.process.pid)
        return self.door.__enter__()

    def __exit__(self, *reason):
        self.door.__exit__(*reason)
        self.process.stdin.close()
        self.process.wait(10)


def bare(chapter):
    failures = []
    with subprocess.Popen(["sleep", "1000"]) as victim:
        try:
            for what in CHAPTERS[chapter]:
                with Bare() as inside:
                    upon = target({"victim": victim.pid})
                    upon.folders = [inside.call("openat", -100, "/usr", os.O_PATH | os.O_DIRECTORY)]
                    with open("/proc/self/ns/uts") as namespace:
                        upon.given["ns"] = give(inside, namespace.fileno())
                    result = attempt(inside, what, upon)
                if result < 0:
                    failures.append(f"{what.name}: {tell(result)} without a sandbox, so that a refusal would prove nothing")
        finally:
            victim.kill()
    return failures


# ---- inside ---------------------------------------------------------------------------------------


def attempts_in(name, chapter):
    everybody = cast()
    pid, row = everybody.pids[name], everybody.rows[name]
    failures, tried = [], 0
    with Door(pid, everybody.pids.get(everybody.service_of.get(name))) as inside, open("/proc/self/ns/uts") as namespace:
        upon = target({**everybody.others(name), "init": 1})
        upon.folders = folders_of(pid)
        upon.given["ns"] = give(inside, namespace.fileno())
        for what in CHAPTERS[chapter]:
            allowed = what.allowed(row)
            if allowed is None:
                continue
            tried += 1
            result = attempt(inside, what, upon, row.filtered)
            if allowed != (result >= 0):
                failures.append(f"{name} (pid {pid}): {what.name}: {tell(result)}, its row says {'it may' if allowed else 'it may not'}")
    print(f"{tried} attempts")
    return failures


def calls_in(name):
    everybody = cast()
    row = everybody.rows[name]
    failures = []
    with Door(everybody.pids[name], everybody.pids.get(everybody.service_of.get(name))) as inside:
        for call, number in attempts.unnamed_calls(row).items():
            result = inside.call(number, *[-1] * 6)
            if result not in (-errno.EPERM, -errno.ENOSYS):
                failures.append(f"{name}: {call}: {tell(result)}, and its row does not name it")
    return failures


def names():
    everybody = cast()
    for name in everybody.rows:
        if name in everybody.pids:
            print(name)
    return []


COMMANDS = {"bare": bare, "attempts": attempts_in, "calls": calls_in, "names": names}

if __name__ == "__main__":
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as host:
        host.bind("\0" + ABSTRACT)
        problems = COMMANDS[sys.argv[1]](*sys.argv[2:])
    print(*problems, sep="\n")
    sys.exit(bool(problems))
