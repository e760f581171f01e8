#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Containers that take all they can get, within the limits that a careful host sets them: a neighbour goes on meanwhile. Its `exec` is
# answered, and what runs in it is scheduled, within a bound that is generous on purpose: a hog that is not held makes it minutes.
source "$(dirname "$0")/../lib/system.sh"
source "$(dirname "$0")/lib/attack.sh"

gcc -std=gnu17 -D_GNU_SOURCE -Wall -Wextra -Werror -O1 -static -pthread -o "$WORK/hog" "$ATTACK/hog.c" || { echo "not ok - the hog can be compiled"; exit 1; }
attack_start
escape_image "$WORK/hog" || { echo "not ok - the image can be made"; exit 1; }
clean_up_images() { rm_containers; }
stored >"$WORK/stored"

BOUND_MS=3000
SECONDS_EACH=1
LIMITS=(--memory 64m --memory-swap 64m --pids-limit 100 --cpus 0.5 --ulimit nofile=1024 --storage-opt size=32m --log-opt max-size=1m --log-opt max-file=2)

# The neighbour writes the time, in 1/100 s, again and again; the longest pause between two lines is how long it was kept waiting.
neighbour_starts() {
    bulkhead run -d --name neighbour --network none --log-opt max-size=1m busybox sh -c 'while :; do read up rest </proc/uptime; echo $up; usleep 50000; done' >/dev/null
}
neighbour_fares() {
    python3 "$ATTACK/latency.py" "$SECONDS_EACH" $BOUND_MS timeout 60 bulkhead exec neighbour true
    bulkhead logs neighbour | awk -v bound=$BOUND_MS '{ if (NR > 1 && $1 - last > longest) longest = $1 - last; last = $1 }
        END { print "longest pause:", longest * 1000, "ms"; exit !(NR > 10 && longest * 1000 < bound) }'
}
# hogs_alone NAME WANTED [OPTION...] : the hog is what ends or is refused, if any; the neighbour and the engine fare well, and it can be removed
hogs_alone() {
    local name=$1 wanted=$2
    shift 2
    neighbour_starts
    bulkhead run -d --name hog --network none "${LIMITS[@]}" "$@" attack:escape /escape "$name" >/dev/null
    neighbour_fares
    [ -z "$wanted" ] || eventually says "$wanted"
    time_of 10 bulkhead rm -f hog
    is_state neighbour running
}
says() { { bulkhead logs hog 2>&1; bulkhead inspect -f '{{.State.Status}} {{.State.ExitCode}} {{.State.OOMKilled}}' hog; } | grep -Eq "$1"; }
time_of() { # SECONDS COMMAND...
    local limit=$1 begin=$SECONDS
    shift
    "$@" >/dev/null
    [ $((SECONDS - begin)) -le "$limit" ] || { echo "$* took $((SECONDS - begin)) s"; return 1; }
}
# the container's log lies in so many bytes of files
log_bytes() { find "$ENGINE/state" -name '*.log*' -path "*$(bulkhead inspect -f '{{.Id}}' "$1")*" -printf '%s\n' | awk '{ s += $1 } END { print s + 0 }'; }
floods_its_log() { # OPTION... -- FUNCTION...
    local options=()
    while [ "$1" != -- ]; do
        options+=("$1")
        shift
    done
    shift
    neighbour_starts
    bulkhead run -d --name hog --network none "${LIMITS[@]}" "${options[@]}" busybox sh -c 'yes "a line of a flood, sixty-four bytes long with its new line, yes?"' >/dev/null
    "$@"
    neighbour_fares
    [ "$(log_bytes hog)" -gt 0 ] && [ "$(log_bytes hog)" -le $((3 << 20)) ] || { echo "the log is $(log_bytes hog) bytes"; return 1; }
    time_of 10 bulkhead rm -f hog
}
# a client that asks for all and takes nothing
never_reads() { # TARGET METHOD
    python3 - "$SOCKET" "$1" "$2" "$WORK/blocked" <<'END' &
import socket, sys, time
peers = []
for _ in range(3):
    peer = socket.socket(socket.AF_UNIX)
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    peer.connect(sys.argv[1])
    peer.sendall(f"{sys.argv[3]} {sys.argv[2]} HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n".encode())
    peers.append(peer)
open(sys.argv[4], "w").close()
time.sleep(20)
END
    echo $! >"$WORK/reader"
    eventually test -e "$WORK/blocked"
}
with_reader() {
    local status
    rm -f "$WORK/blocked"
    whole status floods_its_log -- never_reads "$@"
    kill "$(cat "$WORK/reader")"
    return $status
}
exec_floods() {
    neighbour_starts
    bulkhead run -d --name hog --network none "${LIMITS[@]}" busybox sleep 1000 >/dev/null
    bulkhead exec hog yes >/dev/null & # one client that takes all of it
    bulkhead exec hog yes | sleep 20 & # and one that takes nothing
    bulkhead exec -d hog yes
    neighbour_fares
    time_of 10 bulkhead rm -f hog
}
health_check_floods() {
    neighbour_starts
    bulkhead run -d --name hog --network none "${LIMITS[@]}" --health-cmd yes --health-interval 200ms --health-timeout 300ms busybox sleep 1000 >/dev/null
    neighbour_fares
    time_of 10 bulkhead rm -f hog
}
ignores_every_signal() {
    neighbour_starts
    bulkhead run -d --name hog --network none "${LIMITS[@]}" --init busybox sh -c 'trap "" TERM INT HUP QUIT USR1 USR2 CHLD; while :; do sleep 1 & done' >/dev/null
    neighbour_fares
    time_of 15 bulkhead stop -t 1 hog
}
restarts_without_end() { # held by the back-off
    neighbour_starts
    bulkhead run -d --name hog --network none "${LIMITS[@]}" --restart always busybox false >/dev/null
    neighbour_fares
    time_of 10 bulkhead rm -f hog
}

