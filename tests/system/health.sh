#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Health checks, of the image and of --health-* flags: what they run, what their results mean, who is told, what happens to a container
# that became unhealthy, and that an engine which was restarted goes on where it was.
# slow
source "$(dirname "$0")/../lib/system.sh"
system_start
system_load

# box NAME OPTION... : runs for ever, and ends when it is asked to
box() { docker run -d --name "$1" --network none "${@:2}" "$IMAGE" sh -c 'trap "exit 0" TERM; while :; do sleep 1000 & wait; done' >/dev/null; }
health() { docker inspect -f '{{.State.Health.Status}}' "$1"; }
is_health() { [ "$(health "$1")" = "$2" ]; }
has_probes() { [ "$(docker inspect -f '{{len .State.Health.Log}}' "$1")" -ge "$2" ]; }
streak() { docker inspect -f '{{.State.Health.FailingStreak}}' "$1"; }
shown() { docker ps --filter "name=^$1\$" --format '{{.Status}}'; }

becomes_healthy_and_unhealthy() {
    local since
    since=$(date +%s.%N)
    box web --health-cmd 'echo looking; [ ! -e /tmp/sick ]' --health-interval 100ms --health-retries 2
    [[ "$(shown web)" = *"(health: starting)" || "$(shown web)" = *"(healthy)" ]]
    eventually is_health web healthy
    [[ "$(shown web)" = "Up "*" (healthy)" ]]
    equal "$(docker ps -q --filter health=healthy --no-trunc)" "$(docker inspect -f '{{.Id}}' web)"
    docker exec web touch /tmp/sick
    eventually is_health web unhealthy
    [ "$(streak web)" -ge 2 ]
    [[ "$(shown web)" = "Up "*" (unhealthy)" ]]
    equal "$(docker ps -q --filter health=healthy)" ""
    equal "$(docker ps -q --filter health=unhealthy | wc -l)" 1
    docker exec web rm /tmp/sick
    eventually is_health web healthy
    equal "$(streak web)" 0
    equal "$(docker events --since "$since" --until "$(date +%s.%N)" --filter container=web --format '{{.Action}}' | grep health_status | tr '\n' ';')" \
        "health_status: healthy;health_status: unhealthy;health_status: healthy;"
}
# the last five, when those of the time it was sick have gone
five_good_ones() {
    docker inspect web | python3 -c '
import json, sys
log = json.load(sys.stdin)[0]["State"]["Health"]["Log"]
starts = [probe["Start"] for probe in log]
assert len(log) == 5 and starts == sorted(starts), log
for probe in log:
    assert probe["ExitCode"] == 0 and probe["Output"] == "looking\n" and probe["Start"] < probe["End"], probe' 2>"$WORK/five"
}
log_has_the_last_five() {
    eventually five_good_ones || { cat "$WORK/five"; return 1; }
    sleep 0.3
    five_good_ones # and no more of them
}
no_trace_of_checks_is_left() {
    [ "$(docker inspect -f '{{len .ExecIDs}}' web)" -le 1 ]
    docker rm -f web
}
output_is_bounded() {
    box loud --health-cmd 'head -c 100000 /dev/zero | tr "\0" x; exit 3' --health-interval 100ms
    eventually has_probes loud 1
    docker inspect loud | python3 -c '
import json, sys
probe = json.load(sys.stdin)[0]["State"]["Health"]["Log"][0]
assert probe["ExitCode"] == 3 and probe["Output"] == "x" * 4096 + "...", (len(probe["Output"]), probe["Output"][-9:])'
    docker rm -f loud
}
slow_ones_are_killed() {
    box slow --health-cmd 'echo begun; sleep 1000' --health-interval 100ms --health-timeout 300ms --health-retries 1
    eventually is_health slow unhealthy
    equal "$(docker inspect -f '{{(index .State.Health.Log 0).ExitCode}} {{(index .State.Health.Log 0).Output}}' slow)" "-1 Health check exceeded timeout (300ms): begun"
    docker pause slow # no new one begins
    docker unpause slow
    docker rm -f slow
}
a_program_that_is_not_there() {
    docker create --name absent --network none "$IMAGE" sleep 1000 >/dev/null
    docker rm absent
    curl -s --unix-socket "$SOCKET" -H 'Content-Type: application/json' "http://d/v1.47/containers/create?name=absent" \
        -d '{"Image":"busybox","Cmd":["sleep","1000"],"HostConfig":{"NetworkMode":"none"},"Healthcheck":{"Test":["CMD","nosuch"],"Interval":100000000,"Retries":1}}'
    docker start absent
    eventually is_health absent unhealthy
    equal "$(docker inspect -f '{{(index .State.Health.Log 0).ExitCode}} {{(index .State.Health.Log 0).Output}}' absent)" \
        '-1 OCI runtime exec failed: exec failed: unable to start container process: exec: "nosuch": executable file not found in $PATH: unknown'
    docker rm -f absent
}
start_period_forgives() {
    box late --health-cmd '[ -e /tmp/up ]' --health-interval 60s --health-start-period 60s --health-start-interval 100ms --health-retries 1
    eventually has_probes late 3
    equal "$(health late) $(streak late)" "starting 0"
    docker exec late touch /tmp/up
    eventually is_health late healthy
    docker rm -f late
}
the_images_check_counts() {
    local tool
    mkdir -p "$WORK/root/bin" "$WORK/root/tmp"
    cp "$(command -v busybox)" "$WORK/root/bin/busybox"
    for tool in sh sleep true '['; do
        ln -s busybox "$WORK/root/bin/$tool"
    done
    tar -C "$WORK/root" -c . | docker import -c 'HEALTHCHECK --interval=100ms --retries=1 CMD [ "$KIND" = good ]' -c 'ENV KIND=good PATH=/bin' - checked
    IMAGE=checked box ours
    eventually is_health ours healthy
    IMAGE=checked box theirs -e KIND=bad
    eventually is_health theirs unhealthy
    IMAGE=checked box mine --health-cmd true -e KIND=bad
    eventually is_health mine healthy
    equal "$(docker inspect -f '{{.Config.Healthcheck.Test}} {{.Config.Healthcheck.Interval}}' mine)" "[CMD-SHELL true] 100ms"
    IMAGE=checked box none --no-healthcheck
    sleep 0.3
    equal "$(docker inspect -f '{{.State.Health}}' none)" "<nil>"
    equal "$(docker ps -q --filter health=none --no-trunc)" "$(docker inspect -f '{{.Id}}' none)"
    docker rm -f ours theirs mine none
    docker rmi checked
}
paused_ones_are_not_checked() {
    box still --health-cmd 'echo x >>/tmp/count' --health-interval 100ms
    eventually is_health still healthy
    docker pause still
    sleep 0.3
    local before
    before=$(docker inspect -f '{{(index .State.Health.Log 0).Start}}' still)
    sleep 0.5
    equal "$(docker inspect -f '{{(index .State.Health.Log 0).Start}}' still)" "$before"
    docker unpause still
    eventually later_than still "$before"
    docker stop still
    equal "$(health still)" unhealthy
    docker start still
    eventually is_health still healthy
    docker rm -f still
}
later_than() { [[ "$(docker inspect -f '{{(index .State.Health.Log 0).Start}}' "$1")" > "$2" ]]; }
on_failure() { # WORD STATUS OPTION...
    box sick --label io.bulkhead.health-on-failure="$1" --health-cmd '[ ! -e /tmp/sick ]' --health-interval 100ms --health-retries 1 "${@:3}"
    eventually is_health sick healthy
    local pid
    pid=$(docker inspect -f '{{.State.Pid}}' sick)
    docker exec sick touch /tmp/sick
    case $1 in
        none) eventually is_health sick unhealthy && equal "$(docker inspect -f '{{.State.Pid}}' sick)" "$pid" ;;
        restart) eventually other_pid sick "$pid" ;;
        *) eventually is_state sick exited && equal "$(docker inspect -f '{{.State.ExitCode}}' sick)" "$2" ;;
    esac
    docker rm -f sick
}
other_pid() { local now; now=$(docker inspect -f '{{.State.Pid}}' "$1"); [ "$now" != 0 ] && [ "$now" != "$2" ]; }
our_own_flag_is_that_label() {
    bulkhead create --name flagged --network none --health-cmd true --health-on-failure stop "$IMAGE" true
    equal "$(docker inspect -f '{{index .Config.Labels "io.bulkhead.health-on-failure"}}' flagged)" stop
    docker rm flagged
}
bad_input_is_refused() {
    local body
    for body in '"Test":["CMD"]' '"Test":["CMD-SHELL",""]' '"Test":["CMD","x"],"Interval":1000' '"Test":["CMD","x"],"Retries":-1' '"Test":["CMD","x"],"Timeout":-5'; do
        equal "$(curl -s --unix-socket "$SOCKET" -o /dev/null -w '%{http_code}' -H 'Content-Type: application/json' "http://d/v1.47/containers/create" -d "{\"Image\":\"busybox\",\"Healthcheck\":{$body}}")" 400 "$body"
    done
    ! docker create --label io.bulkhead.health-on-failure=explode "$IMAGE" true || return 1
    ! docker ps --filter health=fine || return 1
    equal "$(docker ps -aq)" ""
}
another_kind_of_check_is_warned_of() { # taken, as Docker does, and never run
    local answer
    answer=$(curl -s --unix-socket "$SOCKET" -H 'Content-Type: application/json' "http://d/v1.47/containers/create?name=odd" -d '{"Image":"busybox","Cmd":["sleep","1000"],"Healthcheck":{"Test":["true"]}}')
    matches "$answer" 'no health check will run'
    docker start odd
    equal "$(docker inspect -f '{{.State.Status}} {{json .State.Health}} {{.Config.Healthcheck.Test}}' odd)" "running null [true]"
    docker rm -f odd
}
goes_on_after() { # ROLE : the check goes on
    box kept --health-cmd '[ ! -e /tmp/sick ]' --health-interval 100ms --health-retries 1
    eventually is_health kept healthy
    kill -KILL "$(helper_pid "$1")"
    eventually docker exec kept touch /tmp/sick
    eventually is_health kept unhealthy
    docker rm -f kept
}
state_is_kept() {
    box kept --health-cmd 'exit 4' --health-interval 60s --health-start-period 600s --health-start-interval 100ms
    box well --health-cmd 'true' --health-interval 500ms
    eventually has_probes kept 2
    eventually is_health well healthy
    kill -KILL "$(engine_pid "$ENGINE")"
    system_restart
    equal "$(health well)" healthy
    equal "$(health kept)" starting
    has_probes kept 2
    docker rm -f kept well
}
many_at_once() {
    local i
    for i in $(seq 12); do
        box "many$i" --health-cmd 'sleep 0.1' --health-interval 100ms
    done
    for i in $(seq 12); do
        eventually is_health "many$i" healthy
    done
    docker ps -aq --filter name=many | xargs docker rm -f
}
nothing_of_it_stays() { eventually nothing_left; }

check "a container becomes healthy, unhealthy, healthy" becomes_healthy_and_unhealthy
check "the log has the last five checks" log_has_the_last_five
check "no trace of checks is left" no_trace_of_checks_is_left
check "output is bounded" output_is_bounded
check "a check that takes too long is killed" slow_ones_are_killed
check "a program that is not there is unhealthy" a_program_that_is_not_there
check "the start period forgives, and is checked more often" start_period_forgives
check "the image's check counts, flags change it, NONE ends it" the_images_check_counts
check "what is paused or stopped is not checked" paused_ones_are_not_checked
check "unhealthy: nothing happens" on_failure none 0
check "unhealthy: killed" on_failure kill 137
check "unhealthy: stopped" on_failure stop 0
check "unhealthy: restarted" on_failure restart 0
check "bulkhead's flag is the label" our_own_flag_is_that_label
check "bad input is refused" bad_input_is_refused
check "a check of another kind is warned of" another_kind_of_check_is_warned_of
check "checks go on after the executor died" goes_on_after executor
check "checks go on after policyd died" goes_on_after policyd
check "checks go on after the engine died" goes_on_after engine
check "health outlives the engine" state_is_kept
check "many at once" many_at_once
check "nothing is left behind" nothing_of_it_stays
