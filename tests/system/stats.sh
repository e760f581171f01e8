#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What a container uses and what runs in it: stats as a stream and once, for several clients; top with ps's formats; hostile names; another
# tenant.
# sanitize
source "$(dirname "$0")/../lib/system.sh"

ALICE=61001
client=docker
as_alice() { setpriv --reuid $ALICE --regid $ALICE --clear-groups env HOME="$WORK" DOCKER_CONFIG="$WORK/alice" "$@"; }
api() { curl -s --unix-socket "$SOCKET" "http://localhost/v1.47$1"; }
# field EXPRESSION : of the JSON on standard input, as python's `stats`
field() { python3 -c 'import json, sys; stats = json.loads(sys.stdin.readline()); print(eval(sys.argv[1]))' "$1"; }

prepare() {
    docker run -d --name busy --network none --memory 64m --pids-limit 50 "$IMAGE" sh -c 'while :; do :; done'
    docker run -d --name quiet --network none "$IMAGE" sleep 1000
    docker create --name created --network none "$IMAGE" true
}

# ---- stats ------------------------------------------------------------------------------------------

once_with_two_samples() {
    local stats
    stats=$(api '/containers/busy/stats?stream=false')
    equal "$(field 'stats["name"]' <<<"$stats")" /busy
    equal "$(field 'stats["memory_stats"]["limit"], stats["pids_stats"]' <<<"$stats")" "(67108864, {'current': 1, 'limit': 50})"
    equal "$(field 'stats["memory_stats"]["usage"] > 0 and "total_inactive_file" in stats["memory_stats"]["stats"]' <<<"$stats")" True
    equal "$(field 'stats["read"] > stats["preread"] > "2000"' <<<"$stats")" True
    equal "$(field 'stats["cpu_stats"]["cpu_usage"]["total_usage"] > stats["precpu_stats"]["cpu_usage"]["total_usage"] > 0' <<<"$stats")" True
    equal "$(field 'stats["cpu_stats"]["system_cpu_usage"] > stats["precpu_stats"]["system_cpu_usage"] > 0' <<<"$stats")" True
    equal "$(field 'stats["cpu_stats"]["online_cpus"] == len(stats["cpu_stats"]["cpu_usage"]["percpu_usage"])' <<<"$stats")" True
}
one_shot() {
    equal "$(api '/containers/busy/stats?stream=false&one-shot=true' | field 'stats["preread"], stats["precpu_stats"]["cpu_usage"]["total_usage"]')" \
        "('0001-01-01T00:00:00Z', 0)"
    matches "$(api '/containers/busy/stats?one-shot=true')" "cannot have stream=true and one-shot=true"
}
not_running() {
    equal "$(api '/containers/created/stats?stream=false' | field 'stats["read"], stats["pids_stats"], stats["memory_stats"], stats["blkio_stats"]["io_serviced_recursive"]')" \
        "('0001-01-01T00:00:00Z', {}, {}, None)"
    matches "$(api '/containers/nobody/stats?stream=false')" "No such container: nobody"
}
as_a_stream() {
    docker run -d --name short --network none "$IMAGE" sleep 2
    # two samples with a second between them; the removed container's stream ends by itself
    api /containers/short/stats >"$WORK/stream" &
    local stream=$!
    eventually test -s "$WORK/stream"
    eventually two_lines
    docker rm -f short
    wait $stream
    equal "$(tail -n +2 "$WORK/stream" | field 'stats["preread"] > "2000"')" True
}
two_lines() { [ "$(wc -l <"$WORK/stream")" -ge 2 ]; }
# 20 at once, again and again; however they fall together, no sample is taken within 0.9 seconds of the one before
sampled_once_for_all() {
    local round client clients
    for round in 1 2 3; do
        clients=()
        for client in $(seq 1 20); do
            api '/containers/quiet/stats?stream=false&one-shot=true' >"$WORK/read-$round-$client" &
            clients+=($!)
        done
        wait "${clients[@]}"
    done
    python3 - "$WORK"/read-* <<'END'
import json, sys
from datetime import datetime
reads = [json.load(open(name))["read"] for name in sys.argv[1:]]
assert len(reads) == 60 and all(read > "2000" for read in reads), reads
times = sorted(datetime.fromisoformat(read.rstrip("Z")[:26]).timestamp() for read in set(reads))
assert all(later - earlier >= 0.9 for earlier, later in zip(times, times[1:])), times
END
}
with_the_client() {
    matches "$(docker stats --no-stream --format '{{.Name}} {{.PIDs}} {{.MemUsage}}')" "busy 1 .* / 64MiB"
    equal "$(docker stats --no-stream --format '{{.Name}}' busy quiet | sort | xargs)" "busy quiet"
    matches "$(docker stats --no-stream --format '{{.CPUPerc}}' busy)" '^[1-9][0-9.]*%$'
}
networks_are_the_containers() {
    equal "$(api '/containers/busy/stats?stream=false&one-shot=1' | field '"networks" in stats')" False "with loopback only"
    equal "$(docker run --rm --network host --name hosted -d "$IMAGE" sleep 1000 | wc -l)" 1
    equal "$(api '/containers/hosted/stats?stream=false&one-shot=1' | field '"networks" in stats')" False "with the host's network"
    docker rm -f hosted
}

