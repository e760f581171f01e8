#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Hostile layers: layers.py BUSYBOX.tar CANARY_FOLDER OUTPUT_FOLDER

Writes OUTPUT/<number>.tar, a docker-archive with the layer above busybox, for each case, and OUTPUT/cases: one line each,
`number<TAB>name<TAB>verdict<TAB>detail`. The verdict is `refused` (the detail is a pattern of the error), `harmless` (it loads; the
detail is a command that must succeed inside), or `unrunnable` (it loads, and a run is refused with that pattern)."""
import bz2
import gzip
import lzma
import os
import subprocess
import sys

import images
from tar import END, entry, folder, hardlink, long_name, pax, record, symlink

canary = sys.argv[2]
outside = canary.lstrip("/")
CASES = []


def refused(name, pattern, layer, **image):
    CASES.append((name, "refused", pattern, layer, image))


def harmless(name, command, layer, **image):
    CASES.append((name, "harmless", command, layer, image))


def unrunnable(name, pattern, layer, **image):
    CASES.append((name, "unrunnable", pattern, layer, image))


def nested(depth):
    return b"".join(folder("/".join(["d"] * i)) for i in range(1, 40)) + long_name("/".join(["d"] * depth)) + folder("x")


def zstd(content, *flags):
    return subprocess.run(["zstd", "-q", "-c", *flags], input=content, capture_output=True, check=True).stdout


def paths():
    harmless("absolute symlink, then a file through it", f"! test -e {canary}/bird", symlink("out", canary) + entry("out/new", content=b"x"))
    harmless("absolute symlink replaced while it is written through", "true",
             symlink("out", canary) + entry("out/bird", content=b"dead") + folder("out") + entry("out/bird", content=b"dead"))
    harmless("a chain of relative symlinks that climbs out", "true",
             symlink("a", "..") + symlink("b", "a/..") + symlink("c", "b/../../../../..") + entry(f"c/{outside}/new", content=b"x"))
    refused("dot-dot in a name", r"\.\.", entry(f"../../../../../..{canary}/new", content=b"x"))
    refused("dot-dot in the middle of a name", r"\.\.", entry(f"a/../../../../../../..{canary}/new", content=b"x"))
    harmless("an absolute name", f"test -e {canary}/new", entry(f"{canary}/new", content=b"x"))
    refused("hard link outside of the layer", r"leads out of the layer", hardlink("stolen", f"../../../../..{canary}/bird"))
    refused("hard link to an absolute name outside", r"link|no such", hardlink("stolen", f"{canary}/bird"))
    refused("hard link through a symlink", r"link|no such", symlink("out", canary) + hardlink("stolen", "out/bird"))
    refused("hard link to a folder", r"link|folder|directory", folder("d") + hardlink("e", "d"))
    refused("hard link to itself", r"link|no such", hardlink("self", "self"))
    harmless("file, then symlink, then file again", "test -f /x/f",
             folder("x") + entry("x/f", content=b"1") + symlink("x/f", f"{canary}/bird") + entry("x/f", content=b"2"))
    harmless("folder replaced by a symlink, with files for it", "true",
             folder("x") + entry("x/bird", content=b"1") + symlink("x", canary) + entry("x/bird", content=b"2"))
    harmless("a whiteout through a symlink", "true", symlink("out", canary) + entry("out/.wh.bird"))
    refused("whiteout of dot-dot", r"\.wh\.", folder("x") + entry("x/.wh..."))
    refused("whiteout of nothing", r"\.wh\.", entry(".wh."))
    unrunnable("opaque root: nothing of busybox is left", "not found|no such file", entry(".wh..wh..opq") + folder("keep"))
    harmless("NUL in a PAX path ends it", "test -e /a && ! test -e /x", pax(record("path", b"a\0b")) + entry("x"))
    refused("a component of 256 bytes", r"long|255", long_name("n" * 256) + entry("x"))
    refused("a path over 4,096 bytes", r"long|4096|4095|deep", long_name("abc/" * 1200 + "f") + entry("x"))
    refused("depth of 100,000", r"long|deep|4096|4095", nested(100000))
    refused("an empty name", r"name|empty", entry(""))


def kinds():
    harmless("devices of the host mean nothing", "! cat /sda 2>/dev/null && ! cat /kmem 2>/dev/null && ! echo x 2>/dev/null >/console0",
             entry("sda", b"4", major=8, mode=0o666) + entry("kmem", b"3", major=1, minor=2, mode=0o666) + entry("console0", b"3", major=5, minor=1, mode=0o666))
    harmless("a whiteout device that is none of ours", "true", entry("zero", b"3", mode=0o666))
    unrunnable("FIFO at /etc/passwd", "regular file", entry("etc/passwd", b"6", mode=0o644))
    harmless("setuid root with all file capabilities gains nothing", "test $(id -u) = 0",
             pax(record("SCHILY.xattr.security.capability", b"\1\0\0\2" + b"\xff" * 16)) + entry("bin/evil", content=b"#!/bin/sh\n", mode=0o6755))
    harmless("overlayfs's own attributes do not come from an image", "! test -e /redirected/passwd",
             pax(record("SCHILY.xattr.trusted.overlay.redirect", b"/etc")) + folder("redirected")
             + pax(record("SCHILY.xattr.user.overlay.redirect", b"/etc")) + folder("redirected2"))
    harmless("trusted and system attributes", "true",
             pax(record("SCHILY.xattr.trusted.evil", b"x"), record("SCHILY.xattr.security.selinux", b"x")) + entry("f"))
    harmless("an unknown kind of entry is a file, as POSIX has it", "test -f /strange", entry("strange", b"Q"))
    harmless("uid 2^32-1 is nobody's", "true", pax(record("uid", "65534")) + entry("f", uid=65534))
    refused("uid 2^32-1", r"uid|owner|65535|range", pax(record("uid", "4294967295")) + entry("f"))
    refused("a negative uid", r"uid|owner|range|number|negative|field", entry("f", uid=b"\xff" * 8))


def numbers():
    refused("a negative base-256 size", r"size|negative|number|field", entry("f", size=b"\xff" * 12))
    refused("8 EiB in base-256", r"size|large|bytes|number|field", entry("f", size=b"\x80\0\0\0" + b"\x7f" + b"\xff" * 7))
    refused("octal digits that are none", r"no valid tar archive", entry("f", size=b"99999999999\0"))
    refused("a PAX size beyond 64 bits", r"size|number", pax(record("size", "9" * 30)) + entry("f"))
    refused("a PAX record that is longer than the header", r"pax extended attribute", entry("pax", b"x", b"99999999999999999999 path=a\n") + entry("f"))
    refused("a PAX record of length 0", r"malformed pax", entry("pax", b"x", b"0 path=a\n") + entry("f"))
    refused("a PAX header of 1 GiB", r"PAX|header|large|bytes|long", entry("pax", b"x", size=1 << 30) + END)
    refused("a GNU long name of 1 GiB", r"name|long|large", entry("././@LongLink", b"L", size=1 << 30) + END)
    refused("PAX headers without end", r"malformed pax", pax(record("comment", "x" * 60000)) * 400 + entry("f"))
    refused("a GNU sparse map of 8 EiB", r"more than [0-9]+ bytes together",
            pax(record("GNU.sparse.major", "1"), record("GNU.sparse.minor", "0"), record("GNU.sparse.realsize", str(1 << 63)),
                record("GNU.sparse.name", "huge")) + entry("f", content=b"1\n0\n1\n" + b"\0" * 506 + b"x"))
    harmless("an old GNU sparse file of nothing", "test -f /s", entry("s", b"S"))
    refused("a size beyond the stream", r"Truncated tar archive", entry("f", size=1 << 20))
    refused("a bad checksum", r"no valid tar archive", entry("f", checksum=b"000000\0 "))
    refused("a header cut in two", r"no valid tar archive", entry("f")[:300])
    harmless("a modification time beyond 64 bits, in words", "true", entry("f", mtime=b"\x80" + b"\0" * 10 + b"\1"))
    refused("a PAX time beyond 64 bits", r"time", pax(record("mtime", "9" * 40)) + entry("f"))
    harmless("garbage after the end", "test -e /f", entry("f") + END + b"garbage" * 1000)


def names():
    harmless("newline, ESC and invalid UTF-8 in names", "test $(ls /odd | wc -l) -ge 3",
             folder("odd") + entry(b"odd/a\nb") + entry(b"odd/\x1b[31m") + entry(b"odd/\xff\xfe"))
    refused("ESC in an error", r"\\|\?|x1b|u001b|033|link", hardlink(b"\x1b]0;evil\x07", b"\x1b[2Jnothing"))


def codecs():
    tar = entry("f", content=b"x" * 100)
    harmless("gzip in a member", "test -e /f", tar, packed=gzip.compress)
    harmless("ten thousand gzip members", "test -e /f",
             tar + END, packed=lambda layer: b"".join(gzip.compress(layer[i:i + 1]) for i in range(len(layer))) + gzip.compress(b"") * 10000)
    refused("gzip cut in the middle", r"gzip|end|truncated", tar, packed=lambda layer: gzip.compress(layer)[:-20])
    refused("gzip with a wrong checksum", r"gzip|crc|check", tar, packed=lambda layer: gzip.compress(layer)[:-8] + b"\0" * 8)
    refused("gzip's magic and nothing of it", r"gzip", tar, packed=lambda layer: b"\x1f\x8b" + b"\xff" * 600)
    refused("xz with a dictionary of 4 GiB", r"xz|memory", tar, packed=lambda layer: lzma.compress(
        layer, lzma.FORMAT_XZ, filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 20}]).replace(b"\x21\x01\x10", b"\x21\x01\x28"))
    refused("zstd with the largest window", r"zstd|window|memory", tar,
            packed=lambda layer: b"\x28\xb5\x2f\xfd\x00\xf8" + b"\x01\x00\x00")
    refused("zstd cut", r"zstd|end|truncated", tar, packed=lambda layer: zstd(layer)[:-10])
    harmless("zstd", "test -e /f", tar, packed=zstd)
    refused("a bzip2 that is none", r"bzip2", tar, packed=lambda layer: b"BZh9" + b"\xff" * 600)
    harmless("bzip2", "test -e /f", tar, packed=bz2.compress)
    refused("a diff ID that does not match", r"diff|match|config says|digest", tar, diff_ids=["sha256:" + "0" * 64])
    bomb = entry("bomb", size=4 << 30)
    refused("a bomb of 1000:1 that the archive's end comes before", r"Truncated tar archive", bomb,
            packed=lambda layer: gzip.compress(layer + b"\0" * (256 << 20), 9))
    refused("a planted xz beside an xz layer that is none", r"xz", entry("bin/xz", content=b"#!/bin/sh\n", mode=0o755),
            packed=lambda layer: b"\xfd7zXZ\0" + b"\xff" * 600)


def main():
    busybox, output = sys.argv[1], sys.argv[3]
    os.makedirs(output, exist_ok=True)
    base = images.base_layer(busybox)
    for group in (paths, kinds, numbers, names, codecs):
        group()
    with open(os.path.join(output, "cases"), "w") as listing:
        for i, (name, verdict, detail, layer, how) in enumerate(CASES):
            print(i, name, verdict, detail, sep="\t", file=listing)
            if verdict != "refused":
                layer += END
            diff_ids = ["sha256:" + images.sha256(base), *how.get("diff_ids", ["sha256:" + images.sha256(layer)])]
            images.image(os.path.join(output, f"{i}.tar"), f"attack:{i}", [base, how.get("packed", bytes)(layer)], diff_ids=diff_ids)


main()
