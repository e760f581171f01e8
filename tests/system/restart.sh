#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Restart policies: which ends a container is started again after, when, how often; what stop, kill, start, restart, rm and wait mean
# meanwhile; and that a killed engine, a restarted one and a booted host go on with them.
# slow
source "$(dirname "$0")/../lib/system.sh"
system_start
system_load

# run NAME POLICY COMMAND
run() { docker run -d --name "$1" --network none --restart "$2" "$IMAGE" sh -c "$3"; }
count_of() { docker inspect -f '{{.RestartCount}}' "$1"; }
counts() { [ "$(count_of "$1")" -ge "$2" ]; }
state() { docker inspect -f '{{.State.Status}} {{.State.ExitCode}} {{.RestartCount}}' "$1"; }
is() { [ "$(state "$1")" = "$2" ]; }
runs() { [ "$(docker inspect -f '{{.State.Running}}' "$1")" = true ]; }
kill_inside() { kill -KILL "$(docker inspect -f '{{.State.Pid}}' "$1")"; }
now() { date +%s.%N; }
actions() { docker events --since "$1" --until "$(now)" -f container="$2" --format '{{.Action}}' | paste -sd ' '; }
LONG='trap "exit 0" TERM; while :; do sleep 0.05; done'
post() { curl -s --unix-socket "$SOCKET" -H 'Content-Type: application/json' -d "$2" "http://localhost$1"; }

