#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sockets of the host that a container must not reach: abstract.py NAME FILE. Listens as @NAME-stream and @NAME-datagram and on a port of
loopback, which is written to FILE. Ends when its standard input does."""
import socket
import sys


def main():
    name = "\0" + sys.argv[1]
    stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    stream.bind(name + "-stream")
    stream.listen()
    datagram = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    datagram.bind(name + "-datagram")
    listener = socket.create_server(("127.0.0.1", 0))
    with open(sys.argv[2], "w") as file:
        print(listener.getsockname()[1], file=file)
    while sys.stdin.buffer.read(65536):
        pass


main()
