#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Both ends of real traffic, for tests of networks.

    peer.py serve tcp|udp ADDRESS PORT   answers whoever connects or sends with his own address; prints "serving PID" when it can be asked
    peer.py ask tcp|udp ADDRESS PORT [SECONDS [BIND [PORT]]]   prints what is answered; exit status 1 if nothing is within the time
"""
import os
import socket
import sys


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def serve(kind, address, port):
    stream = kind == "tcp"
    server = socket.socket(family(address), socket.SOCK_STREAM if stream else socket.SOCK_DGRAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if server.family == socket.AF_INET6:
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    server.bind((address, port))
    if stream:
        server.listen(64)
    print(f"serving {os.getpid()}", flush=True)
    while True:
        if stream:
            connection, peer = server.accept()
            with connection:
                connection.sendall(peer[0].encode() + b"\n")
        else:
            _, peer = server.recvfrom(2048)
            server.sendto(peer[0].encode() + b"\n", peer)


def ask(kind, address, port, seconds=2.0, bind=None, own_port=0):
    stream = kind == "tcp"
    client = socket.socket(family(address), socket.SOCK_STREAM if stream else socket.SOCK_DGRAM)
    client.settimeout(seconds)
    if bind:
        client.bind((bind, int(own_port)))
    try:
        client.connect(socket.getaddrinfo(address, port, client.family)[0][4])  # which knows of %eth0
        if not stream:
            client.send(b"?")
        answer = client.recv(2048)
    except OSError as failure:
        print(f"{kind} {address}:{port}: {failure}", file=sys.stderr)
        return 1
    print(answer.decode().strip())
    return 0 if answer else 1


def main():
    command, kind, address, port = sys.argv[1:5]
    if command == "serve":
        serve(kind, address, int(port))
    elif command == "ask":
        more = sys.argv[5:]
        sys.exit(ask(kind, address, int(port), *([float(more[0])] if more else []), *more[1:3]))
    else:
        sys.exit(__doc__)


main()
