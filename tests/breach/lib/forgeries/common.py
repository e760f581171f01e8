# SPDX-License-Identifier: Apache-2.0
"""What all forgeries need: a channel of a process that was taken over, and all in order again afterwards."""
import os
import signal
import sqlite3
import subprocess
import time

from breach import SOURCE, cast
from cast import HELPERS
from channel import GONE, SILENCE, between, code_of, to_text
from door import Door
from topology import reachable

STATE = os.environ["BREACH_STATE"]
DATABASE = f"file:{STATE}/engine/engine.db?mode=ro"


class Forger:
    """In `name`, on its channel to `other`."""

    def __init__(self, name, other):
        self.name, self.other = name, other

    def __enter__(self):
        everybody = cast()
        matrix = reachable(everybody.pids)
        self.door = Door(everybody.pids[self.name], everybody.service_pid(self.name))
        self.channel = between(everybody, matrix, self.name, self.other, self.door.__enter__(), SOURCE)
        return self.channel

    def __exit__(self, *reason):
        self.door.__exit__(*reason)


def expect(failures, what, answer, *codes):
    got = code_of(answer) or (answer if answer in (GONE, SILENCE) else "it was done")
    if got not in codes:
        failures.append(f"{what}: {got}, want {' or '.join(codes)}\n{answer}")
    return got


def replace(everybody, name):
    """Whoever was taken over is ended; then all are wired as before."""
    os.kill(everybody.pids[name], signal.SIGKILL)
    await_another(everybody, name)


def await_another(everybody, name):
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        time.sleep(0.1)
        try:
            now = cast()
            matrix = reachable(now.pids)
        except (subprocess.CalledProcessError, OSError, KeyError):
            continue  # api or engine is just what was ended
        if name.startswith("api:"):
            return  # started when its tenant comes again
        wired = all(now.peers(role)[0] <= set(matrix[role]) for role in HELPERS)
        if wired and now.pids[name] != everybody.pids[name]:
            return
    raise TimeoutError(f"{name} was not started and wired again")


def row_of(column, name):
    with sqlite3.connect(DATABASE, uri=True) as engine:
        return engine.execute(f"SELECT {column} FROM containers WHERE name = ?", [name]).fetchone()


def spec_of(name):
    """As the engine keeps it, which is what a breached engine would read: text, tenant, id."""
    spec, uid, number = row_of("spec, tenant_uid, id", name)
    return to_text(SOURCE, "container", "ContainerSpec", spec), uid, number


def pid_of(name):
    return row_of("pid", name)[0]
