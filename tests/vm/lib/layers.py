#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two layers of everything that a layer image can hold.

usage: layers.py BASE.tar UPPER.tar

BASE has every type of inode, every place where its data, attributes and names can lie. UPPER is for stacking on it: whiteouts, an opaque
directory, a replaced file.
"""
import hashlib
import io
import struct
import sys
import tarfile


def record(key, value):
    line = b" " + key.encode() + b"=" + value + b"\n"
    length = len(line)
    while length != len(str(length)) + len(line):
        length = len(str(length)) + len(line)
    return str(length).encode() + line


class Layer:
    """Writes pax records itself: tarfile's values are text, those of extended attributes are bytes."""

    def __init__(self, path):
        self.archive = tarfile.open(path, "w", format=tarfile.USTAR_FORMAT)

    def put(self, kind, content):
        kind.size = len(content)
        self.archive.addfile(kind, io.BytesIO(content))

    def add(self, name, kind=tarfile.REGTYPE, content=b"", mode=0o644, uid=0, gid=0, link="", mtime="1700000000", device=(0, 0), xattrs={}):
        records = {"path": name.encode(), "mtime": mtime.encode(), "uid": str(uid).encode(), "gid": str(gid).encode()}
        if link:
            records["linkpath"] = link.encode()
        records |= {"SCHILY.xattr." + key: value for key, value in xattrs.items()}
        extended = tarfile.TarInfo("pax")
        extended.type = tarfile.XHDTYPE
        self.put(extended, b"".join(record(key, value) for key, value in records.items()))
        info = tarfile.TarInfo(name[:50].encode("ascii", "replace").decode())
        info.type, info.mode, info.linkname = kind, mode, link[:50]
        info.devmajor, info.devminor = device
        self.put(info, content)

    def folder(self, name, mode=0o755, **more):
        self.add(name, tarfile.DIRTYPE, mode=mode, **more)


def noise(n):
    output, block = bytearray(), b""
    while len(output) < n:
        block = hashlib.sha256(block).digest()
        output += block
    return bytes(output[:n])


def acl(*entries):
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


ANYBODY = 0xffffffff
ACL = acl((1, 6, ANYBODY), (2, 4, 1000), (4, 4, ANYBODY), (16, 4, ANYBODY), (32, 0, ANYBODY))


def write_base(layer):
    layer.folder("sizes")
    for size in (0, 1, 4095, 4096, 4097, 8192, 3 * 1024 * 1024 + 17):
        layer.add(f"sizes/{size}", content=noise(size))
    layer.add("sizes/zeros", content=bytes(1024 * 1024))

    layer.folder("modes")
    for mode in (0o4755, 0o2755, 0o6711, 0o1644, 0o000, 0o777):
        layer.add(f"modes/{mode:04o}", content=b"#!/bin/sh\n", mode=mode)
    layer.folder("modes/sticky", 0o1777)
    layer.folder("modes/setgid", 0o2775, gid=50)
    layer.add("modes/owned", uid=65534, gid=100000)

    layer.folder("times")
    for mtime in ("0", "-86400", "1700000000.123456789", "4294967296", "253402300799"):
        layer.add("times/" + mtime, mtime=mtime)

    layer.folder("links")
    layer.add("links/first", content=b"one file, three names\n")
    for name in ("links/second", "links/third"):
        layer.add(name, tarfile.LNKTYPE, link="links/first")
    for name, target in {"short": "first", "dangling": "/no/such", "up": "../../../etc/passwd", "300": "x" * 300, "4000": "y/" * 2000,
                         "4095": "z" * 4095}.items():
        layer.add("links/to-" + name, tarfile.SYMTYPE, link=target)

    layer.folder("special")
    layer.add("special/fifo", tarfile.FIFOTYPE)
    for name, kind, device in (("null", tarfile.CHRTYPE, (1, 3)), ("far", tarfile.CHRTYPE, (511, 70000)), ("disk", tarfile.BLKTYPE, (8, 1)),
                               ("nvme", tarfile.BLKTYPE, (259, 300))):
        layer.add("special/" + name, kind, device=device, mode=0o660)

    layer.folder("attributes", xattrs={"user.on-a-folder": b"yes"})
    layer.add("attributes/user", xattrs={"user.text": b"text", "user.bytes": bytes(range(1, 256)), "user.empty": b"", "user." + "n" * 200: b"v"})
    layer.add("attributes/capability", content=b"\x7fELF", mode=0o755,
              xattrs={"security.capability": struct.pack("<IIIII", 0x02000001, 0x2400, 0, 0, 0)})
    layer.add("attributes/acl", mode=0o640, xattrs={"system.posix_acl_access": ACL})
    layer.folder("attributes/acl-default", xattrs={"system.posix_acl_default": ACL})
    layer.add("attributes/block", xattrs={"user.block": noise(3900)})
    layer.add("attributes/blocks", content=b"after them", xattrs={"user.first": noise(9000), "user.second": noise(30001)})
    layer.add("attributes/link", tarfile.SYMTYPE, link="l" * 3000)

    layer.folder("names")
    layer.add("names/" + "n" * 255, content=b"255\n")
    layer.add("names/" + "ü" * 127, content=b"254\n")
    for name in ("-first", "!before-the-dot", "a b", "...", "~", "ÿ", "\x01"):
        layer.add("names/" + name, content=name.encode())
    deep = "deep"
    for _ in range(60):
        layer.folder(deep)
        deep += "/folder"
    layer.folder("many")
    for i in range(3000):
        layer.add(f"many/file-{i * 7919 % 3000:04d}" + "x" * (i % 40), content=b"%d\n" % i if i % 5 else b"")
    layer.folder("empty")

    layer.folder("stack")
    for name in ("removed", "replaced", "kept"):
        layer.add("stack/" + name, content=b"of the base\n")
    layer.folder("stack/hidden")
    layer.add("stack/hidden/below", content=b"of the base\n")
    layer.folder("stack/merged")
    layer.add("stack/merged/below", content=b"of the base\n")
    layer.folder("stack/gone")
    layer.add("stack/gone/below")


def write_upper(layer):
    layer.folder("stack", 0o750)
    layer.add("stack/.wh.removed")
    layer.add("stack/.wh.gone")
    layer.add("stack/replaced", content=b"of the upper\n", mode=0o4755)
    layer.folder("stack/hidden")
    layer.add("stack/hidden/.wh..wh..opq")
    layer.add("stack/hidden/above", content=b"of the upper\n")
    layer.folder("stack/merged")
    layer.add("stack/merged/above", content=b"of the upper\n")


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    for path, write in zip(sys.argv[1:], (write_base, write_upper)):
        layer = Layer(path)
        write(layer)
        layer.archive.close()


main()
