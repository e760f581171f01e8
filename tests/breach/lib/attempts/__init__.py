# SPDX-License-Identifier: Apache-2.0
"""What an attacker tries from inside a process, by chapter: one module each, with its `ATTEMPTS`."""
from door import NUMBERS

from . import files, identity, kernel, limits, mounts, namespaces, network, processes, programs
from .rules import Attempt, Target

CHAPTERS = {module.__name__.rpartition(".")[2]: module.ATTEMPTS
            for module in (files, mounts, network, programs, processes, namespaces, kernel, identity, limits)}

# Calls that every filter knows but lets through for some arguments alone: the chapters try the others.
SOME_USES = {"prctl", "ioctl", "newfstatat", "socketpair", "clone", "socket", "mmap", "mprotect", "tgkill", "fcntl", "prlimit64",
             "sendto", "sendmsg", "sendmmsg"}


def unnamed_calls(row):
    """Every call that the row does not name."""
    return {name: number for name, number in NUMBERS.items() if name not in row.calls | SOME_USES}
