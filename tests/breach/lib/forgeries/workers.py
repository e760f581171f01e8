# SPDX-License-Identifier: Apache-2.0
"""Workers: what they share with their service, what others remember of their secrets, and where a pull's worker can get to."""
import errno
import socket
import struct

import breach
from attempts import network
from breach import cast, shared_memory

from . import declared
from .common import Forger, expect

PAGE = 4096
SHADOW_BYTES = 1 << 36  # what a sanitizer keeps about memory; no row grants as much


def shared(name):
    return [f"{name} shares memory that it can write: {line}" for line in shared_memory(cast().pids[name])]


def remembers(name, secret):
    """Whether a process's memory holds a text, here for the one who may know it, and there for all others."""
    pid, wanted = cast().pids[name] if not name.isdigit() else int(name), secret.encode()
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/pagemap", "rb", buffering=0) as pages, open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in maps:
            start, end = (int(part, 16) for part in line.split()[0].split("-"))
            if not line.split()[1].startswith("r") or "[v" in line or end - start >= SHADOW_BYTES:
                continue
            for first, last in touched(pages, start, end):
                memory.seek(first)
                try:
                    if wanted in memory.read(last - first):
                        return [f"{name} (pid {pid}) holds it at {line.strip()}"]
                except OSError:
                    continue  # given back meanwhile
    return []


def touched(pages, start, end):
    """Of a mapping the ranges that are there, in memory or in swap."""
    pages.seek(start // PAGE * 8)
    first = None
    for number, (entry,) in enumerate(struct.iter_unpack("=Q", pages.read((end - start) // PAGE * 8))):
        if entry >> 62 and first is None:
            first = start + number * PAGE
        elif not entry >> 62 and first is not None:
            yield first, start + number * PAGE
            first = None
    if first is not None:
        yield first, end


def dials(registry):
    """The pull's worker asks for connections that are no business of its registry's."""
    failures = []
    (host, its_port), port = registry.split(":"), breach.SERVER.getsockname()[1]
    with Forger("fetch", "dial") as forged:
        answer = forged.ask(f'connect {{ host: "{host}" port: {its_port} timeout_ms: 3000 registry: "{registry}" }}')
        expect(failures, "its own registry", answer, "it was done")
        for address in declared.DIALED:
            answer = forged.ask(f'connect {{ host: "{address}" port: {port} timeout_ms: 1000 registry: "{registry}" }}')
            expect(failures, address, answer, "PERMISSION_DENIED", "INVALID_ARGUMENT", "NOT_FOUND")
    return failures


def elsewhere(port):
    """A connection that the dialer made comes to its end, and is made anew, to somebody else, by sending: that asks no filter for
    connect(). `port`: one on this host that the configuration allows, where nobody listens yet."""
    failures = []
    server = breach.SERVER
    server.settimeout(1)
    address = network.internet_address(server.getsockname()[1])
    with socket.create_server(("127.0.0.1", int(port))) as registry, Forger("fetch", "dial") as forged:
        inside = forged.inside
        fd = forged.fetch_descriptor(f'connect {{ host: "127.0.0.1" port: {port} timeout_ms: 3000 registry: "127.0.0.1:{port}" }}')
        if fd < 0:
            return [f"no connection to a registry that the configuration names: {fd}"]
        inside.call("sendto", fd, b"x", 1, socket.MSG_NOSIGNAL, 0, 0)
        connection, _ = registry.accept()
        if connection.recv(1) != b"x":
            failures.append("nothing can be sent to the registry, so that a refusal would prove nothing")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("=ii", 1, 0))
        connection.close()  # at once, with a reset
        inside.call("poll", struct.pack("=ihh", fd, 1, 0), 1, 1000)
        for send in (network.send_to, network.send_message, network.send_messages):
            for _ in range(2):  # the first one tells how the old connection ended
                result = send(inside, fd, b"x", address, network.MSG_FASTOPEN | socket.MSG_NOSIGNAL)
                if result >= 0 or result == -errno.EINPROGRESS:
                    failures.append(f"it was sent to somebody else: {result}")
    try:
        failures.append(f"somebody else has a connection from {server.accept()[1]}")
    except TimeoutError:
        pass
    return failures
