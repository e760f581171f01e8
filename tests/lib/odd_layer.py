#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes a layer of everything that a tar archive can hold and that must still work: odd_layer.py OUTPUT.tar"""
import io
import sys
import tarfile


def main():
    with tarfile.open(sys.argv[1], "w", format=tarfile.PAX_FORMAT) as archive:
        def add(name, kind=tarfile.REGTYPE, content=b"", **fields):
            info = tarfile.TarInfo(name)
            info.type, info.size, info.mtime = kind, len(content), 1700000000
            info.mode = fields.pop("mode", 0o755 if kind == tarfile.DIRTYPE else 0o644)
            for field, value in fields.items():
                setattr(info, field, value)
            archive.addfile(info, io.BytesIO(content))

        add("run", tarfile.DIRTYPE)
        add("var", tarfile.DIRTYPE)
        add("var/run", tarfile.SYMTYPE, linkname="/run", mode=0o777)
        add("var/run-relative", tarfile.SYMTYPE, linkname="../run", mode=0o777)
        add("dangling", tarfile.SYMTYPE, linkname="/no/such/place", mode=0o777)
        add("a", tarfile.DIRTYPE)
        add("a/file", content=b"content\n", mode=0o640, uid=1000, gid=1001)
        add("b", tarfile.DIRTYPE)  # right before what is in it: else tar -x forgets its time
        add("b/link", tarfile.LNKTYPE, linkname="a/file", mode=0o640, uid=1000, gid=1001)
        add("setuid", content=b"x", mode=0o4755)
        add("setgid", content=b"x", mode=0o2755, gid=50)
        add("sticky", tarfile.DIRTYPE, mode=0o1777)
        add("setgid-folder", tarfile.DIRTYPE, mode=0o2775, gid=50)
        add("fifo", tarfile.FIFOTYPE, mode=0o600)
        add("null", tarfile.CHRTYPE, mode=0o666, devmajor=1, devminor=3)
        add("block", tarfile.BLKTYPE, mode=0o660, devmajor=7, devminor=1)
        add("nobody", content=b"", uid=65534, gid=65534)
        add("empty", content=b"")
        add("exactly-a-block", content=b"b" * 4096)
        add("a-block-and-one", content=b"c" * 4097)
        add("nanoseconds", content=b"n", mtime=1700000001.5, pax_headers={"mtime": "1700000001.123456789"})
        add("before-1970", content=b"o", mtime=-1000.0, pax_headers={"mtime": "-1000"})
        add("n\u00e4me-\u65e5\u672c", content=b"utf-8\n")
        add("with space and 'quotes\"", content=b"q")
        add("long-" + "x" * 200, content=b"long name\n")
        add("deep", tarfile.DIRTYPE)
        path = "deep"
        for i in range(40):
            path += f"/level{i:02}"
            add(path, tarfile.DIRTYPE)
        add(path + "/bottom", content=b"bottom\n")
        add("xattr", content=b"x", pax_headers={"SCHILY.xattr.user.note": "a note", "SCHILY.xattr.user.other": "2"})
        add("a", tarfile.DIRTYPE, mode=0o700, uid=7, gid=8)  # a folder that comes twice: the last word counts
        add("replaced", content=b"first")
        add("replaced", content=b"second, and longer")


main()
