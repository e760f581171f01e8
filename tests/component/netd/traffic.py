#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# Real traffic, in whatever network namespace it is started:
#   traffic.py serve tcp|udp|sctp ADDRESS PORT      answers everybody with the address he has, until it is ended; says "ready"
#   traffic.py ask tcp|udp|sctp ADDRESS PORT [FROM] prints that answer; exit 1 and the errno's name if there is none
#   traffic.py raw INTERFACE HEX...                 sends frames as they are
#   traffic.py hear INTERFACE SECONDS               prints the frames that arrive there, in hex; says "ready"
import errno
import socket
import sys
import time

KINDS = {"tcp": (socket.SOCK_STREAM, socket.IPPROTO_TCP), "udp": (socket.SOCK_DGRAM, socket.IPPROTO_UDP),
         "sctp": (socket.SOCK_STREAM, 132)}
TIMEOUT = 0.7  # what is dropped never comes


def make(kind, address):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    made = socket.socket(family, *KINDS[kind])
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return made


def serve(kind, address, port):
    server = make(kind, address)
    server.bind((address, int(port)))
    if kind == "udp":
        print("ready", flush=True)
        while True:
            data, peer = server.recvfrom(2048)
            server.sendto(peer[0].encode() + b" " + data, peer)
    server.listen()
    print("ready", flush=True)
    while True:
        connection, peer = server.accept()
        connection.sendall(peer[0].encode() + b" hello")
        connection.close()


def ask(kind, address, port, source=None):
    client = make(kind, address)
    client.settimeout(TIMEOUT)
    try:
        if source:
            client.bind((source, 0))
        client.connect((address, int(port)))
        if kind == "udp":
            client.send(b"hello")
        print(client.recv(2048).decode() or "empty")
    except TimeoutError:
        print("timeout")
        sys.exit(1)
    except OSError as failure:
        print("timeout" if failure.errno is None else errno.errorcode[failure.errno])
        sys.exit(1)


def raw(interface, *frames):
    link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    link.bind((interface, 0))
    for frame in frames:
        link.send(bytes.fromhex(frame))


def hear(interface, seconds):
    link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    link.bind((interface, 0))
    print("ready", flush=True)
    end = time.monotonic() + float(seconds)
    while (left := end - time.monotonic()) > 0:
        link.settimeout(left)
        try:
            print(link.recv(4096).hex(), flush=True)
        except TimeoutError:
            break


{"serve": serve, "ask": ask, "raw": raw, "hear": hear}[sys.argv[1]](*sys.argv[2:])
