#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Limits of what a container's files and a volume may hold, on any file system: what does not fit is refused with ENOSPC, the limit holds
# over restarts of the container and of the engine, and no loop device is left.
source "$(dirname "$0")/../lib/system.sh"
system_start
system_load
client=docker

# loops : loop devices over files of this engine
loops() { losetup -nO BACK-FILE 2>/dev/null | grep -c "^$ENGINE/" || true; }
no_loops() { [ "$(loops)" = 0 ]; }
# fill FILE MEGABYTES... : says how much of it could be written
FILL='dd if=/dev/zero of=$0 bs=1M count=$1 2>/tmp/dd; grep -o "No space left on device" /tmp/dd; stat -c %s "$0"'

own_files_are_limited() {
    local text size
    text=$(run_in --storage-opt size=32m --tmpfs /tmp -- sh -c "$FILL" /file 100)
    matches "$text" "No space left on device"
    size=$(echo "$text" | tail -1)
    [ "$size" -gt $((20 << 20)) ]
    [ "$size" -le $((32 << 20)) ]
    run_in --storage-opt size=32m -- sh -c 'echo small >/file; cat /file; rm /bin/vi 2>/dev/null; mkdir -p /usr/local/x'
    equal "$(run_in --tmpfs /tmp -- sh -c "$FILL" /file 50)" 52428800 "without a limit"
    eventually no_loops
}
stays_over_restarts() {
    docker run -d --name limited --storage-opt size=24m --network none "$IMAGE" sh -c 'dd if=/dev/zero of=/big bs=1M count=16 && sleep 1000'
    eventually wrote limited 16777216
    docker restart -t 0 limited
    equal "$(docker inspect -f '{{json .HostConfig.StorageOpt}}' limited)" '{"size":"24m"}'
    docker stop -t 0 limited
    engine_halt "$ENGINE"
    system_restart
    docker start limited
    engine_halt "$ENGINE"
    system_restart
    equal "$(state_of limited)" running
    equal "$(loops)" 1
    kill -KILL "$(helper_pid executor)"
    eventually docker rm -f limited
    eventually no_loops
}
# storage NAME : "usage limit", by the container's stats
storage() {
    curl -sf --unix-socket "$SOCKET" "http://d/v1.47/containers/$1/stats?stream=false&one-shot=1" |
        python3 -c 'import json, sys; s = json.load(sys.stdin)["storage_stats"]; print(s.get("usage"), s.get("limit"))'
}
stats_say_how_full() {
    local usage limit
    docker run -d --name full --storage-opt size=24m --network none "$IMAGE" sh -c 'dd if=/dev/zero of=/big bs=1M count=16; sync; exec sleep 1000'
    docker run -d --name free --network none "$IMAGE" sleep 1000
    eventually uses_from full $((16 << 20))
    read -r usage limit < <(storage full)
    equal "$limit" $((24 << 20))
    [ "$usage" -le "$limit" ]
    docker exec full sh -c 'rm /big; sync'
    eventually uses_to full $((8 << 20))
    equal "$(storage free)" "None None"
    docker rm -f full free
}
uses_from() { [ "$(storage "$1" | cut -d ' ' -f 1)" -ge "$2" ]; }
uses_to() { [ "$(storage "$1" | cut -d ' ' -f 1)" -le "$2" ]; }
# wrote CONTAINER BYTES : its /big has that size
wrote() {
    local pid
    pid=$(docker inspect -f '{{.State.Pid}}' "$1")
    [ "$(stat -c %s "/proc/$pid/root/big" 2>/dev/null)" = "$2" ]
}
deleted_files_make_room() {
    local i
    docker create --name reused --storage-opt size=16m --network none "$IMAGE" sh -c 'dd if=/dev/zero of=/big bs=1M count=10 2>/dev/null && rm /big && echo fits'
    for i in 1 2 3; do
        equal "$(docker start -a reused)" fits "round $i"
    done
    docker rm reused
}
volumes_are_limited() {
    local text
    docker volume create -o size=16m small
    text=$(run_in -v small:/data --tmpfs /tmp -- sh -c "$FILL" /data/file 100)
    matches "$text" "No space left on device"
    [ "$(echo "$text" | tail -1)" -le $((16 << 20)) ]
    run_in -v small:/data -- sh -c 'rm /data/file; chown 7:8 /data; chmod 700 /data; echo kept >/data/kept'
    engine_halt "$ENGINE"
    system_restart
    equal "$(run_in -v small:/data -- sh -c 'cat /data/kept; stat -c "%u:%g %a" /data')" $'kept\n7:8 700'
}
one_disk_for_all() {
    local folder
    docker run -d --name one -v small:/data --network none "$IMAGE" sh -c 'while :; do date >/data/one; sleep 0.1; done'
    docker create --name two -v small:/data --network none "$IMAGE" sh -c 'while :; do cp /data/one /data/two; sleep 0.1; done'
    kill -KILL "$(helper_pid executor)"
    eventually docker start two
    equal "$(loops)" 1 "two containers and a new executor share one device"
    eventually run_in -v small:/data -- cmp -s /data/one /data/two
    docker rm -f one two
    eventually no_loops
    folder=$(docker volume inspect -f '{{.Mountpoint}}' small)
    e2fsck -fn "${folder%/_data}/disk"
    docker volume rm small
    eventually gone "${folder%/_data}"
}
gone() { [ ! -e "$1" ]; }
read_only_root() {
    run_in --read-only --storage-opt size=16m -- touch /x && return 1
    run_in --read-only --storage-opt size=16m --tmpfs /tmp -- touch /tmp/x
}
sizes_that_cannot_be() {
    local size
    for size in 0 1k -1 1x 100t 99999999999999999999; do
        docker create --storage-opt size=$size --network none "$IMAGE" true 2>"$WORK/err" && return 1
        matches "$(cat "$WORK/err")" "size=$size"
        docker volume create -o size=$size bad 2>"$WORK/err" && return 1
        matches "$(cat "$WORK/err")" "size=$size"
    done
    equal "$(docker ps -aq)$(docker volume ls -q)" ""
}
by_policy() {
    echo '{"version": 1, "tenants": ["root"], "quotas": {"disk_bytes": 33554432, "volumes": 2}}' >"$ENGINE/policy.d/50-root.json"
    chmod 0644 "$ENGINE/policy.d/50-root.json"
    kill -HUP "$(engine_pid "$ENGINE")"
    eventually refuses_more
    matches "$(run_in --tmpfs /tmp -- sh -c "$FILL" /file 100)" "No space left on device" "who asks for none gets the rule's"
    docker volume create -o size=64m big 2>"$WORK/err" && return 1
    matches "$(cat "$WORK/err")" 'at most 33554432 are .rule "quotas"'
    docker volume create one
    docker volume create two
    docker volume create three 2>"$WORK/err" && return 1
    matches "$(cat "$WORK/err")" 'no more are allowed .rule "quotas"'
    equal "$(docker volume ls -q | wc -l)" 2
    docker volume rm one two
    rm "$ENGINE/policy.d/50-root.json"
    kill -HUP "$(engine_pid "$ENGINE")"
}
refuses_more() {
    docker run --rm --storage-opt size=64m --network none "$IMAGE" true 2>"$WORK/err" && return 1
    matches "$(cat "$WORK/err")" 'a disk of 67108864 bytes is not allowed'
}
nothing_is_mounted() {
    equal "$(docker ps -aq)" ""
    eventually no_loops
    nothing_left
}

check "a container's own files are limited to --storage-opt size" own_files_are_limited
check "the limit and the files stay over restarts of container and engine" stays_over_restarts
check "what is deleted makes room" deleted_files_make_room
check "stats say how much of the limit is used" stats_say_how_full
check "a volume of a size holds no more" volumes_are_limited
check "containers share one disk, also after the executor died" one_disk_for_all
check "a read-only root may have a limit" read_only_root
check "sizes that cannot be are refused by name" sizes_that_cannot_be
check "policy's quotas of disks and volumes hold" by_policy
check "no loop device and no mount is left" nothing_is_mounted
