#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Packets that pretend to be somebody else's, and an ear for them.

    forge.py listen ADDRESS PORT           prints "listening", then `SOURCE TEXT` of each datagram
    forge.py udp SOURCE ADDRESS PORT TEXT  a datagram with that source, where the routes lead
    forge.py frame LINK MAC SOURCE ADDRESS PORT TEXT   the same in a frame to that MAC, whatever the routes say
    forge.py arp LINK ADDRESS              an answer to everybody that nobody asked for: ADDRESS is here
"""
import ipaddress
import socket
import struct
import sys


def datagram(source, address, port, text):
    body = text.encode()
    udp = struct.pack("!HHHH", port, port, 8 + len(body), 0) + body  # without a checksum, which IPv4 allows
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0, ipaddress.ip_address(source).packed,
                       ipaddress.ip_address(address).packed)
    total = sum(struct.unpack("!10H", head))
    total = (total & 0xFFFF) + (total >> 16)
    return head[:10] + struct.pack("!H", ~(total + (total >> 16)) & 0xFFFF) + head[12:] + udp


def mac_of(link):
    with open(f"/sys/class/net/{link}/address", encoding="ascii") as file:
        return bytes.fromhex(file.read().strip().replace(":", ""))


def send_frame(link, target, kind, payload):
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
        raw.bind((link, 0))
        raw.send(target + mac_of(link) + struct.pack("!H", kind) + payload)


def listen(address, port):
    ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    ear.bind((address, int(port)))
    print("listening", flush=True)
    while True:
        text, peer = ear.recvfrom(2048)
        print(peer[0], text.decode(), flush=True)


def udp(source, address, port, text):
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
        raw.sendto(datagram(source, address, int(port), text), (address, 0))


def frame(link, mac, source, address, port, text):
    send_frame(link, bytes.fromhex(mac.replace(":", "")), 0x0800, datagram(source, address, int(port), text))


def arp(link, address):
    mine, claimed = mac_of(link), ipaddress.ip_address(address).packed
    send_frame(link, b"\xff" * 6, 0x0806, struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, 2, mine, claimed, b"\xff" * 6, claimed))


{"listen": listen, "udp": udp, "frame": frame, "arp": arp}[sys.argv[1]](*sys.argv[2:])
