#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What an attacker can do inside the processes of an engine that was built with BH_BREACH.

    breach.py chapters                what the attempts are about, one subject a line
    breach.py bare CHAPTER            every attempt works in a process without a sandbox
    breach.py bare_calls              and every system call of `calls` gets an answer there that is no refusal
    breach.py attempts NAME CHAPTER   in NAME ("engine", "fetch", "monitor"), what its row allows works and nothing else
    breach.py calls NAME              every system call that its row does not name is refused
    breach.py bare_shared             memory that two processes can write shows
    breach.py caught NAME COMMAND...  both, in a worker that COMMAND makes a service fork, however often it is run
    breach.py listen                  the monitors of all containers from now on can be entered
    breach.py monitors CHAPTER        every attempt in a monitor, which is ended by most of them
    breach.py matrix                  each process holds channels to whom the supervisor's table names, and to nobody else
    breach.py wires                   "FROM:TO" of each channel in the table, from either end
    breach.py names                   the processes that can be entered now, one a line
    breach.py rows                    all that there are rows for
    breach.py entered NAME...         these are all that there are rows for

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
from attempts import CHAPTERS, Target
from cast import Cast, children, comm, parent
from door import NUMBERS, SERVE_WORKERS, SPARE_WORKERS, Door, callers, give, lent
from topology import datagrams_of, reachable, sockets_of

BIN, SOURCE, FOLDER = (os.environ[f"BREACH_{name}"] for name in ("BIN", "SOURCE", "FOLDER"))
BROKER = int(os.environ["BREACH_BROKER"])
ABSTRACT = f"bulkhead-breach-host-{os.getpid()}"
SERVER = None  # of ours, on the host


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
    files = [f"{FOLDER}/known", f"{FOLDER}/secret", *os.environ["BREACH_FILES"].split()]
    return Target(victims=victims, files=files, known=f"{FOLDER}/known".lstrip("/"), open_folder=f"{FOLDER}/open", abstract=ABSTRACT, port=SERVER.getsockname()[1],
                  door=os.environ["BREACH_DOOR"], state=os.environ["BREACH_STATE"])


def attempt(inside, what, upon, filtered=True):
    """The result of one attempt; errors that come after all checks of rights count as a success. A call that this kernel lacks has
    got past a filter, if there is one, and past nothing else."""
    result = what.act(inside, upon)
    return 0 if -result in what.reached and (filtered or result != -errno.ENOSYS) else result


def tell(result):
    return "works" if result >= 0 else errno.errorcode.get(-result, str(-result))


def shared_memory(pid):
    """Lines of its map that it could write and others see."""
    with open(f"/proc/{pid}/maps") as maps:
        return [line.strip() for line in maps if line.split()[1][1] == "w" and line.split()[1][3] == "s"]


# ---- without a sandbox ---------------------------------------------------------------------------


class Bare:
    """A process of root's without a sandbox, and a Door into it."""

    def __enter__(self):
        self.process = subprocess.Popen([f"{BIN}/breach-bare"], stdin=subprocess.PIPE)
        await_call(self.process.pid)
        self.door = Door(self.process.pid)
        return self.door.__enter__()

    def __exit__(self, *reason):
        self.door.__exit__(*reason)
        self.process.kill()  # whatever program it may be by now
        self.process.wait(10)
        self.process.stdin.close()


def bare(chapter):
    failures = []
    with subprocess.Popen(["sleep", "1000"]) as victim:
        try:
            for what in CHAPTERS[chapter]:
                with Bare() as inside:
                    upon = target({"victim": victim.pid, "broker": BROKER})
                    upon.folders = [inside.call("openat", -100, folder, os.O_PATH | os.O_DIRECTORY) for folder in ("/usr", os.environ["BREACH_RULES"])]
                    upon.sockets, upon.descriptors = [inside.fd], 500
                    with open("/proc/self/ns/uts") as namespace:
                        upon.given["ns"] = give(inside, namespace.fileno())
                    result = attempt(inside, what, upon)
                if result < 0:
                    failures.append(f"{what.name}: {tell(result)} without a sandbox, so that a refusal would prove nothing")
        finally:
            victim.kill()
    return failures


