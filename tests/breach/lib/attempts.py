# SPDX-License-Identifier: Apache-2.0
"""What an attacker tries from inside a process, by chapter."""
from attempts_files import FILES
from attempts_identity import IDENTITY
from attempts_kernel import KERNEL
from attempts_network import NETWORK
from attempts_processes import PROCESSES
from attempts_programs import PROGRAMS
from door import NUMBERS

CHAPTERS = {"files": FILES, "network": NETWORK, "programs": PROGRAMS, "processes": PROCESSES, "kernel": KERNEL, "identity": IDENTITY}

# Calls that every filter knows but lets through for some arguments alone: the chapters try the others.
SOME_USES = {"prctl", "ioctl", "newfstatat", "socketpair", "clone", "socket", "mmap", "mprotect", "tgkill", "fcntl", "prlimit64"}


def unnamed_calls(row):
    """Every call that the row does not name."""
    return {name: number for name, number in NUMBERS.items() if name not in row.calls | SOME_USES}
