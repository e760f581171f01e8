# SPDX-License-Identifier: Apache-2.0
"""The attacker inside: system calls made by a breached process, one after the other.

    with Door(pid) as inside:
        fd = inside.call("openat", AT_FDCWD, "/etc/passwd", os.O_RDONLY)      # a number, or -errno
        room = inside.room(64)
        inside.call("read", fd, room, 64)
        room.bytes                                                             # what the call left there

Arguments are numbers, text and bytes (put into the process's memory, text with its NUL), room() for what a call writes, and
pointers (struct fields that hold addresses: pointer(inside, ...)). Between enter and leave the process does nothing else.
"""
import errno
import json
import os
import re
import signal
import socket
import struct

REQUEST = struct.Struct("=Q6QII")
ANSWER = struct.Struct("=q")
RESUME, SERVE_WORKERS, SPARE_WORKERS = 2**64 - 1, 2**64 - 2, 2**64 - 3
SCRATCH_BYTES = 32768
AT_FDCWD = -100


def numbers():
    """Of the system calls, from the kernel's own header."""
    found = {}
    for folder in ("/usr/include/x86_64-linux-gnu/asm/unistd_64.h", "/usr/include/asm-generic/unistd.h"):
        if not found and os.path.exists(folder):
            with open(folder) as header:
                for name, number in re.findall(r"#define __NR_(\w+)\s+(\d+)", header.read()):
                    found[name] = int(number)
    return found


NUMBERS = numbers()


class Room:
    """Memory of the process: bytes to put there, bytes that were there after the last call."""

    def __init__(self, size, content=b""):
        self.size, self.content = size, content
        self.bytes = b""
        self.offset = None


class Door:
    def __init__(self, pid, through=None, serving=False, dies_of_it=False):
        """`through`: the service whose connection its worker, `pid`, has inherited. `serving`: it serves already. `dies_of_it`: its
        filter ends it instead of refusing a call."""
        self.pid, self.serving, self.dies_of_it = pid, serving, dies_of_it
        self.connection, self.fd, self.scratch = borrow(through or pid)
        self.connection.settimeout(20)
        self.keep = []

    def __enter__(self):
        if not self.serving:
            os.kill(self.pid, signal.SIGUSR2)
        return self

    def __exit__(self, *_):
        try:
            self.connection.send(REQUEST.pack(RESUME, *[0] * 6, 0, 0))
        except OSError:
            pass  # it has ended: some attempts do that
        self.connection.close()

    def room(self, size, content=b""):
        return Room(size, content)

    def place(self, *rooms):
        """Puts rooms at fixed addresses until the next call, so that others can point to them. Returns the addresses."""
        at = sum((room.size + 15) & ~15 for room in self.keep)
        addresses = []
        for room in rooms:
            room.offset = at
            addresses.append(self.scratch + at)
            at += (room.size + 15) & ~15
            self.keep.append(room)
        assert at <= SCRATCH_BYTES, at
        return addresses

    def call(self, number, *arguments):
        """Makes the call. Returns its result, or -errno."""
        self.post(number, *arguments)
        return self.collect()

    def post(self, number, *arguments):
        number = NUMBERS[number] if isinstance(number, str) else number
        values = []
        for argument in arguments:
            if isinstance(argument, str):
                argument = argument.encode() + b"\0"
            if isinstance(argument, bytes):
                argument = Room(max(len(argument), 1), argument)
            if isinstance(argument, Room):
                if argument.offset is None:
                    self.place(argument)
                argument = self.scratch + argument.offset
            values.append(argument & (2**64 - 1))
        values += [0] * (6 - len(values))
        used = max((room.offset + room.size for room in self.keep), default=0)
        image = bytearray(used)
        for room in self.keep:
            image[room.offset:room.offset + len(room.content)] = room.content
        try:
            self.connection.send(REQUEST.pack(number, *values, used, used) + bytes(image))
        except BrokenPipeError as gone:
            raise EOFError(f"process {self.pid} has ended") from gone

    def collect(self):
        try:
            answer = self.connection.recv(ANSWER.size + SCRATCH_BYTES)
        except ConnectionResetError:
            answer = b""
        if len(answer) < ANSWER.size:
            self.keep = []
            raise EOFError(f"process {self.pid} ended")
        after = answer[ANSWER.size:]
        for room in self.keep:
            room.bytes = after[room.offset:room.offset + room.size]
            room.offset = None
        self.keep = []
        return ANSWER.unpack_from(answer)[0]

    def instruct(self, what, name=""):
        """SERVE_WORKERS: workers of that name, forked from now on, serve as soon as they are sealed; SPARE_WORKERS: no longer."""
        room = Room(16)
        room.content = name.encode()
        self.call(what, room)

    def peek(self, address, size):
        """Memory of the process, as it would write it into a socket of the attacker's. None where nothing is mapped."""
        self.connection.send(REQUEST.pack(NUMBERS["write"], self.fd, address, size, 0, 0, 0, 0, 0))
        first = self.connection.recv(max(size, SCRATCH_BYTES))
        if len(first) == ANSWER.size and ANSWER.unpack(first)[0] < 0:
            return None
        self.connection.recv(ANSWER.size)
        return first

    def send(self, fd, content, fds=()):
        """A message with descriptors of the process's own, into one of its sockets."""
        data = Room(len(content), content)
        vector = Room(16)
        ancillary = Room(0)
        if fds:
            packed = struct.pack(f"={len(fds)}i", *fds)
            ancillary = Room((16 + len(packed) + 7) & ~7, struct.pack("=Qii", 16 + len(packed), socket.SOL_SOCKET, socket.SCM_RIGHTS) + packed)
        at_data, at_vector, at_ancillary = self.place(data, vector, ancillary)
        vector.content = struct.pack("=QQ", at_data, len(content))
        header = struct.pack("=QIIQQQQII", 0, 0, 0, at_vector, 1, at_ancillary if fds else 0, ancillary.size, 0, 0)
        return self.call("sendmsg", fd, header, socket.MSG_NOSIGNAL)

    def receive(self, fd, size=24576):
        """(result, bytes, descriptors): without waiting."""
        data, vector, ancillary = Room(size), Room(16), Room(512)
        at_data, at_vector, at_ancillary = self.place(data, vector, ancillary)
        vector.content = struct.pack("=QQ", at_data, size)
        header = Room(56, struct.pack("=QIIQQQQII", 0, 0, 0, at_vector, 1, at_ancillary, ancillary.size, 0, 0))
        result = self.call("recvmsg", fd, header, socket.MSG_DONTWAIT)
        if result < 0:
            return result, b"", []
        length = struct.unpack_from("=Q", header.bytes, 40)[0]
        fds = []
        if length >= 20:
            size_of_part = struct.unpack_from("=Q", ancillary.bytes)[0]
            fds = list(struct.unpack_from(f"={(size_of_part - 16) // 4}i", ancillary.bytes, 16))
        return result, data.bytes[:result], fds


