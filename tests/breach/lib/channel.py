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

    def ask(self, body, fds=(), extra=b"", seconds=10):
        """Sends one request, with `extra` bytes behind it, and returns its last answer."""
        self.next_id += 1
        packet = to_bytes(self.source, self.proto, self.outgoing, f"header {{ id: {self.next_id} deadline_ms: 10000 }} {body}")
        if self.inside.send(self.fd, packet + extra, fds) < 0:
            return GONE
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            result, raw, received = self.inside.receive(self.fd)
            for fd in received:
                self.inside.call("close", fd)
            if result == 0:
                return GONE
            if result > 0:
                answer = to_text(self.source, self.proto, self.incoming, raw)
                if f"id: {self.next_id}" in answer and "more: true" not in answer:
                    return answer
            else:
                time.sleep(0.01)
        return SILENCE


def between(everybody, matrix, name, other, inside, source):
    """The channel that `name` holds to `other`, by the kernel's word; its messages are named for both ends."""
    ends = [name.split(":")[0], other]
    proto = next(text for text in ("_".join(ends), "_".join(reversed(ends))) if os.path.exists(f"{source}/proto/{text}.proto"))
    kinds = ["To".join(part.capitalize() for part in order) for order in (ends, ends[::-1])]
    return Channel(inside, matrix[name][other][0], proto, *kinds, source)
