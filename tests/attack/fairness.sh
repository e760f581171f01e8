#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Alice floods the engine with what she is allowed to ask for. Bob's requests are answered within a bound that is generous on purpose, and
# how they fare is printed beside how they fare without her. What is limited per tenant is reached, and leaves Bob his own.
source "$(dirname "$0")/../lib/system.sh"
source "$(dirname "$0")/lib/attack.sh"
source "$(dirname "$0")/lib/tenants.sh"

EVIL=$WORK/evil
"$ROOT/deploy/make-busybox-image" "$WORK/first.tar"
image_folder "$WORK/first.tar" team/busybox 1 "$EVIL" >/dev/null
odd_registry "$EVIL"
SILENT=$ODD
odd_faults '["silent"]'
GOOD_FOLDER=$WORK/good
image_folder "$WORK/first.tar" team/busybox 1 "$GOOD_FOLDER" >/dev/null
start_good() { # a second registry, which answers
    : >"$WORK/good.log"
    python3 "$TESTS/lib/registry.py" --root "$GOOD_FOLDER" >"$WORK/good.log" 2>&1 <"$WORK/odd.pipe" 7>&- 8>&- &
    at_end "kill $!"
    disown
    eventually grep -q 'listening on' "$WORK/good.log"
    GOOD=$(sed -n 's/listening on //p' "$WORK/good.log")
}
start_good
attack_start --insecure_registry "$SILENT" --private_registry "$SILENT" --insecure_registry "$GOOD" --private_registry "$GOOD"
cat >"$ENGINE/policy.d/50-alice.json" <<END
{"version": 1, "tenants": [$ALICE], "quotas": {"containers": 5, "volumes": 20, "memory_bytes": 33554432, "pids": 20, "cpus": 0.5, "disk_bytes": 16777216, "pulls": 4, "networks": 4}}
END
engine_halt "$ENGINE" && system_restart
tenants_prepare
survived() { tenants_survived; }
clean_up_images() { tenants_clean_up; }

BOUND_MS=2000
# fares COMMAND... : Bob's requests, each within the bound
fares() { python3 "$ATTACK/latency.py" 0.8 $BOUND_MS as_bob "$@"; }
printf '#!/bin/sh\nexec setpriv --reuid %d --regid %d --clear-groups env HOME="%s" "%s" "$@"\n' $BOB $BOB "$WORK/home-$BOB" "$WORK/client/bulkhead" >"$WORK/client/as_bob"
chmod 0755 "$WORK/client/as_bob"
PATH=$WORK/client:$PATH
# flooded KIND FUNCTION... : while Alice's flood lasts, which must have been answered or held
flooded() {
    local kind=$1 line status=0
    shift
    rm -f "$WORK/flood" && mkfifo "$WORK/flood" && exec 5<>"$WORK/flood"
    as $ALICE python3 - "$SOCKET" "$kind" 3 <"$ATTACK/flood.py" >"$WORK/flood" 2>&1 7>&- &
    local flood=$!
    read -r -t 20 line <&5 && equal "$line" started || status=1
    "$@" || status=1
    read -r -t 30 line <&5 || status=1 # what became of the flood
    wait $flood || status=1
    exec 5>&-
    echo "$kind: $line; Bob's version without it: $(cat "$WORK/quiet"); with it: $(cat "$WORK/loud")" | tee -a "$WORK/measured"
    return $status
}
bob_fares() {
    fares version >"$WORK/loud" || { cat "$WORK/loud"; return 1; }
    fares ps -a
    fares run --rm --network none busybox true
}
greedy() { as $ALICE bulkhead run -d --name greedy --network none busybox sleep 1000 >/dev/null; }
flooded_greedy() {
    greedy
    flooded "$@"
}
bob_pulls() {
    fares version >"$WORK/loud"
    timeout 20 as_bob pull "$GOOD/team/busybox:1"
    as_bob rmi "$GOOD/team/busybox:1"
}
class "fairness"
attack "without a flood" fares version
fares version >"$WORK/quiet"
for kind in requests connections half-open events creates volumes; do
    attack "a flood of $kind" flooded $kind bob_fares
done
attack "a flood of execs" flooded_greedy execs bob_fares
attack "a flood of requests that wait" flooded_greedy waits bob_fares
attack "a flood of pulls from a registry that never answers" flooded "pulls=$SILENT/team/busybox:1" bob_pulls

# ---- what Alice may have ----------------------------------------------------------------------------------

