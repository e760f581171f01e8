# SPDX-License-Identifier: Apache-2.0
"""Tar archives by hand, for what Python's tarfile is too polite to write."""
BLOCK = 512


def padded(content):
    return content + b"\0" * (-len(content) % BLOCK)


def octal(value, width):
    return b"%0*o\0" % (width - 1, value)


def entry(name, kind=b"0", content=b"", mode=0o644, link=b"", uid=0, gid=0, mtime=0, size=None, major=0, minor=0,
          magic=b"ustar\x0000", checksum=None):
    """One header and its content. Numbers may be bytes: then they stand in the header as they are."""
    def number(value, width):
        return value.ljust(width, b"\0") if isinstance(value, bytes) else octal(value, width)

    name = name.encode() if isinstance(name, str) else name
    link = link.encode() if isinstance(link, str) else link
    fields = [name[:100].ljust(100, b"\0"), number(mode, 8), number(uid, 8), number(gid, 8),
              number(len(content) if size is None else size, 12), number(mtime, 12), b" " * 8, kind,
              link[:100].ljust(100, b"\0"), magic, b"\0" * 32, b"\0" * 32, number(major, 8), number(minor, 8), b"\0" * 167]
    header = b"".join(fields)
    assert len(header) == BLOCK, len(header)
    total = b"%06o\0 " % sum(header) if checksum is None else checksum
    return header[:148] + total + header[156:] + padded(content)


def record(key, value):
    """One record of a PAX header, its own length included."""
    body = b" " + (key.encode() if isinstance(key, str) else key) + b"=" + \
        (value.encode() if isinstance(value, str) else value) + b"\n"
    length = len(body)
    while len(b"%d" % length) + len(body) != length:
        length = len(b"%d" % length) + len(body)
    return b"%d" % length + body


def pax(*records, kind=b"x"):
    return entry("pax", kind, b"".join(records))


def long_name(name, kind=b"L"):
    return entry("././@LongLink", kind, (name.encode() if isinstance(name, str) else name) + b"\0")


def folder(name, mode=0o755, **fields):
    return entry(name, b"5", mode=mode, **fields)


def symlink(name, target):
    return entry(name, b"2", link=target, mode=0o777)


def hardlink(name, target):
    return entry(name, b"1", link=target)


END = b"\0" * (2 * BLOCK)
