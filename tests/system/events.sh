#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Events: every action that Docker tells of, with its attributes; filters, times, replay; readers that do not read, go away, or whose
# engine is killed; tenants.
source "$(dirname "$0")/../lib/system.sh"
system_start
system_load

ALICE=61001
# events FROM [OPTION...] : what happened from then to now
events() { docker events --since "$1" --until "$(now)" "${@:2}"; }
now() { date +%s.%N; }
actions() { events "$@" --format '{{.Action}}' | paste -sd ' '; }
attributes() { events "$@" --format '{{json .Actor.Attributes}}'; }
request() { curl -s --unix-socket "$SOCKET" "http://localhost$1" "${@:2}"; }
# follow FILE [OPTION...] : docker events in the background; from here on, however late it comes to ask
follow() {
    local file=$1
    docker events --since "$(now)" --format '{{.Type}} {{.Action}}' "${@:2}" >"$file" 2>/dev/null 7>&- &
    echo $! >"$file.pid"
}
unfollow() { kill "$(cat "$1.pid")"; }
has_lines() { [ "$(wc -l <"$1")" -ge "$2" ]; }

life_of_a_container() {
    local from
    from=$(now)
    docker create --name life --network none -l color=red "$IMAGE" sleep 100
    docker start life
    docker rename life lives
    docker pause lives
    docker unpause lives
    docker kill -s USR1 lives
    docker stop -t 0 lives
    docker start lives
    docker restart -t 0 lives
    docker kill lives
    docker rm lives
    equal "$(actions "$from")" \
        "create connect start rename pause unpause kill kill die disconnect stop connect start kill die disconnect stop connect start restart kill die disconnect destroy"
    attributes "$from" -f event=rename >"$WORK/renamed"
    equal "$(cat "$WORK/renamed")" '{"color":"red","image":"busybox","name":"lives","oldName":"/life"}'
    equal "$(attributes "$from" -f event=kill | head -1)" '{"color":"red","image":"busybox","name":"lives","signal":"10"}'
    matches "$(attributes "$from" -f event=die | head -1)" '^\{"color":"red","execDuration":"[0-9]+","exitCode":"137","image":"busybox","name":"lives"\}$'
}
run_and_remove() {
    local from
    from=$(now)
    docker run --rm --network none "$IMAGE" sh -c 'exit 3' || true
    equal "$(actions "$from")" "create attach connect start die disconnect destroy"
    matches "$(attributes "$from" -f event=die)" '"exitCode":"3"'
    from=$(now)
    docker run -d --name forced --network none "$IMAGE" sleep 100
    docker rm -f forced
    equal "$(actions "$from")" "create connect start kill die disconnect destroy"
}
looked_into() {
    local from
    docker run -d --name looked --network none "$IMAGE" sleep 100
    from=$(now)
    docker top looked
    docker rm -f looked
    equal "$(actions "$from")" "top kill die disconnect destroy"
}
images_too() {
    local from id
    from=$(now)
    id=$(docker images -q --no-trunc "$IMAGE")
    docker tag "$IMAGE" other:1
    docker rmi other:1
    docker load -i "$WORK/busybox.tar"
    equal "$(events "$from" --format '{{.Type}} {{.Action}} {{.Actor.ID}} {{index .Actor.Attributes "name"}}')" \
        "image tag $id other:1
image untag $id $id
image load $id $id"
}
made_images() {
    local from id
    docker create --name made --network none "$IMAGE" true
    from=$(now)
    docker commit -m why made made:1
    id=$(docker images -q --no-trunc made:1)
    docker export made | docker import - taken:1
    docker rmi made:1 taken:1
    docker rm made
    equal "$(events "$from" --format '{{.Type}} {{.Action}} {{.Actor.Attributes.name}}' | sed 's/sha256:[0-9a-f]*/ID/')" "image tag made:1
container commit made
container export made
image tag taken:1
image import ID
image untag ID
image delete ID
image untag ID
image delete ID
container destroy made"
    equal "$(attributes "$from" -f event=commit)" '{"comment":"why","image":"busybox","imageID":"'"$id"'","imageRef":"made:1","name":"made"}'
}
# whatever moment the engine is killed at: what is there was told once, and what was told was there
told_with_the_change() {
    local from engine i writer
    from=$(now)
    for i in $(seq 1 60); do
        docker tag "$IMAGE" "many:$i"
        docker volume create "many-$i"
    done >/dev/null 2>&1 &
    writer=$!
    for i in 1 2 3 4; do
        sleep "0.$((RANDOM % 4 + 1))"
        eventually helper_pid engine >/dev/null
        engine=$(helper_pid engine)
        kill -9 "$engine"
    done
    wait $writer || true # the last may have met no engine
    eventually helper_pid engine >/dev/null
    equal "$(events "$from" -f event=tag --format '{{.Actor.Attributes.name}}' | sort)" "$(docker images many --format '{{.Repository}}:{{.Tag}}' | sort)" "tags"
    equal "$(events "$from" -f type=volume --format '{{.Action}} {{.Actor.ID}}' | sort)" "$(docker volume ls -q --filter name=many- | sed 's/^/create /' | sort)" "volumes"
    docker images many --format '{{.Repository}}:{{.Tag}}' | xargs docker rmi
    docker volume ls -q --filter name=many- | xargs docker volume rm
}
as_json() {
    local from line id
    from=$(now)
    id=$(docker create --network none --name json "$IMAGE" true)
    docker rm json
    line=$(request "/events?since=$from&until=$(now)&filters=%7B%22event%22%3A%5B%22create%22%5D%7D")
    matches "$line" '^\{"status":"create","id":"'"$id"'","from":"busybox","Type":"container","Action":"create","Actor":\{"ID":"'"$id"'","Attributes":\{"image":"busybox","name":"json"\}\},"scope":"local","time":[0-9]{10},"timeNano":[0-9]{19}\}$'
}
filtered() {
    local from one two
    from=$(now)
    one=$(docker create --network none --name one -l tier=web -l zone=a "$IMAGE" true)
    two=$(docker create --network none --name two -l tier=db "$IMAGE" true)
    docker tag "$IMAGE" filtered:1
    docker start -a one
    docker rm one two
    docker rmi filtered:1
    equal "$(actions "$from" -f container=one)" "create attach start die destroy"
    equal "$(actions "$from" -f container="${two:0:12}")" "create destroy"
    equal "$(actions "$from" -f container=one -f container=two -f event=destroy)" "destroy destroy"
    equal "$(actions "$from" -f type=image)" "tag untag"
    equal "$(actions "$from" -f label=tier -f event=create)" "create create"
    equal "$(actions "$from" -f label=tier=web -f label=zone=a -f event=create)" "create"
    equal "$(actions "$from" -f label=tier=web -f label=zone=b)" ""
    equal "$(actions "$from" -f image=busybox -f event=create)" "create create"
    equal "$(actions "$from" -f image=busybox:latest -f event=create)" ""
    equal "$(actions "$from" -f image=filtered)" "tag"
    equal "$(actions "$from" -f scope=swarm)" ""
    equal "$(actions "$from" -f scope=local -f event=start)" "start"
    equal "$(actions "$from" -f volume=one -f event=start)" "start" "an object's filter looks at names of all types, as Docker's does"
    equal "$(actions "$from" -f network=none)" "connect disconnect"
    equal "$(actions "$from" -f network=nowhere)" ""
    equal "$(actions "$from" -f daemon=x)" ""
    matches "$(request '/events?filters=%7B%22colour%22%3A%5B%22red%22%5D%7D')" "invalid filter 'colour'"
    matches "$(request '/events?filters=%5B')" message
}
times() {
    local before after
    docker create --network none --name early "$IMAGE" true
    before=$(now)
    docker create --network none --name late "$IMAGE" true
    after=$(now)
    docker rm early late
    equal "$(events "$before" --format '{{.Actor.Attributes.name}}' -f event=create)" late
    for since in "$before" "${before%???}" "$(date -u -d "@$before" +%Y-%m-%dT%H:%M:%S.%NZ)" "$(date -u -d "@$before" +%Y-%m-%dT%H:%M:%S.%N+00:00)"; do
        equal "$(request "/events?since=${since/+/%2B}&until=$after" | grep -c '"late"')" 1 "since $since"
        equal "$(request "/events?since=${since/+/%2B}&until=$after" | grep -c '"early"')" 0 "since $since"
    done
    equal "$(request "/events?since=1h&until=1ms" | grep -c '"Action":"create".*"early"')" 1 "an hour ago"
    equal "$(request "/events?since=1m30s&until=$after" | grep -c '"Action":"create".*"late"')" 1 "a minute and a half ago"
    equal "$(request "/events?since=0&until=$before" | grep -c '"late"')" 0
    equal "$(request "/events?until=$before" | grep -c '"Action":"create".*"early"')" 1 "from the beginning"
    equal "$(request "/events?since=$(date -u -d tomorrow +%Y-%m-%d)&until=$after")" \
        "{\"message\":\"\`since\` time ($(date -u -d tomorrow +%Y-%m-%d)) cannot be after \`until\` time ($after)\"}"
    matches "$(request '/events?since=yesterday')" 'invalid value for \\"since\\": \\"yesterday\\" must be seconds since 1970'
    matches "$(request '/events?until=1x')" 'invalid value for \\"until\\"'
}
until_then() {
    local started=$SECONDS
    (sleep 0.5; docker create --network none --name until "$IMAGE" true; docker rm until) &
    equal "$(docker events --until "$(date -d '+3 seconds' +%s)" --since "$(now)" --format '{{.Action}}' | paste -sd ' ')" "create destroy"
    [ $((SECONDS - started)) -ge 2 ]
    wait
}
# The engine may notice before we do that the time is up: our process is held until it has.
until_whoever_is_late() {
    local i api reader
    api=$(helper_pid api)
    for i in $(seq 1 8); do
        request "/events?until=$(date -d '+0.4 seconds' +%s.%N)" --max-time 20 >"$WORK/late" &
        reader=$!
        sleep 0.2
        kill -STOP "$api"
        sleep 0.4
        kill -CONT "$api"
        wait $reader
    done
}
streams() {
    follow "$WORK/stream"
    docker run --rm --network none "$IMAGE" true
    eventually has_lines "$WORK/stream" 7
    equal "$(paste -sd , "$WORK/stream")" "container create,container attach,network connect,container start,container die,network disconnect,container destroy"
    unfollow "$WORK/stream"
}
python_reads() {
    timeout 20 python3 - "$SOCKET" <<'END'
import sys
import threading

import docker

client = docker.DockerClient(base_url="unix://" + sys.argv[1])
stream = client.events(decode=True, filters={"type": "container", "event": ["create", "destroy"]})
threading.Timer(0.5, lambda: client.containers.create("busybox", name="python", network_mode="none").remove()).start()
seen = [next(stream), next(stream)]
stream.close()
assert [event["Action"] for event in seen] == ["create", "destroy"], seen
assert seen[0]["id"] == seen[0]["Actor"]["ID"] and seen[0]["from"] == "busybox", seen
assert seen[0]["Actor"]["Attributes"]["name"] == "python" and seen[0]["time"] == seen[0]["timeNano"] // 10**9, seen
END
}
misses_nothing() {
    local from
    from=$(now)
    follow "$WORK/through"
    for step in 1 2 3 4; do
        docker create --network none --name "through-$step" "$IMAGE" true
        kill -KILL "$(helper_pid engine)"
        eventually docker rm "through-$step"
    done
    equal "$(actions "$from" -f event=create -f event=destroy)" "create destroy create destroy create destroy create destroy"
    eventually has_lines "$WORK/through" 8
    equal "$(paste -sd , "$WORK/through")" "$(for step in 1 2 3 4; do echo container create; echo container destroy; done | paste -sd ,)"
    unfollow "$WORK/through"
    engine_halt "$ENGINE"
    system_restart
    equal "$(actions "$from" -f container=through-1)" "create destroy" "after a restart"
}
slow_readers() {
    # each asks and never reads: none may cost the engine, or anybody else, anything
    timeout 30 python3 - "$SOCKET" <<'END'
import socket
import sys
import time

import docker

idle = []
for number in range(40):
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(sys.argv[1])
    connection.sendall(b"GET /events?since=1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    idle.append(connection)
client = docker.DockerClient(base_url="unix://" + sys.argv[1])
labels = {f"label-{number}": "x" * 900 for number in range(20)}
for number in range(30):
    client.containers.create("busybox", name=f"slow-{number}", network_mode="none", labels=labels).remove()
END
    equal "$(docker run --rm --network none "$IMAGE" echo quick)" quick
}
bounded() {
    # an event whose labels are longer than one may be: the labels go, its own attributes stay
    local from
    from=$(now)
    python3 - "$SOCKET" <<'END'
import sys

import docker

client = docker.DockerClient(base_url="unix://" + sys.argv[1])
labels = {f"label-{number:03}": "x" * 1000 for number in range(60)}
client.containers.create("busybox", name="long", network_mode="none", labels=labels).remove()
END
    attributes "$from" -f event=create >"$WORK/long"
    [ "$(wc -c <"$WORK/long")" -lt 40000 ]
    matches "$(cat "$WORK/long")" '"image":"busybox","label-000":"x+".*"name":"long"'
}
tenants() {
    local from
    chmod 0755 "$ENGINE"
    chmod 0666 "$SOCKET"
    from=$(now)
    docker create --network none --name mine "$IMAGE" true
    equal "$(setpriv --reuid $ALICE --regid $ALICE --clear-groups curl -s --unix-socket "$SOCKET" "http://localhost/events?since=0&until=$(now)")" ""
    docker rm mine
    equal "$(actions "$from")" "create destroy"
}
answers_while_followed() { docker ps >/dev/null; }

check "the life of a container" life_of_a_container
check "what run --rm and rm -f do" run_and_remove
check "top" looked_into
check "images" images_too
check "images that are made here" made_images
check "images and volumes: an event is written with its change" told_with_the_change
check "an event has Docker's fields, the old ones too" as_json
check "filters" filtered
check "since and until in all of Docker's formats" times
check "until a moment that is to come" until_then
check "until a moment that the engine notices first" until_whoever_is_late
check "a stream goes on until its client goes" streams
check "python's SDK reads them" python_reads
check "nothing is missed when the engine is killed or restarted" misses_nothing
check "readers that never read slow nobody down" slow_readers
check "an event is bounded" bounded
check "a tenant sees its own events only" tenants
check "the engine answers" answers_while_followed
check "nothing is left behind" nothing_left
