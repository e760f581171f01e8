# SPDX-License-Identifier: Apache-2.0
#
# What a program brings into memory that can be executed: its own text, and its libraries. Used by the scripts that count
# trusted bases.
import os
import re
import struct
import subprocess


def text_bytes(path):
    """Bytes of a 64-bit little-endian ELF file that are mapped executable."""
    with open(path, "rb") as file:
        head = file.read(64)
        if head[:6] != b"\x7fELF\x02\x01":
            raise ValueError(f"{path} is no 64-bit little-endian ELF file")
        offset, = struct.unpack_from("<Q", head, 32)
        entry_bytes, count = struct.unpack_from("<HH", head, 54)
        file.seek(offset)
        table = file.read(entry_bytes * count)
    total = 0
    for i in range(count):
        kind, flags = struct.unpack_from("<II", table, i * entry_bytes)
        if kind == 1 and flags & 1:  # PT_LOAD, PF_X
            total += struct.unpack_from("<Q", table, i * entry_bytes + 40)[0]
    return total


def libraries(path):
    """Every library that the dynamic loader maps for a program (those of libraries, too): name -> path."""
    run = subprocess.run(["ldd", path], capture_output=True, text=True)
    if "not a dynamic executable" in run.stderr or "statically linked" in run.stdout:
        return {}
    if run.returncode != 0:
        raise ValueError(f"ldd {path}: {run.stderr.strip()}")
    found = re.findall(r"^\s*(?:(\S+) => )?(/\S+) \(0x", run.stdout, re.MULTILINE)
    return {name or os.path.basename(file): file for name, file in found}
