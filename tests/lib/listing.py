#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints everything about a tree that must survive a pull, a line a path, sorted.

    listing.py FOLDER [--map-of PID] [--without-engine-files]

With --map-of, owners are translated back through that process's user namespace. --without-engine-files leaves out what the engine
itself puts into a container's root (/dev, /proc, /sys, /etc/hosts and so on).
"""
import argparse
import hashlib
import os
import stat

ENGINE = {"dev", "proc", "sys", "etc/hosts", "etc/hostname", "etc/resolv.conf", "busybox-to-look", "etc/mtab", ".dockerenv"}


def id_map(pid, name):
    with open(f"/proc/{pid}/{name}") as lines:
        ranges = [tuple(map(int, line.split())) for line in lines]

    def inside(number):
        for first, outside, count in ranges:
            if outside <= number < outside + count:
                return first + number - outside
        return -1
    return inside


def content(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def extended(path):
    names = [name for name in os.listxattr(path, follow_symlinks=False)
             if name.startswith("user.") or name == "security.capability"]
    return ",".join(f"{name}={digest_of(os.getxattr(path, name, follow_symlinks=False))}" for name in sorted(names))


def digest_of(value):
    # the kernel shows a capability of another user namespace as version 3, with the root's id behind it
    if len(value) in (20, 24) and value[3] in (2, 3):
        value = value[4:20]
    return value.hex()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--map-of")
    parser.add_argument("--without-engine-files", action="store_true")
    arguments = parser.parse_args()
    uid_of = id_map(arguments.map_of, "uid_map") if arguments.map_of else int
    gid_of = id_map(arguments.map_of, "gid_map") if arguments.map_of else int
    links = {}
    lines = []

    def visit(path, name):
        status = os.lstat(path)
        kind = stat.S_IFMT(status.st_mode)
        parts = [name, oct(status.st_mode), f"{uid_of(status.st_uid)}:{gid_of(status.st_gid)}"]
        skips_time = name in ("", "etc")  # the engine's own files lie in them
        parts.append("-" if arguments.without_engine_files and skips_time else str(status.st_mtime_ns))
        if kind == stat.S_IFLNK:
            parts.append(os.readlink(path))
        elif kind == stat.S_IFREG:
            parts.append(f"{status.st_size} {content(path)}")
            if status.st_nlink > 1:
                parts.append("same as " + links.setdefault((status.st_dev, status.st_ino), name))
        elif kind in (stat.S_IFCHR, stat.S_IFBLK):
            parts.append(f"{os.major(status.st_rdev)},{os.minor(status.st_rdev)}")
        parts.append(extended(path))
        lines.append("\t".join(parts))
        if kind == stat.S_IFDIR:
            for entry in sorted(os.listdir(path)):
                inner = f"{name}/{entry}" if name else entry
                if not (arguments.without_engine_files and inner in ENGINE):
                    visit(os.path.join(path, entry), inner)

    visit(arguments.folder, "")
    for line in lines:
        print(line.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace"))


main()
