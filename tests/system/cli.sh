#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# bulkhead's verbs against the engine: what each prints, and how it ends. What the features themselves do is shown by their own tests.
# slow
source "$(dirname "$0")/../lib/system.sh"
system_start
system_load
bulkhead run -d --name runner --network none -e GREETING=hello -l stage=test busybox sh -c 'echo started; sleep 1000' >/dev/null

# ---- exec ----
exec_prints() { equal "$(bulkhead exec runner echo one two)" "one two"; }
exec_streams_apart() {
    bulkhead exec runner sh -c 'echo out; echo err >&2' >"$WORK/o" 2>"$WORK/e"
    equal "$(cat "$WORK/o")/$(cat "$WORK/e")" out/err
}
exec_exit_code() { exits 9 bulkhead exec runner sh -c 'exit 9'; }
exec_stdin() { equal "$(printf 'a\nb\n' | bulkhead exec -i runner wc -l)" 2; }
exec_env_user_workdir() {
    printf 'FROM_FILE=yes\n' >"$WORK/env"
    equal "$(bulkhead exec -e A=1 --env-file "$WORK/env" -u 33:33 -w /tmp runner sh -c 'echo $A $FROM_FILE $GREETING $(id -u) $(pwd)')" "1 yes hello 33 /tmp"
}
exec_detached() {
    equal "$(bulkhead exec -d runner touch /tmp/detached)" ""
    eventually bulkhead exec runner test -e /tmp/detached
}
exec_missing() {
    exits 1 bulkhead exec nosuch true
    matches "$(cat "$WORK/err")" "No such container: nosuch"
    exits 1 bulkhead exec runner
}
exec_needs_a_terminal() { exits 1 bulkhead exec -it runner true && matches "$(cat "$WORK/err")" "the input device is not a TTY"; }

# ---- cp, diff, export, commit ----
cp_round_trip() {
    mkdir -p "$WORK/tree/sub"
    head -c 3000000 /dev/urandom >"$WORK/tree/sub/blob"
    ln -s sub/blob "$WORK/tree/link"
    bulkhead cp "$WORK/tree" runner:/tmp/
    rm -rf "$WORK/back"
    bulkhead cp runner:/tmp/tree "$WORK/back"
    cmp "$WORK/tree/sub/blob" "$WORK/back/sub/blob"
    equal "$(readlink "$WORK/back/link")" sub/blob
}
cp_streams() {
    tar -C "$WORK/tree" -c . | bulkhead cp - runner:/tmp/tree
    equal "$(bulkhead cp runner:/tmp/tree/link - | tar -t)" link
    equal "$(bulkhead cp -L runner:/tmp/tree/link - | tar -t)" blob
}
cp_renames() {
    echo x >"$WORK/file"
    bulkhead cp "$WORK/file" runner:/tmp/renamed
    bulkhead cp runner:/tmp/renamed "$WORK/again"
    equal "$(cat "$WORK/again")" x
    exits 1 bulkhead cp runner:/nosuch "$WORK/"
    one_line "$WORK/err"
    exits 1 bulkhead cp "$WORK/file" nosuch:/tmp/
    matches "$(cat "$WORK/err")" "No such container: nosuch"
    exits 1 bulkhead cp a:/x b:/y
    exits 1 bulkhead cp "$WORK/nosuch" runner:/
}
diff_lists() {
    bulkhead exec runner sh -c 'echo x >/added; rm -f /etc/group'
    bulkhead diff runner >"$WORK/diff"
    grep -qx 'A /added' "$WORK/diff"
    grep -qx 'D /etc/group' "$WORK/diff"
}
export_and_import() {
    bulkhead export -o "$WORK/export.tar" runner
    tar -tf "$WORK/export.tar" | grep -qx added
    matches "$(bulkhead import -m imported -c 'CMD ["cat", "/added"]' "$WORK/export.tar" imported:1)" '^sha256:[0-9a-f]{64}$'
    equal "$(bulkhead run --rm --network none imported:1)" x
    bulkhead export runner | bulkhead import - imported:2 >/dev/null
    bulkhead rmi imported:1 imported:2 >/dev/null
}
commit_makes_an_image() {
    matches "$(bulkhead commit -a me -m message -c 'ENV A=1' runner committed:1)" '^sha256:[0-9a-f]{64}$'
    equal "$(bulkhead run --rm --network none committed:1 sh -c 'echo $A; cat /added')" $'1\nx'
    matches "$(bulkhead history committed:1)" "message"
    bulkhead rmi committed:1 >/dev/null
}

