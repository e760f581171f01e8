# SPDX-License-Identifier: Apache-2.0
"""Sockets: of its own making, and those that it holds."""
import socket
import struct

from door import Room

from .rules import NEVER, Attempt, best, closing, nobody, with_group

FAMILIES = [family for family in range(1, 46) if family not in (socket.AF_INET, socket.AF_INET6)]
LOOPBACK = 0x0100007f
MSG_FASTOPEN = 0x20000000
SO_DOMAIN = 39


def any_family(inside, families, kinds=(socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET)):
    return best(closing(inside, inside.call("socket", family, kind, 0)) for family in families for kind in kinds)


def netlink(inside, protocols):
    return best(closing(inside, inside.call("socket", socket.AF_NETLINK, socket.SOCK_RAW, protocol)) for protocol in protocols)


def abstract_address(name):
    return struct.pack("=H", socket.AF_UNIX) + b"\0" + name.encode()


def internet_address(port):
    return struct.pack("=HHI8x", socket.AF_INET, socket.htons(port), LOOPBACK)


def on_socket(inside, family, kind, then):
    fd = inside.call("socket", family, kind, 0)
    if fd < 0:
        return fd
    result = then(fd)
    inside.call("close", fd)
    return result


def pair(inside, kind):
    ends = Room(8)
    result = inside.call("socketpair", socket.AF_UNIX, kind, 0, ends)
    return struct.unpack("=2i", ends.bytes) if result >= 0 else (result,)


def make_pair(inside, kind):
    ends = pair(inside, kind)
    for fd in ends if ends[0] >= 0 else ():
        inside.call("close", fd)
    return ends[0]


def datagram_to_the_host(inside, target):
    """A datagram socket can be told any receiver, even one that was born connected; so can one that it holds."""
    address = abstract_address(target.abstract)

    def send(fd):
        return inside.call("sendto", fd, b"hello", 5, socket.MSG_DONTWAIT, address, len(address))
    ends = pair(inside, socket.SOCK_DGRAM)
    results = [send(fd) for fd in ends if ends[0] >= 0] or list(ends)
    for fd in ends if ends[0] >= 0 else ():
        inside.call("close", fd)
    return best([*results, *(send(fd) for fd in target.datagrams)])


def connect_to_the_host(inside, target):
    return on_socket(inside, socket.AF_INET, socket.SOCK_STREAM, lambda fd: inside.call("connect", fd, internet_address(target.port), 16))


def send_to(inside, fd, content, address, flags):
    return inside.call("sendto", fd, content, len(content), flags, address, len(address))


def message(inside, content, address):
    """A msghdr, whose parts are in place until the next call."""
    name, data, vector = Room(len(address), address), Room(len(content), content), Room(16)
    at_name, at_data, at_vector = inside.place(name, data, vector)
    vector.content = struct.pack("=QQ", at_data, len(content))
    return struct.pack("=QIIQQQQII", at_name, len(address), 0, at_vector, 1, 0, 0, 0, 0)


def send_message(inside, fd, content, address, flags):
    return inside.call("sendmsg", fd, message(inside, content, address), flags)


def send_messages(inside, fd, content, address, flags):
    return inside.call("sendmmsg", fd, message(inside, content, address) + bytes(8), 1, flags)


def connect_by_sending(inside, target):
    """The first data of a fast open makes a connection, which asks no filter for connect()."""
    address = internet_address(target.port)
    return best(on_socket(inside, socket.AF_INET, socket.SOCK_STREAM, lambda fd: send(inside, fd, b"x", address, MSG_FASTOPEN | socket.MSG_NOSIGNAL))
                for send in (send_to, send_message, send_messages))


def speak_to_the_engine(inside, target):
    address = struct.pack("=H", socket.AF_UNIX) + target.door.encode() + b"\0"
    return on_socket(inside, socket.AF_UNIX, socket.SOCK_STREAM, lambda fd: inside.call("connect", fd, address, len(address)))


def listen(inside, _):
    def then(fd):
        result = inside.call("bind", fd, internet_address(0), 16)
        return inside.call("listen", fd, 1) if result >= 0 else result
    return on_socket(inside, socket.AF_INET, socket.SOCK_STREAM, then)


