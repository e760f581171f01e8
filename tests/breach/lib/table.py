#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The attempts of the breach suite against the rows of all processes, as docs/breach.md shows them.

    table.py BIN SOURCE --write|--check

--check exits with 1 if the page says anything else than the programs and the attempts do."""
import re
import sys

from attempts import CHAPTERS
from cast import declared_rows

BEGIN, END = "<!-- the attempts -->\n", "<!-- the attempts end -->\n"
SIGNS = {True: "works", False: "–", None: "·"}


def tables(binaries, source):
    found, _ = declared_rows(binaries, source)
    names = list(found)
    for chapter, attempts in CHAPTERS.items():
        yield f"### {chapter.capitalize()}\n\n| attempt | {' | '.join(names)} |\n|---|{'---|' * len(names)}\n"
        for attempt in attempts:
            yield f"| {attempt.name} | {' | '.join(SIGNS[attempt.allowed(row)] for row in found.values())} |\n"
        yield "\n"


def main(binaries, source, mode):
    page = f"{source}/docs/breach.md"
    with open(page, encoding="utf-8") as file:
        text = file.read()
    wanted = re.sub(f"(?<={BEGIN}).*(?={END})", lambda _: "".join(tables(binaries, source)), text, flags=re.S)
    if mode == "--write":
        with open(page, "w", encoding="utf-8") as file:
            file.write(wanted)
    elif wanted != text:
        sys.exit("docs/breach.md shows other attempts or rows than there are: tests/breach/lib/table.py BIN SOURCE --write")


main(*sys.argv[1:])
