#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The declared sandboxes, what `bulkhead privileges` says, and /proc of the running processes: three tellings of one truth.
source "$(dirname "$0")/../lib/system.sh"
system_start
system_load

ROLES="api engine store fetcher dialer extractor policyd executor netd"
status_field() { sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"; }
declared() { "$BIN/bulkhead-$1" --sandbox; }

every_role_is_listed() {
    local listed
    listed=$(bulkhead privileges --format json | python3 -c 'import json,sys; print(" ".join(sorted({r["role"] for r in json.load(sys.stdin)})))')
    for role in supervisor $ROLES; do
        [[ " $listed " == *" $role "* ]] || { echo "not listed: $role in $listed"; return 1; }
    done
}
table_reads_well() { matches "$(bulkhead privileges | head -1)" '^PROCESS +PID +UID +CAPABILITIES +SECCOMP'; }
same_as_proc() { # ROLE
    local pid
    pid=$(helper_pid "$1")
    bulkhead privileges --format json | python3 -c '
import json, os, sys
role, pid = sys.argv[1], int(sys.argv[2])
row = next(r for r in json.load(sys.stdin) if r["pid"] == pid)
status = dict(line.rstrip("\n").split(":\t", 1) for line in open(f"/proc/{pid}/status") if ":\t" in line)
assert row["role"] == role, row
assert str(row["uid"]) in status["Uid"].split(), (row["uid"], status["Uid"])
assert len(set(status["Uid"].split())) == 1, status["Uid"]
assert len(set(status["Gid"].split())) == 1, status["Gid"]
assert status["Groups"].split() == [], status["Groups"]
for field, name in [("inheritable", "CapInh"), ("permitted", "CapPrm"), ("effective", "CapEff"),
                    ("bounding", "CapBnd"), ("ambient", "CapAmb")]:
    assert row["capabilities"][field] == status[name], (name, row["capabilities"], status[name])
assert row["seccomp"] == int(status["Seccomp"]), status["Seccomp"]
assert row["no_new_privs"] == (status["NoNewPrivs"] == "1"), status["NoNewPrivs"]
' "$1" "$pid"
}
same_as_declared() { # ROLE
    local pid
    pid=$(helper_pid "$1")
    declared "$1" | python3 -c '
import json, os, sys
pid, supervisor = int(sys.argv[1]), int(sys.argv[2])
table = json.load(sys.stdin)
status = dict(line.rstrip("\n").split(":\t", 1) for line in open(f"/proc/{pid}/status") if ":\t" in line)
for name in ("CapPrm", "CapEff", "CapBnd"):
    assert int(status[name], 16) == table["capabilities"], (name, status[name], table["capabilities"])
for name in ("CapInh", "CapAmb"):
    assert int(status[name], 16) == 0, (name, status[name])
assert (status["NoNewPrivs"] == "1") == table["no_new_privs"], (status["NoNewPrivs"], table["no_new_privs"])
assert (status["Seccomp"] == "2") == bool(table["syscalls"]), (status["Seccomp"], table["syscalls"])
assert (status["Uid"].split()[0] == "0") == table["root_uid"], (status["Uid"], table["root_uid"])
for kind in ("mnt", "net", "ipc", "uts"):
    own = os.readlink(f"/proc/{pid}/ns/{kind}") != os.readlink(f"/proc/{supervisor}/ns/{kind}")
    assert own == (kind in table["namespaces"]), (kind, own, table["namespaces"])
limits = {line[:26].strip(): line[26:].split()[1] for line in open(f"/proc/{pid}/limits")}
for name, field in [("Max open files", "descriptors"), ("Max processes", "processes"), ("Max address space", "memory_bytes"),
                    ("Max file size", "file_bytes")]:
    wanted = table["limits"][field]
    assert not wanted or int(limits[name]) <= wanted, (name, limits[name], wanted)
assert limits["Max core file size"] == "0", limits["Max core file size"]
' "$pid" "$(engine_pid "$ENGINE")"
}
without_privilege() { # ROLE : no capability, no root, no network, an empty root
    local pid
    pid=$(helper_pid "$1")
    equal "$(status_field "$pid" CapEff)/$(status_field "$pid" CapPrm)/$(status_field "$pid" CapBnd)" "0000000000000000/0000000000000000/0000000000000000"
    [ "$(status_field "$pid" Uid | cut -f1)" != 0 ]
    equal "$(status_field "$pid" Seccomp)" 2
    equal "$(status_field "$pid" NoNewPrivs)" 1
    [ "$(readlink "/proc/$pid/ns/mnt")" != "$(readlink /proc/self/ns/mnt)" ]
}
without_network() { # ROLE
    local pid
    pid=$(helper_pid "$1")
    [ "$(readlink "/proc/$pid/ns/net")" != "$(readlink /proc/self/ns/net)" ]
}
sees_nothing() { # ROLE : its root holds neither the host's files nor a program
    local pid
    pid=$(helper_pid "$1")
    ! ls "/proc/$pid/root/bin" "/proc/$pid/root/etc/passwd" "/proc/$pid/root/usr" 2>/dev/null
}
one_door() { # only policyd reaches the executor and netd
    bulkhead privileges --format json | python3 -c '
import json, sys
rows = json.load(sys.stdin)
for row in rows:
    peers = row["peers"].split(",") if row["peers"] else []
    if row["role"] not in ("policyd", "supervisor"):
        assert "executor" not in peers and "netd" not in peers, row
for role in ("executor", "netd"):
    assert all(row["peers"] == "policyd" for row in rows if row["role"] == role), rows
'
}
each_has_its_own_uid() {
    local uids
    uids=$(for role in api engine store fetcher dialer extractor policyd netd; do status_field "$(helper_pid $role)" Uid | cut -f1; done)
    equal "$(sort -u <<<"$uids" | wc -l)" 8
}
two_capabilities() { # netd: NET_BIND_SERVICE and NET_ADMIN, and no root
    local pid
    pid=$(helper_pid netd)
    equal "$(status_field "$pid" CapEff)/$(status_field "$pid" CapPrm)/$(status_field "$pid" CapBnd)" "0000000000001400/0000000000001400/0000000000001400"
    [ "$(status_field "$pid" Uid | cut -f1)" != 0 ]
    equal "$(readlink "/proc/$pid/ns/net")" "$(readlink /proc/self/ns/net)"
}
one_writable_view() { # netd: of all its mounts
    local pid
    pid=$(helper_pid netd)
    equal "$(awk '$6 ~ /(^|,)rw(,|$)/ { print $5 }' "/proc/$pid/mountinfo")" /proc/sys/net
}
audit_is_whole() {
    bulkhead run --rm --network none "$IMAGE" true
    matches "$(bulkhead audit verify)" "whole: [1-9][0-9]* records"
}
audit_tells_of_tampering() {
    local log
    log=$(grep -rlE 'prev|hash' "$ENGINE/state" --include='audit*' 2>/dev/null | head -1)
    [ -n "$log" ] || log=$(find "$ENGINE/state" -name 'audit*' -type f | head -1)
    [ -n "$log" ]
    python3 -c '
import sys
with open(sys.argv[1], "r+b") as log:
    content = log.read()
    at = content.index(b"busybox") if b"busybox" in content else len(content) // 2
    log.seek(at)
    log.write(bytes([content[at] ^ 1]))
' "$log"
    ! bulkhead audit verify
}
doctor_is_content() { bulkhead doctor; }

check "every process is listed" every_role_is_listed
check "the table's heading" table_reads_well
for role in $ROLES; do
    check "$role: what privileges says is what /proc says" same_as_proc $role
    check "$role: what it declares is what /proc says" same_as_declared $role
done
for role in api engine store fetcher extractor policyd; do
    check "$role: no capability, not root, seccomp, own mounts" without_privilege $role
    check "$role: no network" without_network $role
done
for role in api fetcher extractor dialer netd; do
    check "$role: sees nothing of the host's files" sees_nothing $role
done
check "the dialer has no capability either" without_privilege dialer
check "netd has its two capabilities and no root" two_capabilities
check "netd writes to the network's switches and nowhere else" one_writable_view
check "each helper has a uid of its own" each_has_its_own_uid
check "only policyd reaches the executor and netd" one_door
check "the audit log is whole" audit_is_whole
check "doctor finds nothing that fails" doctor_is_content
check "a changed audit log is noticed" audit_tells_of_tampering
