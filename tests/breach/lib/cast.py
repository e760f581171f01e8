# SPDX-License-Identifier: Apache-2.0
"""Who is who in a running engine, and what each says of itself that it may do.

Rows come from the programs (`bulkhead-NAME --sandbox`), peers from the supervisor's own table (`bulkhead privileges`), the monitor's
calls from the list that the executor compiles. Nothing about a role is written down here.
"""
import json
import os
import re
import subprocess

from door import callers

CAPABILITIES = {"DAC_READ_SEARCH": 2, "KILL": 5, "SETGID": 6, "SETUID": 7, "SETPCAP": 8, "NET_BIND_SERVICE": 10, "NET_ADMIN": 12,
                "NET_RAW": 13, "SYS_MODULE": 16, "SYS_RAWIO": 17, "SYS_CHROOT": 18, "SYS_PTRACE": 19, "SYS_PACCT": 20, "SYS_ADMIN": 21,
                "SYS_BOOT": 22, "SYS_NICE": 23, "SYS_RESOURCE": 24, "SYS_TIME": 25, "SYSLOG": 34}
HELPERS = ("api", "engine", "store", "fetcher", "dialer", "extractor", "policyd", "executor", "netd")


class Row:
    """What one process may do."""

    def __init__(self, name, declared, within=None):
        self.name = name
        self.filtered = bool(declared["calls"])
        self.limits = {**(within.limits if within else {}), **{key: most for key, most in declared["limits"].items() if most}}
        self.calls = set(declared["calls"])
        self.groups = set(declared["syscalls"])
        service = declared
        if within:  # a worker: never more than its service, and no capability
            self.calls &= within.calls if within.filtered else self.calls
            service = within.declared
        self.declared = service
        self.capabilities = 0 if within else service["capabilities"]
        self.root = declared.get("root", service["root"])
        self.own_network = "net" in service["namespaces"]
        self.is_worker = within is not None

    def permits(self, *calls):
        """Its filter lets all of these calls through, whatever the kernel says then."""
        return not self.filtered or all(call in self.calls for call in calls)

    def holds(self, capability):
        return bool(self.capabilities >> CAPABILITIES[capability] & 1)


def is_sanitized(program):
    """A sanitizer reserves terabytes, so that no memory limit is set. A monitor has then neither a filter nor a root of its own, and no row."""
    with open(program, "rb") as file:
        return b"__asan_init" in file.read()


def declared(binaries, role, what="--sandbox"):
    program = f"{binaries}/bulkhead-{role}"
    told = json.loads(subprocess.run([program, what], check=True, capture_output=True).stdout)
    for limits in (told["limits"], *(worker["limits"] for worker in told["workers"])) if is_sanitized(program) else ():
        limits["memory_bytes"] = 0
    return told


def monitor_row(source):
    with open(f"{source}/common/monitor_syscalls.h") as header:
        calls = re.findall(r'^    "(\w+)",', header.read(), re.M)
    return Row("monitor", {"calls": calls, "syscalls": [], "capabilities": 0, "root": "empty", "namespaces": ["net"], "limits": {}})


def declared_rows(binaries, source):
    """name: Row, of every process that there can be; and of workers, whose they are."""
    rows, service_of = {}, {}
    for role in (*HELPERS, "copier"):
        row = rows[role] = Row(role, declared(binaries, role))
        for worker in row.declared["workers"]:
            rows[worker["name"]] = Row(worker["name"], worker, row)
            service_of[worker["name"]] = role
    rows["copier-reader"] = Row("copier-reader", declared(binaries, "copier", "--sandbox-reader"))
    if not is_sanitized(f"{binaries}/bulkhead-monitor"):
        rows["monitor"] = monitor_row(source)
    return rows, service_of


def privileges():
    text = subprocess.run(["bulkhead", "privileges", "--format", "json"], check=True, capture_output=True, timeout=20).stdout
    return json.loads(text)


def children(pid):
    found = []
    for task in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{task}/children") as file:
                found += map(int, file.read().split())
        except (FileNotFoundError, ProcessLookupError):
            pass  # a thread that has ended meanwhile
    return found


def comm(pid):
    """Its name; "" when it has ended meanwhile."""
    try:
        with open(f"/proc/{pid}/comm") as file:
            return file.read().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def parent(pid):
    with open(f"/proc/{pid}/stat") as file:
        return int(file.read().rpartition(")")[2].split()[1])


def writes(pid):
    """Whether a copier was started to write: its first argument says so."""
    with open(f"/proc/{pid}/cmdline") as file:
        return file.read().split("\0")[1] in ("write", "fill")


class Cast:
    """Read once: the processes of the engine that runs now. `pids`: name ("store", "store-intake", "monitor") to pid."""

    def __init__(self, binaries, source, folder):
        self.pids = {}
        self.rows, self.service_of = declared_rows(binaries, source)
        self.source = source
        self.table = privileges()
        for row in self.table:
            if row["role"] == "supervisor" or (row["role"] == "api" and row["tenant_uid"] != 0):
                self.pids[row["role"] if row["role"] == "supervisor" else f"api:{row['tenant_uid']}"] = row["pid"]
                continue
            self.pids[row["role"]] = row["pid"]
        for role in HELPERS:
            for child in children(self.pids[role]):
                name = comm(child)
                if name in self.service_of:
                    self.pids[name] = child
        for pid in callers(folder):  # monitors and copiers: the newest of each
            program = os.path.basename(os.readlink(f"/proc/{pid}/exe"))
            if program in ("bulkhead-monitor", "bulkhead-copier"):
                name = program.removeprefix("bulkhead-")
                name = "copier-reader" if name == "copier" and not writes(pid) else name
                self.pids[name] = max(pid, self.pids.get(name, 0))

    def service_pid(self, name):
        return self.pids.get(self.service_of.get(name))

    def peers(self, name):
        """Whom it must have a channel to, by the supervisor's table; and whom it may have one to, for a job."""
        if name == "supervisor":
            return {role for role in self.pids if role.split(":")[0] in HELPERS}, set()
        role = self.service_of.get(name, name).split(":")[0].removesuffix("-reader")
        wired = set(next(row["peers"].split(",") for row in self.table if row["role"] == role)) if role in HELPERS else self.channels_of(role)
        names = {other for other in self.pids if other.split(":")[0] in wired}
        workers = {worker for worker, service in self.service_of.items() if service in wired | {role}}
        channels = {other for other in ("monitor", "copier", "copier-reader") if role in self.channels_of(other.removesuffix("-reader"))}
        if name in self.service_of:
            return set(), names | workers | {role} - {name}
        if role not in HELPERS:
            return set(), names
        return names | {"supervisor"}, workers | channels

    def channels_of(self, role):
        """Of those that are not in the table: a channel is a .proto, named for its two ends."""
        names = [name.removesuffix(".proto").split("_") for name in os.listdir(f"{self.source}/proto") if "_" in name]
        return {end for ends in names if role in ends for end in ends} - {role}

    def others(self, name):
        """Everybody whom `name` has no business with: not itself, not the workers it answers for."""
        return {other: pid for other, pid in self.pids.items()
                if other != name and self.service_of.get(other) != name and not (name == "executor" and other in ("monitor", "copier", "copier-reader"))}