# ---- images ----
save_and_load() {
    bulkhead save -o "$WORK/saved.tar" busybox
    bulkhead save busybox | cmp - "$WORK/saved.tar"
    matches "$(bulkhead load -i "$WORK/saved.tar")" "Loaded image: busybox:latest"
    exits 1 bulkhead save -o "$WORK/nosuch.tar" nosuch
    [ ! -e "$WORK/nosuch.tar" ]
}
history_lists() {
    matches "$(bulkhead history busybox | head -1)" '^IMAGE +CREATED +CREATED BY +SIZE +COMMENT$'
    matches "$(bulkhead history -q --no-trunc busybox | head -1)" '^sha256:[0-9a-f]{64}$'
    matches "$(bulkhead history --format '{{.ID}}|{{.Size}}' -H=false busybox | head -1)" '^[0-9a-f]{12}\|[0-9]+$'
}
image_inspect() { equal "$(bulkhead image inspect -f '{{.Os}}' busybox)" linux; exits 1 bulkhead image inspect runner; }
image_prune() {
    matches "$(bulkhead image prune -f)" "Total reclaimed space: "
    equal "$(bulkhead image prune </dev/null | head -1)" "WARNING! This will remove all dangling images."
}

# ---- volumes and networks ----
volumes() {
    equal "$(bulkhead volume create --label a=b vol1)" vol1
    equal "$(bulkhead volume ls -q -f label=a=b)" vol1
    matches "$(bulkhead volume ls | tail -1)" '^local +vol1$'
    equal "$(bulkhead volume inspect -f '{{.Name}} {{.Driver}} {{.Labels.a}}' vol1)" "vol1 local b"
    bulkhead run --rm --network none -v vol1:/data busybox sh -c 'echo kept >/data/file'
    equal "$(bulkhead run --rm --network none -v vol1:/data busybox cat /data/file)" kept
    equal "$(bulkhead volume rm vol1)" vol1
    exits 1 bulkhead volume inspect vol1
    exits 1 bulkhead volume rm vol1
    bulkhead volume rm -f vol1
    exits 1 bulkhead volume create --name a b
}
volume_prune() {
    bulkhead volume create pruned >/dev/null
    matches "$(bulkhead volume prune -af)" $'Deleted Volumes:\npruned\n'
    equal "$(bulkhead volume prune -a </dev/null | head -1)" "WARNING! This will remove all local volumes not used by at least one container."
}
networks() {
    matches "$(bulkhead network ls | head -1)" '^NETWORK ID +NAME +DRIVER +SCOPE$'
    equal "$(bulkhead network ls --format '{{.Name}} {{.Driver}}' | sort | tr '\n' ' ')" "bridge bridge host host none null "
    equal "$(bulkhead network inspect -f '{{.Driver}}' none)" null
    exits 1 bulkhead network inspect nosuch
    exits 1 bulkhead network rm nosuch
}

# ---- watching ----
top_lists() {
    matches "$(bulkhead top runner | head -1)" '^UID +PID '
    bulkhead top runner | grep -q 'sleep 1000'
    bulkhead top runner -eo pid,comm | grep -q sleep
}
stats_once() {
    matches "$(bulkhead stats --no-stream | head -1)" '^CONTAINER ID +NAME +CPU % +MEM USAGE / LIMIT +MEM % +NET I/O +BLOCK I/O +PIDS$'
    matches "$(bulkhead stats --no-stream --format '{{.Name}} {{.MemUsage}} {{.PIDs}}' runner)" '^runner [0-9.]+[KMG]iB / [0-9.]+[KMGT]iB [12]$'
    exits 1 bulkhead stats --no-stream nosuch
}
stats_stream() { # ends when nobody reads any more
    timeout 15 bash -c 'bulkhead stats --format "{{.Name}}" | head -2' >"$WORK/stats"
    equal "$(sort -u "$WORK/stats")" runner
}
events_tell() {
    local since
    since=$(date +%s)
    bulkhead run --rm --name eventful --network none busybox true
    bulkhead events --since "$since" --until "$(date +%s.%N)" -f container=eventful >"$WORK/events"
    for action in create start die destroy; do
        matches "$(cat "$WORK/events")" "container $action [0-9a-f]{64} \(.*name=eventful"
    done
    bulkhead events --since "$since" --until "$(date +%s.%N)" -f event=die --format '{{.Type}} {{.Action}} {{.Actor.Attributes.exitCode}}' | grep -qx 'container die 0'
    bulkhead events --since "$since" --until "$(date +%s.%N)" --format json | python3 -c 'import json,sys; [json.loads(line)["timeNano"] for line in sys.stdin]'
}
events_end_with_their_reader() { # although nothing more happens
    timeout 10 bash -c 'bulkhead events | true'
}
port_lists_nothing() {
    equal "$(bulkhead port runner)" ""
    exits 1 bulkhead port runner 80
    matches "$(cat "$WORK/err")" "[Nn]o public port '80/tcp' published for runner"
}
ps_shows() {
    equal "$(bulkhead ps --format '{{.Names}} {{.Image}} {{.Labels}} {{.LocalVolumes}} {{.Networks}}')" "runner busybox stage=test 0 none"
    equal "$(bulkhead ps -q -f label=stage=test)" "$(bulkhead ps -lq)"
    bulkhead ps --format json | python3 -c 'import json,sys; assert json.load(sys.stdin)["Names"] == "runner"'
}
inspect_any() {
    bulkhead volume create shown >/dev/null
    equal "$(bulkhead inspect -f '{{.Name}}' runner shown none)" $'/runner\nshown\nnone'
    exits 1 bulkhead inspect --type volume runner
    exits 1 bulkhead inspect nosuch runner
    matches "$(cat "$WORK/err")" "No such object: nosuch"
    matches "$(cat "$WORK/out")" '"/runner"'
    bulkhead volume rm shown >/dev/null
}
sizes() { matches "$(bulkhead ps -s --format '{{.Size}}')" '^[0-9.]+[kM]?B \(virtual [0-9.]+MB\)$'; }

