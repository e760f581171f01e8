# SPDX-License-Identifier: Apache-2.0
"""Messages forged on the channels of a breached process, in the text format of protobuf.

    with Door(pid) as inside:
        channel = Channel(inside, fd, "engine_policyd", "EngineToPolicyd", "PolicydToEngine", source)
        channel.ask('signal_container { container { id: "..." } signal: 9 }')     # the answer as text, or GONE

While the attacker is in, the process itself reads nothing: the answers are his.
"""
import os
import re
import subprocess
import time

GONE = "hung up"
SILENCE = "no answer"
FIRST_ID = 1 << 40  # far from those that the process itself chose


def escaped(raw):
    """Bytes, for a text message."""
    return "".join(f"\\{byte:03o}" for byte in raw)


def to_bytes(source, proto, kind, text):
    return subprocess.run(["protoc", f"-I{source}/proto", f"--encode=bulkhead.{kind}", f"{source}/proto/{proto}.proto"],
                          input=text.encode(), check=True, capture_output=True).stdout


def to_text(source, proto, kind, raw):
    return subprocess.run(["protoc", f"-I{source}/proto", f"--decode=bulkhead.{kind}", f"{source}/proto/{proto}.proto"],
                          input=raw, check=True, capture_output=True).stdout.decode()


def code_of(answer):
    """"NOT_FOUND" of an error, "" of anything else."""
    found = re.search(r"^error \{\n  code: CODE_(\w+)", answer, re.M)
    return found[1] if found else ""


class Channel:
    def __init__(self, inside, fd, proto, outgoing, incoming, source):
        self.inside, self.fd, self.proto, self.outgoing, self.incoming, self.source = inside, fd, proto, outgoing, incoming, source
        self.next_id = FIRST_ID + int(time.monotonic() * 1000)

    def new_id(self):
        self.next_id += 1
        return self.next_id

    def ask(self, body, fds=(), extra=b"", seconds=10, number=None, more=""):
        """Sends one request, with `more` in its header and `extra` bytes behind it, and returns its last answer."""
        number = number or self.new_id()
        packet = to_bytes(self.source, self.proto, self.outgoing, f"header {{ id: {number} deadline_ms: 10000 {more} }} {body}")
        return self.answer(packet + extra, number, fds, seconds)

    def answer(self, packet, number, fds=(), seconds=10):
        """Sends bytes, and returns the last answer that has that number."""
        if self.inside.send(self.fd, packet, fds) < 0:
            return GONE
        text, received = self.await_answer(number, seconds)
        for fd in received:
            self.inside.call("close", fd)
        return text

    def fetch_descriptor(self, body):
        """The one that the answer brings, in the process; -1 if it brings none."""
        number = self.new_id()
        packet = to_bytes(self.source, self.proto, self.outgoing, f"header {{ id: {number} deadline_ms: 10000 }} {body}")
        self.inside.send(self.fd, packet)
        return (self.await_answer(number, 10)[1] or [-1])[0]

    def await_answer(self, number, seconds):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            result, raw, received = self.inside.receive(self.fd)
            if result == 0:
                return GONE, received
            answer = to_text(self.source, self.proto, self.incoming, raw) if result > 0 else ""
            if f"id: {number}" in answer and "more: true" not in answer:
                return answer, received
            for fd in received:
                self.inside.call("close", fd)
            if result < 0:
                time.sleep(0.01)
        return SILENCE, []


def between(everybody, matrix, name, other, inside, source):
    """The channel that `name` holds to `other`, by the kernel's word; its messages are named for both ends."""
    ends = [everybody.service_of.get(end, end).split(":")[0] for end in (name, other)]
    proto = next(text for text in ("_".join(ends), "_".join(reversed(ends))) if os.path.exists(f"{source}/proto/{text}.proto"))
    kinds = ["To".join(part.capitalize() for part in order) for order in (ends, ends[::-1])]
    return Channel(inside, matrix[name][other][0], proto, *kinds, source)