always_again() {
    run always always 'exit 0'
    eventually counts always 2
    docker stop always
    equal "$(docker inspect -f '{{.State.Status}} {{.State.Restarting}} {{.State.Running}}' always)" "exited false false"
    sleep 1
    equal "$(state_of always)" exited "a second after the stop"
    docker start always
    docker rm -f always
}
on_failure_so_often() {
    local from
    from=$(now)
    run failing on-failure:3 'exit 7'
    eventually is failing "exited 7 3"
    equal "$(actions "$from" failing)" "create start die start die start die start die"
    docker start failing
    eventually is failing "exited 7 3"
    docker rm failing
    run fine on-failure 'exit 0'
    equal "$(docker wait fine)" 0
    equal "$(state fine)" "exited 0 0"
    docker rm fine
    run twice on-failure 'test -e /done && exit 0; touch /done; exit 1'
    eventually is twice "exited 0 1"
    docker rm twice
}
waits_longer_each_time() {
    local from
    from=$(now)
    run backing always 'exit 1'
    eventually counts backing 4
    docker stop backing
    docker events --since "$from" --until "$(now)" -f container=backing --format '{{.Action}} {{.TimeNano}}' | python3 -c '
import sys

died, waits = None, []
for line in sys.stdin:
    action, time = line.split()
    if action == "die":
        died = int(time)
    elif action == "start" and died:
        waits.append((int(time) - died) / 1e6)
        died = None
print(waits)
assert len(waits) >= 3, waits
for wait, least in zip(waits, (100, 200, 400)):
    assert wait >= least, waits'
    docker rm backing
}
while_it_waits() {
    run waiting always 'exit 4'
    eventually counts waiting 4 # now it waits for most of a second
    eventually is_state waiting restarting
    matches "$(docker ps --filter name=waiting --format '{{.Status}} {{.State}}')" '^Restarting \(4\) .* ago restarting$'
    equal "$(docker ps -q --filter status=restarting | wc -l)" 1
    equal "$(docker inspect -f '{{.State.Restarting}} {{.State.Running}} {{.State.Paused}} {{.State.Pid}}' waiting)" "true true false 0"
    eventually is_state waiting restarting
    docker start waiting # it is as good as running: nothing to do
    exits 1 docker rm waiting
    matches "$(cat "$WORK/err")" 'cannot remove container "/waiting": container is (restarting|running): stop the container before removing or force remove'
    eventually is_state waiting restarting
    exits 1 docker pause waiting
    matches "$(cat "$WORK/err")" 'Container waiting is (restarting, wait until the container is|not) running'
    equal "$(docker wait waiting)" 4 "wait ends with the next end"
    eventually is_state waiting restarting
    docker kill waiting
    sleep 1.2
    equal "$(state_of waiting)" exited
    docker rm waiting
    run forced always 'exit 4'
    eventually counts forced 3
    docker rm -f forced
    exits 1 docker inspect forced
}
stops_that_stay() {
    for policy in always unless-stopped on-failure; do
        run "stay-$policy" $policy "trap 'exit 9' TERM; while :; do sleep 0.05; done"
        sleep 0.2
        docker stop "stay-$policy"
        run "dead-$policy" $policy "$LONG"
        docker kill "dead-$policy"
        run "term-$policy" $policy "trap 'exit 9' TERM; while :; do sleep 0.05; done"
        sleep 0.2
        docker kill -s TERM "term-$policy"
        docker wait "term-$policy"
    done
    sleep 0.6
    for policy in always unless-stopped on-failure; do
        equal "$(state "stay-$policy")" "exited 9 0"
        equal "$(state "dead-$policy")" "exited 137 0"
        equal "$(state "term-$policy")" "exited 9 0"
    done
    docker rm {stay,dead,term}-{always,unless-stopped,on-failure}
}
ends_by_others() {
    for policy in always unless-stopped on-failure no; do
        run "by-$policy" $policy "$LONG"
        kill_inside "by-$policy"
    done
    for policy in always unless-stopped on-failure; do
        eventually counts "by-$policy" 1
        eventually runs "by-$policy"
    done
    eventually is by-no "exited 137 0"
    docker rm -f by-{always,unless-stopped,on-failure,no}
}
a_signal_of_its_own() {
    # with a stop signal of its own, another signal is no stop: always goes on, unless-stopped holds it for one
    for policy in always unless-stopped; do
        docker run -d --name "own-$policy" --network none --restart $policy --stop-signal USR1 "$IMAGE" sh -c "$LONG"
        sleep 0.2
        docker kill -s TERM "own-$policy"
    done
    eventually counts own-always 1
    equal "$(docker wait own-unless-stopped)" 0
    sleep 0.3
    equal "$(state own-unless-stopped)" "exited 0 0"
    docker rm -f own-always own-unless-stopped
}
restarted_by_hand() {
    run hand always 'sleep 0.2; exit 1'
    eventually counts hand 2
    docker restart -t 0 hand
    [ "$(count_of hand)" -lt 2 ] # a start by hand begins anew
    docker rm -f hand
}
refusals() {
    exits 125 docker run --rm --restart always "$IMAGE" true
    matches "$(post /containers/create '{"Image":"busybox","HostConfig":{"AutoRemove":true,"RestartPolicy":{"Name":"always"}}}')" \
        "can't create 'AutoRemove' container with restart policy"
    matches "$(post /containers/create '{"Image":"busybox","HostConfig":{"RestartPolicy":{"Name":"always","MaximumRetryCount":3}}}')" \
        "maximum retry count can only be used with 'on-failure'"
    matches "$(post /containers/create '{"Image":"busybox","HostConfig":{"RestartPolicy":{"Name":"on-failure","MaximumRetryCount":-1}}}')" \
        "maximum retry count cannot be negative"
    matches "$(post /containers/create '{"Image":"busybox","HostConfig":{"RestartPolicy":{"Name":"often"}}}')" \
        "invalid restart policy: unknown policy 'often'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'"
}
inspected() {
    docker create --name seen --network none --restart on-failure:5 "$IMAGE" true
    equal "$(docker inspect -f '{{.HostConfig.RestartPolicy.Name}} {{.HostConfig.RestartPolicy.MaximumRetryCount}}' seen)" "on-failure 5"
    docker rm seen
    bulkhead create --name seen --network none --restart unless-stopped "$IMAGE" true
    equal "$(docker inspect -f '{{.HostConfig.RestartPolicy.Name}}' seen)" unless-stopped
    docker rm seen
}
a_start_that_fails() {
    run gone always 'rm /bin/sh; exit 3'
    eventually is gone "exited 127 1"
    docker rm gone
}
the_engine_is_killed() {
    local from
    from=$(now)
    run looping always 'sleep 0.1; exit 2'
    for round in 1 2 3; do
        eventually counts looping "$round"
        kill -KILL "$(helper_pid engine)"
        eventually docker ps
    done
    eventually counts looping 4
    docker stop looping
    kill -KILL "$(helper_pid engine)"
    eventually docker ps
    sleep 1.5
    equal "$(state_of looping)" exited "stopped, and the engine killed"
    # each start has its end
    equal "$(docker events --since "$from" --until "$(now)" -f container=looping -f event=start -f event=die --format '{{.Action}}' | uniq -d)" ""
    docker rm looping
}
ends_while_we_are_down() {
    for policy in always unless-stopped on-failure no; do
        run "down-$policy" $policy 'test -e /once && sleep 1000; touch /once; sleep 1.2; exit 5'
    done
    run stopped-always always "$LONG"
    run stopped-unless unless-stopped "$LONG"
    docker stop stopped-always stopped-unless
    kill -KILL "$(engine_pid "$ENGINE")"
    sleep 2
    system_restart
    for policy in always unless-stopped on-failure; do
        eventually runs "down-$policy"
        equal "$(count_of "down-$policy")" 1
    done
    eventually is down-no "exited 5 0"
    sleep 0.3
    equal "$(state_of stopped-always) $(state_of stopped-unless)" "exited exited"
}
the_host_boots() {
    # all that is of the last boot is gone: the containers end without a word, and the kernel names another boot
    local pids
    kill -KILL "$(engine_pid "$ENGINE")"
    sleep 0.3
    pids=$(engine_cgroups "$CGROUP" | sed 's|$|/cgroup.procs|' | xargs -r cat 2>/dev/null)
    kill -KILL $pids
    eventually no_container_processes
    sqlite3 "$ENGINE/state/engine/engine.db" "UPDATE engine SET boot_id = 'another'" 2>/dev/null ||
        python3 -c 'import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute("UPDATE engine SET boot_id = ?", ("another",)); c.commit()' "$ENGINE/state/engine/engine.db"
    system_restart
    for name in down-always down-unless-stopped down-on-failure stopped-always; do
        eventually runs $name
    done
    equal "$(state_of stopped-unless)" exited
    equal "$(state_of down-no)" exited
    docker rm -f down-{always,unless-stopped,on-failure,no} stopped-always stopped-unless
}
python_too() {
    timeout 20 python3 - "$SOCKET" <<'END'
import sys
import time

import docker

client = docker.DockerClient(base_url="unix://" + sys.argv[1])
box = client.containers.run("busybox", ["sh", "-c", "exit 6"], detach=True, network_mode="none",
                            restart_policy={"Name": "on-failure", "MaximumRetryCount": 2})
until = time.time() + 10
while box.attrs["RestartCount"] < 2 or box.status != "exited":
    assert time.time() < until, box.attrs
    time.sleep(0.05)
    box.reload()
assert box.attrs["State"]["ExitCode"] == 6 and box.attrs["HostConfig"]["RestartPolicy"]["MaximumRetryCount"] == 2
box.remove()
END
}

check "always: again after any end, until it is stopped" always_again
check "on-failure: only after failures, and so often" on_failure_so_often
check "the wait doubles" waits_longer_each_time
check "while it waits it is as Docker says" while_it_waits
check "what is stopped or killed stays so" stops_that_stay
check "an end by anything else is no stop" ends_by_others
check "a signal that is not its own stop signal" a_signal_of_its_own
check "a restart by hand begins anew" restarted_by_hand
check "what is refused" refusals
check "inspect shows the policy" inspected
check "a start that fails ends it" a_start_that_fails
check "the engine killed in between" the_engine_is_killed
check "ends while the engine was down" ends_while_we_are_down
check "a new boot of the host" the_host_boots
check "python's SDK" python_too
check "nothing is left behind" nothing_left
