# SPDX-License-Identifier: Apache-2.0
"""What no channel is for: descriptors that nobody asked for, bytes that are no message, messages of another channel, and records that
only the supervisor may write."""
import os
import struct
import time

from breach import SOURCE, cast
from cast import HELPERS, parent
from channel import GONE, SILENCE, to_bytes
from door import Door
from topology import reachable

from . import declared
from .common import Forger, await_another, expect, pid_of, replace, spec_of
from .judgement import filled_spec, uid_of

CONTROL_FD = 3
GARBAGE = b"\xff" * 100


def held(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def runs(name):
    pid = pid_of(name)
    return bool(pid) and os.path.exists(f"/proc/{pid}")


def start_message(name, example):
    """What policyd would send to the executor to start a container; ids are those of `example`, of the same tenant."""
    text, _, _ = spec_of(name)
    base = next(line.split()[1] for line in open(f"/proc/{pid_of(example)}/uid_map") if line.split()[0] == "0")
    return f"start_container {{ spec {{ {filled_spec(text, base, uid_of(parent(pid_of(example))))} }} }}"


def descriptors(sender, receiver, name, example):
    """`name`: a container that is not started, and stays so."""
    everybody = cast()
    pid = everybody.pids[receiver]
    before = held(pid)
    failures = []
    message = start_message(name, example)
    with Forger(sender, receiver) as forged:
        stdin = [0] * 40
        answer = forged.ask("", fds=stdin, seconds=1)
        expect(failures, f"an empty message with descriptors from {sender} to {receiver}", answer, "INVALID_ARGUMENT", GONE, SILENCE)
        if (sender, receiver) != ("policyd", "executor"):  # there it is no forgery
            number = forged.new_id()
            packet = to_bytes(SOURCE, "policyd_executor", "PolicydToExecutor", f"header {{ id: {number} deadline_ms: 10000 }} {message}")
            expect(failures, f"the executor's message from {sender} to {receiver}", forged.answer(packet, number, seconds=1), "INVALID_ARGUMENT", GONE, SILENCE)
        forged.inside.send(forged.fd, GARBAGE, stdin)
    after = held(pid)
    if not os.path.exists(f"/proc/{pid}"):
        failures.append(f"{receiver} ended of it")
    if after > before:
        failures.append(f"{receiver} holds {after - before} descriptors more than before")
    if runs(name):
        failures.append(f"{name} was started")
    replace(everybody, sender)
    return failures


def worker(name):
    """The same from a worker, a copier or a monitor, on all channels that it holds. It is of no use afterwards."""
    everybody = cast()
    others = {other: fds for other, fds in reachable(everybody.pids)[name].items() if other in everybody.pids}
    failures = [] if others else [f"{name} holds no channel to anybody"]
    before = {other: held(everybody.pids[other]) for other in others}
    with Door(everybody.pids[name], everybody.service_pid(name)) as inside:
        try:
            for fd in {fd for fds in others.values() for fd in fds}:
                inside.send(fd, GARBAGE, [0] * 40)
                inside.send(fd, b"", [0] * 40)
        except EOFError:
            pass  # who loses its channel is ended
    cast()  # all helpers have answered since
    for other in others:
        pid = everybody.pids[other]
        if other in HELPERS and not os.path.exists(f"/proc/{pid}"):
            failures.append(f"{other} ended of it")
        elif os.path.exists(f"/proc/{pid}") and held(pid) >= before[other] + 40:
            failures.append(f"{other} keeps descriptors that {name} sent")
    print(f"{name} to {' '.join(others)}")
    return failures


def record(name):
    """A record for the supervisor: whoever sends it is ended, and that is all."""
    everybody = cast()
    supervisor = everybody.pids["supervisor"]
    before = held(supervisor)
    what, (kind, role, tenant), n_fds, missing = declared.RECORDS[name]
    packet = struct.pack("=IIIIQ", kind, role, tenant, 0, 7)
    failures = []
    with Door(everybody.pids[name]) as inside:
        if name == "engine":  # what it may ask is answered
            inside.send(CONTROL_FD, struct.pack("=IIIIQ", declared.PRIVILEGES, 0, 0, 0, 7))
            if not answered(inside):
                failures.append("the engine's own question is not answered, so that others' silence would prove nothing")
        try:
            inside.send(CONTROL_FD, packet[:len(packet) - missing], [0] * n_fds)
            if answered(inside):
                failures.append(f"{name} {what}, and is answered")
        except EOFError:
            pass  # it was ended
    await_another(everybody, name)
    if cast().pids["supervisor"] != supervisor:
        failures.append("the supervisor ended of it")
    deadline = time.monotonic() + 5
    while held(supervisor) > before and time.monotonic() < deadline:
        time.sleep(0.1)  # clients of the test's come and go
    if held(supervisor) > before:
        failures.append(f"the supervisor holds {held(supervisor) - before} descriptors more than before")
    return failures


def answered(inside):
    """Whether the supervisor says something within a second."""
    question = struct.pack("=ihh", CONTROL_FD, 1, 0)
    if inside.call("poll", question, 1, 1000) <= 0:
        return False
    result, _, received = inside.receive(CONTROL_FD)
    for fd in received:
        inside.call("close", fd)
    return result > 0
