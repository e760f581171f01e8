#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Processes that join a running container, by Docker's client, its SDK and the bare API: what they are, what they say, how they end, and
# that they outlive every helper.
# slow
source "$(dirname "$0")/../lib/system.sh"
system_start
system_load

ALICE=61001
as() {
    local uid=$1
    shift
    setpriv --reuid "$uid" --regid "$uid" --clear-groups env HOME="$WORK" DOCKER_CONFIG="$WORK/docker-$uid" "$@"
}

# api METHOD PATH [JSON] : prints the status and the body
api() { curl -s --unix-socket "$SOCKET" -X "$1" -H 'Content-Type: application/json' ${3+-d "$3"} -w '\n%{http_code}' "http://d/v1.47$2" | tac; }
# new CONTAINER JSON : creates an exec and prints its id
new() { api POST "/containers/$1/exec" "$2" | sed -n 's/.*"Id":"\([0-9a-f]*\)".*/\1/p'; }
field() { api GET "/exec/$1/json" | tail -1 | python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$2"; }
has_field() { [ "$(field "$1" "$2")" = "$3" ]; }
box() { docker run -d --name "$1" --network none "${@:2}" "$IMAGE" sh -c 'trap "exit 0" TERM; while :; do sleep 1000 & wait; done'; }

runs_in_the_container() {
    equal "$($client exec box cat /proc/1/cmdline | tr '\0' ' ' | cut -c1-5)" "sh -c"
    equal "$($client exec box sh -c 'echo out; echo err >&2')" out
    equal "$($client exec box sh -c 'echo out; echo err >&2' 2>&1 >/dev/null)" err
    equal "$($client exec box hostname)" "$(docker inspect -f '{{.Config.Hostname}}' box)"
    equal "$(printf 'one\ntwo\n' | $client exec -i box sort -r | tr '\n' ' ')" "two one "
    equal "$(printf lost | $client exec box cat)" ""
}
exit_codes_are_the_programs() {
    local code
    for code in 0 1 7 125 255; do
        exits $code $client exec box sh -c "exit $code"
    done
    exits 137 $client exec box sh -c 'kill -9 $$'
}
exits() { # CODE COMMAND...
    local status=0
    "${@:2}" || status=$?
    equal "$status" "$1" "exit code of ${*:2}"
}
failures_are_worded_like_dockers() {
    local text
    text=$(docker exec box nosuch || [ $? = 127 ])
    equal "${text%$'\r'}" 'OCI runtime exec failed: exec failed: unable to start container process: exec: "nosuch": executable file not found in $PATH: unknown'
    text=$(docker exec box /etc/passwd || [ $? = 126 ])
    equal "${text%$'\r'}" 'OCI runtime exec failed: exec failed: unable to start container process: exec: "/etc/passwd": permission denied: unknown'
    text=$(docker exec -w /not/there box true || [ $? = 127 ])
    equal "${text%$'\r'}" 'OCI runtime exec failed: exec failed: unable to start container process: chdir to cwd ("/not/there") set in config.json failed: no such file or directory: unknown'
    exits 126 docker exec -u nobody-here box true
    text=$(docker exec -d box nosuch 2>&1 || [ $? = 1 ])
    [[ "$text" = *'daemon: OCI runtime exec failed: exec failed: unable to start container process: exec: "nosuch"'* ]]
}
options_do_what_they_say() {
    equal "$($client exec -e COLOUR=blue -e EMPTY= box sh -c 'echo $COLOUR-${EMPTY-unset}')" "blue-"
    equal "$($client exec -w /tmp box pwd)" /tmp
    equal "$($client exec -u 1234:56 box sh -c 'id -u; id -g; grep CapEff /proc/self/status' | tr '\n\t' '  ')" "1234 56 CapEff: 0000000000000000 "
    equal "$($client exec -u root box id -u)" 0
    $client exec -d box sh -c 'echo there >/tmp/detached'
    eventually docker exec box grep -q there /tmp/detached
    equal "$(docker exec other sh -c 'echo $KIND; pwd; id -u' | tr '\n' ' ')" "container /tmp 77 "
    equal "$(docker exec -e KIND=exec -w / -u 0 other sh -c 'echo $KIND; pwd; id -u' | tr '\n' ' ')" "exec / 0 "
}
terminals_have_a_size_and_a_name() {
    equal "$(script -qec "stty rows 33 cols 111; docker exec -it box sh -c 'tty; stty size; echo \$TERM'" /dev/null </dev/null | tr -d '\r' | sed 's/^^@//' | tr '\n' ' ')" "/dev/pts/0 33 111 xterm "
    equal "$(docker exec box sh -c 'tty; echo ${TERM-none}' | tr '\n' ' ')" "not a tty none "
    python3 - "$SOCKET" box <<'END'
import docker, sys, time
client = docker.APIClient(base_url="unix://" + sys.argv[1])
made = client.exec_create(sys.argv[2], ["sh", "-c", "read line; stty size; echo got $line"], tty=True, stdin=True)
stream = client.exec_start(made, tty=True, socket=True)._sock
client.exec_resize(made, height=20, width=60)
stream.sendall(b"hello\n")
text = b""
while piece := stream.recv(4096):
    text += piece
assert b"20 60\r\ngot hello\r\n" in text, text
assert client.exec_inspect(made)["ExitCode"] == 0
END
}
detach_keys_leave_it_running() {
    local from
    from=$(date +%s.%N)
    python3 - "$SOCKET" box <<'END'
import docker, os, signal, socket, sys
client = docker.APIClient(base_url="unix://" + sys.argv[1])
made = client.exec_create(sys.argv[2], ["sh", "-c", "echo begin; sleep 1000"], tty=True, stdin=True, detach_keys="ctrl-x,y")
stream = socket.socket(socket.AF_UNIX)
stream.connect(sys.argv[1])
stream.sendall(b"POST /v1.47/exec/%s/start HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n"
               b"Content-Type: application/json\r\nContent-Length: 12\r\n\r\n{\"Tty\":true}" % made["Id"].encode())
text = b""
while b"begin\r\n" not in text:
    text += stream.recv(4096)
stream.sendall(b"\x18y")
while stream.recv(4096):
    pass
told = client.exec_inspect(made)
assert told["Running"] and told["ExitCode"] is None and told["DetachKeys"] == "GHk=", told
assert made["Id"] in client.inspect_container(sys.argv[2])["ExecIDs"]
os.kill(told["Pid"], signal.SIGKILL)
END
    matches "$(docker events --since "$from" --until "$(date +%s.%N)" --filter event=exec_detach --format '{{json .Actor.Attributes}}')" \
        '^\{"execID":"[0-9a-f]{64}","image":"busybox","name":"box"\}$'
}
confinement_is_the_containers() {
    local what='grep -E "^(Cap|NoNewPrivs|Seccomp:|Uid|Gid)" /proc/$p/status; cat /proc/$p/cgroup; readlink /proc/$p/ns/user /proc/$p/ns/mnt /proc/$p/ns/pid /proc/$p/ns/net /proc/$p/ns/ipc /proc/$p/ns/uts'
    equal "$(docker exec box sh -c "p=self; $what")" "$(docker exec box sh -c "p=1; $what")"
    equal "$(docker exec box sh -c 'ls /proc/self/fd | wc -l')" "$(run_in -- sh -c 'ls /proc/self/fd | wc -l')"
    equal "$(docker exec --privileged box grep CapEff /proc/self/status | cut -f2)" 000001ffffffffff
    exits 1 docker exec box sh -c 'mount -t tmpfs tmpfs /tmp 2>/dev/null'
}
inspect_says_everything() {
    local id
    id=$(new box '{"Cmd":["sleep","1000"],"AttachStdout":true,"Env":["A=b"],"User":"5"}')
    equal "$(api GET "/exec/$id/json" | tail -1)" "{\"ID\":\"$id\",\"Running\":false,\"ExitCode\":null,\"ProcessConfig\":{\"tty\":false,\"entrypoint\":\"sleep\",\"arguments\":[\"1000\"],\"privileged\":false,\"user\":\"5\"},\"OpenStdin\":false,\"OpenStderr\":false,\"OpenStdout\":true,\"CanRemove\":false,\"ContainerID\":\"$(docker inspect -f '{{.Id}}' box)\",\"DetachKeys\":\"\",\"Pid\":0}"
    equal "$(api POST "/exec/$id/start" '{"Detach":true}' | head -1)" 200
    equal "$(field "$id" Running) $(field "$id" ExitCode)" "True None"
    [[ "$(docker inspect -f '{{.ExecIDs}}' box)" = *"$id"* ]]
    equal "$(api POST "/exec/$id/start" '{"Detach":true}' | tr '\n' ' ')" "409 {\"message\":\"Error: Exec command $id is already running\"} "
    kill -KILL "$(field "$id" Pid)"
    eventually has_field "$id" ExitCode 137
    equal "$(api POST "/exec/$id/start" '{"Detach":true}' | tr '\n' ' ')" "409 {\"message\":\"Error: Exec command $id has already run\"} "
    [[ "$(docker inspect -f '{{.ExecIDs}}' box)" != *"$id"* ]]
    id=$(new box '{"Cmd":["nosuch"]}')
    equal "$(api POST "/exec/$id/start" '{"Detach":true}' | head -1)" 400
    equal "$(field "$id" ExitCode)" 127
}
bad_input_is_refused() {
    local none=${1:-0000000000000000000000000000000000000000000000000000000000000000} id
    equal "$(api POST /containers/ended/exec '{"Cmd":["true"]}' | tr '\n' ' ')" "409 {\"message\":\"Container $(docker inspect -f '{{.Id}}' ended) is not running\"} "
    equal "$(api POST /containers/nosuch/exec '{"Cmd":["true"]}' | tr '\n' ' ')" '404 {"message":"No such container: nosuch"} '
    equal "$(api POST /containers/box/exec '{}' | tr '\n' ' ')" '400 {"message":"No exec command specified"} '
    equal "$(api POST /containers/box/exec '{"Cmd":["true"],"Prvileged":true}' | head -1)" 400
    equal "$(api POST /containers/box/exec '{"Cmd":["true"],"Env":["=x"]}' | head -1)" 400
    equal "$(api POST /containers/box/exec '{"Cmd":["true"],"WorkingDir":"relative"}' | head -1)" 400
    equal "$(api POST /containers/box/exec '{"Cmd":["true"],"DetachKeys":"nokey"}' | head -1)" 400
    equal "$(api POST /containers/box/exec '{"Cmd":[1]}' | head -1)" 400
    for id in nosuch $none "${none}0" ..%2f.. ; do
        equal "$(api POST "/exec/$id/start" '{"Detach":true}' | head -1 | tr 4 4)" "$([ "$id" = ..%2f.. ] && echo 400 || echo 404)" "start of $id"
    done
    equal "$(api GET /exec/nosuch/json | tr '\n' ' ')" '404 {"message":"No such exec instance: nosuch"} '
    equal "$(api POST '/exec/nosuch/resize?h=1&w=1' | head -1)" 404
    docker pause box
    equal "$(api POST /containers/box/exec '{"Cmd":["true"]}' | tr '\n' ' ')" '409 {"message":"Container box is paused, unpause the container before exec"} '
    docker unpause box
}
another_tenant_finds_nothing() {
    local id
    chmod 0755 "$ENGINE" "$WORK"
    chmod 0666 "$SOCKET"
    id=$(new box '{"Cmd":["true"]}')
    equal "$(as $ALICE curl -s --unix-socket "$SOCKET" -o /dev/null -w '%{http_code}' "http://d/v1.47/exec/$id/json")" 404
    equal "$(as $ALICE curl -s --unix-socket "$SOCKET" -o /dev/null -w '%{http_code}' -H 'Content-Type: application/json' -d '{"Detach":true}' "http://d/v1.47/exec/$id/start")" 404
    equal "$(as $ALICE curl -s --unix-socket "$SOCKET" -o /dev/null -w '%{http_code}' -H 'Content-Type: application/json' -d '{"Cmd":["true"]}' "http://d/v1.47/containers/box/exec")" 404
    equal "$(field "$id" Running)" False
}
privileged_is_policys() {
    chmod 0644 "$WORK/busybox.tar"
    as $ALICE docker load -i "$WORK/busybox.tar"
    as $ALICE docker run -d --name hers --network none "$IMAGE" sleep 1000
    equal "$(as $ALICE docker exec hers id -u)" 0
    local text
    text=$(as $ALICE docker exec --privileged hers true 2>&1 || [ $? = 1 ])
    [[ "$text" = *'a privileged exec is not allowed; run it without --privileged (rule "privileged" of the built-in rules'* ]]
    as $ALICE docker rm -f hers
}
never_started() {
    docker run -d --name waits --network none "$IMAGE" sleep 1000
    python3 - "$SOCKET" <<'END'
import docker, sys
client = docker.APIClient(base_url="unix://" + sys.argv[1])
first = client.exec_create("waits", ["true"])["Id"]
for _ in range(1023):
    client.exec_create("waits", ["true"])
try:
    client.exec_create("waits", ["true"])
    raise SystemExit("there is no bound")
except docker.errors.APIError as error:
    assert "the container has 1024 execs that have not ended, which is the limit" in str(error), error
client.exec_start(first)
client.exec_create("waits", ["true"])  # one that has ended makes room
client.restart("waits", timeout=0)
assert client.inspect_container("waits")["ExecIDs"] is None
last = client.exec_create("waits", ["true"])["Id"]
client.restart("waits", timeout=0)
try:
    client.exec_start(last)
    raise SystemExit("it outlived its container's run")
except docker.errors.NotFound as error:
    assert "No such exec instance: " + last in str(error), error
END
    docker rm -f waits
}
a_gigabyte_both_ways() { # NUMBER OF AT ONCE : 1 GB in all
    local i jobs=() each=$((1024 / $1))
    for i in $(seq "$1"); do
        (
            head -c "${each}M" /dev/zero | openssl enc -aes-128-ctr -nosalt -pass "pass:$i" 2>/dev/null | tee >(sha256sum | cut -c1-64 >"$WORK/in$i") |
                docker exec -i box sh -c 'cat' | sha256sum | cut -c1-64 >"$WORK/out$i"
        ) &
        jobs+=($!)
    done
    wait "${jobs[@]}"
    for i in $(seq "$1"); do
        eventually test -s "$WORK/in$i"
        equal "$(cat "$WORK/out$i")" "$(cat "$WORK/in$i")" "stream $i"
        [ -s "$WORK/out$i" ]
    done
}
half_close_ends_its_input() {
    equal "$(printf abc | docker exec -i box sh -c 'cat; echo " and $(date >/dev/null; echo more)"')" "abc and more"
}
late_input_is_no_error() {
    python3 - "$SOCKET" "$(new box '{"Cmd":["echo","done"],"Tty":true,"AttachStdin":true,"AttachStdout":true}')" <<'END'
import socket, sys, time
client = socket.socket(socket.AF_UNIX)
client.connect(sys.argv[1])
client.sendall(b"POST /v1.47/exec/%s/start HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n"
               b"Content-Type: application/json\r\nContent-Length: 12\r\n\r\n{\"Tty\":true}" % sys.argv[2].encode())
text = b""
while b"done" not in text:
    text += client.recv(4096)
try:
    for _ in range(50):
        client.sendall(b"x")
        time.sleep(0.01)
except BrokenPipeError:
    pass
while piece := client.recv(4096):  # a reset would be an exception
    text += piece
assert text.startswith(b"HTTP/1.1 101 "), text
END
}
events_tell_of_it() {
    local since
    since=$(date +%s.%N)
    docker exec box sh -c 'exit 3' || true
    docker events --since "$since" --until "$(date +%s.%N)" --filter container=box --format '{{.Action}} {{index .Actor.Attributes "exitCode"}}' >"$WORK/events"
    equal "$(grep exec "$WORK/events" | tr '\n' ';')" "exec_create: sh -c exit 3 ;exec_start: sh -c exit 3 ;exec_die 3;"
}
survives() { # ROLE : an exec runs on, and its exit code is learned
    local id helper
    docker exec box rm -f /tmp/go
    id=$(new box '{"Cmd":["sh","-c","until [ -e /tmp/go ]; do sleep 0.05; done; exit 21"]}')
    api POST "/exec/$id/start" '{"Detach":true}'
    helper=$(helper_pid "$1")
    kill -KILL "$helper"
    eventually docker exec box true
    equal "$(field "$id" Running)" True
    docker exec box touch /tmp/go
    eventually has_field "$id" ExitCode 21
}
ends_while_nobody_looks() {
    local id
    id=$(new box '{"Cmd":["sh","-c","sleep 0.5; exit 22"]}')
    api POST "/exec/$id/start" '{"Detach":true}'
    kill -KILL "$(engine_pid "$ENGINE")"
    sleep 1
    system_restart
    eventually has_field "$id" ExitCode 22
}
without_its_monitor_it_ends() {
    local id monitor pid
    id=$(new box '{"Cmd":["sleep","1000"]}')
    api POST "/exec/$id/start" '{"Detach":true}'
    pid=$(field "$id" Pid)
    monitor=$(awk '/^PPid/ { print $2 }' "/proc/$pid/status")
    equal "$(cat "/proc/$monitor/comm")" bulkhead-monito
    kill -KILL "$monitor"
    eventually has_field "$id" ExitCode 137
    eventually gone "$pid"
}
ends_with_its_container() {
    local id pid
    box brief
    id=$(new brief '{"Cmd":["sleep","1000"]}')
    api POST "/exec/$id/start" '{"Detach":true}'
    pid=$(field "$id" Pid)
    docker stop brief
    eventually gone "$pid"
    eventually has_field "$id" Running False
    docker start brief
    equal "$(docker exec brief echo again)" again
    docker rm -f brief
    equal "$(api GET "/exec/$id/json" | head -1)" 404
}
joins_one_with_an_init() {
    box inited --init
    equal "$(docker exec inited sh -c 'echo in; cat /proc/1/comm' | tr '\n' ' ')" "in init "
    docker stop -t 5 inited
    equal "$(docker inspect -f '{{.State.ExitCode}}' inited)" 0
    docker rm inited
}
# A privileged first process may make a user namespace of its own and go there. Nobody follows it.
follows_nobody_elsewhere() {
    docker run -d --name elsewhere --privileged --network none "$IMAGE" /bin/busybox unshare -U sleep 1000
    eventually left_its_namespace
    bulkhead exec elsewhere true 2>"$WORK/err" && return 1
    matches "$(cat "$WORK/err")" "has left the container's user namespace"
    docker cp elsewhere:/etc/hostname - >/dev/null 2>"$WORK/err" && return 1
    matches "$(cat "$WORK/err")" "has left the container's user namespace"
    docker rm -f elsewhere
}
left_its_namespace() {
    local pid
    pid=$(docker inspect -f '{{.State.Pid}}' elsewhere)
    [ "$(tr '\0' ' ' <"/proc/$pid/cmdline")" = "sleep 1000 " ] && [ ! -s "/proc/$pid/uid_map" ]
}
gone() { ! kill -0 "$1" 2>/dev/null; }
nothing_is_left_behind() {
    eventually no_exec_folders
    docker rm -f box other ended
    eventually nothing_left
}
no_exec_folders() { [ -z "$(find "$ENGINE"/state/containers -mindepth 3 -maxdepth 3 -path '*/execs/*' -newer "$WORK/busybox.tar" 2>/dev/null)" ]; }

box box >/dev/null
box other -e KIND=container -w /tmp -u 77 >/dev/null
docker run --name ended --network none "$IMAGE" true

for client in $CLIENTS; do
    check "exec runs a program in the container ($client)" runs_in_the_container
    check "exit codes are the program's ($client)" exit_codes_are_the_programs
    check "environment, folder, user, detached ($client)" options_do_what_they_say
done
check "what cannot be executed is worded like Docker's" failures_are_worded_like_dockers
check "terminals have a size and a name, and are resized" terminals_have_a_size_and_a_name
check "those that are never started are bounded, and go when their container ends" never_started
check "detach keys leave it running" detach_keys_leave_it_running
check "its confinement is the container's" confinement_is_the_containers
check "inspect says everything; it starts once" inspect_says_everything
check "bad input is refused by name" bad_input_is_refused
check "another tenant finds nothing" another_tenant_finds_nothing
check "a privileged one is policy's to allow" privileged_is_policys
check "a gigabyte in and out, equal" a_gigabyte_both_ways 1
check "four at once" a_gigabyte_both_ways 4
check "a half-closed input ends there alone" half_close_ends_its_input
check "input that comes too late is no error" late_input_is_no_error
check "events tell of it" events_tell_of_it
for role in engine policyd executor; do
    check "it survives the $role, and its exit code is learned" survives "$role"
done
check "it ends while nobody looks, and its exit code is learned" ends_while_nobody_looks
check "without its monitor it ends" without_its_monitor_it_ends
check "it ends with its container" ends_with_its_container
check "also one with an init is joined" joins_one_with_an_init
check "a first process that has left its user namespace is followed by nobody" follows_nobody_elsewhere
check "nothing is left behind" nothing_is_left_behind
