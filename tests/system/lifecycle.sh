#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The life of containers, with bulkhead and with docker: create, start, stop, kill, wait, ps, inspect, logs, rm.
# sanitize
source "$(dirname "$0")/../lib/system.sh"
system_start
system_load

LOOP='trap "exit 0" TERM; while :; do sleep 0.05; done'

created_then_started() {
    $client create --name "c-$client" --network none "$IMAGE" sh -c 'echo started; exit 4'
    equal "$(state_of "c-$client")" created
    equal "$($client start "c-$client")" "c-$client"
    equal "$($client wait "c-$client")" 4
    equal "$(state_of "c-$client")" exited
    $client start -a "c-$client" && return 1
    equal "$?" 4 "exit status of start -a"
    equal "$($client logs "c-$client")" $'started\nstarted'
    equal "$($client rm "c-$client")" "c-$client"
    ! $client inspect "c-$client"
}
name_is_taken() {
    $client create --name "n-$client" --network none "$IMAGE" true
    exits 1 $client create --name "n-$client" --network none "$IMAGE" true
    matches "$(cat "$WORK/err")" "is already in use by container"
    $client rm "n-$client"
}
stops_by_term() {
    $client run -d --name "t-$client" --network none "$IMAGE" sh -c "$LOOP"
    sleep 0.3
    $client stop "t-$client"
    equal "$($client inspect -f '{{.State.ExitCode}}' "t-$client")" 0
    $client rm "t-$client"
}
stops_by_kill_after_the_time() {
    $client run -d --name "k-$client" --network none "$IMAGE" sh -c 'trap "" TERM; while :; do sleep 0.05; done'
    sleep 0.3
    $client stop -t 1 "k-$client"
    equal "$($client inspect -f '{{.State.ExitCode}} {{.State.Running}}' "k-$client")" "137 false"
    $client rm "k-$client"
}
kills() {
    $client run -d --name "k-$client" --network none "$IMAGE" sh -c 'trap "exit 10" USR2; while :; do sleep 0.05; done'
    sleep 0.3
    $client kill -s USR2 "k-$client"
    equal "$($client wait "k-$client")" 10
    exits 1 $client kill "k-$client"
    matches "$(cat "$WORK/err")" "is not running"
    $client rm "k-$client"
}
waits_for_the_end() {
    $client run -d --name "w-$client" --network none "$IMAGE" sh -c 'sleep 0.5; exit 6'
    equal "$($client wait "w-$client")" 6
    equal "$($client wait "w-$client")" 6 "a second time"
    $client rm "w-$client"
}
running_is_not_removed() {
    $client run -d --name "r-$client" --network none "$IMAGE" sh -c "$LOOP"
    exits 1 $client rm "r-$client"
    matches "$(cat "$WORK/err")" "running"
    equal "$($client rm -f "r-$client")" "r-$client"
}
by_prefix_and_name() {
    local id
    id=$($client create --name "p-$client" --network none "$IMAGE" true)
    equal "$($client inspect -f '{{.Id}}' "${id:0:8}")" "$id"
    equal "$($client inspect -f '{{.Name}}' "$id")" "/p-$client"
    $client rm "${id:0:12}"
}
renames() {
    $client create --name "old-$client" --network none "$IMAGE" true
    $client rename "old-$client" "new-$client"
    $client inspect "new-$client"
    $client rm "new-$client"
}
pauses() {
    $client run -d --name "f-$client" --network none "$IMAGE" sh -c "$LOOP"
    $client pause "f-$client"
    equal "$(state_of "f-$client")" paused
    $client unpause "f-$client"
    equal "$(state_of "f-$client")" running
    $client rm -f "f-$client"
}
unknown_container() {
    for verb in start stop kill wait rm logs inspect; do
        exits 1 $client $verb no-such-container
        [ "$client" = docker ] || one_line "$WORK/err" # docker start says it twice
        matches "$(cat "$WORK/err")" "[Nn]o such (container|object)"
    done
}
ps_table() {
    local id
    id=$($client run -d --name "ps-$client" --network none "$IMAGE" sleep 1000)
    matches "$($client ps | head -1)" '^CONTAINER ID +IMAGE +COMMAND +CREATED +STATUS +PORTS +NAMES$'
    matches "$($client ps | grep "ps-$client")" "^${id:0:12} +busybox +\"sleep 1000\" +.* ago +Up .* +ps-$client\$"
    equal "$($client ps -q --no-trunc)" "$id"
    equal "$($client ps --format '{{.ID}}|{{.Names}}|{{.State}}')" "${id:0:12}|ps-$client|running"
    equal "$($client ps --filter name=ps-$client --filter status=running -q)" "${id:0:12}"
    equal "$($client ps --filter name=other -q)" ""
    $client kill "ps-$client"
    $client wait "ps-$client"
    equal "$($client ps -q)" ""
    matches "$($client ps -a --format '{{.Status}}')" '^Exited \(137\)'
    equal "$($client ps -l -q)" "${id:0:12}"
    $client rm "ps-$client"
}
# without_old_fields : takes away what versions of the API before 1.45 had besides in images
without_old_fields() {
    python3 -c '
import json, sys
rows = json.load(sys.stdin)
for row in rows:
    row.pop("VirtualSize", None)
    if "ContainerConfig" in row:
        row.pop("Container", None)
print(json.dumps(rows, indent=4, ensure_ascii=False))'
}
clients_agree() {
    bulkhead create --name same --network none -e A=1 --label x=y -v /tmp:/mnt:ro --memory 64m "$IMAGE" echo hi
    diff <(bulkhead inspect same "$IMAGE") <(docker inspect same "$IMAGE" | without_old_fields)
    bulkhead ps -a >"$WORK/a"
    docker ps -a >"$WORK/b"
    diff "$WORK/a" "$WORK/b"
    bulkhead images >"$WORK/a"
    docker images >"$WORK/b"
    diff "$WORK/a" "$WORK/b"
    docker rm same
}
inspect_fields() {
    $client create --name "i-$client" --network none -e A=1 -w /tmp -u 5:6 --hostname h --label k=v --memory 64m \
        --cap-add NET_ADMIN --read-only "$IMAGE" echo hi
    equal "$($client inspect -f '{{.Config.Hostname}} {{.Config.User}} {{.Config.WorkingDir}} {{index .Config.Labels "k"}}' "i-$client")" "h 5:6 /tmp v"
    equal "$($client inspect -f '{{json .Config.Cmd}} {{.Path}} {{json .Args}}' "i-$client")" '["echo","hi"] echo ["hi"]'
    equal "$($client inspect -f '{{.HostConfig.Memory}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.NetworkMode}}' "i-$client")" "67108864 true none"
    equal "$($client inspect -f '{{.State.Status}} {{.State.Running}} {{.State.ExitCode}}' "i-$client")" "created false 0"
    $client inspect "i-$client" | python3 -c 'import json,sys; assert json.load(sys.stdin)[0]["Config"]["Image"] == "busybox"'
    $client rm "i-$client"
}

