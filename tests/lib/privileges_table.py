#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# Prints what the helpers declare (`bulkhead-NAME --sandbox`) as the tables of docs/privileges.md.
#   privileges_table.py BIN            print
#   privileges_table.py BIN FILE       exit 1, with a diff, unless FILE holds just that between its two marks
#   privileges_table.py BIN FILE --write
import difflib
import json
import subprocess
import sys

ROLES = ("api", "engine", "store", "fetcher", "dialer", "extractor", "policyd", "executor", "copier", "netd")
SECOND_ROWS = {"copier": ("--sandbox-reader", "copier that only reads")}  # a process that is started with one of two
BEGIN, END = "<!-- declared: begin -->\n", "<!-- declared: end -->\n"
CAPABILITIES = (
    "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST "
    "NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE "
    "SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG "
    "WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE").split()


def size(number):
    for unit in ("", " KiB", " MiB", " GiB"):
        if number < 1024 or number % 1024:
            return f"{number}{unit}"
        number //= 1024
    return f"{number} TiB"


def uid(row):
    if row["root"] == "container":
        return "the container's root"
    return "root" if row["root_uid"] else "own"


def namespaces(row):
    if row["root"] == "container":
        return "the container's user mnt, empty net ipc uts"
    return " ".join(row["namespaces"]) or "none"


def declared(folder, role, flag="--sandbox"):
    return json.loads(subprocess.run([f"{folder}/bulkhead-{role}", flag], check=True, capture_output=True).stdout)


def all_rows(folder):
    rows = []
    for role in ROLES:
        rows.append(declared(folder, role))
        if role in SECOND_ROWS:
            flag, name = SECOND_ROWS[role]
            rows.append({**declared(folder, role, flag), "role": name})
    return rows


def render(folder):
    rows = all_rows(folder)
    lines = ["| process | uid | capabilities | own namespaces | root | views | system calls |", "|---|---|---|---|---|---|---|"]
    for row in rows:
        held = [name for bit, name in enumerate(CAPABILITIES) if row["capabilities"] >> bit & 1]
        calls = " ".join(row["syscalls"]) or "no filter of its own"
        calls += " + " + " ".join(row["also"]) if row["also"] else ""
        lines.append(f"| {row['role']} | {uid(row)} | {' '.join(held) or 'none'} | "
                     f"{namespaces(row)} | {row['root']} | {' '.join(row['views']) or '–'} | {calls} |")
    lines += ["", "| process | memory | file size | descriptors | processes | no_new_privs |", "|---|---|---|---|---|---|"]
    for row in rows:
        limits = row["limits"]
        cells = [size(limits[key]) if limits[key] else "–" for key in ("memory_bytes", "file_bytes", "descriptors", "processes")]
        lines.append(f"| {row['role']} | {' | '.join(cells)} | {'yes' if row['no_new_privs'] else 'no'} |")
    lines += ["", "| worker of | name | system calls | memory | file size | processor time |", "|---|---|---|---|---|---|"]
    for row in rows:
        for worker in row["workers"]:
            limits = worker["limits"]
            calls = " ".join(worker["syscalls"]) + (" + " + " ".join(worker["also"]) if worker["also"] else "")
            cells = [size(limits[key]) if limits[key] else "–" for key in ("memory_bytes", "file_bytes")]
            lines.append(f"| {row['role']} | {worker['name']} | {calls} | {' | '.join(cells)} | "
                         f"{str(limits['cpu_seconds']) + ' s' if limits['cpu_seconds'] else '–'} |")
    lines += ["", "What was left in or out on purpose:", ""]
    for row in rows:
        lines += [f"- **{row['role']}**: {text}" for text in row["knowingly"]]
    return "\n".join(lines) + "\n"


def main():
    text = render(sys.argv[1])
    if len(sys.argv) == 2:
        print(text, end="")
        return 0
    page = open(sys.argv[2]).read()
    head, rest = page.split(BEGIN)
    declared, tail = rest.split(END)
    if len(sys.argv) == 4:
        open(sys.argv[2], "w").write(head + BEGIN + text + END + tail)
        return 0
    sys.stdout.writelines(difflib.unified_diff(declared.splitlines(True), text.splitlines(True), sys.argv[2], "the programs"))
    return declared != text


if __name__ == "__main__":
    sys.exit(main())
