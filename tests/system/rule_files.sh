#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Rule files that cannot be read: no start, and when policyd dies beside a running engine nothing new, while what runs stays in
# its owner's hands.
source "$(dirname "$0")/../lib/system.sh"

BROKEN='policy\.d/50-broken\.json: line 4'
break_it() {
    printf '{\n  "version": 1,\n  "tenants": ["others"\n}\n' >"$ENGINE/policy.d/50-broken.json"
    chmod 0644 "$ENGINE/policy.d/50-broken.json"
}
reload() { kill -HUP "$(engine_pid "$ENGINE")"; }
refused() { # STATUS COMMAND...
    exits "$@"
    matches "$(cat "$WORK/err")" "nothing new is allowed until the rule files can be read again: .*$BROKEN"
}

no_start() {
    engine_halt "$ENGINE"
    break_it
    ! system_restart || return 1
    matches "$(cat "$ENGINE/engine.log")" "$BROKEN"
    rm "$ENGINE/policy.d/50-broken.json"
    system_restart
}
kept_on_reload() {
    break_it
    reload
    eventually grep -q 'the rules stay as they were' "$ENGINE/engine.log"
    equal "$(bulkhead run --rm --network none "$IMAGE" echo works)" works
}
closed_after_a_death() {
    local dead
    bulkhead run -d --name runs --network none "$IMAGE" sh -c 'echo said; exec sleep 100000'
    dead=$(helper_pid policyd)
    kill -KILL "$dead"
    eventually restarted policyd "$dead"
    eventually refused 125 bulkhead run --rm --network none "$IMAGE" true
    refused 1 bulkhead create --network none "$IMAGE" true
}
in_its_owners_hands() {
    matches "$(bulkhead ps --format '{{.Names}} {{.Status}}')" '^runs Up'
    equal "$(bulkhead logs runs)" said
    matches "$(bulkhead top runs)" 'sleep 100000'
    refused 1 bulkhead update --memory 64m --memory-swap 64m runs
    refused 1 bulkhead volume create more
    refused 1 bulkhead network create more
    refused 1 bulkhead pull registry.invalid/anything
    refused 1 bulkhead load -i "$WORK/busybox.tar"
    bulkhead stop -t 1 runs
    refused 1 bulkhead start runs
    bulkhead rm runs
    bulkhead audit verify
}
opened_again() {
    rm "$ENGINE/policy.d/50-broken.json"
    reload
    eventually bulkhead run --rm --network none "$IMAGE" true
}

system_start
system_load
check "the engine does not start, and says where" no_start
check "on a reload the rules stay as they were" kept_on_reload
check "after a death nothing new is allowed, and it is said where to look" closed_after_a_death
check "what runs can be looked at, stopped and removed" in_its_owners_hands
check "when they are mended and reloaded everything is allowed again" opened_again
check "nothing is left behind" nothing_left