def low_port(inside, _):
    return on_socket(inside, socket.AF_INET, socket.SOCK_DGRAM, lambda fd: inside.call("bind", fd, internet_address(7), 16))


# RTM_NEWLINK for interface 1: IFLA_TXQLEN 1000, with an answer
CHANGE_LOOPBACK = struct.pack("=IHHIIBxHiIIHHI", 40, 16, 5, 1, 0, 0, 0, 1, 0, 0, 8, 13, 1000)


def change_link_by(inside, fd):
    result = inside.call("sendto", fd, CHANGE_LOOPBACK, len(CHANGE_LOOPBACK), socket.MSG_NOSIGNAL, struct.pack("=HHII", socket.AF_NETLINK, 0, 0, 0), 12)
    answer = Room(256)
    while result >= 0:
        result = inside.call("recvfrom", fd, answer, 256, socket.MSG_DONTWAIT)
        if result >= 20 and struct.unpack_from("=H", answer.bytes, 4)[0] == 2:  # NLMSG_ERROR: 0 or -errno
            return struct.unpack_from("=i", answer.bytes, 16)[0]
    return result


def family_of(inside, fd):
    family, size = Room(4), Room(4, struct.pack("=i", 4))
    result = inside.call("getsockopt", fd, socket.SOL_SOCKET, SO_DOMAIN, family, size)
    return struct.unpack("=i", family.bytes)[0] if result >= 0 else result


def change_link(inside, target):
    held = [fd for fd in target.sockets if family_of(inside, fd) == socket.AF_NETLINK]
    return best([on_socket(inside, socket.AF_NETLINK, socket.SOCK_RAW, lambda fd: change_link_by(inside, fd)),
                 *(change_link_by(inside, fd) for fd in held)])


ATTEMPTS = [
    Attempt("make a socket for IPv4", lambda i, t: any_family(i, [socket.AF_INET], [socket.SOCK_STREAM, socket.SOCK_DGRAM]), with_group("network")),
    Attempt("make a socket for IPv6", lambda i, t: any_family(i, [socket.AF_INET6], [socket.SOCK_STREAM, socket.SOCK_DGRAM]), with_group("network")),
    Attempt("connect to a server on the host", connect_to_the_host, with_group("network")),
    Attempt("connect by sending", connect_by_sending, NEVER),
    Attempt("make a raw socket", lambda i, t: best(closing(i, i.call("socket", family, socket.SOCK_RAW, socket.IPPROTO_ICMP))
                                                   for family in (socket.AF_INET, socket.AF_INET6)), nobody),
    Attempt("make a socket that sees packets", lambda i, t: any_family(i, [socket.AF_PACKET]), nobody),
    Attempt("make a unix socket", lambda i, t: any_family(i, [socket.AF_UNIX]), NEVER),
    Attempt("speak to the engine as a client", speak_to_the_engine, NEVER),
    Attempt("make a pair of stream sockets", lambda i, t: make_pair(i, socket.SOCK_STREAM), NEVER),
    Attempt("make a pair of datagram sockets", lambda i, t: make_pair(i, socket.SOCK_DGRAM), NEVER),
    Attempt("make a netlink socket for routes or rules", lambda i, t: netlink(i, [0, 12]), with_group("netlink")),
    Attempt("make a netlink socket of another kind", lambda i, t: netlink(i, [p for p in range(1, 23) if p != 12]), NEVER),
    Attempt("change a network link, by any netlink socket", change_link,
            lambda row: None if not row.filtered else "netlink" in row.groups and row.holds("NET_ADMIN")),
    Attempt("make a socket of any other family",
            lambda i, t: any_family(i, [f for f in FAMILIES if f not in (socket.AF_UNIX, socket.AF_NETLINK, socket.AF_PACKET)]), NEVER),
    Attempt("send to a socket of the host's by its abstract name", datagram_to_the_host, nobody),
    Attempt("listen for connections", listen, lambda row: "network" in row.groups and "listen" in row.calls if row.filtered else None),
    Attempt("bind a port below 1024", low_port,
            lambda row: None if not row.filtered else "network" in row.groups and row.holds("NET_BIND_SERVICE")),
]