# ---- top ----------------------------------------------------------------------------------------------

top_says() {
    matches "$(docker top busy)" "UID +PID +PPID +C +STIME +TTY +TIME +CMD"
    matches "$(docker top busy | tail -1)" "sh -c while :; do :; done"
    equal "$(docker top busy -o pid | tail -1)" "$(docker inspect -f '{{.State.Pid}}' busy)"
    matches "$(docker top busy aux | head -1)" "USER +PID +%CPU +%MEM +VSZ +RSS +TTY +STAT +START +TIME +COMMAND"
    matches "$(docker top busy -eo pid,comm,stat,etime,rss | tail -1)" "^[0-9]+ +sh +R"
    equal "$(docker top quiet -eo pid,args=WHAT | head -1 | xargs)" "PID WHAT"
    matches "$(docker top busy -eo comm 2>&1)" "Couldn't find PID field in ps output"
    matches "$(docker top busy -eo pid,frob 2>&1)" 'unknown user-defined format specifier "frob"'
    matches "$(docker top busy --forest 2>&1)" 'unsupported option'
    matches "$(docker top created 2>&1)" "Container [0-9a-f]{64} is not running"
    matches "$(docker top nobody 2>&1)" "No such container: nobody"
}
hostile_names() {
    docker run -d --name evil --network none "$IMAGE" sh -c 'printf "#!/bin/sh\nsleep 1000\n" >"/tmp/a) R 1 b"; chmod +x /tmp/*; exec "/tmp/a) R 1 b" "$(printf "x\ny\033[31m\377")"'
    eventually is_there
    equal "$(api '/containers/evil/top?ps_args=-eo%20pid,comm,args' | python3 -c 'import json, sys; top = json.load(sys.stdin); print(ascii(top["Processes"][0][1:]))')" \
        "['a) R 1 b', '/bin/sh /tmp/a) R 1 b x?y?[31m\ufffd']" || return 1
    docker rm -f evil
}
is_there() { docker top evil -eo pid,comm | grep -q 'a) R'; }
foreign() {
    mkdir -p "$WORK/alice"
    chown $ALICE "$WORK/alice"
    chmod 0755 "$WORK" "$ENGINE"
    chmod 0666 "$SOCKET"
    matches "$(as_alice docker top busy 2>&1)" "No such container: busy"
    matches "$(as_alice docker stats --no-stream busy 2>&1)" "No such container: busy"
    matches "$(as_alice docker update --memory 64m busy 2>&1)" "No such container: busy"
}
survives_its_helpers() {
    kill -9 "$(helper_pid executor)"
    eventually once_more
    kill -9 "$(helper_pid policyd)"
    eventually once_more
    docker top busy
}
once_more() { api '/containers/busy/stats?stream=false&one-shot=1' | grep -q total_usage; }
sdk() {
    python3 - "$DOCKER_HOST" <<'END'
import docker, sys
client = docker.DockerClient(base_url=sys.argv[1])
busy = client.containers.get("busy")
stream = busy.stats(decode=True)
first, second = next(stream), next(stream)
assert second["cpu_stats"]["cpu_usage"]["total_usage"] > first["cpu_stats"]["cpu_usage"]["total_usage"], (first, second)
assert busy.stats(stream=False)["id"] == busy.id
assert busy.top(ps_args="-ef")["Titles"][1] == "PID"
END
}

system_start
system_load
check "containers to look at" prepare
check "stats: two samples, a second apart" once_with_two_samples
check "stats: one sample" one_shot
check "stats: zeros for what does not run" not_running
check "stats: a stream, until the container is gone" as_a_stream
check "stats: many clients are one sample" sampled_once_for_all
check "stats: docker stats" with_the_client
check "stats: networks" networks_are_the_containers
check "top: formats" top_says
check "top: names and arguments are text" hostile_names
check "nothing of another tenant's" foreign
check "stats and top go on after executor and policyd were killed" survives_its_helpers
check "python's client" sdk
docker rm -f busy quiet created >/dev/null
check "nothing is left behind" nothing_left
