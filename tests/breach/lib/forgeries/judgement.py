# SPDX-License-Identifier: Apache-2.0
"""The engine asks policyd for what the rules refuse; policyd asks the executor for what no rule can allow."""
import os
import re
import sqlite3

from breach import SOURCE, cast
from cast import parent
from channel import GONE, escaped, to_bytes
from door import Room

from . import declared
from .common import DATABASE, STATE, Forger, expect, pid_of, replace, spec_of

F_ADD_SEALS, ALL_SEALS, MFD_ALLOW_SEALING = 1033, 15, 2


def audited(since):
    with open(f"{STATE}/policyd/audit.log", "rb") as log:
        log.seek(since)
        return log.read().decode(errors="replace")


def network_of(uid):
    with sqlite3.connect(DATABASE, uri=True) as engine:
        return engine.execute("SELECT id FROM networks WHERE tenant_uid = ? AND fixed = 0", [uid]).fetchone()[0]


def spec(name, stranger, execution):
    """`stranger`: a container of another tenant's, `execution` a process in it."""
    failures = []
    text, uid, _ = spec_of(name)
    _, other_uid, other_id = spec_of(stranger)
    process = re.search(r"^process \{\n.*?^\}", text, re.M | re.S)[0]
    with Forger("engine", "policyd") as forged:
        for what, (alter, *codes) in declared.SPECS.items():
            since = os.path.getsize(f"{STATE}/policyd/audit.log")
            message = alter(text, {"uid": other_uid, "id": escaped(other_id)})
            got = expect(failures, what, forged.ask(f"start_container {{ spec {{ {message} }} }}"), *codes)
            if not audited(since):
                failures.append(f"{what}: {got}, and the audit log knows nothing of it")
        for claimed, codes in ((other_uid, ("it was done",)), (uid, ("PERMISSION_DENIED", "NOT_FOUND"))):
            container = f'container {{ id: "{escaped(other_id)}" tenant_uid: {claimed} }}'
            inside = f'exec {{ id: "{escaped(bytes.fromhex(execution))}" {container} }}'
            for request in declared.OF_OTHERS:
                if claimed == uid or request.startswith(("inspect", "read_stats")):  # and what the owner has shows that it is there
                    expect(failures, f"{request.split()[0]} of a container of {other_uid} for {claimed}", forged.ask(request.format(container, inside, process)), *codes)
        of_other = declared.changed(text, r'^id: ".*"', f'id: "{escaped(other_id)}"')
        for view in declared.VIEWS:
            expect(failures, f"a copier of view {view} in another tenant's container",
                   forged.ask(f"open_copier {{ spec {{ {of_other} }} view: COPIER_VIEW_{view} }}", fds=[0]), "PERMISSION_DENIED")
        network = f'network {{ id: "{escaped(network_of(other_uid))}" tenant_uid: {uid} }} name: "bobs-network"'
        expect(failures, "the end of another tenant's network", forged.ask(f"drop_network {{ {network} }}"), "PERMISSION_DENIED", "NOT_FOUND")
        # and the honest one, which shows that all the others were refused for what they say; twice, which changes nothing
        expect(failures, "what was judged", forged.ask(f"start_container {{ spec {{ {text} }} }}"), "it was done")
        expect(failures, "what was judged, again", forged.ask(f"start_container {{ spec {{ {text} }} }}"), "ALREADY_EXISTS", "FAILED_PRECONDITION")
    return failures


def in_memory(forged, number, packet, seals):
    """Memory of the engine's with a message in it."""
    fd = forged.inside.call("memfd_create", "message", MFD_ALLOW_SEALING)
    forged.inside.call("write", fd, Room(len(packet), packet), len(packet))
    forged.inside.call("fcntl", fd, F_ADD_SEALS, seals)
    return forged.ask("", fds=[fd], number=number, more=f"memfd_bytes: {len(packet)}", seconds=3)


def unsealed(name):
    """What is judged must be what is run: not memory that its sender can still change."""
    failures = []
    _, uid, number = spec_of(name)
    question = f'inspect_container {{ container {{ id: "{escaped(number)}" tenant_uid: {uid} }} }}'
    everybody = cast()
    with Forger("engine", "policyd") as forged:
        for what, seals, codes in (("sealed", ALL_SEALS, ("it was done",)), ("not sealed", 0, ("INVALID_ARGUMENT", GONE))):
            ours = forged.new_id()
            packet = to_bytes(SOURCE, forged.proto, forged.outgoing, f"header {{ id: {ours} deadline_ms: 10000 }} {question}")
            expect(failures, f"a message in memory that is {what}", in_memory(forged, ours, packet, seals), *codes)
    replace(everybody, "engine")
    return failures


def judged(name):
    """The executor validates what policyd fills in: even a breached policyd starts nothing as root of the host."""
    failures = []
    text, uid, _ = spec_of(name)
    base = next(line.split()[1] for line in open(f"/proc/{pid_of(name)}/uid_map") if line.split()[0] == "0")
    filled = filled_spec(text, base, uid_of(parent(pid_of(name))))
    forgeries = {what: declared.changed(filled, rf"^{field}: .*$", f"{field}: {value}") for what, (field, value) in declared.JUDGED.items()}
    with Forger("policyd", "executor") as forged:
        for what, message in {"an unfilled spec": text, **forgeries}.items():
            expect(failures, what, forged.ask(f"start_container {{ spec {{ {message} }} }}"), "INVALID_ARGUMENT")
        # so far the right one comes: it is refused because that container runs
        expect(failures, f"what tenant {uid} has", forged.ask(f"start_container {{ spec {{ {filled} }} }}"), "ALREADY_EXISTS", "FAILED_PRECONDITION")
    return failures


def uid_of(pid):
    """Of a process; the files about it are root's if it cannot be traced."""
    with open(f"/proc/{pid}/status") as status:
        return int(next(line.split()[1] for line in status if line.startswith("Uid:")))


def filled_spec(text, base, monitor):
    return text + f'id_base: {base}\nid_count: 65536\nmonitor_uid: {monitor}\ncgroup_parent: "{os.environ["BREACH_CGROUP"]}"\n'
