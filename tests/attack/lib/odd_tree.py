#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Layers that are odd and must work: odd_tree.py BUSYBOX.tar OUTPUT.tar

An image `odd:1` of three layers above busybox: one of everything, GNU and PAX mixed; an empty one; one that hides by whiteouts. And the
same as `odd:nobody` with another user, in OUTPUT.tar.nobody."""
import sys

import images
from tar import END, entry, folder, hardlink, long_name, pax, record, symlink

LONG = "long/" + "a" * 120 + "/" + "b" * 120
GNU = b"ustar  \0"


def everything():
    return b"".join([
        folder("run"), folder("var/"), symlink("var/run", "/run"), symlink("var/lock", "../run/lock"),
        folder("/data", uid=33, gid=33), entry("/data/file", content=b"content\n", uid=1000, gid=1001, mode=0o640),
        hardlink("data/absolute", "/data/file"), hardlink("data/relative", "data/file"), hardlink("data/dotted", "./data/file"),
        entry("missing/parents/are/made", content=b"yes\n"),
        entry("devices/sda", b"4", major=8, mode=0o660), entry("devices/null", b"3", major=1, minor=3, mode=0o666),
        entry("devices/pipe", b"6", mode=0o600),
        long_name(LONG + "/gnu") + entry("x", content=b"gnu\n", magic=GNU),
        pax(record("path", LONG + "/pax")) + entry("x", content=b"pax\n"),
        pax(record("comment", "nothing"), kind=b"g"),
        long_name("/data/file", b"K") + long_name("long/to") + entry("x", b"2", magic=GNU),
        entry("nobody", content=b"", uid=65534, gid=65534),
        folder("twice", mode=0o700), entry("twice/kept", content=b"kept\n"), folder("twice", mode=0o755, uid=7),
        folder("sticky", mode=0o1777), folder("setgid", mode=0o2775, gid=50), entry("setuid", content=b"x", mode=0o4755),
        entry("n\u00e4me-\u65e5\u672c-\U0001f6a2", content=b"utf-8\n"), entry("./dotted/./name", content=b"dots\n"),
        pax(record("mtime", "1700000001.123456789")) + entry("time", content=b"t"),
        entry("before-1970", mtime=b"\xff" * 11 + b"\x00"), entry("octal-with-spaces", content=b"12345", size=b"         5 \0"),
        pax(record("SCHILY.xattr.user.note", "a note")) + entry("xattr", content=b"x"),
        folder("hidden"), entry("hidden/below", content=b"below"), folder("hidden/deep"), entry("hidden/deep/below", content=b"below"),
        entry("gone", content=b"gone"), folder("gone-folder"), entry("gone-folder/file"), entry("replaced", content=b"file"),
        folder("to-link"), entry("to-link/file"),
    ])


def hiding():
    return b"".join([
        folder("hidden"), entry("hidden/above", content=b"above"), entry("hidden/.wh..wh..opq"),
        entry(".wh.gone"), entry(".wh.gone-folder"), entry(".wh.never-was"), entry("missing-too/.wh.nothing"),
        folder("replaced"), entry("replaced/inside"), symlink("to-link", "data"),
    ])


def main():
    base = images.base_layer(sys.argv[1])
    layers = [base, everything() + END, END, hiding() + END]
    images.image(sys.argv[2], "odd:1", layers)
    images.image(sys.argv[2] + ".nobody", "odd:nobody", layers, User="65534:65534")


main()