class "hogs"
attack "a fork bomb" hogs_alone fork ""
attack "threads" hogs_alone threads "threads: [0-9]{1,2}, then"
attack "memory: only the hog is killed" hogs_alone memory "exited 137 true"
attack "memory of a segment of System V" hogs_alone shared "exited 137 true"
attack "memory of memfds" hogs_alone files "files: |exited 137"
attack "memory of pipes" hogs_alone pipes "pipes: |exited 137"
attack "memory of sockets" hogs_alone sockets "sockets: |exited 137"
attack "inotify" hogs_alone inotify "inotify: "
attack "epoll" hogs_alone epoll "epoll: "
attack "queues of messages" hogs_alone queues "queues: |exited 137"
attack "the processor" hogs_alone processor "processor: 8"
attack "a disk that fills" hogs_alone bytes "bytes: [0-9]+, then No space left"
attack "inodes" hogs_alone names "names: [0-9]+, then No space left"
attack "folders in folders" hogs_alone deep "deep: [0-9]+, then"
attack "a file written through without end" hogs_alone dirty ""
attack "zombies" hogs_alone zombies "zombies: [0-9]{1,2}, then"
attack "signals to itself" hogs_alone signals ""
attack "timers" hogs_alone sleepers "sleepers: "
attack "memory of /dev/shm" hogs_alone bytes "exited 137 true" --shm-size 1g -e HOG_FILE=/dev/shm/bytes
attack "a log without end" floods_its_log -- true
attack "a log without end, of driver local" floods_its_log --log-driver local -- true
attack "a log without end, and followers that never read" with_reader "/containers/hog/logs?follow=1&stdout=1" GET
attack "a log without end, and attached clients that never read" with_reader "/containers/hog/attach?stream=1&stdout=1&logs=1" POST
attack "an exec that prints without end" exec_floods
attack "a health check that prints without end" health_check_floods
attack "a container that ignores all signals" ignores_every_signal
attack "a container that ends at once, and starts again" restarts_without_end
