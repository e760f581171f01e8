# SPDX-License-Identifier: Apache-2.0
"""Files that are not its own."""
import os

from attempt import Attempt, best, closing, host_root_only, nobody
from door import AT_FDCWD

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