# ---- changing ----
updates() {
    equal "$(bulkhead update --memory 64m --memory-swap 64m --pids-limit 50 runner)" runner
    equal "$(bulkhead inspect -f '{{.HostConfig.Memory}} {{.HostConfig.PidsLimit}}' runner)" "67108864 50"
    bulkhead update --restart on-failure:2 runner >/dev/null
    equal "$(bulkhead inspect -f '{{.HostConfig.RestartPolicy.Name}}' runner)" on-failure
    exits 1 bulkhead update runner
    exits 1 bulkhead update --memory much runner
}
prunes() {
    bulkhead create --name forgotten --network none busybox true >/dev/null
    matches "$(bulkhead container prune -f)" $'Deleted Containers:\n[0-9a-f]{64}\n\nTotal reclaimed space: '
    exits 1 bulkhead inspect forgotten
    bulkhead create --name forgotten --network none busybox true >/dev/null
    equal "$(bulkhead system prune </dev/null | head -3 | tail -1)" "  - all networks not used by at least one container"
    bulkhead inspect forgotten >/dev/null # it was not removed: nobody said y
    echo y | bulkhead system prune | grep -q "Total reclaimed space"
    exits 1 bulkhead inspect forgotten
}
interrupted() { # Ctrl-C ends what waits
    local pid status=0
    for words in "wait runner" "logs -f runner" "events"; do
        # shellcheck disable=SC2086
        setsid env --default-signal=INT bulkhead $words >/dev/null 2>&1 &
        pid=$!
        sleep 0.2
        kill -INT $pid
        status=0
        timeout 5 tail --pid=$pid -f /dev/null || status=$?
        equal "$status" 0 "$words ends at SIGINT"
    done
}
refused_options() {
    exits 125 bulkhead run --cpu-count 2 busybox true
    matches "$(cat "$WORK/err")" "Windows"
    exits 125 bulkhead run --use-api-socket busybox true
    exits 125 bulkhead run --disable-content-trust=false busybox true
    exits 125 bulkhead run --health-on-failure explode busybox true
    exits 125 bulkhead run --device nothing busybox true
    exits 125 bulkhead run -p 80:eighty busybox true
    exits 125 bulkhead run --mount type=bind,src=/ busybox true
    exits 125 bulkhead run --network name= busybox true
    one_line "$WORK/err"
}

for name in exec_prints exec_streams_apart exec_exit_code exec_stdin exec_env_user_workdir exec_detached exec_missing exec_needs_a_terminal; do
    check "${name//_/ }" $name
done
for name in cp_round_trip cp_streams cp_renames diff_lists export_and_import commit_makes_an_image save_and_load history_lists \
    image_inspect image_prune volumes volume_prune networks top_lists stats_once stats_stream events_tell events_end_with_their_reader \
    port_lists_nothing ps_shows inspect_any sizes updates prunes interrupted refused_options; do
    check "${name//_/ }" $name
done
