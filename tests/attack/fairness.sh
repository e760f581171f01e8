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
{"version": 1, "tenants": [$ALICE], "quotas": {"containers": 5, "containers_kept": 12, "image_bytes": 20000000, "volumes": 20, "networks": 4, "memory_bytes": 33554432, "pids": 20, "cpus": 0.5, "disk_bytes": 16777216, "pulls": 4}}
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
    local kind=$1 line status=0 meanwhile
    shift
    rm -f "$WORK/flood"
    mkfifo "$WORK/flood"
    exec 5<>"$WORK/flood"
    as $ALICE python3 - "$SOCKET" "$kind" 3 <"$ATTACK/flood.py" >"$WORK/flood" 2>&1 7>&- &
    local flood=$!
    read -r -t 20 line <&5 && equal "$line" started || status=1
    whole meanwhile "$@"
    [ "$meanwhile" = 0 ] || status=1
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
without_volumes() {
    local left
    left=$(as $ALICE bulkhead volume ls -q)
    [ -z "$left" ] || as $ALICE bulkhead volume rm $left >/dev/null
}
of_volumes() { # as many at once as are allowed, however they are asked for
    without_volumes
    flooded volumes true
    equal "$(as $ALICE bulkhead volume ls -q | wc -l)" 20
    refused 'rule "quotas"' as_alice volume create one-more
    as_bob volume create his
    as_bob volume rm his
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
of_each() { # OPTION : more than a container may have
    refused 'rule "quotas"' as_alice run --rm --network none "$@" busybox true
    as_bob run --rm --network none "$@" busybox true
}
of_update() {
    alice_runs -d --name small busybox sleep 1000 >/dev/null
    refused 'rule "quotas"' as_alice update --memory 1g --memory-swap 1g small
    refused 'rule "quotas"' as_alice update --pids-limit 1000 small
    refused 'rule "quotas"' as_alice update --cpus 2 small
    refused 'rule "quotas"' as_alice update --cpu-quota 100000 small
    refused 'rule "quotas"' as_alice update --cpu-period 10000 --cpu-quota 10000 small
    refused 'rule "quotas"' as_alice update --memory 16m --memory-swap 100m small
}
# A limit is what it is beside the others: one that is changed alone must not loosen what they say together.
of_update_one_by_one() {
    alice_runs -d --name alone busybox sleep 1000 >/dev/null
    bounded alone
    as_alice update --cpu-period 10000 alone
    bounded alone
    refused 'rule "quotas"' as_alice update --cpu-quota 9000 alone
    as_alice update --cpu-quota 5000 alone
    bounded alone
    as_alice update --memory 8m --memory-swap -1 alone
    bounded alone
    as_alice update --memory-swap -1 alone
    bounded alone
    as_alice update --pids-limit -1 alone
    bounded alone
    as_alice update --cpu-quota -1 alone
    bounded alone
    as_alice update --cpu-shares 7 alone
    bounded alone
    alice_runs -d --name free --pids-limit -1 --cpu-quota -1 busybox sleep 1000 >/dev/null
    bounded free
    alice_runs -d --name period --cpu-period 5000 busybox sleep 1000 >/dev/null
    bounded period
    alice_runs -d --name swap --memory 8m --memory-swap -1 busybox sleep 1000 >/dev/null
    bounded swap
    as_alice rm -f alone free period swap
}
bounded() { # NAME : half a processor, 20 processes, 32 MiB and as much swap, as the kernel has it
    python3 - "$CGROUP/$(as $ALICE bulkhead inspect -f '{{.Id}}' "$1")" <<'END'
import pathlib, sys
root = pathlib.Path("/sys/fs/cgroup")
def read(controller, *names):
    for name in names:
        for path in (root / controller / sys.argv[1] / name, root / sys.argv[1] / name):
            if path.exists():
                return path.read_text().split()
    raise SystemExit(f"no file {names}")
def number(word):
    return float("inf") if word in ("max", "-1") else int(word)
quota, period = (read("cpu", "cpu.max") if (root / "cgroup.controllers").exists()
                 else read("cpu", "cpu.cfs_quota_us") + read("cpu", "cpu.cfs_period_us"))
assert 0 < number(quota) / int(period) <= 0.5, f"{quota} of {period} us"
assert number(read("pids", "pids.max")[0]) <= 20
memory = number(read("memory", "memory.limit_in_bytes", "memory.max")[0])
assert memory <= 32 << 20, memory
swap = number(read("memory", "memory.memsw.limit_in_bytes", "memory.swap.max")[0])
assert swap <= 64 << 20, swap
END
}
given_unasked() { # what is not asked for is limited all the same
    local text
    text=$(alice_runs --rm busybox sh -c 'for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22; do sleep 5 & done' 2>&1 || true)
    matches "$text" "can't fork"
    text=$(alice_runs --rm --tmpfs /tmp busybox sh -c 'dd if=/dev/zero of=/file bs=1M count=30 2>/tmp/e; cat /tmp/e' 2>&1 || true)
    matches "$text" "No space left"
    without_volumes
    text=$(alice_runs --rm -v unsized:/data busybox sh -c 'dd if=/dev/zero of=/data/file bs=1M count=30 2>/tmp/e; cat /tmp/e' 2>&1 || true)
    matches "$text" "No space left"
    text=$(alice_runs --rm -v /data busybox sh -c 'dd if=/dev/zero of=/data/file bs=1M count=30 2>/tmp/e; cat /tmp/e' 2>&1 || true)
    matches "$text" "No space left"
    as_alice volume rm unsized
    alice_runs -d --name hungry busybox tail /dev/zero >/dev/null
    eventually oom_killed hungry
}
of_networks() { # the default one would be among them, if she had used it
    local i
    for i in 1 2 3 4 5 6; do
        as_alice network create "net-$i" >/dev/null 2>"$WORK/err" && continue
        matches "$(cat "$WORK/err")" 'networks already and no more are allowed \(rule "quotas"\)'
        break
    done
    equal "$i" 5
    refused 'rule "quotas"' as_alice network create "net-$i"
    as_bob network create his
    as_bob network rm his
    as_alice network rm net-1
    as_alice network create net-5
    as_alice network rm net-2 net-3 net-4 net-5
}
of_kept_containers() { # those that do not run have files all the same
    local i
    for i in 1 2 3 4 5 6 7 8 9 10 11 12; do alice_runs --name "left-$i" busybox true; done
    refused 'rule "quotas"' as_alice run --network none busybox true
    refused 'rule "quotas"' as_alice create --network none busybox true
    as_alice start left-1 # which is one of them
    as_bob run --rm --network none busybox true
    as_alice wait left-1
    as_alice rm left-1
    alice_runs --rm busybox true
    as_alice rm $(as_alice ps -aq)
}
# Whatever makes an image appear: the first base is there already, and so costs nothing once more.
of_images() {
    head -c 12000000 /dev/urandom >"$WORK/large"
    tar -C "$WORK" -cf "$WORK/large.tar" large
    tar -C "$WORK" -cf "$WORK/large-2.tar" --transform s/large/other/ large
    python3 "$TESTS/lib/images.py" archive "$WORK/large-image.tar" large:1 "$WORK/large.tar"
    python3 "$TESTS/lib/images.py" archive "$WORK/second-image.tar" second:1 "$WORK/large-2.tar"
    chmod 0644 "$WORK"/*.tar
    image_folder "$WORK/second-image.tar" team/second 1 "$GOOD_FOLDER" >/dev/null
    as_alice load -i "$WORK/large-image.tar"
    as_alice load -i "$WORK/large-image.tar"
    as_alice tag large:1 large:2
    refused 'bytes of images .*rule "quotas"' as_alice load -i "$WORK/second-image.tar"
    refused 'bytes of images .*rule "quotas"' as_alice import "$WORK/large-2.tar" second:1
    refused 'bytes of images .*rule "quotas"' as_alice pull "$GOOD/team/second:1"
    alice_runs --name grows busybox dd if=/dev/urandom of=/file bs=1M count=9
    refused 'bytes of images .*rule "quotas"' as_alice commit grows second:1
    equal "$(as_alice images -q second | wc -l)" 0
    as_bob load -i "$WORK/second-image.tar"
    as_bob rmi second:1
    as_alice rmi large:1 large:2
    as_alice pull "$GOOD/team/second:1"
    as_alice rmi "$GOOD/team/second:1"
    as_alice rm grows
}
oom_killed() { [ "$(as $ALICE bulkhead inspect -f '{{.State.OOMKilled}} {{.State.ExitCode}}' "$1")" = "true 137" ]; }
four_pull() { [ "$(cat "$WORK"/silent-? | grep -c 'Pulling from')" = 4 ]; }
of_pulls() { # and pushes: the fifth is refused while four wait
    local i pids=()
    for i in 1 2 3 4; do
        timeout 20 as_alice pull "$SILENT/team/busybox:$i" >"$WORK/silent-$i" 2>&1 &
        pids+=($!)
    done
    eventually four_pull
    refused 'rule "quotas"' as_alice pull "$GOOD/team/busybox:1"
    as_alice tag busybox "$GOOD/team/pushed:1"
    refused 'rule "quotas"' as_alice push "$GOOD/team/pushed:1"
    as_bob pull "$GOOD/team/busybox:1"
    as_bob rmi "$GOOD/team/busybox:1"
    kill "${pids[@]}"
    eventually timeout 20 as_alice pull "$GOOD/team/busybox:1"
    refused unsupported as_alice push "$GOOD/team/pushed:1" # by the registry: it takes none
    as_alice rmi "$GOOD/team/busybox:1" "$GOOD/team/pushed:1"
}
class "quotas"
attack "containers at once" of_containers
attack "networks" of_networks
attack "containers that do not run" of_kept_containers
attack "images together" of_images
attack "memory of a container" of_each --memory 64m
attack "processors of a container" of_each --cpus 1
attack "processes of a container" of_each --pids-limit 100
attack "files of a container" of_each --storage-opt size=64m
attack "memory and swap of a container" of_each --memory 16m --memory-swap 100m
attack "limits changed later" of_update
attack "limits changed one by one" of_update_one_by_one
attack "limits that nobody asked for" given_unasked
attack "volumes, many at once" of_volumes
attack "pulls at once" of_pulls
sed 's/^/# /' "$WORK/measured"
