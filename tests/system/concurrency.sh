#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Many at once, and one against the other: no race is won by two, and nothing is left behind.
# sanitize
# alone
source "$(dirname "$0")/../lib/system.sh"
system_start
system_load

one_name_one_winner() {
    local round i won
    for round in 1 2 3 4 5; do
        for i in 1 2 3 4; do
            bulkhead create --name contested --network none "$IMAGE" true >"$WORK/c$i" 2>"$WORK/c$i.err" &
        done
        wait
        won=$(cat "$WORK"/c[1-4] | wc -l)
        equal "$won" 1 "winners"
        equal "$(cat "$WORK"/c[1-4].err | grep -c 'is already in use')" 3 "losers"
        bulkhead rm contested
    done
}
remove_during_start() {
    local round
    for round in $(seq 1 20); do
        bulkhead create --name short --network none "$IMAGE" sleep 100 >/dev/null
        bulkhead start short >/dev/null 2>&1 &
        bulkhead rm -f short >/dev/null
        wait
        ! bulkhead inspect short >/dev/null 2>&1 || return 1
    done
    nothing_left
}
twenty_at_once() {
    local i pids=()
    for i in $(seq 1 20); do
        (status=0; bulkhead run --rm --network none "$IMAGE" sh -c "echo $i; exit $i" >"$WORK/t$i" || status=$?; [ $status = "$i" ]) &
        pids+=($!)
    done
    for i in "${pids[@]}"; do wait "$i"; done
    for i in $(seq 1 20); do equal "$(cat "$WORK/t$i")" "$i"; done
}
two_hundred_in_sequence() {
    local i
    for i in $(seq 1 200); do
        equal "$(bulkhead run --rm --network none "$IMAGE" echo "$i")" "$i"
    done
}
stop_and_kill_together() {
    local round
    for round in 1 2 3 4 5; do
        bulkhead run -d --name both --network none "$IMAGE" sleep 100 >/dev/null
        bulkhead stop -t 1 both >/dev/null 2>&1 &
        bulkhead kill both >/dev/null 2>&1 || true
        wait
        equal "$(state_of both)" exited
        bulkhead rm both
    done
}
descriptors_do_not_grow() {
    local before after
    before=$(bulkhead privileges --format '{{.Descriptors}}' | awk '{ n += $1 } END { print n }')
    for i in 1 2 3 4 5 6 7 8 9 10; do bulkhead run --rm --network none "$IMAGE" true; done
    after=$(bulkhead privileges --format '{{.Descriptors}}' | awk '{ n += $1 } END { print n }')
    [ $((after - before)) -le 3 ] || { echo "descriptors: $before before, $after after"; return 1; }
}

check "two creates of one name: one wins" one_name_one_winner
check "rm -f during start" remove_during_start
check "stop and kill at once" stop_and_kill_together
check "20 runs at once" twenty_at_once
CHECK_SECONDS=300
check "200 runs in sequence" two_hundred_in_sequence
check "no helper's descriptors grow" descriptors_do_not_grow
check "nothing is left behind" nothing_left
