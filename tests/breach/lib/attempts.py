# SPDX-License-Identifier: Apache-2.0
"""What an attacker tries from inside a process, by chapter. Each is a row: its name, what is done (the result of the call that
counts: negative is a refusal), and what the process's own row says of it:

    NEVER            whoever has a filter is refused
    with_calls(...)  works for rows that name these calls, and for them alone
    needs(CAP)       works for whoever holds the capability and no filter stands in the way

A row function answers True (must work), False (must be refused) or None (may do either).
"""
import errno
import os
import socket
import struct
import time
from dataclasses import dataclass, field
from typing import Callable

from door import AT_FDCWD, NUMBERS, Room

# ---- what rows say -----------------------------------------------------------------------------


def NEVER(row):
    return None if not row.filtered else False


def with_calls(*calls):
    return lambda row: row.permits(*calls) if row.filtered else None


def with_group(group):
    return lambda row: group in row.groups if row.filtered else None


def needs(capability):
    return lambda row: None if not row.filtered and row.holds(capability) else False


def nobody(_):
    return False


def host_root_only(row):
    return None if row.root == "host" else False


@dataclass
class Target:
    """What is tried upon: all of it exists, and belongs to somebody else."""
    victims: dict                              # name: pid
    files: list                                # absolute paths
    known: str                                 # one that every process of the host may read
    open_folder: str                           # and one where every process of the host may write
    given: dict = field(default_factory=dict)  # descriptors that the attacker hands in: "ns", "folder"
    abstract: str = ""                         # a datagram socket of the host's network namespace
    folders: list = field(default_factory=list)  # descriptors of folders that the process holds


@dataclass
class Attempt:
    name: str
    act: Callable
    allowed: Callable
    reached: tuple = ()  # errors that come only after every check of rights


def best(results):
    """The worst news of several results: a success, else the last refusal."""
    results = list(results)
    return next((result for result in results if result >= 0), results[-1] if results else -errno.ENOENT)


def closing(inside, fd):
    if fd >= 0:
        inside.call("close", fd)
    return fd


# ---- files --------------------------------------------------------------------------------------

UP = "../" * 16


def open_any(inside, target, flags, prefix=""):
    return best(closing(inside, inside.call("openat", AT_FDCWD, prefix + path.lstrip("/") if prefix == UP else prefix + path, flags)) for path in target.files)


def leave_by_folders(inside, target):
    """Out of the root by `..` from a folder that was opened outside of it."""
    return best(closing(inside, inside.call("openat", fd, UP + target.known, os.O_RDONLY)) for fd in target.folders)


def write_by_folders(inside, target):
    name = target.open_folder + "/file"
    result = best(closing(inside, inside.call("openat", fd, UP + name.lstrip("/"), os.O_CREAT | os.O_WRONLY, 0o600)) for fd in target.folders)
    for fd in target.folders if result >= 0 else ():
        inside.call("unlinkat", fd, UP + name.lstrip("/"), 0)
    return result


def walk_by_fchdir(inside, target):
    def walk(fd):
        result = inside.call("fchdir", fd)
        return result if result < 0 else closing(inside, inside.call("openat", AT_FDCWD, UP + target.known, os.O_RDONLY))
    result = best(walk(fd) for fd in target.folders)
    inside.call("chdir", "/")
    return result


def create(inside, target):
    name = target.open_folder + "/file"
    result = closing(inside, inside.call("openat", AT_FDCWD, name, os.O_CREAT | os.O_WRONLY, 0o600))
    if result >= 0:
        inside.call("unlinkat", AT_FDCWD, name, 0)
    return result


def make_device(inside, _):
    """At the root of what it sees."""
    result = inside.call("mknodat", AT_FDCWD, "/bulkhead-device", 0o020600, 0x103)
    inside.call("unlinkat", AT_FDCWD, "/bulkhead-device", 0)
    return result


def rename_away(inside, target):
    result = inside.call("renameat2", AT_FDCWD, target.files[0], AT_FDCWD, target.files[0] + ".away", 0)
    if result >= 0:
        inside.call("renameat2", AT_FDCWD, target.files[0] + ".away", AT_FDCWD, target.files[0], 0)
    return result


