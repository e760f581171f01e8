#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Forged messages of breached processes.

    forge.py tenant UID OWNER NAME VOLUME IMAGE NETWORK    the api process of UID asks for what is another tenant's
    forge.py spec CONTAINER                  the engine asks policyd for what the rules refuse, in that container's name
    forge.py judged CONTAINER                policyd asks the executor for what it may not have judged
    forge.py descriptors FROM TO             FROM sends TO descriptors that nobody asked for
    forge.py shared NAME                     a worker shares no memory that it could write with its service

BREACH_* as for breach.py; BREACH_STATE is the engine's state folder. Exits 1 and says which forgery was believed.
"""
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time

from breach import FOLDER, SOURCE, cast, shared_memory
from cast import HELPERS, parent
from channel import GONE, SILENCE, between, code_of, escaped, to_text
from door import Door
from topology import reachable

STATE = os.environ["BREACH_STATE"]
DATABASE = "engine.db"


class Forger:
    """In `name`, on its channel to `other`."""

    def __init__(self, name, other):
        self.name, self.other = name, other

    def __enter__(self):
        everybody = cast()
        matrix = reachable(everybody.pids)
        self.door = Door(everybody.pids[self.name])
        self.channel = between(everybody, matrix, self.name, self.other, self.door.__enter__(), SOURCE)
        return self.channel

    def __exit__(self, *reason):
        self.door.__exit__(*reason)


def expect(failures, what, answer, *codes):
    got = code_of(answer) or (answer if answer in (GONE, SILENCE) else "it was done")
    if got not in codes:
        failures.append(f"{what}: {got}, want {' or '.join(codes)}\n{answer}")
    return got


# ---- api: another tenant's ----------------------------------------------------------------------------


def tenant(uid, owner, container, volume, image, network):
    named = {"look_up_container": container, "stop_container": container, "kill_container": container, "delete_container": container,
             "run_container": container, "wait_container": container, "read_logs": container, "restart_container": container,
             "pause_container": container, "rename_container": container, "get_processes": container, "list_changes": container,
             "inspect_image": image, "delete_image": image}
    failures = []
    with Forger(f"api:{owner}", "engine") as own:  # who has them is answered
        for request in ("look_up_container", "inspect_image"):
            expect(failures, f"the owner's {request}", own.ask(f'{request} {{ reference: "{named[request]}" }}'), "it was done")
        expect(failures, "the owner's look_up_network", own.ask(f'look_up_network {{ reference: "{network}" }}'), "it was done")
        expect(failures, "the owner's look_up_volume", own.ask(f'look_up_volume {{ name: "{volume}" }}'), "it was done")
    with Forger(f"api:{uid}", "engine") as forged:
        for request, reference in named.items():
            more = {"rename_container": ' name: "mine"', "wait_container": " condition: WAIT_CONDITION_NOT_RUNNING"}.get(request, "")
            for name in {reference, reference[:12]}:
                expect(failures, f"{request} of \"{name}\"", forged.ask(f'{request} {{ reference: "{name}"{more} }}'), "NOT_FOUND")
        rest = {f'create_exec {{ reference: "{container}" request {{ args: "true" }} }}': "an exec", f'stat_path {{ reference: "{container}" path: "/" }}': "a path",
                f'get_stats {{ reference: "{container}" }}': "stats", f'commit_container {{ container: "{container}" }}': "a commit",
                f'change_container {{ reference: "{container}" resources {{ cpu_shares: 2 }} }}': "other limits",
                f'tag_image {{ source: "{image}" target: "docker.io/library/taken:1" }}': "another name",
                f'look_up_network {{ reference: "{network}" }}': "a network", f'delete_network {{ reference: "{network}" }}': "a network's end",
                f'connect_network {{ reference: "{network}" container: "alices" request {{ }} }}': "its own container in that network",
                f'connect_network {{ reference: "bridge" container: "{container}" request {{ }} }}': "that container in its own network",
                f'disconnect_network {{ reference: "bridge" container: "{container}" }}': "that container out of a network"}
        for request, what in rest.items():
            expect(failures, f"{what} of {owner}'s", forged.ask(request), "NOT_FOUND")
        for request in ("look_up_volume", "delete_volume"):
            expect(failures, f"{request} of \"{volume}\"", forged.ask(f'{request} {{ name: "{volume}" }}'), "NOT_FOUND")
        for request in ("get_privileges", "check_audit"):
            expect(failures, request, forged.ask(f"{request} {{}}"), "PERMISSION_DENIED")
        # a tenant's uid that no message has a field for: field 1999, a number
        expect(failures, "a field that says another tenant's uid",
               forged.ask(f'look_up_container {{ reference: "{container}" }}', extra=b"\xf8\x7c\x00"), "INVALID_ARGUMENT", GONE)
    replace(cast(), f"api:{uid}")
    return failures


# ---- engine: what the rules refuse ----------------------------------------------------------------------


def spec_of(name):
    """As the engine keeps it, which is what a breached engine would read: text, tenant, id."""
    with sqlite3.connect(f"file:{STATE}/engine/{DATABASE}?mode=ro", uri=True) as engine:
        row = engine.execute("SELECT spec, tenant_uid, id FROM containers WHERE name = ?", [name]).fetchone()
    return to_text(SOURCE, "container", "ContainerSpec", row[0]), row[1], row[2]


def network_of(uid):
    with sqlite3.connect(f"file:{STATE}/engine/{DATABASE}?mode=ro", uri=True) as engine:
        return engine.execute("SELECT id FROM networks WHERE tenant_uid = ? AND fixed = 0", [uid]).fetchone()[0]


def changed(spec, pattern, replacement):
    text, n = re.subn(pattern, lambda _: replacement, spec, count=1, flags=re.M)
    assert n == 1, f"no {pattern} in {spec}"
    return text


def audited(since):
    with open(f"{STATE}/policyd/audit.log", "rb") as log:
        log.seek(since)
        return log.read().decode(errors="replace")


def spec(name, stranger):
    """`stranger`: a container of another tenant's."""
    failures = []
    text, uid, _ = spec_of(name)
    _, other_uid, other_id = spec_of(stranger)
    bind = 'mounts { kind: MOUNT_KIND_BIND source: "/etc" target: "/host" }'
    volume = f'mounts {{ kind: MOUNT_KIND_VOLUME target: "/v" volume: "{escaped(bytes(32))}" volume_name: "v" }}'
    forgeries = {
        "ids of the host's": (text + "id_base: 1", "INVALID_ARGUMENT"),
        "a range of ids": (text + "id_count: 65536", "INVALID_ARGUMENT"),
        "a monitor that is somebody else": (text + "monitor_uid: 1000", "INVALID_ARGUMENT"),
        "a cgroup of its choice": (text + 'cgroup_parent: "/"', "INVALID_ARGUMENT"),
        "host ids on bind mounts": (text + "identity_binds: true", "INVALID_ARGUMENT"),
        "labels of its choice": (text + 'selinux_label: "system_u:system_r:spc_t:s0"', "INVALID_ARGUMENT"),
        "privileges": (text + "privileged: true", "PERMISSION_DENIED"),
        "the host's processes": (text + "host_pid: true", "PERMISSION_DENIED"),
        "the host's network": (changed(text, r"^network: \w+", "network: NETWORK_MODE_HOST"), "PERMISSION_DENIED"),
        "every capability": (changed(text, r"^capabilities: \d+", f"capabilities: {2**41 - 1}"), "PERMISSION_DENIED"),
        "no seccomp list": (changed(text, r"^seccomp: \w+", "seccomp: SECCOMP_MODE_UNCONFINED"), "PERMISSION_DENIED"),
        "the host's /etc": (text + bind, "PERMISSION_DENIED", "NOT_FOUND"),
        "a volume that is not the tenant's": (text + volume, "NOT_FOUND"),
        "a layer that is not there": (changed(text, r'^layers: ".*"', f'layers: "{escaped(b"x" * 32)}"'), "NOT_FOUND"),
        "another tenant for the same container": (changed(text, r"^tenant_uid: \d+", f"tenant_uid: {other_uid}"), "PERMISSION_DENIED"),
        "another tenant's network namespace": (changed(text, r"^network: \w+", f'network: NETWORK_MODE_JOINED join_network: "{escaped(other_id)}"'),
                                               "PERMISSION_DENIED"),
    }
    with Forger("engine", "policyd") as forged:
        for what, (message, *codes) in forgeries.items():
            since = os.path.getsize(f"{STATE}/policyd/audit.log")
            got = expect(failures, what, forged.ask(f"start_container {{ spec {{ {message} }} }}"), *codes)
            if not audited(since):
                failures.append(f"{what}: {got}, and the audit log knows nothing of it")
        other = f'container {{ id: "{escaped(other_id)}" tenant_uid: {uid} }}'
        for request in ("signal_container { %s signal: 9 }", "open_monitor { %s }", "open_log { %s }", "remove_container { %s }",
                        "freeze_container { %s frozen: true }", "update_container { %s resources { cpu_shares: 2 } }", "read_stats { %s }",
                        "list_processes { %s }", "inspect_container { %s }"):
            expect(failures, request.split()[0] + " of another tenant's container", forged.ask(request % other), "PERMISSION_DENIED", "NOT_FOUND")
        process = re.search(r"^process \{\n.*?^\}", text, re.M | re.S).group(0)
        exec_id = f'exec {{ id: "{escaped(b"e" * 32)}" {other} }}'
        for request in ("judge_exec", "start_exec"):
            expect(failures, request + " in another tenant's container", forged.ask(f"{request} {{ spec {{ {exec_id} {process} }} }}"), "PERMISSION_DENIED")
        of_other = changed(text, r'^id: ".*"', f'id: "{escaped(other_id)}"')
        for view in ("READ", "WRITE", "UPPER", "SIZE"):
            expect(failures, "a copier in another tenant's container", forged.ask(f"open_copier {{ spec {{ {of_other} }} view: COPIER_VIEW_{view} }}", fds=[0]),
                   "PERMISSION_DENIED")
        network = f'network {{ id: "{escaped(network_of(other_uid))}" tenant_uid: {uid} }} name: "bobs-network"'
        expect(failures, "the end of another tenant's network", forged.ask(f"drop_network {{ {network} }}"), "PERMISSION_DENIED", "NOT_FOUND")
        # and the honest one, which shows that all the others were refused for what they say; twice, which changes nothing
        expect(failures, "what was judged", forged.ask(f"start_container {{ spec {{ {text} }} }}"), "it was done")
        expect(failures, "what was judged, again", forged.ask(f"start_container {{ spec {{ {text} }} }}"), "ALREADY_EXISTS", "FAILED_PRECONDITION")
    return failures


