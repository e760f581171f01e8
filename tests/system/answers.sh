#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Answers on the bare socket that programs depend on and no client of this suite asks for: Docker's status and words.
# sanitize
source "$(dirname "$0")/../lib/system.sh"

# answers STATUS TEXT METHOD PATH [JSON] : the status, and a part of the body
answers() {
    local json=()
    [ -z "${5-}" ] || json=(-H 'Content-Type: application/json' -d "$5")
    equal "$(curl -s --unix-socket "$SOCKET" -X "$3" "${json[@]}" -o "$WORK/answer" -w '%{http_code}' "http://d$4")" "$1" "$3 $4"
    [ -z "$2" ] || grep -qF -- "$2" "$WORK/answer" || { cat "$WORK/answer"; return 1; }
}
shown() { docker inspect -f "{{json .$2}}" "$1"; }

create_says() {
    answers 400 "No such container: nosuch" POST /containers/create '{"Image": "busybox", "HostConfig": {"VolumesFrom": ["nosuch"]}}'
    answers 400 "Interval in Healthcheck cannot be less than 1ms" POST /containers/create '{"Image": "busybox", "Healthcheck": {"Interval": -1}}'
    answers 400 "Timeout in Healthcheck cannot be less than 1ms" POST /containers/create '{"Image": "busybox", "Healthcheck": {"Timeout": 999999}}'
    answers 400 "Retries in Healthcheck cannot be negative" POST /containers/create '{"Image": "busybox", "Healthcheck": {"Retries": -1}}'
    answers 400 "mount path must be absolute" POST /containers/create '{"Image": "busybox", "HostConfig": {"Tmpfs": {".": ""}}}'
}
create_takes() { # a word where a list of one is meant
    answers 201 Id POST '/containers/create?name=words' '{"Image": "busybox", "Cmd": "true", "HostConfig": {"CapAdd": "NET_ADMIN", "CapDrop": "CHOWN"}}'
    equal "$(shown words HostConfig.CapAdd) $(shown words HostConfig.CapDrop)" '["NET_ADMIN"] ["CHOWN"]'
    docker rm words
    answers 400 "config cannot be empty in order to create a container" POST /containers/create '{}'
    answers 400 "invalid mode: bar" POST /containers/create '{"Image": "busybox", "HostConfig": {"VolumesFrom": ["words:bar"]}}'
    answers 400 'missing required option: \"type\"' POST /volumes/create '{"Name": "typeless", "DriverOpts": {"device": "/tmp"}}'
}
nothing_to_attach_to() {
    answers 404 "No such container: nobody" POST /containers/nobody/attach
    answers 404 "No such container: nobody" POST '/containers/nobody/attach?logs=1&stdout=1'
    answers 404 "No such container: nobody" POST '/containers/nobody/attach?stream=1&stdout=1'
}
any_tail() {
    docker run -d --name tailed --network none busybox sh -c 'echo 1; echo 2; echo 3'
    docker wait tailed
    equal "$(docker logs --tail random tailed | tr '\n' ' ')" "1 2 3 "
    equal "$(docker logs --tail 1 tailed)" 3
    docker rm tailed
}
paused() {
    local id
    id=$(docker run -d --name still --network none busybox sleep 1000)
    docker pause still
    answers 409 "Container still is paused, unpause the container before exec" POST /containers/still/exec '{"Cmd": ["true"]}'
    answers 409 "Container $id is paused, unpause the container before exec" POST "/containers/$id/exec" '{"Cmd": ["true"]}'
    docker rm -f still
}
options_of_any_path() {
    answers 200 "" OPTIONS /
    answers 200 "" OPTIONS /containers/json
}
saved_repositories() {
    local id
    id=$(docker inspect -f '{{.Id}}' busybox)
    docker tag busybox some/where:1
    docker tag busybox some/where:2
    docker tag busybox localhost:5000/here:3
    docker save busybox some/where localhost:5000/here:3 | tar -xO repositories >"$WORK/repositories"
    equal "$(python3 -c 'import json, sys; print(json.dumps(json.load(sys.stdin), sort_keys=True))' <"$WORK/repositories")" \
        "$(printf '{"busybox": {"latest": "%s"}, "localhost:5000/here": {"3": "%s"}, "some/where": {"1": "%s", "2": "%s"}}' ${id#sha256:} ${id#sha256:} ${id#sha256:} ${id#sha256:})"
    docker rmi some/where:1 some/where:2 localhost:5000/here:3
}
an_empty_word_is_no_program() {
    local missing='exec: \"\": executable file not found in $PATH'
    answers 201 Id POST '/containers/create?name=empty' '{"Image": "busybox", "Cmd": [""]}'
    answers 400 "$missing" POST /containers/empty/start
    equal "$(shown empty State.ExitCode) $(shown empty Path) $(shown empty Config.Cmd)" '127 "" [""]'
    docker rm empty
    docker run -d --name box --network none busybox sleep 1000
    exits 127 docker exec box ""
    matches "$(cat "$WORK/out")" 'exec: "": executable file not found in \$PATH'
}
# What dockerode sends: every option in the query, and all of them once more as a JSON body.
what_libraries_send_along() {
    answers 201 "Fields of HostConfig that stand beside it" POST '/containers/create?name=noded' \
        '{"Image": "busybox", "name": "noded", "platform": "linux", "abortSignal": {"x": 1}, "Cmd": ["cat"], "OpenStdin": true, "StdinOnce": true, "Dns": ["8.8.8.8"], "Env": null, "Volumes": {}, "VolumesFrom": []}'
    equal "$(shown noded HostConfig.Dns)" '[]'
    answers 400 'duplicate field: \"Cmd\" is \"cmd\", too' POST /containers/create '{"Image": "busybox", "cmd": ["true"], "Cmd": ["false"]}'
    answers 201 Id POST '/containers/create?name=small' '{"image": "busybox", "cmd": ["true"], "hostConfig": {"readonlyRootfs": true}}'
    equal "$(shown small Config.Cmd) $(shown small HostConfig.ReadonlyRootfs)" '["true"] true'
    docker network create small
    answers 200 "" POST /networks/small/connect '{"container": "small", "abortSignal": {"x": 1}}'
    answers 200 "" POST /networks/small/disconnect '{"container": "small"}'
    docker rm small
    docker network rm small
    answers 400 'unknown field \"Frob\"' POST /containers/create '{"Image": "busybox", "Frob": true}'
    answers 400 'unknown field \"HostConfig.frob\"' POST /containers/create '{"Image": "busybox", "HostConfig": {"frob": true}}'
    # a body is none of what is typed
    python3 - "$SOCKET" <<'END'
import socket, sys
engine = socket.socket(socket.AF_UNIX)
engine.connect(sys.argv[1])
body = b'{"stream":true,"stdin":true,"stdout":true,"hijack":true}'
engine.sendall(b"POST /containers/noded/attach?stream=1&stdin=1&stdout=1 HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n"
               b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
head = engine.recv(4096)
assert head.startswith(b"HTTP/1.1 101 ") and head.endswith(b"\r\n\r\n"), head
start = socket.socket(socket.AF_UNIX)
start.connect(sys.argv[1])
start.sendall(b'POST /containers/noded/start? HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n{"_query":{}}')
assert start.recv(4096).startswith(b"HTTP/1.1 204 ")
engine.sendall(b"typed")
engine.shutdown(socket.SHUT_WR)
got = b""
while piece := engine.recv(4096):
    got += piece
assert got == b"\1\0\0\0\0\0\0\5typed", got
END
    answers 200 '"StatusCode":0' POST '/containers/noded/wait' '{"condition": "not-running"}'
    answers 204 "" POST '/containers/noded/rename?name=moded' '{"name": "moded"}'
    answers 201 "" POST '/images/busybox/tag?repo=moded&tag=1' '{"repo": "moded", "tag": "1"}'
    answers 201 sha256 POST '/commit?container=moded&repo=moded&tag=1' '{"container": "moded", "repo": "moded", "tag": "1", "changes": "CMD ls"}'
    answers 400 "this operation takes no request body" POST '/containers/moded/start' "{\"x\": \"$(head -c 70000 /dev/zero | tr '\0' x)\"}"
    docker rm moded
    docker rmi moded:1
    docker run -d --name lib --network none busybox sleep 1000
    answers 201 Id POST /containers/lib/exec '{"Cmd": ["true"], "AttachStdout": true, "hijack": true, "stdin": false}'
    answers 200 "" POST "/exec/$(sed 's/.*"Id":"\([0-9a-f]*\)".*/\1/' "$WORK/answer")/start" '{"hijack": true, "stdin": true, "Detach": true}'
    answers 201 Id POST /containers/lib/exec '{"cmd": ["true"]}'
    answers 400 'duplicate field' POST /containers/lib/exec '{"cmd": ["true"], "Cmd": ["false"]}'
    answers 400 "Frob is not a field" POST /containers/lib/exec '{"Cmd": ["true"], "Frob": 1}'
    docker rm -f lib
}
no_limit_is_said_as_docker_says_it() {
    answers 201 Id POST '/containers/create?name=free' '{"Image": "busybox", "Cmd": ["true"], "HostConfig": {"CpuQuota": -1, "PidsLimit": -1}}'
    equal "$(shown free HostConfig.CpuQuota) $(shown free HostConfig.PidsLimit)" "-1 null"
    docker start -a free
    docker rm free
}
older_clients_get_what_they_knew() {
    answers 201 Id POST '/v1.39/containers/create?name=old' '{"Image": "busybox"}'
    answers 201 Id POST '/v1.40/containers/create?name=new' '{"Image": "busybox"}'
    equal "$(shown old HostConfig.IpcMode) $(shown new HostConfig.IpcMode)" '"shareable" "private"'
    docker rm old new
    docker network create known
    docker run -d --name known --network known --network-alias one busybox sleep 1000
    answers 200 "\"Aliases\":[\"one\",\"$(docker ps -q --filter name=known)\"]" GET /v1.44/containers/known/json
    answers 200 '"Aliases":["one"]' GET /v1.45/containers/known/json
    docker rm -f known
    docker network rm known
}
resize_without_a_terminal() {
    answers 200 "" POST '/containers/box/resize?h=10&w=20'
    docker rm -f box
    answers 404 "No such container: box" POST '/containers/box/resize?h=10&w=20'
}
names_that_look_like_ids() {
    local said="refusing to create an ambiguous tag using digest algorithm as name"
    answers 400 "$said" POST '/images/busybox/tag?repo=sha256&tag=abc'
    docker create --name box busybox true
    answers 400 "$said" POST '/commit?container=box&repo=sha256&tag=abc'
    docker rm box
    answers 201 "" POST '/images/busybox/tag?repo=some/sha256&tag=abc'
    docker rmi some/sha256:abc
}
platforms() {
    answers 400 '\"frob\": unknown operating system or architecture' POST '/images/create?fromImage=busybox&platform=frob'
    answers 400 'invalid platform' POST '/images/create?fromImage=busybox&platform=a/b/c/d'
}
slashes() {
    answers 200 '"Name":"bridge"' GET /networks/
    answers 404 'page not found' GET /containers/json/
    answers 400 'empty segment' GET /containers//json
}

system_start
system_load
check "create names what is wrong" create_says
check "create takes what Docker takes" create_takes
check "attach to nobody" nothing_to_attach_to
check "logs: a tail that is no number is all" any_tail
check "exec in one that is paused" paused
check "OPTIONS" options_of_any_path
check "save tells repositories" saved_repositories
check "an empty word is a program that is not there" an_empty_word_is_no_program
check "what client libraries send along" what_libraries_send_along
check "no limit" no_limit_is_said_as_docker_says_it
check "older versions of the API" older_clients_get_what_they_knew
check "resize without a terminal" resize_without_a_terminal
check "names that look like ids are not given" names_that_look_like_ids
check "platforms" platforms
check "a slash at the end" slashes
check "nothing is left behind" nothing_left
