#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A resolver for tests: one address for every name (or, with --only, for one; others do not exist), over UDP and TCP.

    resolver.py --address ADDRESS [--port PORT] --answer ADDRESS [--only NAME]
"""
import argparse
import os
import socket
import struct
import threading


def name_end(message):
    at = 12
    while message[at]:
        at += message[at] + 1
    return at + 1


def answer(message, options):
    end = name_end(message)
    labels, at = [], 12
    while message[at]:
        labels.append(message[at + 1:at + 1 + message[at]].decode("latin-1").lower())
        at += message[at] + 1
    kind = struct.unpack(">H", message[end:end + 2])[0]
    known = not options.only or ".".join(labels) == options.only
    records = b""
    if known and kind == 1:
        records = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 30, 4) + socket.inet_aton(options.answer)
    flags = 0x8180 | (0 if known else 3)
    return message[:2] + struct.pack(">HHHHH", flags, 1, 1 if records else 0, 0, 0) + message[12:end + 4] + records


def serve_streams(server, options):
    while True:
        connection, _ = server.accept()
        with connection:
            connection.settimeout(5)
            try:
                length = struct.unpack(">H", connection.recv(2, socket.MSG_WAITALL))[0]
                reply = answer(connection.recv(length, socket.MSG_WAITALL), options)
                connection.sendall(struct.pack(">H", len(reply)) + reply)
            except (OSError, struct.error):
                pass


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--address", required=True)
    parser.add_argument("--port", type=int, default=53)
    parser.add_argument("--answer", required=True)
    parser.add_argument("--only")
    options = parser.parse_args()
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    datagrams.bind((options.address, options.port))
    streams = socket.socket()
    streams.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    streams.bind((options.address, options.port))
    streams.listen(16)
    threading.Thread(target=serve_streams, args=(streams, options), daemon=True).start()
    print(f"serving {os.getpid()}", flush=True)
    while True:
        message, peer = datagrams.recvfrom(4096)
        datagrams.sendto(answer(message, options), peer)


main()
