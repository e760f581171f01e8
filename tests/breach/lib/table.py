#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the breach suite tries against the rows of all processes, and what it says in their names, as docs/breach.md shows it.

    table.py BIN SOURCE --write|--check
    table.py BIN SOURCE --nowhere        the attempts that are refused to nobody, one a line

--check exits with 1 if the page says anything else than the programs and the attempts do."""
import re
import sys

from attempts import CHAPTERS
from cast import declared_rows
from forgeries.declared import declared

BEGIN, END = "<!-- the attempts -->\n", "<!-- the attempts end -->\n"
SIGNS = {True: "works", False: "–", None: "·"}


def tables(rows):
    names = list(rows)
    for chapter, attempts in CHAPTERS.items():
        yield f"### {chapter.capitalize()}\n\n| attempt | {' | '.join(names)} |\n|---|{'---|' * len(names)}\n"
        for attempt in attempts:
            yield f"| {attempt.name} | {' | '.join(SIGNS[attempt.allowed(row)] for row in rows.values())} |\n"
        yield "\n"
    yield "### Forgeries\n\n| said by | to | what | what comes of it |\n|---|---|---|---|\n"
    for forgery in declared():
        yield f"| {' | '.join(forgery)} |\n"
    yield "\n"


def main(binaries, source, mode):
    rows, _ = declared_rows(binaries, source)
    if mode == "--nowhere":
        print("".join(f"{attempt.name}\n" for attempts in CHAPTERS.values() for attempt in attempts
                      if not any(attempt.allowed(row) is False for row in rows.values())), end="")
        return
    page = f"{source}/docs/breach.md"
    with open(page, encoding="utf-8") as file:
        text = file.read()
    wanted = re.sub(f"(?<={BEGIN}).*(?={END})", lambda _: "".join(tables(rows)), text, flags=re.S)
    if mode == "--write":
        with open(page, "w", encoding="utf-8") as file:
            file.write(wanted)
    elif wanted != text:
        sys.exit("docs/breach.md shows other attempts or rows than there are: tests/breach/lib/table.py BIN SOURCE --write")


main(*sys.argv[1:])
