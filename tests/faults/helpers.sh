#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Every helper killed at every message boundary of a pull, a run, an exec, a commit and a removal, and of linking a container to a network.
# slow
source "$(dirname "$0")/../lib/system.sh"

CHECK_SECONDS=900

# walk OPERATION ROLE CALL : a few faults of an engine each, because a supervisor waits longer and longer before it starts what ends again and again
MOST=5
walk() {
    local first=1
    while [ -n "$first" ]; do
        engine_halt "$ENGINE"
        system_restart
        BULKHEAD=$bulkhead IMAGE=$IMAGE REMOTE=$REMOTE python3 "$TESTS/faults/schedule.py" "$@" --first $first --most $MOST >"$WORK/walked" ||
            { cat "$WORK/walked"; return 1; }
        cat "$WORK/walked"
        first=$(sed -n 's/^on from //p' "$WORK/walked")
    done
}
prepare() {
    bulkhead tag "$IMAGE" "$PLAIN/faults:1"
    bulkhead push "$PLAIN/faults:1"
    bulkhead rmi "$PLAIN/faults:1"
    bulkhead run -d --name box --network none "$IMAGE" sleep 100000
    bulkhead network create faults
}
nothing_leaked() {
    bulkhead rm -f victim mayfly box
    bulkhead rmi -f kept:1 "$REMOTE" || true
    nothing_left
    eventually no_folders
    bulkhead network rm faults
    eventually no_links
    equal "$(ss -Hltn | grep -c ':18080')" 0 "reserved ports"
    ! nft list ruleset | grep -E 'elements = .*(18080|bhv)' || return 1
    equal "$(bulkhead audit verify >/dev/null && echo whole)" whole
}
no_links() { [ "$(ip -o link show | grep -cE 'bhv|bh-')" = 0 ]; }
no_folders() { [ "$(find "$ENGINE/state/containers" "$ENGINE/state/logs" -mindepth 1 -maxdepth 1 2>/dev/null | wc -l)" = 0 ]; }

plain_registry
REMOTE=$PLAIN/faults:1
system_start --insecure_registry "$PLAIN" --private_registry "$PLAIN"
system_load
check "a registry, and a container that must run on" prepare
for role in api engine policyd executor; do
    for operation in run exec commit rm; do
        check "$operation, $role killed where it sends" walk $operation $role sendmsg
        check "$operation, $role killed where it receives" walk $operation $role recvmsg
    done
done
for role in store extractor; do
    check "commit, $role killed where it sends" walk commit $role sendmsg
    check "commit, $role killed where it receives" walk commit $role recvmsg
done
for role in api engine store fetcher dialer extractor policyd; do
    check "pull, $role killed where it sends" walk pull $role sendmsg
    check "pull, $role killed where it receives" walk pull $role recvmsg
done
for role in engine policyd executor netd; do
    for operation in link unlink; do
        check "$operation, $role killed where it sends" walk $operation $role sendmsg
        check "$operation, $role killed where it receives" walk $operation $role recvmsg
    done
done
check "link, netd killed at its requests to the kernel" walk link netd sendto
check "unlink, netd killed at its requests to the kernel" walk unlink netd sendto
check "nothing leaked" nothing_leaked
