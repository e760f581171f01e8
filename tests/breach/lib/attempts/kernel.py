# SPDX-License-Identifier: Apache-2.0
"""What else of the kernel can be spoken to: keys, programs for it, modules, the clock, the machine itself."""
import errno
import struct

from door import AT_FDCWD, Room

from .rules import NEVER, needs, plain

ATTEMPTS = [
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
    plain("acct", "/nowhere", reached=(errno.ENOENT,), allowed=needs("SYS_PACCT")),
    plain("iopl", 3, reached=(errno.ENOSYS,), allowed=needs("SYS_RAWIO"), undo=("iopl", 0)),
    plain("ioperm", 0x80, 1, 1, reached=(errno.ENOSYS,), allowed=needs("SYS_RAWIO"), undo=("ioperm", 0x80, 1, 0)),
    plain("clock_settime", 0, struct.pack("=qq", -1, -1), reached=(errno.EINVAL,), allowed=NEVER),
    plain("settimeofday", 0, struct.pack("=ii", 100000, 0), reached=(errno.EINVAL,), allowed=needs("SYS_TIME")),
    plain("syslog", 3, Room(64), 64, allowed=needs("SYSLOG")),
    plain("open_by_handle_at", -100, struct.pack("=II", 8, 1) + bytes(8), 0, reached=(errno.ESTALE, errno.EBADF, errno.EINVAL), allowed=needs("DAC_READ_SEARCH")),
    plain("fanotify_init", 0, 0, allowed=NEVER),
    plain("inotify_init1", 0), plain("personality", 0xffffffff), plain("modify_ldt", 0, Room(16), 16),
    plain("memfd_secret", 0, reached=(errno.ENOSYS,)), plain("seccomp", 1, 0, 0, allowed=lambda row: None if not row.filtered else None if "seccomp" in row.calls else False, reached=(errno.EFAULT, errno.EINVAL)),
    plain("msgget", 0, 0o1600), plain("semget", 0, 1, 0o1600), plain("shmget", 0, 4096, 0o1600),
    plain("mq_open", "breach", 0o102, 0o600, 0, undo=("mq_unlink", "breach")),
    plain("ioctl", 0, 0x5451, label="make an ioctl other than its own"),
    plain("ioctl", 0, 0x5412, "x", reached=(errno.ENOTTY,), label="type into a terminal"),
    plain("name_to_handle_at", AT_FDCWD, "/", Room(136, struct.pack("=II", 128, 0)), Room(4), 0),
    plain("io_setup", 1, Room(8)), plain("timer_create", 1, 0, Room(4)),
    plain("landlock_create_ruleset", 0, 0, 1, reached=(errno.ENOSYS, errno.EOPNOTSUPP)),
    plain("clock_adjtime", 0, Room(208), reached=(errno.EINVAL,)),
]
