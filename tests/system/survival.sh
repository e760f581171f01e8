#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Promise 5: kill any helper, or all of them, at any moment: running containers keep running, nothing acknowledged is lost, and
# service resumes by itself.
# sanitize
source "$(dirname "$0")/../lib/system.sh"
system_start
system_load

TICK='i=0; while :; do echo tick$i; i=$((i+1)); sleep 0.1; done'
start_long() { bulkhead run -d --name long --network none "$IMAGE" sh -c "$TICK"; }
pid_of() { bulkhead inspect -f '{{.State.Pid}}' "$1"; }
answers() { bulkhead ps >/dev/null 2>&1 && bulkhead inspect long >/dev/null 2>&1; }
ticks() { bulkhead logs long | wc -l; }
more_ticks_than() { [ "$(ticks)" -gt "$1" ]; }

survives() { # ROLE
    local before pid helper
    pid=$(pid_of long)
    before=$(ticks)
    helper=$(helper_pid "$1")
    kill -KILL "$helper"
    eventually answers
    eventually restarted "$1" "$helper"
    equal "$(pid_of long)" "$pid" "pid of the container"
    kill -0 "$pid"
    eventually more_ticks_than "$before"
    equal "$(bulkhead run --rm --network none "$IMAGE" echo after)" after
}
log_has_no_gap() { bulkhead logs long >"$WORK/ticks" && cmp "$WORK/ticks" <(seq -f 'tick%g' 0 $(($(wc -l <"$WORK/ticks") - 1))); }

waits_for_the_engine() {
    local dead
    dead=$(helper_pid engine)
    kill -KILL "$dead"
    while kill -0 "$dead" 2>/dev/null; do :; done
    matches "$(bulkhead ps --format '{{.Names}}')" long
}
supervisor_dies() {
    local pid count supervisor
    pid=$(pid_of long)
    count=$(ticks)
    supervisor=$(engine_pid "$ENGINE")
    kill -KILL "$supervisor"
    eventually helpers_gone "$supervisor"
    kill -0 "$pid"
    system_restart
    equal "$(state_of long)" running
    equal "$(pid_of long)" "$pid"
    eventually more_ticks_than "$count"
}
helpers_gone() { ! pgrep -f "^$BIN/bulkhead-(engine|executor|netd|policyd|store|api|fetcher|extractor|dialer)" -P 1 >/dev/null; }
ends_while_nobody_looks() {
    bulkhead run -d --name quiet --network none "$IMAGE" sh -c 'sleep 1; echo last words; exit 23'
    kill -KILL "$(engine_pid "$ENGINE")"
    sleep 1.5
    system_restart
    equal "$(bulkhead wait quiet)" 23 # its monitor may still be writing the record
    equal "$(bulkhead inspect -f '{{.State.Status}} {{.State.ExitCode}}' quiet)" "exited 23"
    equal "$(bulkhead logs quiet)" "last words"
    bulkhead rm quiet
}
acknowledged_is_kept() {
    bulkhead create --name kept --network none "$IMAGE" true
    kill -KILL "$(engine_pid "$ENGINE")"
    system_restart
    equal "$(state_of kept)" created
    equal "$(bulkhead images -q | wc -l)" 1
    bulkhead rm kept
}
stopped_in_order() {
    local pid
    pid=$(pid_of long)
    engine_halt "$ENGINE"
    kill -0 "$pid"
    system_restart
    equal "$(pid_of long)" "$pid"
}
# The log's file counts for no helper's own limit of file sizes, the smallest of which is a mebibyte.
large_log() {
    local before
    engine_halt "$ENGINE"
    yes 'a line of a log that nobody has rotated for a long time' | head -c 3000000 >>"$ENGINE/engine.log"
    system_restart
    bulkhead run --rm "$IMAGE" true
    exits 1 bulkhead pull 127.0.0.1:9/none
    matches "$(cat "$WORK/err")" '127\.0\.0\.1:9'
    eventually grep -aq 'service=fetcher .*request failed' "$ENGINE/engine.log"
    equal "$(bulkhead privileges --format json | python3 -c 'import json, sys; print(sum(row["restarts"] for row in json.load(sys.stdin)))')" 0 "helpers that were started again"
}
monitor_dies() {
    bulkhead run -d --name alone --network none "$IMAGE" sleep 1000
    local parent
    parent=$(ps -o ppid= -p "$(pid_of alone)" | tr -d ' ')
    matches "$(tr '\0' ' ' <"/proc/$parent/cmdline")" monitor
    kill -KILL "$parent"
    eventually is_state alone exited
    bulkhead rm alone
    equal "$(state_of long)" running
}

check "a container is started" start_long
for role in api engine store fetcher dialer extractor policyd executor netd; do
    check "kill -9 of the $role: the container runs on, service resumes" survives $role
done
check "a question asked while the engine is away is answered" waits_for_the_engine
check "its log has every line once, in order" log_has_no_gap
check "kill -9 of the supervisor: adopted by the next" supervisor_dies
check "an end that nobody saw has its exit code and log" ends_while_nobody_looks
check "what was acknowledged is there after kill -9" acknowledged_is_kept
check "an ordinary stop leaves containers alone" stopped_in_order
check "a large log ends nobody, and goes on" large_log
check "a monitor's death is one container's end" monitor_dies
check "the log is whole still" log_has_no_gap
check "it can be stopped" bulkhead rm -f long
check "nothing is left behind" nothing_left
