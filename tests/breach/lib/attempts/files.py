# SPDX-License-Identifier: Apache-2.0
"""Files of others: by their paths, through folders that the process holds, and by `..`."""
import os

from door import AT_FDCWD, Room

from .rules import Attempt, best, closing, host_root_only, in_proc, nobody, only_role

UP = "../" * 16
AT_EMPTY_PATH = 0x1000
SWITCHES = [path for name in ("kernel/core_pattern", "vm/drop_caches") for path in in_proc("sys", name)]


def open_any(inside, target, flags, prefix=""):
    return best(closing(inside, inside.call("openat", AT_FDCWD, prefix + path.lstrip("/") if prefix == UP else prefix + path, flags)) for path in target.files)


def look_at(inside, target, *ways):
    """By every call that tells something of a path; `ways` are flags for the one that some filters let through."""
    return best(result for path in target.files for result in
                (*(inside.call("newfstatat", AT_FDCWD, path, Room(144), flags) for flags in ways),
                 inside.call("statx", AT_FDCWD, path, 0, 0x7ff, Room(256)), inside.call("faccessat", AT_FDCWD, path, os.F_OK)))


def list_folder(inside, target):
    fd = inside.call("openat", AT_FDCWD, target.open_folder, os.O_RDONLY | os.O_DIRECTORY)
    if fd < 0:
        return fd
    result = inside.call("getdents64", fd, Room(4096), 4096)
    inside.call("close", fd)
    return result


def leave_by_folders(inside, target):
    """Out of the root by `..` from a folder that was opened outside of it."""
    return best(closing(inside, inside.call("openat", fd, UP + target.known, os.O_RDONLY)) for fd in target.folders)


def write_by_folders(inside, target):
    name = target.open_folder + "/file"
    result = best(closing(inside, inside.call("openat", fd, UP + name.lstrip("/"), os.O_CREAT | os.O_WRONLY, 0o600)) for fd in target.folders)
    for fd in target.folders if result >= 0 else ():
        inside.call("unlinkat", fd, UP + name.lstrip("/"), 0)
    return result


def look_by_folders(inside, target):
    return best(inside.call("newfstatat", fd, UP + target.known, Room(144), AT_EMPTY_PATH) for fd in target.folders)


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


def make_and_remove_folder(inside, target):
    name = target.open_folder + "/folder"
    result = inside.call("mkdirat", AT_FDCWD, name, 0o700)
    return inside.call("unlinkat", AT_FDCWD, name, 0x200) if result >= 0 else result


def link_away(inside, target):
    """A second name for what belongs to others."""
    name = target.open_folder + "/link"
    result = inside.call("linkat", AT_FDCWD, "/" + target.known, AT_FDCWD, name, 0)
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


def truncate(inside, target):
    """To the size that it has: what counts is that it could."""
    return inside.call("truncate", "/" + target.known, 6)


def change_rules(inside, target):
    """A rule file, through the folder that it is read from."""
    return best(closing(inside, inside.call("openat", fd, "others.json", os.O_WRONLY)) for fd in target.folders)


def add_rules(inside, target):
    def add(fd):
        there = closing(inside, inside.call("openat", fd, "others.json", os.O_RDONLY))
        if there < 0:
            return there  # another folder
        result = closing(inside, inside.call("openat", fd, "more.json", os.O_CREAT | os.O_WRONLY, 0o600))
        if result >= 0:
            inside.call("unlinkat", fd, "more.json", 0)
        return result
    return best(add(fd) for fd in target.folders)


def own_or_not(folder, name):
    """What one service keeps at its root: there, and by its path on the host."""
    return lambda inside, target: best(closing(inside, inside.call("openat", AT_FDCWD, path, os.O_RDONLY))
                                       for path in (name, f"{target.state}/{folder}{name}"))


ATTEMPTS = [
    Attempt("open files of others for reading", lambda i, t: open_any(i, t, os.O_RDONLY), host_root_only),
    Attempt("open files of others for writing", lambda i, t: open_any(i, t, os.O_WRONLY), host_root_only),
    Attempt("find them by ..", lambda i, t: open_any(i, t, os.O_RDONLY, UP), host_root_only),
    Attempt("find them by the root of another process",
            lambda i, t: best(open_any(i, t, os.O_RDONLY, root) for pid in t.victims.values() for root in in_proc(pid, "root")), nobody),
    Attempt("learn whether files of others are there", lambda i, t: look_at(i, t, 0, AT_EMPTY_PATH), host_root_only),
    Attempt("list a folder of others", list_folder, host_root_only),
    Attempt("open the blobs of all tenants", own_or_not("store", "/blobs"), only_role("store")),
    Attempt("open the database of names", own_or_not("engine", "/engine.db"), only_role("engine")),
    Attempt("open the audit log", own_or_not("policyd", "/audit.log"), only_role("policyd")),
    Attempt("leave through a folder it holds", leave_by_folders, host_root_only),
    Attempt("write through a folder it holds", write_by_folders, host_root_only),
    Attempt("look around through a folder it holds", look_by_folders, host_root_only),
    Attempt("go to a folder it holds, and leave", walk_by_fchdir, host_root_only),
    Attempt("change a rule file", change_rules, host_root_only),
    Attempt("add a rule file", add_rules, host_root_only),
    Attempt("make a file where everybody may", create, host_root_only),
    Attempt("make a folder where everybody may", make_and_remove_folder, host_root_only),
    Attempt("give a file of others a second name", link_away, host_root_only),
    Attempt("rename a file of others", rename_away, host_root_only),
    Attempt("cut a file of others", truncate, host_root_only),
    Attempt("make a device node", make_device, host_root_only),
    Attempt("open a device", lambda i, t: closing(i, i.call("openat", AT_FDCWD, "/dev/null", os.O_RDWR)),
            lambda row: None if row.root in ("host", "container") else False),
    Attempt("open its own memory", lambda i, t: best(closing(i, i.call("openat", AT_FDCWD, path, os.O_RDWR)) for path in in_proc("self", "mem")), host_root_only),
    Attempt("change a switch of the kernel's", lambda i, t: best(closing(i, i.call("openat", AT_FDCWD, path, os.O_WRONLY)) for path in SWITCHES), host_root_only),
]
