# SPDX-License-Identifier: Apache-2.0
"""Code that was not there before: programs, memory to execute, processes."""
import struct
import time

from .rules import NEVER, Attempt, plain

# pause(), exit(): the smallest program there is that stays
TINY = (b"\x7fELF\2\1\1" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, 0x400078, 64, 0, 0, 64, 56, 1, 0, 0, 0) +
        struct.pack("<IIQQQQQQ", 1, 5, 0, 0x400000, 0x400000, 0x1000, 0x1000, 0x1000) + b"\xb8\x22\x00\x00\x00\x0f\x05\x31\xff\xb8\x3c\x00\x00\x00\x0f\x05")
NO_STRINGS = bytes(8)


def goes_on(pid):
    """Whether a process that has let go of us is still there, a good while later: it takes a moment to end."""
    for _ in range(40):
        try:
            with open(f"/proc/{pid}/stat") as file:
                if file.read().rpartition(")")[2].split()[0] in "ZX":
                    return False
        except (FileNotFoundError, ProcessLookupError):
            return False
        time.sleep(0.05)
    return True


def replaced(inside, *call):
    try:
        return inside.call(*call)
    except EOFError:
        if inside.dies_of_it and not goes_on(inside.pid):
            raise
        return 0  # it runs, and we are no longer there


def execute_memory(inside, _):
    fd = inside.call("memfd_create", "program", 0)
    if fd < 0:
        return fd
    inside.call("write", fd, TINY, len(TINY))
    return replaced(inside, "execveat", fd, "", NO_STRINGS, NO_STRINGS, 0x1000)


def mapped(inside, protection, then=None):
    address = inside.call("mmap", 0, 4096, protection, 0x22, -1, 0)
    if address < 0:
        return address
    result = inside.call("mprotect", address, 4096, then) if then else address
    inside.call("munmap", address, 4096)
    return result


def keyed(inside, _):
    """mprotect() has a second name."""
    address = inside.call("mmap", 0, 4096, 3, 0x22, -1, 0)
    if address < 0:
        return address
    result = inside.call("pkey_mprotect", address, 4096, 5, -1)
    inside.call("munmap", address, 4096)
    return result


def attach_to_execute(inside, _):
    """System V memory is mapped by a call of its own."""
    number = inside.call("shmget", 0, 4096, 0o1700)
    if number < 0:
        return number
    address = inside.call("shmat", number, 0, 0o100000)
    if address >= 0:
        inside.call("shmdt", address)
    inside.call("shmctl", number, 0, 0)
    return address


def map_file(inside, _):
    fd = inside.call("memfd_create", "code", 0)
    if fd < 0:
        return fd
    inside.call("ftruncate", fd, 4096)
    result = inside.call("mmap", 0, 4096, 5, 1, fd, 0)
    inside.call("close", fd)
    return result


ATTEMPTS = [
    Attempt("execute a program by its path", lambda i, t: replaced(i, "execve", "/bin/cat", NO_STRINGS, NO_STRINGS), NEVER),
    Attempt("execute a program from memory", execute_memory, NEVER),
    Attempt("map memory to write and execute", lambda i, t: mapped(i, 7), NEVER),
    Attempt("make written memory executable", lambda i, t: mapped(i, 3, 5), NEVER),
    Attempt("make written memory executable with a key", keyed, NEVER),
    Attempt("map a file of its own making to execute", map_file, NEVER),
    Attempt("attach shared memory to execute", attach_to_execute, NEVER),
    plain("personality", 0x0400000, label="have whatever it reads be executable", undo=("personality", 0)),
    Attempt("fork", lambda i, t: i.call("clone", 17), lambda row: None if not row.filtered else "fork-worker" in row.groups),
    Attempt("start a thread of another process's making", lambda i, t: i.call("clone3", struct.pack("=8Q", 0, 0, 0, 0, 17, 0, 0, 0), 64), NEVER),
]
