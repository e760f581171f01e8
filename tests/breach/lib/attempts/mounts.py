# SPDX-License-Identifier: Apache-2.0
"""What it sees of file systems: mounts and roots."""
import errno
import struct

from door import AT_FDCWD

from .rules import Attempt, needs, plain

MS_REMOUNT_BIND = 0x20 | 0x1000


def detached(inside, _):
    """A file system that nobody sees, step by step."""
    context = inside.call("fsopen", "tmpfs", 0)
    if context < 0:
        return context
    result = inside.call("fsconfig", context, 6, 0, 0, 0)
    mount = inside.call("fsmount", context, 0, 0) if result >= 0 else result
    for fd in (context, mount):
        if fd >= 0:
            inside.call("close", fd)
    return mount


def move_a_clone(inside, _):
    tree = inside.call("open_tree", AT_FDCWD, "/", 1)
    if tree < 0:
        return tree
    result = inside.call("move_mount", tree, "", AT_FDCWD, "/mnt", 4)
    inside.call("close", tree)
    if result >= 0:
        inside.call("umount2", "/mnt", 2)
    return result


ATTEMPTS = [
    plain("mount", "none", "/mnt", "tmpfs", 0, 0, allowed=needs("SYS_ADMIN"), undo=("umount2", "/mnt", 2)),
    plain("mount", 0, "/", 0, MS_REMOUNT_BIND, 0, allowed=needs("SYS_ADMIN"), reached=(errno.EINVAL,), label="change how its root is mounted"),
    plain("mount", "/", "/mnt", 0, 0x1000, 0, allowed=needs("SYS_ADMIN"), undo=("umount2", "/mnt", 2), label="mount one folder at another"),
    plain("umount2", "/nowhere", 2, reached=(errno.ENOENT, errno.EINVAL), allowed=needs("SYS_ADMIN")),
    plain("fsopen", "tmpfs", 0, allowed=needs("SYS_ADMIN")),
    Attempt("mount a file system that nobody sees", detached, needs("SYS_ADMIN")),
    plain("fspick", AT_FDCWD, "/", 0, allowed=needs("SYS_ADMIN"), reached=(errno.EINVAL,)),
    plain("open_tree", AT_FDCWD, "/", 1, allowed=needs("SYS_ADMIN")),
    Attempt("move a copy of its root elsewhere", move_a_clone, needs("SYS_ADMIN")),
    plain("mount_setattr", AT_FDCWD, "/", 0, struct.pack("=4Q", 0, 0, 0, 0), 32, allowed=needs("SYS_ADMIN")),
    plain("chroot", "/", allowed=needs("SYS_CHROOT")),
    plain("pivot_root", "/tmp", "/tmp", reached=(errno.EINVAL, errno.EBUSY, errno.ENOENT), allowed=needs("SYS_ADMIN")),
    plain("swapon", "/nowhere", 0, reached=(errno.ENOENT,), allowed=needs("SYS_ADMIN")),
    plain("swapoff", "/nowhere", reached=(errno.ENOENT,), allowed=needs("SYS_ADMIN")),
    plain("quotactl", 0x800001 << 8, 0, 0, 0, reached=(errno.ENODEV, errno.ENOENT, errno.ESRCH, errno.ENOSYS)),
]