def give(inside, fd):
    """Hands a descriptor of ours in. Returns its number there; -errno if the process may not receive any."""
    data, vector, ancillary = Room(8), Room(16), Room(64)

    def header():
        at_data, at_vector, at_ancillary = inside.place(data, vector, ancillary)
        vector.content = struct.pack("=QQ", at_data, data.size)
        return struct.pack("=QIIQQQQII", 0, 0, 0, at_vector, 1, at_ancillary, ancillary.size, 0, 0)

    probe = inside.call("recvmsg", inside.fd, header(), socket.MSG_DONTWAIT)
    if probe != -errno.EAGAIN:
        return probe
    inside.post("recvmsg", inside.fd, header(), 0)
    socket.send_fds(inside.connection, [b"here"], [fd])
    result = inside.collect()
    return struct.unpack_from("=i", ancillary.bytes, 16)[0] if result > 0 else result


def borrow(pid, folder=None):
    """The connection of a breached process, from the broker."""
    for entry, connection in lent(folder or os.environ["BREACH_FOLDER"]):
        if entry["pid"] == pid:
            return connection, entry["fd"], entry["scratch"]
        connection.close()
    raise LookupError(f"process {pid} has no hook")


def lent(folder, wish=""):
    broker = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    broker.connect(f"{folder}/broker")
    broker.send(wish.encode() or b"-")
    text, fds, _, _ = socket.recv_fds(broker, 65536, 253)
    broker.close()
    return list(zip(json.loads(text), [socket.socket(fileno=fd) for fd in fds]))


def callers(folder):
    """The pids of all that have a hook."""
    entries = lent(folder)
    for _, connection in entries:
        connection.close()
    return [entry["pid"] for entry, _ in entries]
