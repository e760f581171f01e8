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
{"version": 1, "tenants": [$ALICE], "quotas": {"containers": 5, "volumes": 20, "memory_bytes": 33554432, "pids": 20, "cpus": 0.5, "disk_bytes": 16777216}}
END
engine_halt "$ENGINE" && system_restart
tenants_prepare
survived() { tenants_survived; }
clean_up_images() { tenants_clean_up; }

BOUND_MS=2000
# fares COMMAND... : Bob's requests, each within the bound
fares() { python3 "$ATTACK/latency.py" 1.5 $BOUND_MS as_bob "$@"; }
printf '#!/bin/sh\nexec setpriv --reuid %d --regid %d --clear-groups env HOME="%s" "%s" "$@"\n' $BOB $BOB "$WORK/home-$BOB" "$WORK/client/bulkhead" >"$WORK/client/as_bob"
chmod 0755 "$WORK/client/as_bob"
PATH=$WORK/client:$PATH
# flooded KIND FUNCTION... : while Alice's flood lasts, which must have been answered or held
flooded() {
    local kind=$1 line status=0
    shift
    fares version >"$WORK/quiet"
    rm -f "$WORK/flood" && mkfifo "$WORK/flood" && exec 5<>"$WORK/flood"
    as $ALICE python3 - "$SOCKET" "$kind" 5 <"$ATTACK/flood.py" >"$WORK/flood" 2>&1 7>&- &
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
for kind in requests connections half-open events creates volumes; do
    attack "a flood of $kind" flooded $kind bob_fares
done
attack "a flood of execs" flooded_greedy execs bob_fares
attack "a flood of requests that wait" flooded_greedy waits bob_fares
attack "a flood of pulls from a registry that never answers" flooded "pulls=$SILENT/team/busybox:1" bob_pulls
sed 's/^/# /' "$WORK/measured"
