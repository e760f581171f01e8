# SPDX-License-Identifier: Apache-2.0
"""Limits: what its row grants, and no more."""
import struct

from door import Room

from .rules import Attempt, beyond, closing, nobody

NOFILE, CORE, FSIZE_SIGNAL = 7, 4, 25
MEMORY_BYTES = 1 << 37  # beyond every row
FILE_BYTES = 1 << 41
IGNORED = struct.pack("=4Q", 1, 0, 0, 0)


def raise_limit(call):
    """Of core dumps, which nobody here may leave, and which have no limit outside."""
    return lambda inside, _: call(inside, CORE, struct.pack("=QQ", 1 << 20, 1 << 20))


def map_much(inside, _):
    """Never touched: what is counted is the room."""
    address = inside.call("mmap", 0, MEMORY_BYTES, 0, 0x4022, -1, 0)
    if address >= 0:
        inside.call("munmap", address, MEMORY_BYTES)
    return address


def hold_many(inside, target):
    """A descriptor's number is what is limited."""
    inside.call("prlimit64", 0, NOFILE, struct.pack("=QQ", target.descriptors + 1, target.descriptors + 1), 0)
    return closing(inside, inside.call("fcntl", inside.fd, 0, target.descriptors))


def write_much(inside, _):
    """A file of holes. The signal that comes with the refusal would end the process, and is taken back."""
    fd = inside.call("memfd_create", "much", 0)
    if fd < 0:
        return fd
    before = Room(32)
    inside.call("rt_sigaction", FSIZE_SIGNAL, IGNORED, before, 8)
    result = inside.call("ftruncate", fd, FILE_BYTES)
    inside.call("rt_sigaction", FSIZE_SIGNAL, IGNORED, 0, 8)  # forgets one that waits
    inside.call("rt_sigaction", FSIZE_SIGNAL, before.bytes, 0, 8)
    inside.call("close", fd)
    return result


ATTEMPTS = [
    Attempt("raise a limit of its own", raise_limit(lambda i, what, limit: i.call("prlimit64", 0, what, limit, 0)), nobody),
    Attempt("raise a limit of its own by the old call", raise_limit(lambda i, what, limit: i.call("setrlimit", what, limit)), nobody),
    Attempt("take more memory than its row grants", map_much, beyond("memory_bytes")),
    Attempt("hold more descriptors than its row grants", hold_many, beyond("descriptors")),
    Attempt("write a larger file than its row grants", write_much, beyond("file_bytes")),
]
