#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Running a container, with bulkhead and with docker: streams, exit codes, and every option of `run`.
# sanitize
source "$(dirname "$0")/../lib/system.sh"
system_start
system_load

output_is() { # WANTED COMMAND...
    local want=$1
    shift
    equal "$("$@")" "$want" "$*"
}

says_hello() { output_is "hello" run_in -- echo hello; }
streams_are_apart() {
    run_in -- sh -c 'echo out; echo err >&2' >"$WORK/o" 2>"$WORK/e"
    equal "$(cat "$WORK/o")/$(cat "$WORK/e")" "out/err"
}
exit_code() { exits "$1" run_in -- sh -c "exit $1"; }
killed_by_signal() { exits 137 run_in -- sh -c 'sh -c "kill -9 \$\$"; exit $?'; }
not_found() { exits 127 run_in -- /no/such/program && matches "$(cat "$WORK/err")" "no such file or directory|not found"; }
not_found_in_path() { exits 127 run_in -- nosuchprogram && matches "$(cat "$WORK/err")" 'executable file not found'; }
not_executable() { exits 126 run_in -- /etc/passwd && matches "$(cat "$WORK/err")" "permission denied"; }
a_folder() { exits 126 run_in -- /etc; }
bad_flag() { exits 125 $client run --no-such-flag "$IMAGE" && matches "$(cat "$WORK/err")" "unknown flag: --no-such-flag"; }
bad_value() { exits 125 $client run --rm --network none "$@" "$IMAGE" true; }
hundred_megabytes() {
    head -c 100000000 /dev/urandom >"$WORK/random"
    equal "$(run_in -i -- cat <"$WORK/random" | sha256sum)" "$(sha256sum <"$WORK/random")" "sha256"
}
stdin_ends() { output_is 3 run_in -i -- wc -l <<<$'a\nb\nc'; }
no_stdin_without_i() { output_is 0 run_in -- wc -c <<<ignored; }
signals_are_untouched() {
    output_is "0000000000000000 0000000000000000" run_in "$@" -- sh -c 'echo $(grep -E "Sig(Blk|Ign)" /proc/self/status | cut -f2)'
}
many_lines_in_order() {
    run_in -- sh -c 'i=0; while [ $i -lt 20000 ]; do echo $i; i=$((i+1)); done' >"$WORK/lines"
    cmp "$WORK/lines" <(seq 0 19999)
}
terminate() {
    $client run --rm --network none "$IMAGE" sh -c 'trap "exit 42" TERM; echo ready; while :; do sleep 0.05; done' >"$WORK/ready" &
    local pid=$! status=0
    eventually grep -q ready "$WORK/ready"
    kill -TERM $pid
    wait $pid || status=$?
    equal "$status" 42 "exit status after TERM"
}