# ---- policyd: what it may not judge ----------------------------------------------------------------------


def judged(name):
    """The executor validates what policyd fills in: even a breached policyd starts nothing as root of the host."""
    failures = []
    text, uid, _ = spec_of(name)
    base = next(line.split()[1] for line in open(f"/proc/{pid_of(name)}/uid_map") if line.split()[0] == "0")
    monitor = os.stat(f"/proc/{parent(pid_of(name))}").st_uid
    filled = text + f'id_base: {base}\nid_count: 65536\nmonitor_uid: {monitor}\ncgroup_parent: "{os.environ["BREACH_CGROUP"]}"\n'
    forgeries = {
        "an unfilled spec": text,
        "the host's root in the container": changed(filled, r"^id_base: \d+", "id_base: 0"),
        "half a range of ids": changed(filled, r"^id_count: \d+", "id_count: 1"),
        "a monitor that is root": changed(filled, r"^monitor_uid: \d+", "monitor_uid: 0"),
        "a cgroup above": changed(filled, r'^cgroup_parent: ".*"', 'cgroup_parent: "/../.."'),
    }
    with Forger("policyd", "executor") as forged:
        for what, message in forgeries.items():
            expect(failures, what, forged.ask(f"start_container {{ spec {{ {message} }} }}"), "INVALID_ARGUMENT")
        # so far the right one comes: it is refused because that container runs
        expect(failures, f"what tenant {uid} has", forged.ask(f"start_container {{ spec {{ {filled} }} }}"), "ALREADY_EXISTS", "FAILED_PRECONDITION")
    return failures