alice_runs() { as $ALICE bulkhead run --network none "$@"; }
printf '#!/bin/sh\nexec setpriv --reuid %d --regid %d --clear-groups env HOME="%s" "%s" "$@"\n' $ALICE $ALICE "$WORK/home-$ALICE" "$WORK/client/bulkhead" >"$WORK/client/as_alice"
chmod 0755 "$WORK/client/as_alice"
of_volumes() { # as many at once as are allowed, however they are asked for
    local left
    left=$(as $ALICE bulkhead volume ls -q)
    [ -z "$left" ] || as $ALICE bulkhead volume rm $left >/dev/null
    flooded volumes true
    equal "$(as $ALICE bulkhead volume ls -q | wc -l)" 20
    refused 'rule "quotas"' as_alice volume create one-more
    as_bob volume create his && as_bob volume rm his
    as $ALICE bulkhead volume rm $(as $ALICE bulkhead volume ls -q) >/dev/null
}
of_containers() {
    local i pids=()
    for i in 1 2 3 4 5 6 7 8 9 10; do
        alice_runs -d --label many busybox sleep 1000 >/dev/null 2>&1 &
        pids+=($!)
    done
    wait "${pids[@]}" || true
    equal "$(as $ALICE bulkhead ps -q | wc -l)" 5
    refused 'rule "quotas"' as_alice run --rm --network none busybox true
    as_bob run --rm --network none busybox true
}
of_networks() { # as many as are allowed, asked for at once or one by one, and whoever has been started again meanwhile
    local i pids=()
    for i in 1 2 3 4 5 6 7 8; do
        as_alice network create "n$i" >/dev/null 2>&1 &
        pids+=($!)
    done
    wait "${pids[@]}" || true
    equal "$(as_alice network ls --filter type=custom -q | wc -l)" 4
    too_many_networks
    engine_halt "$ENGINE" && system_restart && chmod 0666 "$SOCKET"
    too_many_networks
    as_bob network create his && as_bob network rm his
    bulkhead network create roots && bulkhead network rm roots
    as_alice network rm $(as_alice network ls --filter type=custom -q | head -1)
    as_alice network create one-more
    too_many_networks
    as_alice network rm $(as_alice network ls --filter type=custom -q) >/dev/null
    as_alice network create one-more && as_alice network rm one-more
}
too_many_networks() {
    refused 'at most 4 are allowed.*rule "quotas"' as_alice network create one-too-many
    equal "$(as_alice network ls --filter type=custom -q | wc -l) $(as_alice network ls -q --filter name=one-too-many)" "4 "
}
of_each() { # OPTION : more than a container may have
    refused 'rule "quotas"' as_alice run --rm --network none "$@" busybox true
    as_bob run --rm --network none "$@" busybox true
}
of_update() {
    alice_runs -d --name small busybox sleep 1000 >/dev/null
    refused 'rule "quotas"' as_alice update --memory 1g --memory-swap 1g small
    refused 'rule "quotas"' as_alice update --pids-limit 1000 small
    refused 'rule "quotas"' as_alice update --cpus 2 small
}
given_unasked() { # what is not asked for is limited all the same
    local text
    text=$(alice_runs --rm busybox sh -c 'for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22; do sleep 5 & done' 2>&1 || true)
    matches "$text" "can't fork"
    text=$(alice_runs --rm --tmpfs /tmp busybox sh -c 'dd if=/dev/zero of=/file bs=1M count=30 2>/tmp/e; cat /tmp/e' 2>&1 || true)
    matches "$text" "No space left"
    alice_runs -d --name hungry busybox tail /dev/zero >/dev/null
    eventually oom_killed hungry
}
oom_killed() { [ "$(as $ALICE bulkhead inspect -f '{{.State.OOMKilled}} {{.State.ExitCode}}' "$1")" = "true 137" ]; }
of_pulls() { # the fifth is refused while four wait
    local i pids=()
    for i in 1 2 3 4; do
        timeout 20 as_alice pull "$SILENT/team/busybox:$i" >/dev/null 2>&1 &
        pids+=($!)
    done
    eventually refused 'rule "quotas"' as_alice pull "$GOOD/team/busybox:1"
    as_bob pull "$GOOD/team/busybox:1" && as_bob rmi "$GOOD/team/busybox:1"
    kill "${pids[@]}"
    eventually timeout 20 as_alice pull "$GOOD/team/busybox:1"
    as_alice rmi "$GOOD/team/busybox:1"
}
of_pushes() { # the fifth is refused while four wait, and so is a pull
    local i pids=()
    for i in 1 2 3 4; do
        as_alice tag busybox "$SILENT/team/pushed:$i"
        timeout 20 as_alice push "$SILENT/team/pushed:$i" >/dev/null 2>&1 &
        pids+=($!)
    done
    as_alice tag busybox "$GOOD/team/pushed:1"
    eventually refused 'rule "quotas"' as_alice push "$GOOD/team/pushed:1"
    refused 'rule "quotas"' as_alice pull "$GOOD/team/busybox:1"
    as_bob tag busybox "$GOOD/team/pushed:2" && as_bob push "$GOOD/team/pushed:2" && as_bob rmi "$GOOD/team/pushed:2"
    kill "${pids[@]}"
    eventually timeout 20 as_alice push "$GOOD/team/pushed:1"
    as_alice rmi "$SILENT/team/pushed:1" "$SILENT/team/pushed:2" "$SILENT/team/pushed:3" "$SILENT/team/pushed:4" "$GOOD/team/pushed:1"
}
class "quotas"
attack "containers at once" of_containers
attack "memory of a container" of_each --memory 64m
attack "processors of a container" of_each --cpus 1
attack "processes of a container" of_each --pids-limit 100
attack "no limit of processes" of_each --pids-limit -1
attack "files of a container" of_each --storage-opt size=64m
attack "limits changed later" of_update
attack "limits that nobody asked for" given_unasked
attack "volumes, many at once" of_volumes
attack "networks, many at once" of_networks
attack "pulls at once" of_pulls
attack "pushes at once" of_pushes
sed 's/^/# /' "$WORK/measured"