FILES = [
    Attempt("open files of others for reading", lambda i, t: open_any(i, t, os.O_RDONLY), host_root_only),
    Attempt("open files of others for writing", lambda i, t: open_any(i, t, os.O_WRONLY), host_root_only),
    Attempt("find them by ..", lambda i, t: open_any(i, t, os.O_RDONLY, UP), host_root_only),
    Attempt("find them by the root of another process",
            lambda i, t: best(open_any(i, t, os.O_RDONLY, f"/proc/{pid}/root") for pid in t.victims.values()), nobody),
    Attempt("leave through a folder it holds", leave_by_folders, host_root_only),
    Attempt("write through a folder it holds", write_by_folders, host_root_only),
    Attempt("go to a folder it holds, and leave", walk_by_fchdir, host_root_only),
    Attempt("make a file where everybody may", create, host_root_only),
    Attempt("rename a file of others", rename_away, host_root_only),
    Attempt("make a device node", make_device, lambda row: None if row.root == "host" else False),
    Attempt("open a device", lambda i, t: closing(i, i.call("openat", AT_FDCWD, "/dev/null", os.O_RDWR)),
            lambda row: None if row.root in ("host", "container") else False),
    Attempt("open its own memory", lambda i, t: closing(i, i.call("openat", AT_FDCWD, "/proc/self/mem", os.O_RDWR)), host_root_only),
]

# ---- the network --------------------------------------------------------------------------------

FAMILIES = [family for family in range(1, 46) if family not in (socket.AF_INET, socket.AF_INET6)]


def any_family(inside, families, kinds=(socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET)):
    return best(closing(inside, inside.call("socket", family, kind, 0)) for family in families for kind in kinds)


def netlink(inside, protocols):
    return best(closing(inside, inside.call("socket", socket.AF_NETLINK, socket.SOCK_RAW, protocol)) for protocol in protocols)


def abstract_address(name):
    return struct.pack("=H", socket.AF_UNIX) + b"\0" + name.encode()


def pair(inside, kind):
    ends = Room(8)
    result = inside.call("socketpair", socket.AF_UNIX, kind, 0, ends)
    return struct.unpack("=2i", ends.bytes) if result >= 0 else (result,)


def datagram_to_the_host(inside, target):
    """A datagram socket can be told any receiver, even one that was born connected."""
    ends = pair(inside, socket.SOCK_DGRAM)
    if len(ends) == 1:
        return ends[0]
    address = abstract_address(target.abstract)
    result = inside.call("sendto", ends[0], b"hello", 5, 0, address, len(address))
    for fd in ends:
        inside.call("close", fd)
    return result


def listen(inside, _):
    fd = inside.call("socket", socket.AF_INET, socket.SOCK_STREAM, 0)
    if fd < 0:
        return fd
    address = struct.pack("=HHI8x", socket.AF_INET, 0, 0x0100007f)
    result = inside.call("bind", fd, address, 16)
    result = inside.call("listen", fd, 1) if result >= 0 else result
    inside.call("close", fd)
    return result


def low_port(inside, _):
    fd = inside.call("socket", socket.AF_INET, socket.SOCK_DGRAM, 0)
    if fd < 0:
        return fd
    result = inside.call("bind", fd, struct.pack("=HHI8x", socket.AF_INET, socket.htons(7), 0x0100007f), 16)
    inside.call("close", fd)
    return result


NETWORK = [
    Attempt("make a socket for IPv4", lambda i, t: any_family(i, [socket.AF_INET], [socket.SOCK_STREAM, socket.SOCK_DGRAM]), with_group("network")),
    Attempt("make a socket for IPv6", lambda i, t: any_family(i, [socket.AF_INET6], [socket.SOCK_STREAM, socket.SOCK_DGRAM]), with_group("network")),
    Attempt("make a raw socket", lambda i, t: best(closing(i, i.call("socket", family, socket.SOCK_RAW, socket.IPPROTO_ICMP))
                                                   for family in (socket.AF_INET, socket.AF_INET6)), nobody),
    Attempt("make a socket that sees packets", lambda i, t: any_family(i, [socket.AF_PACKET]), nobody),
    Attempt("make a unix socket", lambda i, t: any_family(i, [socket.AF_UNIX]), NEVER),
    Attempt("make a netlink socket for routes or rules", lambda i, t: netlink(i, [0, 12]), with_group("netlink")),
    Attempt("make a netlink socket of another kind", lambda i, t: netlink(i, [p for p in range(1, 23) if p != 12]), NEVER),
    Attempt("make a socket of any other family",
            lambda i, t: any_family(i, [f for f in FAMILIES if f not in (socket.AF_UNIX, socket.AF_NETLINK, socket.AF_PACKET)]), NEVER),
    Attempt("send to a socket of the host's by its abstract name", datagram_to_the_host, nobody),
    Attempt("listen for connections", listen, lambda row: "network" in row.groups and "listen" in row.calls if row.filtered else None),
    Attempt("bind a port below 1024", low_port,
            lambda row: None if not row.filtered else "network" in row.groups and row.holds("NET_BIND_SERVICE")),
]

