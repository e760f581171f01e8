# SPDX-License-Identifier: Apache-2.0
"""Sockets, and whom they would reach."""
import socket
import struct

from attempt import NEVER, Attempt, best, closing, nobody, with_group
from door import Room

FAMILIES = [family for family in range(1, 46) if family not in (socket.AF_INET, socket.AF_INET6)]


def any_family(inside, families, kinds=(socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET)):
    return best(closing(inside, inside.call("socket", family, kind, 0)) for family in families for kind in kinds)


def netlink(inside, protocols):
    return best(closing(inside, inside.call("socket", socket.AF_NETLINK, socket.SOCK_RAW, protocol)) for protocol in protocols)


def abstract_address(name):
    return struct.pack("=H", socket.AF_UNIX) + b"\0" + name.encode()


def pair(inside, kind):
    ends = Room(8)
    result = inside.call("socketpair", socket.AF_UNIX, kind, 0, ends)
    return struct.unpack("=2i", ends.bytes) if result >= 0 else (result,)


def datagram_to_the_host(inside, target):
    """A datagram socket can be told any receiver, even one that was born connected."""
    ends = pair(inside, socket.SOCK_DGRAM)
    if len(ends) == 1:
        return ends[0]
    address = abstract_address(target.abstract)
    result = inside.call("sendto", ends[0], b"hello", 5, 0, address, len(address))
    for fd in ends:
        inside.call("close", fd)
    return result


def listen(inside, _):
    fd = inside.call("socket", socket.AF_INET, socket.SOCK_STREAM, 0)
    if fd < 0:
        return fd
    address = struct.pack("=HHI8x", socket.AF_INET, 0, 0x0100007f)
    result = inside.call("bind", fd, address, 16)
    result = inside.call("listen", fd, 1) if result >= 0 else result
    inside.call("close", fd)
    return result


def low_port(inside, _):
    fd = inside.call("socket", socket.AF_INET, socket.SOCK_DGRAM, 0)
    if fd < 0:
        return fd
    result = inside.call("bind", fd, struct.pack("=HHI8x", socket.AF_INET, socket.htons(7), 0x0100007f), 16)
    inside.call("close", fd)
    return result


NETWORK = [
    Attempt("make a socket for IPv4", lambda i, t: any_family(i, [socket.AF_INET], [socket.SOCK_STREAM, socket.SOCK_DGRAM]), with_group("network")),
    Attempt("make a socket for IPv6", lambda i, t: any_family(i, [socket.AF_INET6], [socket.SOCK_STREAM, socket.SOCK_DGRAM]), with_group("network")),
    Attempt("make a raw socket", lambda i, t: best(closing(i, i.call("socket", family, socket.SOCK_RAW, socket.IPPROTO_ICMP))
                                                   for family in (socket.AF_INET, socket.AF_INET6)), nobody),
    Attempt("make a socket that sees packets", lambda i, t: any_family(i, [socket.AF_PACKET]), nobody),
    Attempt("make a unix socket", lambda i, t: any_family(i, [socket.AF_UNIX]), NEVER),
    Attempt("make a netlink socket for routes or rules", lambda i, t: netlink(i, [0, 12]), with_group("netlink")),
    Attempt("make a netlink socket of another kind", lambda i, t: netlink(i, [p for p in range(1, 23) if p != 12]), NEVER),
    Attempt("make a socket of any other family",
            lambda i, t: any_family(i, [f for f in FAMILIES if f not in (socket.AF_UNIX, socket.AF_NETLINK, socket.AF_PACKET)]), NEVER),
    Attempt("send to a socket of the host's by its abstract name", datagram_to_the_host, nobody),
    Attempt("listen for connections", listen, lambda row: "network" in row.groups and "listen" in row.calls if row.filtered else None),
    Attempt("bind a port below 1024", low_port,
            lambda row: None if not row.filtered else "network" in row.groups and row.holds("NET_BIND_SERVICE")),
]
