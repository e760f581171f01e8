#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# Real traffic, in whatever network namespace it is started:
#   traffic.py serve tcp|udp|sctp ADDRESS PORT      answers everybody with the address he has, until it is ended; says "ready"
#   traffic.py ask tcp|udp|sctp ADDRESS PORT [FROM [PORT]] prints that answer; exit 1 and the errno's name if there is none
#   traffic.py forge INTERFACE KEY=VALUE...         sends a frame with a label
#   traffic.py hear INTERFACE                       prints the labels that arrive there; says "ready"
import ctypes
import errno
import signal
import socket
import sys
import time

KINDS = {"tcp": (socket.SOCK_STREAM, socket.IPPROTO_TCP), "udp": (socket.SOCK_DGRAM, socket.IPPROTO_UDP),
         "sctp": (socket.SOCK_STREAM, 132)}
TIMEOUT = 1.5  # what is dropped never comes; a neighbour that was not heard is asked again after a second


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


def ask(kind, address, port, source=None, source_port=0):
    client = make(kind, address)
    client.settimeout(TIMEOUT)
    try:
        if source:
            client.bind((source, int(source_port)))
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


def checksum(data):
    total = sum(int.from_bytes(data[at:at + 2].ljust(2, b"\0"), "big") for at in range(0, len(data), 2))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return (~total & 0xffff).to_bytes(2, "big")


def forge(interface, *words):
    """Sends one frame that ends with a label. Words: KEY=VALUE."""
    said = dict(word.split("=", 1) for word in words)
    mac = bytes.fromhex(said["mac"].replace(":", ""))
    to = bytes.fromhex(said["to"].replace(":", ""))
    label = b"LABEL" + said["label"].encode() + b"."
    if said["kind"] == "udp":
        body = (7).to_bytes(2, "big") * 2 + (8 + len(label)).to_bytes(2, "big") + b"\0\0" + label
        head = bytes([0x45, 0]) + (20 + len(body)).to_bytes(2, "big") + bytes([0, 0, 0, 0, 64, 17])
        ends = socket.inet_aton(said["src"]) + socket.inet_aton(said["dst"])
        packet, ether_type = head + checksum(head + b"\0\0" + ends) + ends + body, "0800"
    elif said["kind"] == "arp":
        sender = bytes.fromhex(said.get("sender_mac", said["mac"]).replace(":", ""))
        packet = bytes.fromhex("0001080006040002") + sender + socket.inet_aton(said["src"]) + to + \
            socket.inet_aton(said["dst"]) + label
        ether_type = "0806"
    else:  # ICMPv6, by its number
        ends = socket.inet_pton(socket.AF_INET6, said["src"]) + socket.inet_pton(socket.AF_INET6, said["dst"])
        body = bytes([int(said["kind"]), 0, 0, 0, 0x20, 0, 0, 0]) + socket.inet_pton(socket.AF_INET6, said["target"]) + label
        pseudo = ends + len(body).to_bytes(4, "big") + bytes([0, 0, 0, 58])
        body = body[:2] + checksum(pseudo + body) + body[4:]
        packet, ether_type = bytes([0x60, 0, 0, 0]) + len(body).to_bytes(2, "big") + bytes([58, 255]) + ends + body, "86dd"
    tag = bytes.fromhex("81000001") if said.get("vlan") else b""
    link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    link.bind((interface, 0))
    link.send(to + mac + tag + bytes.fromhex(said.get("type", ether_type)) + packet)


def hear(interface):
    """Prints the labels that arrive, until one says "end"."""
    link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    link.bind((interface, 0))
    link.settimeout(10)
    print("ready", flush=True)
    label = ""
    while label != "end":
        frame, source = link.recvfrom(4096)
        if b"LABEL" in frame and source[2] != socket.PACKET_OUTGOING:
            label = frame.split(b"LABEL")[1].split(b".")[0].decode()
            print(label, flush=True)


ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: it ends with the test, whoever ends that
{"serve": serve, "ask": ask, "forge": forge, "hear": hear}[sys.argv[1]](*sys.argv[2:])