# They end or stop whoever makes them, or give him a stack that is not his; that a sandbox refuses them is seen all the same.
NEVER_RETURN = {"exit", "exit_group", "pause", "rt_sigreturn", "vfork"}


def bare_calls():
    """The calls that some row leaves out, each with the arguments of `calls`. What this kernel lacks it says; a filter says EPERM of that, too."""
    everybody = cast()
    unnamed = {}
    for row in everybody.rows.values():
        unnamed.update(attempts.unnamed_calls(row) if row.filtered else {})
    failures = []
    for call in sorted(unnamed.keys() - NEVER_RETURN):
        with Bare() as inside:
            result = inside.call(NUMBERS[call], *[-1] * 6)
        if result == -errno.EPERM:
            failures.append(f"call {call}: {tell(result)} without a sandbox, so that a refusal would prove nothing")
    print(f"{len(unnamed)} calls")
    return failures


def bare_shared():
    """What `forge.py shared` looks for is there once a process has it."""
    with Bare() as inside:
        inside.call("mmap", 0, 4096, 3, 0x21, -1, 0)
        return [] if shared_memory(inside.pid) else ["memory that is shared does not show"]


# ---- inside ---------------------------------------------------------------------------------------


def upon_others(everybody, name, pid):
    """What `name` may try: all that is not its own."""
    upon = target({**everybody.others(name), "init": 1})
    upon.folders, upon.descriptors = folders_of(pid), everybody.rows[name].limits.get("descriptors", 0)
    upon.sockets = sorted(sockets_of(pid))
    upon.datagrams = datagrams_of(pid, everybody.pids["supervisor"], everybody.pids["executor"])
    return upon


def try_all(inside, row, upon, chapters):
    """How many attempts were made, and a sentence for each that ended otherwise than the row says."""
    tried, failures = 0, []
    with open("/proc/self/ns/uts") as namespace:
        upon.given["ns"] = give(inside, namespace.fileno())
    for what in (what for chapter in chapters for what in CHAPTERS[chapter]):
        allowed = what.allowed(row)
        if allowed is not None:
            tried += 1
            result = attempt(inside, what, upon, row.filtered)
            if allowed != (result >= 0):
                failures.append(f"{what.name}: {tell(result)}, its row says {'it may' if allowed else 'it may not'}")
    return tried, failures


def call_all(inside, row):
    """The same for every system call that the row does not name."""
    results = {call: inside.call(number, *[-1] * 6) for call, number in attempts.unnamed_calls(row).items()}
    return len(results), [f"call {call}: {tell(result)}, and its row does not name it" for call, result in results.items()
                          if result != (-errno.ENOSYS if call == "clone3" else -errno.EPERM)]


def attempts_in(name, chapter):
    everybody = cast()
    pid = everybody.pids[name]
    with Door(pid, everybody.service_pid(name)) as inside:
        tried, failures = try_all(inside, everybody.rows[name], upon_others(everybody, name, pid), [chapter])
    print(f"{tried} attempts in {name}, pid {pid}")
    return failures


def calls_in(name):
    everybody = cast()
    with Door(everybody.pids[name], everybody.service_pid(name)) as inside:
        tried, failures = call_all(inside, everybody.rows[name])
    print(f"{tried} calls in {name}")
    return failures


# ---- those who live too briefly, or die of it ---------------------------------------------------------


MISSED = ["it was never forked"]


def caught(name, *command):
    """Runs a command that makes a service fork one worker `name`, and goes into that before its first instruction."""
    everybody = cast()
    service = everybody.pids[everybody.service_of[name]]
    with Door(service) as inside:
        inside.instruct(SERVE_WORKERS, name)
    failures, deadline = MISSED, time.monotonic() + 30
    with subprocess.Popen(command) as running:
        while failures == MISSED and running.poll() is None and time.monotonic() < deadline:
            for child in children(service):
                if comm(child) == name:
                    with Door(child, service, serving=True) as inside:
                        row = everybody.rows[name]
                        tried, failures = try_all(inside, row, upon_others(everybody, name, child), CHAPTERS)
                        called, more = call_all(inside, row)
                    failures = failures + more
                    print(f"{tried} attempts and {called} calls in {name}, pid {child}")
                    break
        with Door(service) as inside:
            inside.instruct(SPARE_WORKERS)
        if running.wait(30) != 0:
            failures = failures + [f"{' '.join(command)}: exit status {running.returncode} after its worker was let go"]
    return failures


