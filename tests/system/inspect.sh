#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What inspect and ps show of a container: what was asked for, in Docker's names and types; every filter of ps; names, errors and statuses of
# the operations on containers.
source "$(dirname "$0")/../lib/system.sh"

client=docker
# shown NAME EXPRESSION : of the inspected container, as python's `c`
shown() { docker inspect "$1" | python3 -c 'import json, sys; c = json.load(sys.stdin)[0]; print(json.dumps(eval(sys.argv[1])))' "$2"; }
# listed FILTER... : names, sorted
listed() {
    local filter options=()
    for filter in "$@"; do options+=(--filter "$filter"); done
    docker ps -a "${options[@]}" --format '{{.Names}}' | sort | xargs
}
# asks METHOD PATH [BODY] : status and message
asks() {
    local options=(-s -o "$WORK/answer" -w '%{http_code}' -X "$1" --unix-socket "$SOCKET")
    [ -z "${3:-}" ] || options+=(-H 'Content-Type: application/json' -d "$3")
    : >"$WORK/answer"
    curl "${options[@]}" "http://localhost/v1.47$2"
    printf ' %s' "$(python3 -c 'import json, sys; text = open(sys.argv[1]).read(); print(json.loads(text).get("message", "") if text.startswith("{") else text)' "$WORK/answer")"
}

prepare() {
    docker create --name full --network none --hostname h --domainname d -e A=1 -e PATH=/bin --label one=1 --user 5:6 -w /tmp --stop-signal INT \
        --stop-timeout 3 --memory 64m --cpus 0.5 --pids-limit 9 --cap-add NET_ADMIN --cap-drop MKNOD --group-add 7 --init --read-only \
        --ulimit nofile=10:20 --sysctl net.ipv4.ip_forward=1 --shm-size 2m --oom-score-adj 5 --device /dev/zero:/dev/nought:r \
        --device-cgroup-rule 'c 1:* r' --device-read-bps /dev/loop0:1mb --security-opt no-new-privileges --ipc shareable --restart on-failure:2 \
        --annotation key=value --expose 80 -t -i "$IMAGE" sleep 1000
    docker run -d --name plain --network none --label two=2 -v $WORK/nothing:/data --tmpfs /scratch "$IMAGE" sleep 1000
    docker run --name ended --network none "$IMAGE" sh -c 'exit 3' || true
}
host_config_goes_round() {
    equal "$(shown full 'c["HostConfig"]["Memory"], c["HostConfig"]["MemorySwap"], c["HostConfig"]["NanoCpus"], c["HostConfig"]["PidsLimit"]')" "[67108864, 134217728, 500000000, 9]"
    equal "$(shown full 'c["HostConfig"]["Devices"]')" '[{"PathOnHost": "/dev/zero", "PathInContainer": "/dev/nought", "CgroupPermissions": "r"}]'
    equal "$(shown full 'c["HostConfig"]["DeviceCgroupRules"], c["HostConfig"]["BlkioDeviceReadBps"]')" '[["c 1:* r"], [{"Path": "/dev/loop0", "Rate": 1048576}]]'
    equal "$(shown full 'c["HostConfig"]["Ulimits"], c["HostConfig"]["GroupAdd"], c["HostConfig"]["Sysctls"]')" \
        '[[{"Name": "nofile", "Hard": 20, "Soft": 10}], ["7"], {"net.ipv4.ip_forward": "1"}]'
    equal "$(shown full '[c["HostConfig"][k] for k in ("Init", "ReadonlyRootfs", "ShmSize", "OomScoreAdj", "IpcMode", "SecurityOpt", "Annotations")]')" \
        '[true, true, 2097152, 5, "shareable", ["no-new-privileges"], {"key": "value"}]'
    equal "$(shown full 'c["HostConfig"]["RestartPolicy"]')" '{"Name": "on-failure", "MaximumRetryCount": 2}'
    equal "$(shown plain '[c["HostConfig"][k] for k in ("CapAdd", "CapDrop", "PidsLimit", "MemorySwappiness", "OomKillDisable", "Devices", "DeviceRequests", "Links")]')" \
        '[null, null, null, null, false, [], null, null]'
}
config_is_merged() {
    equal "$(shown full '[c["Config"][k] for k in ("Hostname", "Domainname", "User", "WorkingDir", "StopSignal", "StopTimeout", "Tty", "OpenStdin")]')" \
        '["h", "d", "5:6", "/tmp", "INT", 3, true, true]'
    equal "$(shown full 'sorted(c["Config"]["Env"]), c["Config"]["Labels"], c["Config"]["ExposedPorts"], c["Config"]["Cmd"], c["Config"]["Entrypoint"]')" \
        '[["A=1", "PATH=/bin"], {"one": "1"}, {"80/tcp": {}}, ["sleep", "1000"], null]'
    equal "$(shown full 'c["Path"], c["Args"]')" '["sleep", ["1000"]]'
    equal "$(docker create --entrypoint '' --name bare --network none "$IMAGE" true >/dev/null && shown bare 'c["Config"]["Entrypoint"], c["Config"]["Cmd"]')" '[[], ["true"]]' ||
        return 1
    docker rm bare
}
shared_network() {
    docker create --name guest --network container:plain --pid container:plain "$IMAGE" true
    equal "$(shown guest 'c["NetworkSettings"]["Networks"], c["HostConfig"]["NetworkMode"], len(c["HostConfig"]["PidMode"])')" '[{}, "container:plain", 74]'
    docker rm guest
}
states() {
    equal "$(shown full '[c["State"][k] for k in ("Status", "Running", "Paused", "Restarting", "OOMKilled", "Dead", "Pid", "ExitCode", "Error", "StartedAt", "FinishedAt")]')" \
        '["created", false, false, false, false, false, 0, 0, "", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"]'
    equal "$(shown plain 'c["State"]["Status"], c["State"]["Running"], c["State"]["Pid"] > 1, c["State"]["StartedAt"] > "2000"')" '["running", true, true, true]'
    equal "$(shown ended 'c["State"]["Status"], c["State"]["ExitCode"], c["State"]["FinishedAt"] > c["State"]["StartedAt"]')" '["exited", 3, true]'
    docker pause plain
    equal "$(shown plain 'c["State"]["Status"], c["State"]["Running"], c["State"]["Paused"]')" '["paused", true, true]'
    matches "$(docker ps --filter name=plain --format '{{.Status}}')" '^Up .* \(Paused\)$'
    docker unpause plain
    matches "$(docker ps -a --filter name=ended --format '{{.Status}}')" '^Exited \(3\) .* ago$'
    equal "$(docker ps -a --filter name=full --format '{{.Status}} {{.Command}}')" 'Created "sleep 1000"'
}
filters() {
    equal "$(listed)" "ended full plain"
    equal "$(listed status=running)" plain
    equal "$(listed status=created status=exited)" "ended full"
    equal "$(listed exited=3)" ended
    equal "$(listed exited=0)" ""
    equal "$(listed name=^/full$)" full
    equal "$(listed 'name=f.*l|end')" "ended full"
    equal "$(listed label=one)" full
    equal "$(listed label=two=2)" plain
    equal "$(listed label=two=3)" ""
    equal "$(listed ancestor="$IMAGE")" "ended full plain"
    equal "$(listed ancestor=nothing)" ""
    equal "$(listed expose=80)" full
    equal "$(listed expose=79-81/tcp)" full
    equal "$(listed expose=80/udp)" ""
    equal "$(listed publish=80)" ""
    equal "$(listed network=none)" "ended full plain"
    equal "$(listed network=bridge)" ""
    equal "$(listed volume=/data)" plain
    equal "$(listed since=full)" "ended plain"
    equal "$(listed before=plain)" full
    equal "$(listed is-task=true)" ""
    equal "$(listed is-task=false)" "ended full plain"
    equal "$(listed health=none)" "ended full plain"
    equal "$(listed id="$(docker inspect -f '{{.Id}}' full)")" full
    equal "$(docker ps -n 1 --format '{{.Names}}')" ended
    equal "$(docker ps -q | wc -l)" 1
}
bad_filters() {
    local filter
    for filter in frob=1 status=frob exited=x 'name=(' expose=x publish=99999 health=frob is-task=x; do
        exits 1 docker ps --filter "$filter"
        matches "$(cat "$WORK/err")" "[Ff]ilter|regular"
    done
    exits 1 docker ps --filter before=nobody
    matches "$(cat "$WORK/err")" "No such container: nobody"
}
descendants() {
    docker commit ended child >/dev/null 2>&1 || return 0
    docker create --name of-child --network none child true
    equal "$(listed ancestor="$IMAGE")" "ended full of-child plain"
    equal "$(listed ancestor=child)" of-child
    docker rm of-child
    docker rmi child
}

# ---- operations ------------------------------------------------------------------------------------------

errors() {
    local id
    id=$(docker inspect -f '{{.Id}}' full)
    equal "$(asks POST /containers/nobody/start)" "404 No such container: nobody"
    equal "$(asks POST /containers/plain/start)" "304 "
    equal "$(asks POST /containers/full/stop)" "304 "
    equal "$(asks POST /containers/full/kill)" "409 cannot kill container: full: container $id is not running" 
    equal "$(asks POST '/containers/plain/kill?signal=FROB')" "400 invalid signal: FROB"
    equal "$(asks POST '/containers/plain/kill?signal=99')" "400 invalid signal: 99"
    equal "$(asks POST /containers/full/pause)" "409 Container $id is not running"
    equal "$(asks POST /containers/full/unpause)" "409 Container $id is not paused"
    docker pause plain
    matches "$(asks POST /containers/plain/pause)" "^409 Container [0-9a-f]{64} is already paused"
    equal "$(asks DELETE /containers/plain)" '409 cannot remove container "/plain": container is paused and must be unpaused first'
    docker unpause plain
    matches "$(asks DELETE /containers/plain)" '^409 cannot remove container "/plain": container is running: stop the container before removing or force remove'
    matches "$(asks POST '/containers/create?name=plain' '{"Image":"busybox"}')" '^409 Conflict. The container name "/plain" is already in use by container "[0-9a-f]{64}"'
    matches "$(asks POST '/containers/create?name=-x' '{"Image":"busybox"}')" '^400 Invalid container name \(-x\), only \[a-zA-Z0-9\]\[a-zA-Z0-9_.-\] are allowed'
    equal "$(asks POST /containers/create '{"Image":"nothing"}')" "404 No such image: nothing:latest"
    matches "$(asks POST '/containers/plain/rename?name=full')" '^409 Error when allocating new name: Conflict. The container name "/full" is already in use'
    matches "$(asks POST '/containers/plain/rename?name=-x')" '^400 Error when allocating new name: Invalid container name'
    matches "$(asks POST '/containers/plain/rename?name=')" '^400 '
    matches "$(asks POST '/containers/plain/rename?name=plain')" '^400 Renaming a container with the same name as its current name'
    matches "$(asks POST '/containers/plain/wait?condition=frob')" '^400 '
    matches "$(asks POST '/containers/plain/stop?t=x')" '^400 '
    matches "$(asks GET '/containers/json?limit=x')" '^400 '
    matches "$(asks GET '/containers/json?filters=x')" '^400 '
}
waits() {
    docker run -d --name passing --network none "$IMAGE" sleep 1000
    asks POST '/containers/passing/wait?condition=next-exit' >"$WORK/next" &
    local next=$!
    asks POST '/containers/passing/wait?condition=removed' >"$WORK/removed" &
    local removed=$!
    sleep 0.3
    docker kill passing
    wait $next
    matches "$(cat "$WORK/next")" "^200"
    docker rm passing
    wait $removed
    matches "$(cat "$WORK/removed")" "^200"
    docker run -d --name patient --network none "$IMAGE" sh -c 'trap "sleep 1; exit 5" TERM; while :; do sleep 0.1; done'
    sleep 0.3
    docker stop -t -1 patient
    equal "$(docker inspect -f '{{.State.ExitCode}}' patient)" 5 "after a stop that waits for ever"
    docker rm patient
}
id_file() {
    docker run --cidfile "$WORK/cid" --rm --network none "$IMAGE" true
    equal "$(wc -c <"$WORK/cid")" 64
}
many_at_once() {
    local i
    for i in $(seq 60); do
        asks POST "/containers/create?name=many-$i" '{"Image":"busybox","Cmd":["true"],"HostConfig":{"NetworkMode":"none"}}' >/dev/null
    done
    equal "$(docker ps -a --filter name=many- -q | wc -l)" 60
    equal "$(docker ps -a --filter name=many- --format '{{.Names}}' | head -1)" many-60 "newest first"
    docker ps -a --filter name=many- -q | xargs docker rm >/dev/null
}
sdk() {
    python3 - "$DOCKER_HOST" <<'END'
import docker, sys
client = docker.DockerClient(base_url=sys.argv[1])
assert [c.name for c in client.containers.list(all=True, filters={"name": "full"})] == ["full"]
full = client.containers.get("full")
assert full.attrs["HostConfig"]["Memory"] == 67108864 and full.status == "created" and full.labels == {"one": "1"}
try:
    client.containers.get("nobody")
    raise SystemExit("found nobody")
except docker.errors.NotFound as error:
    assert "No such container: nobody" in str(error), error
END
}

system_start
system_load
check "containers to look at" prepare
check "HostConfig goes round" host_config_goes_round
check "Config is the client's wish, completed from the image" config_is_merged
check "namespaces of another container" shared_network
check "states, and how ps words them" states
check "ps: filters" filters
check "ps: filters that make no sense" bad_filters
check "ps: images made from an image" descendants
check "statuses and messages of what goes wrong" errors
check "wait and stop: conditions and times" waits
check "a file with the id" id_file
check "ps: many containers" many_at_once
check "python's client" sdk
docker rm -f full plain ended >/dev/null
check "nothing is left behind" nothing_left