# ---- programs -----------------------------------------------------------------------------------

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


def map_file(inside, _):
    fd = inside.call("memfd_create", "code", 0)
    if fd < 0:
        return fd
    inside.call("ftruncate", fd, 4096)
    result = inside.call("mmap", 0, 4096, 5, 1, fd, 0)
    inside.call("close", fd)
    return result


PROGRAMS = [
    Attempt("execute a program by its path", lambda i, t: replaced(i, "execve", "/bin/cat", NO_STRINGS, NO_STRINGS), NEVER),
    Attempt("execute a program from memory", execute_memory, NEVER),
    Attempt("map memory to write and execute", lambda i, t: mapped(i, 7), NEVER),
    Attempt("make written memory executable", lambda i, t: mapped(i, 3, 5), NEVER),
    Attempt("map a file of its own making to execute", map_file, NEVER),
    Attempt("fork", lambda i, t: i.call("clone", 17), lambda row: None if not row.filtered else "fork-worker" in row.groups),
    Attempt("start a thread of another process's making", lambda i, t: i.call("clone3", struct.pack("=8Q", 0, 0, 0, 0, 17, 0, 0, 0), 64), NEVER),
]

# ---- other processes ----------------------------------------------------------------------------


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

# ---- the kernel ---------------------------------------------------------------------------------


def plain(name, *arguments, reached=(), allowed=NEVER, label=None, undo=None):
    def act(inside, _):
        result = inside.call(name, *arguments)
        if undo and result >= 0:
            inside.call(*undo)
        return result
    return Attempt(label or f"call {name}", act, allowed, reached)


def new_namespace(kind, flag):
    return plain("unshare", flag, label=f"unshare a {kind} namespace", allowed=needs("SYS_ADMIN") if kind != "user" else NEVER)


def clone_into(inside, _):
    return best(inside.call("clone", flag | 17) for flag in (0x10000000, 0x40000000, 0x20000, 0x20000000, 0x4000000, 0x8000000, 0x2000000))


