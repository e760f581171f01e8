#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Under load, every helper is killed in turn while clients create, start, stop and remove; then the database, the kernel, the disk and the
# journal of events must tell one story, and nothing may be left of what was removed.
# slow
source "$(dirname "$0")/../lib/system.sh"
system_start
system_load

now() { date +%s.%N; }
FROM=$(now)
LONG='trap "exit 0" TERM; while :; do sleep 0.05; done'
answers() { docker ps >/dev/null 2>&1; }

# Clients: rounds of what people do. A request may fail because a helper was killed in that moment; what it answered must hold. Each line
# of a report is what was acknowledged of one container.
clients() { # COUNT SECONDS
    python3 - "$SOCKET" "$WORK" "$IMAGE" "$LONG" "$@" <<'END'
import sys
import threading
import time

import docker

socket, folder, image, command, count, seconds = sys.argv[1:]
until = time.time() + float(seconds)


def work(number):
    client = docker.DockerClient(base_url="unix://" + socket, timeout=30)
    with open(f"{folder}/client-{number}", "w", buffering=1) as report:

        def attempt(name, word, step):
            try:
                result = step()
            except Exception:
                time.sleep(0.05)
                return None
            report.write(f"{name} {word}\n")
            return result

        turn = 0
        while time.time() < until:
            turn += 1
            name = f"load-{number}-{turn}"
            box = attempt(name, "created", lambda: client.containers.create(
                image, ["sh", "-c", command], name=name, network_mode="none", labels={"client": str(number)}))
            if box is None:
                continue
            if turn % 16 == 2:  # these stay
                attempt(name, "started", box.start)
            elif turn % 2 == 0:
                attempt(name, "started", box.start)
                attempt(name, "removed", lambda: box.remove(force=True))
            else:
                attempt(name, "started", box.start)
                attempt(name, "stopped", lambda: box.stop(timeout=1))
                attempt(name, "removed", box.remove)
            brief = f"brief-{number}-{turn}"
            attempt(brief, "removed", lambda: client.containers.run(image, "true", name=brief, remove=True, network_mode="none"))


threads = [threading.Thread(target=work, args=(number,)) for number in range(int(count))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
END
}
# follow FILE : all events from $FROM on. When its own connection is cut, because the api process was killed, it goes on since the last it saw.
follow() {
    python3 - "$SOCKET" "$FROM" >"$1" 2>/dev/null 7>&- <<'END' &
import sys
import time

import docker

since = sys.argv[2]
while True:
    try:
        client = docker.DockerClient(base_url="unix://" + sys.argv[1], timeout=3600)
        for event in client.api.events(since=since, decode=True):
            print(event["Type"], event["Action"], event["Actor"]["ID"], event["timeNano"], flush=True)
            since = "%d.%09d" % divmod(event["timeNano"] + 1, 10**9)
    except Exception:
        pass
    time.sleep(0.1)
END
    echo $! >"$1.pid"
}

load_while_helpers_die() {
    local victim clients
    docker run -d --name steady --network none "$IMAGE" sh -c 'i=0; while :; do echo tick$i; i=$((i+1)); sleep 0.1; done'
    docker run -d --name again --network none --restart always "$IMAGE" sh -c 'sleep 0.2; exit 1'
    docker inspect -f '{{.State.Pid}}' steady >"$WORK/steady.pid"
    follow "$WORK/followed"
    clients 4 ${LOAD_SECONDS:-10} &
    clients=$!
    for victim in ${VICTIMS:-engine executor policyd engine api engine executor policyd}; do
        sleep ${KILL_EVERY:-1.1}
        kill -KILL "$(helper_pid $victim)" || true
    done
    wait "$clients"
    eventually answers
}
it_was_a_load() {
    [ "$(cat "$WORK"/client-* | grep -c started)" -ge 10 ]
    [ "$(cat "$WORK"/client-* | grep -c removed)" -ge 10 ]
}
steady_ran_on() {
    equal "$(docker inspect -f '{{.State.Pid}} {{.State.Status}}' steady)" "$(cat "$WORK/steady.pid") running"
    eventually docker logs steady >/dev/null # once a helper that was killed last is back
    docker logs steady >"$WORK/ticks"
    cmp "$WORK/ticks" <(seq -f 'tick%g' 0 $(($(wc -l <"$WORK/ticks") - 1)))
}
again_goes_on() {
    local count
    count=$(docker inspect -f '{{.RestartCount}}' again)
    [ "$count" -gt 0 ]
    eventually starts_again "$count"
    docker stop again
}
starts_again() { [ "$(docker inspect -f '{{.RestartCount}}' again)" -gt "$1" ]; }

# The last acknowledgement of each container is what it is.
acknowledged_holds() {
    cat "$WORK"/client-* | awk '{ last[$1] = $2 } END { for (name in last) print name, last[name] }' | sort >"$WORK/acknowledged"
    docker ps -a --format '{{.Names}} {{.State}}' | sort >"$WORK/states"
    python3 - "$WORK/acknowledged" "$WORK/states" <<'END'
import sys

states = dict(line.split() for line in open(sys.argv[2]))
wrong = []
for line in open(sys.argv[1]):
    name, last = line.split()
    state = states.get(name)
    # what came after the last acknowledgement may have happened, too
    allowed = {"created": {"created", "running", "exited", None}, "started": {"running", "exited", None},
               "stopped": {"exited", None}, "removed": {None}}[last]
    if state not in allowed:
        wrong.append((name, last, state))
half = [name for name, state in states.items() if state in ("removing", "dead", "paused")]
assert not wrong and not half, (wrong, half)
END
}
# What docker says runs, runs; nothing else does.
kernel_agrees() {
    local runs folder
    runs=$(docker ps -q --no-trunc)
    docker inspect -f '{{.State.Pid}} {{.Name}}' $runs >"$WORK/pids"
    while read -r pid name; do
        kill -0 "$pid" || { echo "$name does not run as $pid"; return 1; }
    done <"$WORK/pids"
    for folder in $(engine_cgroups "$CGROUP"); do
        [[ $(basename "$folder") =~ ^[0-9a-f]{64}$ ]] || continue
        [[ $runs == *$(basename "$folder")* ]] || ! grep -q . "$folder/cgroup.procs" ||
            { echo "$folder has processes that docker does not know"; return 1; }
    done
}
no_stray_cgroups() {
    local known
    known=$(docker ps -aq --no-trunc)
    for folder in $(engine_cgroups "$CGROUP"); do
        [[ $(basename "$folder") =~ ^[0-9a-f]{64}$ ]] || continue
        [[ $known == *$(basename "$folder")* ]] || { echo "stray $folder"; return 1; }
    done
}
disk_agrees() {
    local known
    known=$(docker ps -aq --no-trunc)
    for folder in "$ENGINE"/state/containers/* "$ENGINE"/state/logs/*; do
        [ -e "$folder" ] || continue
        [[ $known == *$(basename "$folder")* ]] || { echo "stray $folder"; return 1; }
    done
}
no_stray_mounts() {
    awk -v home="$ENGINE/" 'index($2, home) == 1 { print $2 }' /proc/self/mounts >"$WORK/mounts"
    [ ! -s "$WORK/mounts" ] || { cat "$WORK/mounts"; return 1; }
}
database_is_sound() {
    python3 - "$ENGINE/state/engine/engine.db" <<'END'
import sqlite3
import sys

database = sqlite3.connect(sys.argv[1])
assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
assert database.execute("PRAGMA foreign_key_check").fetchall() == []
END
}
# Every container's events are in order: created once, started and ended in turn, destroyed last; and what runs is what has started.
journal_agrees() {
    docker events --since "$FROM" --until "$(now)" -f type=container --format '{{.Actor.ID}} {{.Action}}' >"$WORK/journal"
    docker ps -a --no-trunc --format '{{.ID}} {{.State}}' >"$WORK/states"
    python3 - "$WORK/journal" "$WORK/states" <<'END'
import sys
from collections import defaultdict

events = defaultdict(list)
for line in open(sys.argv[1]):
    identity, action = line.split(None, 1)
    if action.strip() in ("create", "start", "die", "destroy"):
        events[identity].append(action.strip())
states = dict(line.split() for line in open(sys.argv[2]))
for identity, actions in events.items():
    text = " ".join(actions)
    assert actions[0] == "create" and actions.count("create") == 1, (identity, text)
    assert ("destroy" in actions) == (identity not in states), (identity, text, states.get(identity))
    if "destroy" in actions:
        assert actions[-1] == "destroy" and actions.count("destroy") == 1, (identity, text)
        actions = actions[:-1]
    expected = "start"
    for action in actions[1:]:
        assert action == expected, (identity, text)
        expected = "die" if action == "start" else "start"
    running = expected == "die"
    assert running == (states.get(identity) in ("running",)), (identity, text, states.get(identity))
assert set(states) == {identity for identity in events if identity in states}
END
}
follower_missed_nothing() {
    eventually caught_up
    kill "$(cat "$WORK/followed.pid")"
    docker events --since "$FROM" --until "$(now)" --format '{{.Type}} {{.Action}} {{.Actor.ID}} {{.TimeNano}}' >"$WORK/replayed"
    cmp "$WORK/followed" "$WORK/replayed"
}
caught_up() { equal "$(wc -l <"$WORK/followed")" "$(docker events --since "$FROM" --until "$(now)" --format x | wc -l)" >/dev/null; }
everything_can_go() {
    docker rm -f $(docker ps -aq)
    equal "$(docker ps -aq)" ""
}
nothing_on_disk() { [ -z "$(ls "$ENGINE/state/containers" "$ENGINE/state/logs" | grep -v ':$')" ]; }

check "clients work while helpers are killed" load_while_helpers_die
check "they had something to do" it_was_a_load
check "what ran all the time ran on, and its log is whole" steady_ran_on
check "a restart policy goes on" again_goes_on
check "what was acknowledged holds, and nothing is half done" acknowledged_holds
check "the kernel agrees" kernel_agrees
check "no cgroup is left of what was removed" eventually no_stray_cgroups
check "the disk agrees" eventually disk_agrees
check "no mount is left" no_stray_mounts
check "the database is sound" database_is_sound
check "the events tell the same story" journal_agrees
check "who followed them missed nothing" follower_missed_nothing
check "everything can be removed" everything_can_go
check "its files are gone, too" eventually nothing_on_disk
check "nothing is left behind" nothing_left