env_option() { output_is "1 two words" run_in -e A=1 -e "B=two words" -- sh -c 'echo "$A $B"'; }
env_from_ours() { A_TEST=7 output_is 7 run_in -e A_TEST -- sh -c 'echo $A_TEST'; }
env_file() {
    printf '# comment\nX=from file\nY="q"\n' >"$WORK/env"
    output_is 'from file/"q"' run_in --env-file "$WORK/env" -- sh -c 'echo "$X/$Y"'
}
workdir() { output_is /tmp run_in -w /tmp -- pwd; }
workdir_is_made() { output_is /made/here run_in -w /made/here -- pwd; }
user_number() { output_is "1234:55" run_in -u 1234:55 -- sh -c 'echo $(id -u):$(id -g)'; }
user_name() { output_is "33:33:33 50" run_in -u www-data -- sh -c 'echo $(id -u):$(id -g):$(id -G)'; }
user_unknown() { exits 125 run_in -u nobody-here -- true || exits 126 run_in -u nobody-here -- true; }
entrypoint() { output_is "x y" run_in --entrypoint echo -- x y; }
host_name() { output_is "ship/ship" run_in --hostname ship -- sh -c 'echo $(hostname)/$(cat /etc/hostname)'; }
hosts_file() { run_in -- grep -q '^127.0.0.1.*localhost' /etc/hosts && run_in --add-host far:192.0.2.1 -- grep -q '^192.0.2.1.*far' /etc/hosts; }
labels() {
    $client create --name "l-$client" --network none --label a=1 --label b "$IMAGE" true
    output_is '{"a":"1","b":""}' $client inspect -f '{{json .Config.Labels}}' "l-$client"
    $client rm "l-$client"
}
bind_mount() {
    mkdir -p "$WORK/bind"
    echo inside >"$WORK/bind/file"
    output_is inside run_in -v "$WORK/bind:/mnt" -- cat /mnt/file
    run_in -v "$WORK/bind:/mnt" -- sh -c 'echo written > /mnt/by-root'
    equal "$(cat "$WORK/bind/by-root"):$(stat -c %u:%g "$WORK/bind/by-root")" "written:0:0"
}
bind_read_only() { ! run_in -v "$WORK/bind:/mnt:ro" -- sh -c 'echo x > /mnt/no' && [ ! -e "$WORK/bind/no" ]; }
bind_missing_source() { run_in -v "$WORK/fresh-$client:/mnt" -- test -d /mnt && [ -d "$WORK/fresh-$client" ]; }
tmpfs() { run_in --tmpfs /scratch:size=1m -- sh -c 'grep " /scratch tmpfs" /proc/mounts && ! dd if=/dev/zero of=/scratch/x bs=1M count=2 2>/dev/null'; }
read_only() {
    run_in --read-only -- sh -c '! touch /file 2>/dev/null'
    run_in -- touch /file
    run_in --read-only -- sh -c 'for file in hosts hostname resolv.conf; do ! echo x 2>/dev/null >>/etc/$file || exit 1; done'
    run_in -- sh -c 'echo x >>/etc/hosts'
}
network_none() { output_is lo run_in -- sh -c 'ls /sys/class/net | tr "\n" " " | sed "s/ $//"'; }
network_host() { equal "$($client run --rm --network host "$IMAGE" cat /proc/net/dev | grep -c :)" "$(grep -c : /proc/net/dev)"; }
memory_limit() { run_in --memory 64m -- sh -c 'cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null | grep -qx 67108864'; }
memory_is_enforced() { exits 137 run_in --memory 16m --memory-swap 16m -- sh -c 'exec dd if=/dev/zero of=/dev/null bs=256M count=1'; }
cpu_limit() { run_in --cpus 0.5 -- sh -c '{ cat /sys/fs/cgroup/cpu.max; cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us; } 2>/dev/null | grep -q "^50000"'; }
pids_limit() { ! run_in --pids-limit 8 -- sh -c 'for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 1 & done; wait' 2>/dev/null; }
capability_mask() { run_in "$@" -- sed -n 's/^CapBnd:[[:space:]]*//p' /proc/self/status; }
cap_default() { equal "$(capability_mask)" 00000000a80425fb "default capabilities"; }
cap_drop() { equal "$(capability_mask --cap-drop ALL)" 0000000000000000; }
cap_add() { equal "$(capability_mask --cap-drop ALL --cap-add NET_ADMIN)" 0000000000001000; }
ulimit_option() { output_is "100 200" run_in --ulimit nofile=100:200 -- sh -c 'echo $(ulimit -Sn) $(ulimit -Hn)'; }
no_new_privileges() { output_is 1 run_in --security-opt no-new-privileges -- sed -n 's/^NoNewPrivs:[[:space:]]*//p' /proc/self/status; }
seccomp_default() { output_is 2 run_in -- sed -n 's/^Seccomp:[[:space:]]*//p' /proc/self/status; }
stop_signal() {
    $client run -d --name "s-$client" --network none --stop-signal USR1 "$IMAGE" sh -c 'trap "exit 9" USR1; touch /ready; while :; do sleep 0.05; done'
    sleep 0.3
    $client stop -t 10 "s-$client"
    output_is 9 $client inspect -f '{{.State.ExitCode}}' "s-$client"
    $client rm "s-$client"
}
failure_is_said_once() { # and not by who waits for its end as well
    exits 127 docker run --rm --network none "$IMAGE" nosuchprogram
    ! grep 'Error waiting' "$WORK/err" || return 1
    exits 127 docker run --name failed --network none "$IMAGE" nosuchprogram
    bulkhead rm failed
    ! grep 'Error waiting' "$WORK/err"
}
pull_never() { exits 125 $client run --rm --network none --pull never nosuchimage:here true; }
detached() {
    local id
    id=$($client run -d --network none --name "d-$client" "$IMAGE" sh -c 'echo in the log; exit 3')
    matches "$id" '^[0-9a-f]{64}$'
    output_is 3 $client wait "d-$client"
    output_is "in the log" $client logs "d-$client"
    $client rm "d-$client"
}
removed_at_its_end() {
    $client run --rm --network none --name "gone-$client" "$IMAGE" true
    ! $client inspect "gone-$client"
}
terminal() {
    matches "$(script -qec "$client run --rm -t --network none $IMAGE tty" /dev/null </dev/null)" '/dev/(pts/[0-9]+|console)'
}

