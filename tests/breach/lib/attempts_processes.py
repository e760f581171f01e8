# SPDX-License-Identifier: Apache-2.0
"""Other processes: their signals, memory, descriptors and namespaces."""
import errno
import os
import struct

from attempt import NEVER, Attempt, best, closing, needs, nobody
from door import AT_FDCWD, Room


def on_each(call):
    """Of all victims; the best that any gives."""
    return lambda inside, target: best(call(inside, pid) for pid in target.victims.values())


def by_pidfd(then):
    def act(inside, pid):
        fd = inside.call("pidfd_open", pid, 0)
        if fd < 0:
            return fd
        result = then(inside, fd)
        inside.call("close", fd)
        return result
    return on_each(act)


def trace(inside, pid):
    result = inside.call("ptrace", 0x4206, pid, 0, 0)  # PTRACE_SEIZE: without stopping it
    if result >= 0:
        inside.call("ptrace", 0x4207, pid, 0, 0)
        inside.call("wait4", pid, 0, 0x40000000, 0)
        inside.call("ptrace", 17, pid, 0, 0)
    return result


def vectors(inside, pid, call):
    """Copies a byte from or to where the hook's own memory would be."""
    byte, ours, theirs = Room(8), Room(16), Room(16)
    at, *_ = inside.place(byte, ours, theirs)
    ours.content = theirs.content = struct.pack("=QQ", at, 1)
    return inside.call(call, pid, inside.scratch + ours.offset, 1, inside.scratch + theirs.offset, 1, 0)


def become_their_signal(inside, pid):
    """The kernel sends the owner of a descriptor the signal that was chosen, SIGKILL if it must be."""
    ends = Room(8)
    result = inside.call("pipe2", ends, 0)
    if result < 0:
        return result
    fds = struct.unpack("=2i", ends.bytes)
    result = inside.call("fcntl", fds[0], 8, pid)
    for fd in fds:
        inside.call("close", fd)
    return result


def proc(name):
    return on_each(lambda i, pid: closing(i, i.call("openat", AT_FDCWD, f"/proc/{pid}/{name}", os.O_RDONLY)))


PROCESSES = [
    Attempt("signal another process", on_each(lambda i, pid: i.call("kill", pid, 0)), needs("KILL")),
    Attempt("signal another process's thread", on_each(lambda i, pid: i.call("tgkill", pid, pid, 0)), needs("KILL")),
    Attempt("signal by pidfd", by_pidfd(lambda i, fd: i.call("pidfd_send_signal", fd, 0, 0, 0)), needs("KILL")),
    Attempt("queue a signal", on_each(lambda i, pid: i.call("rt_sigqueueinfo", pid, 0, struct.pack("=iii", 0, 0, -1).ljust(128, b"\0"))), needs("KILL")),
    Attempt("have the kernel signal another process", on_each(become_their_signal), NEVER),
    Attempt("trace another process", on_each(trace), needs("SYS_PTRACE")),
    Attempt("read another process's memory", on_each(lambda i, pid: vectors(i, pid, "process_vm_readv")), needs("SYS_PTRACE"), (errno.EFAULT,)),
    Attempt("write another process's memory", on_each(lambda i, pid: vectors(i, pid, "process_vm_writev")), needs("SYS_PTRACE"), (errno.EFAULT,)),
    Attempt("take another process's descriptor", by_pidfd(lambda i, fd: i.call("pidfd_getfd", fd, 0, 0)), needs("SYS_PTRACE")),
    Attempt("compare its descriptors with another's", on_each(lambda i, pid: i.call("kcmp", i.pid, pid, 1, 0, 0)), needs("SYS_PTRACE"), (errno.ENOSYS,)),
    Attempt("find another process's locks", on_each(lambda i, pid: i.call("get_robust_list", pid, Room(8), Room(8))), needs("SYS_PTRACE")),
    Attempt("limit another process",
            on_each(lambda i, pid: i.call("prlimit64", pid, 4, 0, Room(16))), NEVER),
    Attempt("renice another process", on_each(lambda i, pid: i.call("setpriority", 0, pid, 0)), needs("SYS_NICE")),
    Attempt("move another process to a processor", on_each(lambda i, pid: i.call("sched_setaffinity", pid, 8, b"\xff" * 8)), needs("SYS_NICE")),
    Attempt("open another process's memory", proc("mem"), nobody),
    Attempt("open another process's environment", proc("environ"), needs("SYS_ADMIN")),
    Attempt("open another process's descriptors", proc("fd/0"), nobody),
    Attempt("enter another process's namespaces", by_pidfd(lambda i, fd: i.call("setns", fd, 0x40000000)), nobody),
]