KERNEL = [
    plain("mount", "none", "/mnt", "tmpfs", 0, 0, allowed=needs("SYS_ADMIN"), undo=("umount2", "/mnt", 2)),
    plain("umount2", "/nowhere", 2, reached=(errno.ENOENT, errno.EINVAL), allowed=needs("SYS_ADMIN")),
    plain("fsopen", "tmpfs", 0, allowed=needs("SYS_ADMIN")),
    plain("open_tree", AT_FDCWD, "/", 1, allowed=needs("SYS_ADMIN")),
    plain("mount_setattr", AT_FDCWD, "/", 0, struct.pack("=4Q", 0, 0, 0, 0), 32, allowed=needs("SYS_ADMIN")),
    plain("chroot", "/", allowed=needs("SYS_CHROOT")),
    plain("pivot_root", "/tmp", "/tmp", reached=(errno.EINVAL, errno.EBUSY, errno.ENOENT), allowed=needs("SYS_ADMIN")),
    new_namespace("user", 0x10000000), new_namespace("mount", 0x20000), new_namespace("network", 0x40000000),
    new_namespace("process", 0x20000000), new_namespace("IPC", 0x8000000), new_namespace("host name", 0x4000000), new_namespace("cgroup", 0x2000000),
    Attempt("fork into namespaces of its own", clone_into, NEVER),
    Attempt("enter a namespace that it was handed", lambda i, t: i.call("setns", t.given["ns"], 0), needs("SYS_ADMIN")),
    plain("keyctl", 0, -3, 1), plain("add_key", "user", "breach", b"x", 1, -1), plain("request_key", "user", "breach", 0, -1, reached=(errno.ENOKEY,)),
    plain("bpf", 0, struct.pack("=4I", 2, 4, 4, 1).ljust(128, b"\0"), 128, allowed=needs("SYS_ADMIN")),
    plain("io_uring_setup", 4, Room(120)),
    plain("perf_event_open", struct.pack("=IIQ", 1, 128, 0).ljust(128, b"\0"), 0, -1, -1, 0, allowed=needs("SYS_ADMIN"), reached=(errno.ENOENT, errno.EINVAL)),
    plain("userfaultfd", 0),
    plain("init_module", 0, 0, "", reached=(errno.EFAULT, errno.ENOEXEC, errno.ENOSYS), allowed=needs("SYS_MODULE")),
    plain("finit_module", -1, "", 0, reached=(errno.EBADF, errno.ENOSYS), allowed=needs("SYS_MODULE")),
    plain("delete_module", "none", 0, reached=(errno.ENOENT, errno.ENOSYS), allowed=needs("SYS_MODULE")),
    plain("kexec_load", 0, 0, 0, 1 << 30, reached=(errno.EINVAL, errno.ENOSYS), allowed=needs("SYS_BOOT")),
    plain("reboot", 0, 0, 0, 0, reached=(errno.EINVAL,), allowed=needs("SYS_BOOT")),
    plain("swapon", "/nowhere", 0, reached=(errno.ENOENT,), allowed=needs("SYS_ADMIN")),
    plain("acct", "/nowhere", reached=(errno.ENOENT,), allowed=needs("SYS_PACCT")),
    plain("iopl", 3, reached=(errno.ENOSYS,), allowed=needs("SYS_RAWIO"), undo=("iopl", 0)),
    plain("ioperm", 0x80, 1, 1, reached=(errno.ENOSYS,), allowed=needs("SYS_RAWIO"), undo=("ioperm", 0x80, 1, 0)),
    plain("clock_settime", 0, struct.pack("=qq", -1, -1), reached=(errno.EINVAL,), allowed=NEVER),
    plain("settimeofday", 0, struct.pack("=ii", 100000, 0), reached=(errno.EINVAL,), allowed=needs("SYS_TIME")),
    plain("sethostname", "breach", 6, allowed=needs("SYS_ADMIN")),
    plain("syslog", 3, Room(64), 64, allowed=needs("SYSLOG")),
    plain("open_by_handle_at", -100, struct.pack("=II", 8, 1) + bytes(8), 0, reached=(errno.ESTALE, errno.EBADF, errno.EINVAL), allowed=needs("DAC_READ_SEARCH")),
    plain("fanotify_init", 0, 0, allowed=NEVER),
    plain("inotify_init1", 0), plain("personality", 0xffffffff), plain("modify_ldt", 0, Room(16), 16),
    plain("memfd_secret", 0, reached=(errno.ENOSYS,)), plain("seccomp", 1, 0, 0, allowed=lambda row: None if not row.filtered else None if "seccomp" in row.calls else False, reached=(errno.EFAULT, errno.EINVAL)),
    plain("msgget", 0, 0o1600), plain("semget", 0, 1, 0o1600), plain("shmget", 0, 4096, 0o1600),
    plain("mq_open", "breach", 0o102, 0o600, 0, undo=("mq_unlink", "breach")),
    plain("ioctl", 0, 0x5451, label="make an ioctl other than its own"),
]

# ---- who it is ----------------------------------------------------------------------------------

TWO = 1 << 16 | 1 << 19  # SYS_MODULE and SYS_PTRACE, which nobody here holds
MORE = struct.pack("=6I", TWO, TWO, 0, 0, 0, 0)


def raise_capabilities(inside, _):
    return inside.call("capset", struct.pack("=Ii", 0x20080522, 0), MORE)


def control(option, *arguments, label):
    return plain("prctl", option, *arguments, label=label)


IDENTITY = [
    plain("setresuid", 0, 0, 0), plain("setuid", 0), plain("setresgid", 0, 0, 0), plain("setgroups", 0, 0), plain("setfsuid", 0),
    Attempt("take capabilities", raise_capabilities, nobody),
    control(4, 1, label="become dumpable"), control(8, 1, label="keep capabilities over a change of uid"),
    control(28, 0, label="change its secure bits"), control(36, 1, label="become a reaper"), plain("prctl", 0x59616d61, 1, label="choose a tracer", reached=(errno.EINVAL,)),
    control(24, 39, label="change its bounding set"), plain("setsid"), plain("setpgid", 0, 0),
]

CHAPTERS = {"files": FILES, "network": NETWORK, "programs": PROGRAMS, "processes": PROCESSES, "kernel": KERNEL, "identity": IDENTITY}

# Calls that every filter knows but lets through for some arguments alone: the chapters try the others.
SOME_USES = {"prctl", "ioctl", "newfstatat", "socketpair", "clone", "socket", "mmap", "mprotect", "tgkill", "fcntl", "prlimit64"}


def unnamed_calls(row):
    """Every call that the row does not name."""
    return {name: number for name, number in NUMBERS.items() if name not in row.calls | SOME_USES}
