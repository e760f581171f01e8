# SPDX-License-Identifier: Apache-2.0
"""What the kernel offers beside files, sockets and processes: mounts, namespaces, keys, modules, clocks."""
import errno
import struct

from attempt import NEVER, Attempt, best, needs
from door import AT_FDCWD, Room


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
