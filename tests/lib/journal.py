#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A journal for tests: takes systemd's native protocol on a datagram socket and appends each entry to a file as JSON.

    journal.py SOCKET FILE
"""
import json
import socket
import struct
import sys


def fields(packet):
    entry = {}
    while packet:
        line, _, rest = packet.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if not equals:
            (size,) = struct.unpack_from("<Q", rest)
            value, rest = rest[8 : 8 + size], rest[8 + size + 1 :]
        if name in (key.encode() for key in entry):
            raise ValueError(f"{name} twice")
        entry[name.decode()] = value.decode("utf-8", "surrogateescape")
        packet = rest
    return entry


def main():
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind(sys.argv[1])
    with open(sys.argv[2], "a", buffering=1) as out:
        while True:
            out.write(json.dumps(fields(listener.recv(1 << 20))) + "\n")


main()
