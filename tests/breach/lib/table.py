#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints which attempt is made in which process, and what comes of it, as the tables of docs/security.md: from the attempts' and
forgeries' own declarations and the rows that the programs print. The tests try by the same declarations.

    table.py BIN SOURCE             print
    table.py BIN SOURCE FILE        exit 1, with a diff, unless FILE holds just that between its two marks
    table.py BIN SOURCE FILE --write
    table.py BIN SOURCE --nowhere   the attempts that are refused to nobody, one a line
"""
import difflib
import sys

from attempts import CHAPTERS
from cast import declared_rows
from forgeries.declared import declared

BEGIN, END = "<!-- attempts: begin -->\n", "<!-- attempts: end -->\n"
MARKS = {True: "+", False: "·", None: ""}
ABOUT = {"files": "Files", "mounts": "Mounts and roots", "network": "Sockets", "programs": "Programs and memory to execute", "processes": "Other processes",
         "namespaces": "Namespaces", "kernel": "The kernel", "identity": "Who it is", "limits": "Limits"}


def nowhere(binaries, source):
    rows, _ = declared_rows(binaries, source)
    return "".join(f"{what.name}\n" for tried in CHAPTERS.values() for what in tried if not any(what.allowed(row) is False for row in rows.values()))


def render(binaries, source):
    rows, service_of = declared_rows(binaries, source)
    services = [name for name in rows if name not in service_of]
    columns = [name for service in services for name in (service, *(worker for worker in rows if service_of.get(worker) == service))]
    lines = []
    for chapter, tried in CHAPTERS.items():
        lines += [f"| {ABOUT[chapter]} | {' | '.join(columns)} |", "|---" + "|:-:" * len(columns) + "|"]
        lines += [f"| {what.name} | {' | '.join(MARKS[what.allowed(rows[name])] for name in columns)} |" for what in tried]
        lines.append("")
    lines += ["| said by | to | what | what comes of it |", "|---|---|---|---|"]
    lines += [f"| {' | '.join(row)} |" for row in declared()]
    return "\n".join(lines) + "\n"


def main(binaries, source, page=None, *options):
    if page == "--nowhere":
        print(nowhere(binaries, source), end="")
        return 0
    text = render(binaries, source)
    if page is None:
        print(text, end="")
        return 0
    with open(page) as file:
        head, rest = file.read().split(BEGIN)
    committed, tail = rest.split(END)
    if "--write" in options:
        with open(page, "w") as file:
            file.write(head + BEGIN + text + END + tail)
        return 0
    sys.stdout.writelines(difflib.unified_diff(committed.splitlines(True), text.splitlines(True), page, "the attempts"))
    return committed != text


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
