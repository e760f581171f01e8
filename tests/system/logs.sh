#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Logs: every driver and its options, all forms of `logs`, rotation, followers that outlive the engine or never read.
# sanitize

# A private /run, so that there is a journal where the engine looks for one.
[ -n "${PRIVATE_RUN:-}" ] || PRIVATE_RUN=yes exec unshare --mount -- bash "$0" "$@"
mount -t tmpfs -o mode=0755 tmpfs /run
source "$(dirname "$0")/../lib/system.sh"
system_start
system_load

# said NAME OPTION... -- COMMAND... : runs a container to its end and keeps it
said() {
    local name=$1 options=()
    shift
    while [ "$1" != -- ]; do
        options+=("$1")
        shift
    done
    shift
    $client run --name "$name" --network none "${options[@]}" "$IMAGE" "$@" >/dev/null 2>&1
}
gone() { $client rm -f "$@" >/dev/null; }

drivers_keep_both_streams() { # DRIVER
    said both --log-driver "$1" -- sh -c 'echo out; echo err >&2; printf "no end"'
    equal "$($client logs both 2>/dev/null)" "$(printf 'out\nno end')" stdout
    equal "$($client logs both 2>&1 >/dev/null)" err stderr
    equal "$(bulkhead inspect -f '{{.HostConfig.LogConfig.Type}}' both)" "$1"
    gone both
}
local_keeps_bytes() {
    said bytes --log-driver local -- printf 'a\377\000b<\n'
    equal "$($client logs bytes | od -An -tx1 | tr -d ' ')" 61ff00623c0a
    gone bytes
}
long_lines_stay_whole() { # DRIVER
    said long --log-driver "$1" -- sh -c 'head -c 100000 /dev/zero | tr "\0" x; echo'
    equal "$($client logs long | wc -c)" 100001
    gone long
}
none_has_none() {
    said silent --log-driver none -- echo hello
    ! $client logs silent >"$WORK/none" 2>&1 || return 1
    matches "$(cat "$WORK/none")" "configured logging driver does not support reading"
    gone silent
}
tail_and_times() { # DRIVER
    said lines --log-driver "$1" -- seq 1 1000
    equal "$($client logs --tail 3 lines | tr '\n' ' ')" "998 999 1000 "
    equal "$($client logs --tail 0 lines)" ""
    equal "$($client logs -n all lines | wc -l)" 1000
    matches "$($client logs -t --tail 1 lines)" '^20[0-9-]+T[0-9:]+\.[0-9]{9}Z 1000$'
    equal "$($client logs --since 1h lines | wc -l)" 1000
    equal "$($client logs --until 1h lines | wc -l)" 0
    equal "$($client logs --since 2099-01-01T00:00:00 lines | wc -l)" 0
    gone lines
}
rotates() { # DRIVER
    said many --log-driver "$1" --log-opt max-size=20k --log-opt max-file=3 -- seq 1 20000
    $client logs many >"$WORK/many"
    equal "$(tail -n 1 "$WORK/many")" 20000
    [ "$(wc -l <"$WORK/many")" -lt 5000 ]
    # one run of numbers without a hole
    equal "$(cat "$WORK/many")" "$(seq "$(head -n 1 "$WORK/many")" 20000)" "what rotation left"
    local folder
    folder=$ENGINE/state/logs/$(bulkhead inspect -f '{{.Id}}' many)
    equal "$(ls "$folder" | grep -c '^container.log')" 3 "files"
    [ "$(du -sk "$folder" | cut -f1)" -lt 100 ]
    gone many
}
many_files() { # as much is kept in fewer
    said many --log-opt max-size=1k --log-opt max-file=28 -- seq 1 20000
    $client logs many >"$WORK/many"
    equal "$(cat "$WORK/many")" "$(seq "$(head -n 1 "$WORK/many")" 20000)"
    [ "$(wc -c <"$WORK/many")" -gt 1000 ]
    equal "$($client inspect -f '{{index .HostConfig.LogConfig.Config "max-file"}}' many)" 28
    equal "$(ls "$ENGINE/state/logs/$(bulkhead inspect -f '{{.Id}}' many)" | grep -c '^container.log')" 14
    gone many
}
compresses() { # DRIVER OPTION...
    local driver=$1 folder
    shift
    $client run -d --name packed --network none --log-driver "$driver" --log-opt max-size=20k --log-opt max-file=4 "$@" "$IMAGE" \
        sh -c 'seq 1 20000; exec sleep 1000' >/dev/null
    folder=$ENGINE/state/logs/$(bulkhead inspect -f '{{.Id}}' packed)
    eventually all_packed "$folder"
    equal "$(ls "$folder" | grep -v exit | tr '\n' ' ')" "container.log container.log.1.gz container.log.2.gz container.log.3.gz "
    gunzip -t "$folder"/*.gz
    $client logs packed >"$WORK/many"
    equal "$(tail -n 1 "$WORK/many")" 20000
    equal "$(cat "$WORK/many")" "$(seq "$(head -n 1 "$WORK/many")" 20000)" "what is there without a hole"
    [ "$(wc -l <"$WORK/many")" -gt 800 ]
    equal "$($client logs --tail 700 packed)" "$(seq 19301 20000)" "the last 700"
    [ "$($client logs -t packed | wc -l)" = "$(wc -l <"$WORK/many")" ]
    gone packed
}
# with nothing more to come
all_packed() { [ "$(bulkhead logs --tail 1 packed)" = 20000 ] && [ -e "$1/container.log.3.gz" ] && ! ls "$1" | grep -q 'container.log.[0-9]$' && [ ! -e "$1/packed.new" ]; }
# what stays plain when the container ends is compressed in its next run
compresses_in_the_next_run() {
    local folder
    said again --log-opt max-size=20k --log-opt max-file=3 --log-opt compress=true -- sh -c '[ -e /once ] && exec sleep 1000; touch /once; seq 1 20000'
    folder=$ENGINE/state/logs/$(bulkhead inspect -f '{{.Id}}' again)
    equal "$(ls "$folder" | grep -c '^container.log')" 3 "files"
    bulkhead start again
    eventually test -e "$folder/container.log.2.gz" -a -e "$folder/container.log.1.gz" -a ! -e "$folder/container.log.1"
    equal "$(docker logs --tail 500 again)" "$(seq 19501 20000)"
    gone again
}
not_compressed() { # OPTION...
    said plain "$@" --log-opt max-size=20k --log-opt max-file=3 -- sh -c 'seq 1 20000; sleep 0.3; seq 1 20000; sleep 0.3'
    ! ls "$ENGINE/state/logs/$(bulkhead inspect -f '{{.Id}}' plain)" | grep gz || return 1
    gone plain
}
# What is written goes on when what was written has been read: a follower who is later than all files together would miss some.
follows_across_rotation() { # DRIVER OPTION...
    local driver=$1 step
    shift
    $client run -d --name rotated --network none --log-driver "$driver" --log-opt max-size=20k --log-opt max-file=4 "$@" "$IMAGE" \
        sh -c 'seq 1 500; while [ ! -e /go ]; do sleep 0.02; done; i=500; while [ $i -lt 8000 ]; do i=$((i+1)); echo $i; [ $((i % 500)) != 0 ] || while [ ! -e /go.$i ]; do sleep 0.01; done; done' >/dev/null
    $client logs -f rotated >"$WORK/followed" &
    local follower=$!
    eventually grep -q '^500$' "$WORK/followed"
    touch "$WORK/empty"
    nsenter_touch rotated /go
    for step in $(seq 1000 500 8000); do
        eventually grep -q "^$step\$" "$WORK/followed"
        nsenter_touch rotated "/go.$step"
    done
    wait $follower
    cmp "$WORK/followed" <(seq 1 8000)
    gone rotated
}
# a file made inside a running container, through its root as the kernel shows it
nsenter_touch() { touch "/proc/$(bulkhead inspect -f '{{.State.Pid}}' "$1")/root$2"; }
follows_through_the_engines_death() {
    $client run -d --name survivor --network none --log-opt max-size=20k --log-opt max-file=3 "$IMAGE" \
        sh -c 'echo 0; while [ ! -e /go ]; do sleep 0.02; done; seq 1 3000' >/dev/null
    $client logs -f survivor >"$WORK/survivor" &
    local follower=$! engine
    eventually grep -q '^0$' "$WORK/survivor"
    engine=$(helper_pid engine)
    nsenter_touch survivor /go
    kill -9 "$engine"
    wait $follower
    equal "$(tail -n 1 "$WORK/survivor")" 3000 "the last line"
    eventually restarted engine "$engine"
    gone survivor
}
a_follower_that_never_reads() {
    # the follower's connection is full at once; the container must come to its end all the same
    $client run -d --name chatty --network none --log-opt max-size=1m "$IMAGE" \
        sh -c 'while [ ! -e /go ]; do sleep 0.02; done; seq 1 400000' >/dev/null
    python3 - "$SOCKET" >/dev/null <<'END' &
import socket, sys, time
s = socket.socket(socket.AF_UNIX); s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1); s.connect(sys.argv[1])
s.sendall(b"GET /v1.41/containers/chatty/logs?follow=1&stdout=1 HTTP/1.1\r\nHost: x\r\n\r\n")
time.sleep(60)
END
    local stuck=$!
    nsenter_touch chatty /go
    equal "$(timeout 30 $client wait chatty)" 0 "exit code"
    kill $stuck
    gone chatty
}
details() {
    said detailed --log-opt labels=team,none --log-opt env=STAGE --label team=a,b -e STAGE=x\ y -- echo hello
    equal "$($client logs --details detailed)" "STAGE=x+y,team=a%2Cb hello"
    gone detailed
    said detailed --log-opt 'labels-regex=^te' --log-opt 'env-regex=^(STAGE|X)' --label team=a --label late=b -e STAGE=x -e X_Y=2 -e Y_X=3 -- echo hello
    equal "$($client logs --details detailed)" "STAGE=x,X_Y=2,team=a hello"
    gone detailed
}
refused() { # PATTERN OPTION...
    local pattern=$1
    shift
    ! $client create --network none "$@" "$IMAGE" true >"$WORK/refused" 2>&1 || return 1
    matches "$(cat "$WORK/refused")" "$pattern"
    equal "$(bulkhead ps -aq --filter ancestor="$IMAGE")" "" containers
}
has_lines() { [ "$(wc -l <"$2")" = "$1" ]; }
journal() {
    mkdir -p /run/systemd/journal
    : >"$WORK/journal"
    python3 "$TESTS/lib/journal.py" /run/systemd/journal/socket "$WORK/journal" &
    local server=$!
    trap "kill $server 2>/dev/null || true" EXIT # also if the check fails
    eventually test -S /run/systemd/journal/socket
    said journaled --log-driver journald --log-opt 'tag={{.Name}}!' --log-opt labels=team.x --label team.x=1 -- \
        sh -c 'echo hello; echo oops >&2; echo PRIORITY=0'
    eventually has_lines 3 "$WORK/journal"
    python3 - "$WORK/journal" "$(bulkhead inspect -f '{{.Id}}' journaled)" <<'END'
import json, sys
hello, oops, forged = sorted((json.loads(line) for line in open(sys.argv[1])), key=lambda e: "hoP".index(e["MESSAGE"][0]))
assert hello["MESSAGE"] == "hello" and hello["PRIORITY"] == "6", hello
assert oops["MESSAGE"] == "oops" and oops["PRIORITY"] == "3", oops
assert forged["MESSAGE"] == "PRIORITY=0" and forged["PRIORITY"] == "6", forged
assert hello["CONTAINER_NAME"] == "journaled" and hello["CONTAINER_ID_FULL"] == sys.argv[2], hello
assert hello["CONTAINER_ID"] == sys.argv[2][:12] and hello["CONTAINER_TAG"] == "journaled!" == hello["SYSLOG_IDENTIFIER"], hello
assert hello["TEAM_X"] == "1", hello
END
    kill $server
    equal "$($client logs journaled 2>/dev/null | tr '\n' ' ')" "hello PRIORITY=0 "
    rm -r /run/systemd/journal
    gone journaled
}
no_journal() {
    ! $client run --network none --rm --log-driver journald "$IMAGE" true >"$WORK/refused" 2>&1 || return 1
    matches "$(cat "$WORK/refused")" "journald is not enabled on this host"
}

for client in $CLIENTS; do
    for driver in json-file local; do
        check "$client: $driver keeps both streams" drivers_keep_both_streams $driver
        check "$client: $driver keeps a long line whole" long_lines_stay_whole $driver
        check "$client: --tail, --since, --until and --timestamps with $driver" tail_and_times $driver
        check "$client: $driver rotates by max-size and max-file" rotates $driver
        check "$client: logs -f goes on across rotations of $driver" follows_across_rotation $driver
    done
    check "$client: local compresses what it rotates" compresses local
    check "$client: json-file does so if it is told to" compresses json-file --log-opt compress=true
    check "$client: logs -f goes on across rotations that are compressed" follows_across_rotation json-file --log-opt compress=true
    check "$client: local keeps every byte" local_keeps_bytes
    check "$client: none keeps nothing and says so" none_has_none
    check "$client: journald gets every line with its fields, none of them forged; logs still reads" journal
    check "$client: without a journal the start says so" no_journal
    check "$client: an unknown driver" refused "no log driver named 'nosuch' is registered" --log-driver nosuch
    check "$client: an unknown option" refused "unknown log opt 'x' for json-file log driver" --log-opt x=1
    check "$client: an option of another driver" refused "unknown log opt 'tag' for local log driver" --log-driver local --log-opt tag=x
    check "$client: a size that is none" refused 'max-size="zz"' --log-opt max-size=zz
    check "$client: many files" many_files
    check "$client: no file at all" refused 'max-file="0"' --log-opt max-file=0
    check "$client: nothing to compress" refused 'compress cannot be true when max-file is less than 2 or max-size is not set' --log-opt compress=true
    check "$client: a pattern that is none" refused 'env-regex.* is no regular expression' --log-opt 'env-regex=('
    check "$client: a mode that is none" refused 'logging mode not supported: foo' --log-opt mode=foo
    check "$client: a tag that means nothing" refused 'what stands in braces must be' --log-opt 'tag={{.Foo}}'
done
client=docker
check "labels and variables beside each line with --details" details
check "what a container leaves uncompressed is compressed when it runs again" compresses_in_the_next_run
check "json-file compresses nothing by itself" not_compressed
check "local neither with compress=false" not_compressed --log-driver local --log-opt compress=false
check "logs -f outlives the engine" follows_through_the_engines_death
check "a follower that never reads holds nobody up" a_follower_that_never_reads
check "nothing is left" nothing_left
