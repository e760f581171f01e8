#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# Counts the trusted base: of each process that holds a privilege or judges one, the lines of its sources, the code it maps, its
# libraries, its system calls and its capabilities. tests/trusted_base.txt is what is allowed; docs/security.md shows it.
#   trusted_base.py BIN              print what BIN's programs and the sources come to
#   trusted_base.py BIN --check      exit 1 unless that is within tests/trusted_base.txt and docs/security.md shows the same
#   trusted_base.py BIN --write      allow what there is now, with some room for lines and code, and show that
import difflib
import json
import os
import re
import subprocess
import sys

from elf_text import libraries, text_bytes
from privileges_table import CAPABILITIES

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ALLOWED, PAGE = f"{ROOT}/tests/trusted_base.txt", f"{ROOT}/docs/security.md"
BEGIN, END = "<!-- trusted base: begin -->\n", "<!-- trusted base: end -->\n"

# part: its sources, its program
PARTS = {
    "supervisor": ("services/supervisor", "bulkheadd"),
    "policyd": ("services/policyd", "bulkhead-policyd"),
    "executor": ("services/executor", "bulkhead-executor"),
    "netd": ("services/netd", "bulkhead-netd"),
    "monitor": ("services/monitor", "bulkhead-monitor"),
    "init": ("services/init", "bulkhead-init"),
    "copier": ("services/copier", "bulkhead-copier"),
    "floor": ("common", None),
    "messages": ("proto", None),
}
ROWS = ("lines", "text", "system calls", "capabilities", "libraries")
CEILINGS = ("lines", "text", "system calls")  # less is fine; the others are compared

HEADER = """\
# What the trusted base may come to; see tests/lib/trusted_base.py. Lines are without comments and blank ones (of messages: those of the
# .proto files), text is what is mapped executable, libraries are all that the loader maps. Changed on purpose only:
#     python3 tests/lib/trusted_base.py build/tests/bin --write
"""


def code_lines(path):
    """Lines that hold more than white space and comments."""
    pattern = r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''
    keep = lambda match: match[0] if match[0][0] in "\"'" else "\n" * match[0].count("\n")
    text = re.sub(pattern, keep, open(path).read(), flags=re.DOTALL)
    return sum(1 for line in text.splitlines() if line.strip())


def folder_lines(folder):
    return sum(code_lines(f"{at}/{name}") for at, _, names in os.walk(f"{ROOT}/{folder}") for name in names
               if name.endswith((".c", ".h", ".proto")))


def confinement(part, program):
    """System calls and capabilities, as the program itself declares them."""
    if part == "init":  # executed inside a container, by a process that has become one of its own
        return "the container's", "the container's"
    if part == "monitor":
        names = re.findall(r'^    "(\w+)",', open(f"{ROOT}/common/monitor_syscalls.h").read(), re.MULTILINE)
        return str(len(set(names))), "none"
    run = subprocess.run([program, "--sandbox"], check=True, capture_output=True)
    row = json.loads(run.stdout)
    held = [name for bit, name in enumerate(CAPABILITIES) if row["capabilities"] >> bit & 1]
    return str(row["system_calls"] or "all"), " ".join(held) or "none"


def measure(folder):
    measured, mapped = {}, {}
    for part, (sources, name) in PARTS.items():
        measured[part, "lines"] = str(folder_lines(sources))
        if name:
            program = f"{folder}/{name}"
            used = libraries(program)
            mapped.update(used)
            measured[part, "text"] = f"{text_bytes(program) // 1024} KiB"
            measured[part, "system calls"], measured[part, "capabilities"] = confinement(part, program)
            measured[part, "libraries"] = " ".join(sorted(used)) or "none"
    for library, path in sorted(mapped.items()):
        measured[library, "text"] = f"{text_bytes(path) // 1024} KiB"
    return measured


def with_room(row, value):
    """A tenth more, rounded up, so that only growth that somebody should look at is noticed."""
    step = {"lines": 50, "text": 10}.get(row)
    if not step:
        return value
    number, _, unit = value.partition(" ")
    return f"{-(-int(number) * 11 // (10 * step)) * step} {unit}".strip()


def read_allowed():
    lines = [line for line in open(ALLOWED).read().splitlines() if line and line[0] != "#"]
    pairs = [line.split(": ", 1) for line in lines]
    return {tuple(key.split(" ", 1)): value for key, value in pairs}


def exceeds(row, value, allowed):
    number = lambda text: int(text.split(" ")[0]) if text[0].isdigit() else None
    if row in CEILINGS and number(value) is not None and (number(allowed) is not None or allowed == "all"):
        return allowed != "all" and number(value) > number(allowed)
    return value != allowed


def differences(measured, allowed):
    for key in sorted(set(measured) | set(allowed)):
        if key not in allowed:
            yield f"{' '.join(key)}: {measured[key]}, which is new"
        elif key not in measured:
            yield f"{' '.join(key)}: allowed, but there is no such thing any more"
        elif exceeds(key[1], measured[key], allowed[key]):
            yield f"{' '.join(key)}: {measured[key]}, allowed are {allowed[key]}"


def render(allowed):
    lines = ["| process | lines | text | system calls | capabilities | libraries |", "|---|---|---|---|---|---|"]
    for part in PARTS:
        lines.append(f"| {part} | " + " | ".join(allowed.get((part, row), "–") for row in ROWS) + " |")
    sizes = [f"{key[0]} {value}" for key, value in sorted(allowed.items()) if key[0] not in PARTS]
    return "\n".join(lines + ["", "Text of the libraries, at most: " + ", ".join(sizes) + "."]) + "\n"


def split_page():
    head, rest = open(PAGE).read().split(BEGIN)
    shown, tail = rest.split(END)
    return head, shown, tail


def check(measured):
    allowed = read_allowed()
    found = list(differences(measured, allowed))
    for line in found:
        print(line)
    shown, wanted = split_page()[1], render(allowed)
    sys.stdout.writelines(difflib.unified_diff(shown.splitlines(True), wanted.splitlines(True), PAGE, ALLOWED))
    return bool(found) or shown != wanted


def write(measured):
    allowed = {key: with_room(key[1], value) for key, value in measured.items()}
    with open(ALLOWED, "w") as file:
        file.write(HEADER)
        file.writelines(f"{' '.join(key)}: {value}\n" for key, value in allowed.items())
    head, _, tail = split_page()
    with open(PAGE, "w") as file:
        file.write(head + BEGIN + render(allowed) + END + tail)
    return 0


def main():
    measured = measure(sys.argv[1])
    if sys.argv[2:] == ["--check"]:
        return check(measured)
    if sys.argv[2:] == ["--write"]:
        return write(measured)
    print(render(measured), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
