# SPDX-License-Identifier: Apache-2.0
"""Other processes: their signals, memory and descriptors, and what /proc tells of them."""
import errno
import os
import socket
import struct

from door import AT_FDCWD, Room

from .rules import NEVER, Attempt, best, closing, in_proc, needs, nobody

SO_PEERCRED, SO_PEERPIDFD = 17, 77

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


def on_pair(inside, then):
    ends = Room(8)
    result = inside.call("socketpair", socket.AF_UNIX, socket.SOCK_SEQPACKET, 0, ends)
    if result < 0:
        return result
    fds = struct.unpack("=2i", ends.bytes)
    result = then(fds[0])
    for fd in fds:
        inside.call("close", fd)
    return result


F_SETOWN, F_SETSIG, F_SETOWN_EX, FIOSETOWN, SIOCSPGRP = 8, 10, 15, 0x8901, 0x8902


def become_their_signal(inside, pid):
    """The kernel sends the owner of a descriptor the signal that was chosen, SIGKILL if it must be."""
    return best([on_pair(inside, lambda fd: inside.call("fcntl", fd, F_SETOWN, pid)),
                 on_pair(inside, lambda fd: inside.call("fcntl", fd, F_SETOWN_EX, struct.pack("=ii", 1, pid))),
                 on_pair(inside, lambda fd: inside.call("ioctl", fd, FIOSETOWN, struct.pack("=i", pid))),
                 on_pair(inside, lambda fd: inside.call("ioctl", fd, SIOCSPGRP, struct.pack("=i", pid)))])


def peer_of(inside, fd):
    """The process that made the other end of a socket: its pid, and a pidfd of it. Old kernels tell the pid alone."""
    told, size = Room(12), Room(4, struct.pack("=i", 12))
    result = inside.call("getsockopt", fd, socket.SOL_SOCKET, SO_PEERCRED, told, size)
    if result < 0:
        return 0, result
    pid = struct.unpack_from("=i", told.bytes)[0]
    handle, size = Room(4), Room(4, struct.pack("=i", 4))
    result = inside.call("getsockopt", fd, socket.SOL_SOCKET, SO_PEERPIDFD, handle, size)
    if result == -errno.ENOPROTOOPT:
        return pid, inside.call("pidfd_open", pid, 0)
    return pid, struct.unpack("=i", handle.bytes)[0] if result >= 0 else result


def by_channel(then):
    """A channel tells who made its other end; of those that are others, the best that any gives."""
    def act(inside, target):
        results = []
        for fd in target.sockets:
            pid, handle = peer_of(inside, fd)
            if handle < 0:
                results.append(handle)
                continue
            if pid in target.victims.values():
                results.append(then(inside, handle))
            inside.call("close", handle)
        return best(results)
    return act


def proc(*names):
    return on_each(lambda i, pid: best(closing(i, i.call("openat", AT_FDCWD, path, os.O_RDONLY)) for name in names for path in in_proc(pid, name)))


def read_link(*names):
    return on_each(lambda i, pid: best(i.call("readlinkat", AT_FDCWD, path, Room(256), 256) for name in names for path in in_proc(pid, name)))


def take_descriptor(inside, handle):
    return best(closing(inside, inside.call("pidfd_getfd", handle, fd, 0)) for fd in (3, 0))


# CAP_SYS_ADMIN is enough to read of memory what the kernel tells (as CAP_PERFMON is), never to write or to trace.
ATTEMPTS = [
    Attempt("signal another process", on_each(lambda i, pid: i.call("kill", pid, 0)), needs("KILL")),
    Attempt("signal another process's thread", on_each(lambda i, pid: i.call("tgkill", pid, pid, 0)), needs("KILL")),
    Attempt("signal by pidfd", by_pidfd(lambda i, fd: i.call("pidfd_send_signal", fd, 0, 0, 0)), needs("KILL")),
    Attempt("queue a signal", on_each(lambda i, pid: i.call("rt_sigqueueinfo", pid, 0, struct.pack("=iii", 0, 0, -1).ljust(128, b"\0"))), needs("KILL")),
    Attempt("have the kernel signal another process", on_each(become_their_signal), NEVER),
    Attempt("choose the signal that the kernel sends", lambda i, t: on_pair(i, lambda fd: i.call("fcntl", fd, F_SETSIG, 9)), NEVER),
    Attempt("signal who made its channels", by_channel(lambda i, fd: i.call("pidfd_send_signal", fd, 0, 0, 0)), needs("KILL")),
    Attempt("take a descriptor of who made its channels", by_channel(take_descriptor), needs("SYS_PTRACE")),
    Attempt("trace another process", on_each(trace), needs("SYS_PTRACE")),
    Attempt("read another process's memory", on_each(lambda i, pid: vectors(i, pid, "process_vm_readv")), needs("SYS_PTRACE"), (errno.EFAULT,)),
    Attempt("write another process's memory", on_each(lambda i, pid: vectors(i, pid, "process_vm_writev")), needs("SYS_PTRACE"), (errno.EFAULT,)),
    Attempt("take another process's descriptor", by_pidfd(take_descriptor), needs("SYS_PTRACE")),
    Attempt("compare its descriptors with another's", on_each(lambda i, pid: i.call("kcmp", i.pid, pid, 1, 0, 0)), needs("SYS_PTRACE"), (errno.ENOSYS,)),
    Attempt("find another process's locks", on_each(lambda i, pid: i.call("get_robust_list", pid, Room(8), Room(8))), needs("SYS_PTRACE")),
    Attempt("limit another process",
            on_each(lambda i, pid: i.call("prlimit64", pid, 4, 0, Room(16))), NEVER),
    Attempt("renice another process", on_each(lambda i, pid: i.call("setpriority", 0, pid, 0)), needs("SYS_NICE")),
    Attempt("move another process to a processor", on_each(lambda i, pid: i.call("sched_setaffinity", pid, 8, b"\xff" * 8)), needs("SYS_NICE")),
    Attempt("schedule another process", on_each(lambda i, pid: i.call("sched_setscheduler", pid, 0, struct.pack("=i", 0))), needs("SYS_NICE")),
    Attempt("move another process's memory", on_each(lambda i, pid: i.call("move_pages", pid, 0, 0, 0, 0, 0)), needs("SYS_PTRACE"), (errno.ENOSYS,)),
    Attempt("advise on another process's memory", by_pidfd(lambda i, fd: i.call("process_madvise", fd, Room(16), 0, 20, 0)), needs("SYS_NICE")),
    Attempt("open another process's memory", proc("mem"), nobody),
    Attempt("learn where another process's memory is", proc("maps", "smaps", "auxv", "pagemap"), needs("SYS_ADMIN")),
    Attempt("open another process's environment", proc("environ"), needs("SYS_ADMIN")),
    Attempt("open another process's descriptors", proc("fd/0", "fd/3"), nobody),
    Attempt("see another process's root, program and descriptors", read_link("root", "cwd", "exe", "fd/3", "ns/net"), nobody),
    Attempt("open another process's namespaces", proc("ns/net", "ns/mnt", "ns/user"), nobody),
    Attempt("see another process's status and command line", proc("status", "cmdline", "stat"),
            lambda row: None if row.root in ("host", "container", "procfs") else False),
    Attempt("enter another process's namespaces", by_pidfd(lambda i, fd: i.call("setns", fd, 0x40000000)), nobody),
]