def ask(*command):
    return subprocess.run(["bulkhead", *command], check=True, capture_output=True, text=True).stdout.strip()


def fresh_monitor():
    """A container of its own, and its monitor."""
    container = ask("run", "-d", "--network", "none", "busybox", "sleep", "1000")
    return container, parent(int(ask("inspect", "-f", "{{.State.Pid}}", container)))


def await_call(pid):
    deadline = time.monotonic() + 10
    while pid not in callers(FOLDER):
        assert time.monotonic() < deadline, f"process {pid} does not call home"


def monitors(chapter):
    """A monitor that breaks its rules is ended by the kernel: then the next one goes on."""
    failures, tried, containers = [], 0, []
    waiting = [what for what in CHAPTERS[chapter]]
    while waiting:
        container, pid = fresh_monitor()
        containers.append(container)
        await_call(pid)
        everybody = cast()
        row = everybody.rows["monitor"]
        with Door(pid, dies_of_it=True) as inside:
            upon = upon_others(everybody, "monitor", pid)
            with open("/proc/self/ns/uts") as namespace:
                upon.given["ns"] = give(inside, namespace.fileno())
            while waiting:
                what = waiting.pop(0)
                if what.allowed(row) is None:
                    continue
                tried += 1
                try:
                    result = attempt(inside, what, upon)
                except EOFError:
                    break
                if result >= 0:
                    failures.append(f"{what.name}: works, its row says it may not")
    ask("rm", "-f", *containers)
    print(f"{tried} attempts in {len(containers)} monitors")
    return failures


def listen_for_monitors():
    """The first monitor finds nobody: it only shows the network namespace that all of them share."""
    container, monitor = fresh_monitor()
    for _, connection in lent(FOLDER, str(monitor)):
        connection.close()
    ask("rm", "-f", container)
    return []


# ---- who reaches whom ---------------------------------------------------------------------------------


def matrix():
    """Role by role, as the supervisor's table has it: in use, and no more."""
    everybody = cast()
    reached = reachable({**everybody.pids, "broker": int(os.environ["BREACH_BROKER"])})
    failures = []
    for name, others in reached.items():
        if name == "broker":
            continue
        others = set(others) - {"broker", *({"?"} if name.startswith("api") else ())}  # an api's clients are strangers
        expected, possible = everybody.peers(name)
        print(f"{name:14} {' '.join(sorted(others))}")
        failures += [f"{name} holds a channel to {other}, which nobody gave it" for other in others - expected - possible]
        failures += [f"{name} has no channel to {other}, which the table gives it" for other in expected - others]
    return failures


def wires():
    """Both ends of every row of the table."""
    for row in cast().table:
        if row["role"] != "supervisor" and (row["role"] != "api" or row["tenant_uid"] == 0):
            for peer in filter(None, row["peers"].split(",")):
                print(f"{row['role']}:{peer}")
    return []


def chapters():
    print("\n".join(CHAPTERS))
    return []


def rows():
    print("\n".join(cast().rows))
    return []


def entered(*who):
    return [f"no attempt was made in {name}, which has a row" for name in sorted(cast().rows.keys() - set(who))]


def names():
    everybody = cast()
    for name in everybody.rows:
        if name in everybody.pids:
            print(name)
    return []


COMMANDS = {"chapters": chapters, "bare": bare, "bare_calls": bare_calls, "bare_shared": bare_shared, "rows": rows, "entered": entered, "attempts": attempts_in, "calls": calls_in, "names": names, "caught": caught, "monitors": monitors,
            "listen": listen_for_monitors, "matrix": matrix, "wires": wires}

def run(commands):
    """What the command line says, while a server and a datagram socket of ours are there to be reached."""
    global SERVER
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as host, socket.create_server(("127.0.0.1", 0)) as server:
        host.bind("\0" + ABSTRACT)
        SERVER = server
        problems = commands[sys.argv[1]](*sys.argv[2:])
    print("\n".join(problems), end="\n" * bool(problems))
    return bool(problems)


if __name__ == "__main__":
    sys.exit(run(COMMANDS))
