#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Looks through tests written in bash for lines that cannot fail, though they look as if they did. Under `set -e` bash passes over

    ! command                   unless `|| return 1` follows it
    one && two                  a failure of `one`, unless the line is a function's last or says what then (`|| return 1`)
    "$@" || status=$?           every failure in a function but its last command's: `whole status "$@"` is meant

Prints each with its place. Exit status 1 if there is one."""
import pathlib
import re
import sys

CONDITION = re.compile(r"\s*(if|elif|while|until|for|case)\b")
CONSEQUENCE = re.compile(r"(return|exit|continue|break)\b|\w+=")
HEREDOC = re.compile(r"(?<!<)<<-?'?([A-Z]\w*)'?")


def operators(line):
    """Places of the && and || that are neither quoted nor nested, and where a comment begins."""
    places, quote, depth, at = [], None, 0, 0
    while at < len(line):
        char = line[at]
        if quote:
            if char == "\\" and quote == '"':
                at += 1
            elif line.startswith("$(", at) and quote == '"':
                nested, at = 1, at + 2
                while at < len(line) and nested:
                    nested += {"(": 1, ")": -1}.get(line[at], 0)
                    at += 1
                continue
            elif char == quote:
                quote = None
        elif char in "\"'":
            quote = char
        elif char in "({":
            depth += 1
        elif char in ")}":
            depth -= 1
        elif char == "#" and (at == 0 or line[at - 1].isspace()):
            return places, line[:at]
        elif depth == 0 and line[at:at + 2] in ("&&", "||"):
            places.append((line[at:at + 2], at))
            at += 1
        at += 1
    return places, line


def cannot_fail(line, is_last):
    """What is wrong with a line of a function, or None."""
    places, code = operators(line)
    code = code.rstrip()
    if re.search(r'^\s*(local\s+\w+;\s*)?"\$@"[^|&]*\|\|\s*status=', code):
        return 'failures inside of "$@" are passed over; write: whole status "$@"'
    if is_last or CONDITION.match(code) or code.endswith(("\\", "&&", "||")) or any(kind == "||" for kind, _ in places):
        return None
    if re.match(r"\s*! ", code):
        return "a `!` that is not a function's last command is passed over; write: ! ... || return 1"
    if places:
        then = code[places[-1][1] + 2:].strip()
        is_condition = re.match(r"\s*\[", code) and not re.match(r"(\[|equal|matches|grep|!) ?", then)
        if not CONSEQUENCE.match(then) and not is_condition:
            return "a failure before && is passed over; write two lines"
    return None


def look_at(path):
    found, inside, heredoc, continued = [], False, None, False
    lines = path.read_text().split("\n")
    for number, line in enumerate(lines):
        if heredoc:
            heredoc = None if line.strip() == heredoc else heredoc
            continue
        begin = HEREDOC.search(line)
        heredoc = begin and begin.group(1)
        if re.match(r"\w+\(\) [{(]", line):
            inside = not line.rstrip().endswith(("}", ")"))
        elif line in ("}", ")"):
            inside = False
        elif inside and not continued:
            wrong = cannot_fail(line, lines[number + 1].strip() in ("}", ")"))
            if wrong:
                found.append(f"{path}:{number + 1}: {line.strip()}\n    {wrong}")
        continued = line.rstrip().endswith(("\\", "&&", "||"))
    return found


def main(folder):
    found = [text for path in sorted(pathlib.Path(folder).rglob("*.sh")) for text in look_at(path)]
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