def pid_of(name):
    with sqlite3.connect(f"file:{STATE}/engine/{DATABASE}?mode=ro", uri=True) as engine:
        return engine.execute("SELECT pid FROM containers WHERE name = ?", [name]).fetchone()[0]


# ---- everybody: descriptors that nobody asked for ---------------------------------------------------------


def descriptors(sender, receiver):
    everybody = cast()
    pid = everybody.pids[receiver]
    before = len(os.listdir(f"/proc/{pid}/fd"))
    with Forger(sender, receiver) as forged:
        stdin = [0] * 40
        answer = forged.ask("", fds=stdin, seconds=1)
        forged.inside.send(forged.fd, b"\xff" * 100, stdin)
    after = len(os.listdir(f"/proc/{pid}/fd"))
    failures = []
    if not os.path.exists(f"/proc/{pid}"):
        failures.append(f"{receiver} ended of it")
    if after > before:
        failures.append(f"{receiver} holds {after - before} descriptors more than before")
    expect(failures, f"an empty message with descriptors from {sender} to {receiver}", answer, "INVALID_ARGUMENT", GONE, SILENCE)
    replace(everybody, sender)
    return failures


def replace(everybody, name):
    """Whoever was taken over is ended; then all are wired as before."""
    os.kill(everybody.pids[name], signal.SIGKILL)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        time.sleep(0.1)
        try:
            now = cast()
            matrix = reachable(now.pids)
        except (subprocess.CalledProcessError, OSError, KeyError):
            continue  # api or engine is just what was ended
        if name.startswith("api:"):
            return  # started when its tenant comes again
        wired = all(now.peers(role)[0] <= set(matrix[role]) for role in HELPERS)
        if wired and now.pids[name] != everybody.pids[name]:
            return
    raise TimeoutError(f"{name} was not started and wired again")


# ---- workers ----------------------------------------------------------------------------------------------


def shared(name):
    return [f"{name} shares memory that it can write: {line}" for line in shared_memory(cast().pids[name])]


def remembers(name, secret):
    """Whether a process's memory holds a text, here for the one who may know it, and there for all others."""
    pid, wanted = cast().pids[name] if not name.isdigit() else int(name), secret.encode()
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in maps:
            start, end = (int(part, 16) for part in line.split()[0].split("-"))
            if line.split()[1].startswith("r") and "[v" not in line:
                memory.seek(start)
                try:
                    if wanted in memory.read(end - start):
                        return [f"{name} (pid {pid}) holds it at {line.strip()}"]
                except OSError:
                    continue  # reserved, and never touched
    return []


COMMANDS = {"tenant": tenant, "spec": spec, "judged": judged, "descriptors": descriptors, "shared": shared, "remembers": remembers}

if __name__ == "__main__":
    assert FOLDER
    problems = COMMANDS[sys.argv[1]](*sys.argv[2:])
    print("\n".join(problems), end="\n" * bool(problems))
    sys.exit(bool(problems))