# ---- logs ------------------------------------------------------------------------------------------

logs_streams() {
    $client run -d --name "lg-$client" --network none "$IMAGE" sh -c 'for i in 1 2 3 4 5; do echo out$i; echo err$i >&2; sleep 0.02; done'
    $client wait "lg-$client"
    $client logs "lg-$client" >"$WORK/o" 2>"$WORK/e"
    equal "$(tr '\n' ' ' <"$WORK/o")" "out1 out2 out3 out4 out5 "
    equal "$(tr '\n' ' ' <"$WORK/e")" "err1 err2 err3 err4 err5 "
}
logs_tail() {
    equal "$($client logs --tail 2 "lg-$client" 2>&1 | sort | tr '\n' ' ')" "err5 out5 "
    equal "$($client logs --tail 0 "lg-$client" 2>&1)" ""
}
logs_timestamps() {
    matches "$($client logs -t --tail 1 "lg-$client" 2>&1)" '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{9}Z (out|err)5$'
}
logs_since() {
    equal "$($client logs --since 2100-01-01T00:00:00Z "lg-$client" 2>&1)" ""
    equal "$($client logs --since 1h "lg-$client" 2>/dev/null | wc -l)" 5
    equal "$($client logs --until 1h "lg-$client" 2>&1)" ""
    $client rm "lg-$client"
}
logs_follow() {
    $client run -d --name "lf-$client" --network none "$IMAGE" sh -c 'for i in 1 2 3 4 5 6; do echo line$i; sleep 0.1; done'
    equal "$(timeout 20 $client logs -f "lf-$client" | tr '\n' ' ')" "line1 line2 line3 line4 line5 line6 "
    $client rm "lf-$client"
}
logs_long_and_binary() {
    $client run --name "lb-$client" --network none "$IMAGE" sh -c 'head -c 300000 /dev/zero | tr "\0" x; echo; printf "\303\251\n"' >"$WORK/direct"
    $client logs "lb-$client" >"$WORK/logged"
    cmp "$WORK/direct" "$WORK/logged"
    $client rm "lb-$client"
}
attaches_later() {
    $client run -d --name "at-$client" --network none "$IMAGE" sh -c 'sleep 0.5; echo later; exit 5'
    local status=0
    timeout 20 $client attach --no-stdin "at-$client" >"$WORK/o" || status=$?
    equal "$(cat "$WORK/o") $status" "later 5"
    $client rm "at-$client"
}

for client in $CLIENTS; do
    check "$client: create, start, wait, start -a, rm" created_then_started
    check "$client: a name is given once" name_is_taken
    check "$client: stop sends TERM" stops_by_term
    check "$client: stop kills after its time" stops_by_kill_after_the_time
    check "$client: kill -s" kills
    check "$client: wait" waits_for_the_end
    check "$client: rm of a running one needs -f" running_is_not_removed
    check "$client: ids by prefix, names" by_prefix_and_name
    check "$client: rename" renames
    check "$client: pause and unpause" pauses
    check "$client: what does not exist" unknown_container
    check "$client: ps" ps_table
    check "$client: inspect" inspect_fields
    check "$client: logs keep the streams apart" logs_streams
    check "$client: logs --tail" logs_tail
    check "$client: logs -t" logs_timestamps
    check "$client: logs --since and --until" logs_since
    check "$client: logs -f ends with the container" logs_follow
    check "$client: logs of long and non-ASCII lines" logs_long_and_binary
    check "$client: attach" attaches_later
done
check "both clients show the same" clients_agree
check "nothing is left behind" nothing_left
