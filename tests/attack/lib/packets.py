#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What root of a container can put on its wire to reach a stranger, each with a label, and an ear that prints the labels that arrive.

    packets.py list                        the labels
    packets.py send INTERFACE KEY=VALUE... each of them once. Keys: own4 own6 gate_mac (what the sender has), victim4 victim6 victim_mac
                                           victim_gate4 victim_gate6 neighbour4 neighbour6 (the stranger, its gateway, one beside it),
                                           host4 host6 outside4 outside6, port (the stranger's, of a conversation over UDP with outside:8000)
    packets.py end INTERFACE KEY=VALUE...  an honest datagram to victim4 that says "end"
    packets.py hear INTERFACE              prints "hearing", then labels until one says "end"
"""
import socket
import struct
import sys

ALL = "ff:ff:ff:ff:ff:ff"
IPV4, ARP, VLAN, IPV6 = 0x0800, 0x0806, 0x8100, 0x86DD
ICMP, TCP, UDP, ICMPV6 = 1, 6, 17, 58


def mac_bytes(text):
    return bytes.fromhex(text.replace(":", ""))


def address_bytes(text):
    return socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)


def checksum(data):
    total = sum(int.from_bytes(data[at:at + 2].ljust(2, b"\0"), "big") for at in range(0, len(data), 2))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return struct.pack(">H", ~total & 0xffff)


def link_local(mac):
    raw = mac_bytes(mac)
    return socket.inet_ntop(socket.AF_INET6, b"\xfe\x80" + bytes(6) + bytes([raw[0] ^ 2]) + raw[1:3] + b"\xff\xfe" + raw[3:])


def packet(source, target, protocol, body, hops=64, fragment=0):
    """An IP packet. The checksum of the body, where its kind has one, is filled in at its place."""
    six = ":" in source
    ends = address_bytes(source) + address_bytes(target)
    at = {ICMP: 2, ICMPV6: 2, UDP: 6, TCP: 16}[protocol]
    if not fragment:
        pseudo = b"" if protocol == ICMP else ends + struct.pack(">II", len(body), protocol)
        body = body[:at] + checksum(pseudo + body) + body[at + 2:]
    if six:
        return struct.pack(">IHBB", 6 << 28, len(body), protocol, hops) + ends + body
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), 7, fragment, hops, protocol, 0)
    return head[:10] + checksum(head + ends) + ends + body


def datagram(payload, source_port=7, port=7):
    return struct.pack(">HHHH", source_port, port, 8 + len(payload), 0) + payload


def opening(payload):
    return struct.pack(">HHIIBBHHH", 7, 7, 1, 0, 0x50, 2, 1024, 0, 0) + payload


def echo(kind, payload):
    return struct.pack(">BBHHH", kind, 0, 0, 7, 1) + payload


def fragments(source, target, label):
    whole = datagram(b"." * 16 + label)
    whole = whole[:6] + b"\0\0" + whole[8:]  # without a checksum, which IPv4 allows
    return [packet(source, target, UDP, whole[:16], fragment=0x2000), packet(source, target, UDP, whole[16:], fragment=2)]


def claim(operation, sender_mac, sender, target_mac, target, label):
    return struct.pack(">HHBBH", 1, IPV4, 6, 4, operation) + mac_bytes(sender_mac) + address_bytes(sender) + \
        mac_bytes(target_mac) + address_bytes(target) + label


def neighbour_advert(target, mac, label):
    return struct.pack(">BBHI", 136, 0, 0, 0x20000000) + address_bytes(target) + b"\2\1" + mac_bytes(mac) + label


def frames(own, k):
    """Of each kind: its label, and (where to, type, content) of its frames: by way of the gateway, or past it."""
    gate, victim = k["gate_mac"], k["victim_mac"]
    own4, own6, victim4, victim6 = k["own4"], k["own6"], k["victim4"], k["victim6"]
    own_local = link_local(own)
    port = int(k["port"])

    def label(name):
        return b"LABEL" + name.encode() + b"."

    def routed(name, content):
        return name, [(gate, IPV6 if content[0] >> 4 == 6 else IPV4, content)]

    def direct(name, content, to=victim):
        return name, [(to, IPV6 if content[0] >> 4 == 6 else IPV4, content)]

    def both(name, content):
        return name, routed(name, content)[1] + direct(name, content)[1]

    def quoted(source, target, name):
        return packet(source, target, UDP, datagram(label(name), port, 8000))

    def error(kind, name, source, target):
        return struct.pack(">BBHI", kind, 1 if kind == 5 else 3, 0, 0) + quoted(source, target, name)

    yield "arp-gateway", [(ALL, ARP, claim(2, own, k["victim_gate4"], ALL, k["victim_gate4"], label("arp-gateway")))]
    yield "arp-neighbour", [(victim, ARP, claim(2, own, k["neighbour4"], victim, victim4, label("arp-neighbour")))]
    yield "arp-question", [(ALL, ARP, claim(1, own, k["neighbour4"], "00:00:00:00:00:00", victim4, label("arp-question")))]
    yield routed("udp", packet(own4, victim4, UDP, datagram(label("udp"))))
    yield routed("tcp", packet(own4, victim4, TCP, opening(label("tcp"))))
    yield routed("icmp", packet(own4, victim4, ICMP, echo(8, label("icmp"))))
    yield "fragments", [(gate, IPV4, part) for part in fragments(own4, victim4, label("fragments"))]
    yield direct("udp-past-the-gateway", packet(own4, victim4, UDP, datagram(label("udp-past-the-gateway"))))
    yield direct("udp-to-all", packet(own4, "255.255.255.255", UDP, datagram(label("udp-to-all"))), ALL)
    yield routed("udp-as-neighbour", packet(k["neighbour4"], victim4, UDP, datagram(label("udp-as-neighbour"))))
    yield both("udp-as-outside", packet(k["outside4"], victim4, UDP, datagram(label("udp-as-outside"), 8000, port)))
    yield direct("udp-as-gateway", packet(k["victim_gate4"], victim4, UDP, datagram(label("udp-as-gateway"))))
    yield direct("udp-as-loopback", packet("127.0.0.1", victim4, UDP, datagram(label("udp-as-loopback"))))
    yield "vlan", [(victim, VLAN, struct.pack(">HH", 1, IPV4) + packet(own4, victim4, UDP, datagram(label("vlan"))))]
    # what says that it belongs to a conversation of the stranger's
    yield routed("icmp-error", packet(own4, victim4, ICMP, error(3, "icmp-error", victim4, k["outside4"])))
    yield routed("icmp-error-by-the-host", packet(own4, k["host4"], ICMP, error(3, "icmp-error-by-the-host", k["host4"], k["outside4"])))
    yield routed("icmp-redirect", packet(own4, victim4, ICMP, error(5, "icmp-redirect", victim4, k["outside4"])))
    yield routed("icmp6-error", packet(own6, victim6, ICMPV6, struct.pack(">BBHI", 1, 4, 0, 0) + quoted(victim6, k["outside6"], "icmp6-error")))
    yield routed("icmp6-error-by-the-host", packet(
        own6, k["host6"], ICMPV6, struct.pack(">BBHI", 1, 4, 0, 0) + quoted(k["host6"], k["outside6"], "icmp6-error-by-the-host")))

    yield direct("advert-gateway", packet(own_local, "ff02::1", ICMPV6, neighbour_advert(k["victim_gate6"], own, label("advert-gateway")), 255), ALL)
    yield direct("advert-neighbour", packet(own_local, victim6, ICMPV6, neighbour_advert(k["neighbour6"], own, label("advert-neighbour")), 255))
    yield direct("router-advert", packet(own_local, "ff02::1", ICMPV6, struct.pack(">BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0) + label("router-advert"), 255), ALL)
    yield direct("redirect6", packet(own_local, victim6, ICMPV6, struct.pack(">BBHI", 137, 0, 0, 0) + address_bytes(own6) + address_bytes(
        k["outside6"]) + label("redirect6"), 255))
    yield routed("udp6", packet(own6, victim6, UDP, datagram(label("udp6"))))
    yield routed("tcp6", packet(own6, victim6, TCP, opening(label("tcp6"))))
    yield routed("icmp6", packet(own6, victim6, ICMPV6, echo(128, label("icmp6"))))
    yield direct("udp6-past-the-gateway", packet(own6, victim6, UDP, datagram(label("udp6-past-the-gateway"))))
    yield direct("udp6-link-local", packet(own_local, link_local(victim), UDP, datagram(label("udp6-link-local"))))
    yield direct("icmp6-link-local", packet(own_local, link_local(victim), ICMPV6, echo(128, label("icmp6-link-local"))))
    yield routed("udp6-as-neighbour", packet(k["neighbour6"], victim6, UDP, datagram(label("udp6-as-neighbour"))))
    yield both("udp6-as-outside", packet(k["outside6"], victim6, UDP, datagram(label("udp6-as-outside"), 8000, port)))
    yield direct("udp6-as-gateway", packet(k["victim_gate6"], victim6, UDP, datagram(label("udp6-as-gateway"))))


class Nothing(dict):
    """Any key, for a list of labels."""

    def __missing__(self, key):
        return "02:00:00:00:00:01" if key.endswith("mac") else "::1" if key.endswith("6") else "1" if key == "port" else "127.0.0.1"


def open_link(interface):
    link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    link.bind((interface, 0))
    return link, link.getsockname()[4].hex(":")


def send(interface, words):
    link, own = open_link(interface)
    for _, contents in frames(own, dict(word.split("=", 1) for word in words)):
        for to, kind, content in contents:
            link.send(mac_bytes(to) + mac_bytes(own) + struct.pack(">H", kind) + content)


def end(interface, words):
    k = dict(word.split("=", 1) for word in words)
    link, own = open_link(interface)
    link.send(mac_bytes(k["victim_mac"]) + mac_bytes(own) + struct.pack(">H", IPV4) + packet(k["own4"], k["victim4"], UDP, datagram(b"LABELend.")))


def hear(interface):
    link, _ = open_link(interface)
    link.settimeout(20)
    print("hearing", flush=True)
    label = ""
    while label != "end":
        frame, source = link.recvfrom(65536)
        if b"LABEL" in frame and source[2] != socket.PACKET_OUTGOING:
            label = frame.split(b"LABEL")[1].split(b".")[0].decode()
            print(label, flush=True)


if sys.argv[1] == "list":
    print(*(name for name, _ in frames("02:00:00:00:00:01", Nothing())), sep="\n")
elif sys.argv[1] == "hear":
    hear(sys.argv[2])
else:
    {"send": send, "end": end}[sys.argv[1]](sys.argv[2], sys.argv[3:])