for client in $CLIENTS; do
    check "$client: no signal is ignored or blocked" signals_are_untouched
    check "$client: no signal is ignored or blocked below an init" signals_are_untouched --init
    check "$client: run prints what the program prints" says_hello
    check "$client: stdout and stderr stay apart" streams_are_apart
    for code in 0 1 7 125 255; do
        check "$client: exit code $code" exit_code $code
    done
    check "$client: 128+n for a signal" killed_by_signal
    check "$client: 127 for a program that does not exist" not_found
    check "$client: 127 for one that is not in PATH" not_found_in_path
    check "$client: 126 for one that cannot be executed" not_executable
    check "$client: 126 for a folder" a_folder
    check "$client: 125 for an unknown flag" bad_flag
    check "$client: 125 for a wrong memory limit" bad_value --memory lots
    check "$client: 125 for a wrong ulimit" bad_value --ulimit nofile=x
    check "$client: 125 for a wrong capability" bad_value --cap-add NO_SUCH
    check "$client: 125 for a relative mount target" bad_value -v /tmp:relative
    check "$client: 125 for a wrong user" user_unknown
    check "$client: 100 MB through stdin and stdout" hundred_megabytes
    check "$client: the end of stdin arrives" stdin_ends
    check "$client: without -i stdin is empty" no_stdin_without_i
    check "$client: 20,000 lines in order" many_lines_in_order
    check "$client: TERM goes to the container" terminate
    check "$client: a terminal" terminal
    check "$client: -e" env_option
    check "$client: -e NAME takes ours" env_from_ours
    check "$client: --env-file" env_file
    check "$client: -w" workdir
    check "$client: -w makes the folder" workdir_is_made
    check "$client: -u by number" user_number
    check "$client: -u by name, with its groups" user_name
    check "$client: --entrypoint" entrypoint
    check "$client: --hostname" host_name
    check "$client: /etc/hosts and --add-host" hosts_file
    check "$client: --label" labels
    check "$client: -v, and root's files belong to the tenant" bind_mount
    check "$client: -v :ro" bind_read_only
    check "$client: -v makes a missing source" bind_missing_source
    check "$client: --tmpfs with its size" tmpfs
    check "$client: --read-only" read_only
    check "$client: --network none has loopback only" network_none
    check "$client: --network host" network_host
    check "$client: --memory is set" memory_limit
    check "$client: --memory is enforced" memory_is_enforced
    check "$client: --cpus" cpu_limit
    check "$client: --pids-limit" pids_limit
    check "$client: fourteen capabilities by default" cap_default
    check "$client: --cap-drop ALL" cap_drop
    check "$client: --cap-add" cap_add
    check "$client: --ulimit" ulimit_option
    check "$client: --security-opt no-new-privileges" no_new_privileges
    check "$client: seccomp is on" seccomp_default
    check "$client: --stop-signal" stop_signal
    check "$client: --pull never" pull_never
    check "$client: -d, wait and logs" detached
    check "$client: --rm leaves nothing" removed_at_its_end
done
check "docker: a start that fails is told once" failure_is_said_once
check "nothing is left behind" nothing_left
