#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Volumes and mounts with the docker client: create, list, inspect, remove, prune; named, anonymous, tmpfs and bind volumes in containers;
# --mount in all its types, --volumes-from; two tenants; helpers killed on the way; nothing left.
# slow
source "$(dirname "$0")/../lib/system.sh"
# Before the engine starts: later mounts below it reach the engine, whatever the host's root does.
mkdir -p "$WORK/slave/below"
mount --bind "$WORK/slave" "$WORK/slave" && mount --make-shared "$WORK/slave"
at_end "umount -l '$WORK/slave'"
system_start
mkdir -p "$WORK/plain"
system_load
client=docker

ALICE=61001
# as UID COMMAND... : another tenant
as() {
    local uid=$1
    shift
    setpriv --reuid "$uid" --regid "$uid" --clear-groups env HOME="$WORK" "$@"
}
api() { curl -s --unix-socket "$SOCKET" "$@"; }
volumes() { docker volume ls -q "$@" | sort | tr '\n' ' '; }
post() { api -o "$WORK/body" -w '%{http_code}' -H 'Content-Type: application/json' -d "$2" "http://d/v1.47$1"; }
in_use() { docker volume inspect "$1" >/dev/null; }

# ---- the API ------------------------------------------------------------------------------------

is_created() {
    equal "$(docker volume create one)" one
    equal "$(docker volume create one)" one "a second time"
    equal "$(docker volume inspect -f '{{.Driver}} {{.Scope}} {{.Name}} {{json .Labels}} {{json .Options}}' one)" "local local one null null"
    matches "$(docker volume inspect -f '{{.Mountpoint}}' one)" "/volumes/0/.*/_data"
    matches "$(docker volume inspect -f '{{.CreatedAt}}' one)" "Z$"
    equal "$(post /volumes/create '{"Name":"two","Labels":{},"DriverOpts":{}}')" 201
    equal "$(docker volume inspect -f '{{json .Labels}} {{json .Options}}' two)" "{} {}"
    equal "$(docker volume create --label a=b --label c= three)" three
    equal "$(docker volume inspect -f '{{json .Labels}}' three)" '{"a":"b","c":""}'
}
without_a_name() {
    local name
    name=$(docker volume create)
    equal "${#name}" 64
    equal "$(docker volume inspect -f '{{json .Labels}}' "$name")" '{"com.docker.volume.anonymous":""}'
    docker volume rm "$name"
}
lists_and_filters() {
    equal "$(volumes)" "one three two "
    equal "$(volumes -f name=wo)" "two "
    equal "$(volumes -f label=a)" "three "
    equal "$(volumes -f label=a=x)" ""
    equal "$(volumes -f driver=local -f name=one)" "one "
    equal "$(volumes -f driver=other)" ""
    docker create --name user --network none -v one:/data busybox true
    equal "$(docker ps -a --filter volume=one --format '{{.Names}}')$(docker ps -a --filter volume=two -q)" user
    equal "$(volumes -f dangling=true)" "three two "
    equal "$(volumes -f dangling=false)" "one "
    docker rm user
    exits 1 docker volume ls -f nonsense=x
    matches "$(cat "$WORK/err")" "invalid filter 'nonsense'"
}
refuses_by_name() {
    local row
    # words | what the answer says
    for row in 'x|volume name is too short' 'a/b|includes invalid characters' '.x|includes invalid characters' \
        '-d nope four|plugin "nope" not found' '-o foo=bar four|invalid option: "foo"' '-o type=tmpfs four|missing required option: "device"' \
        '-o type=nfs -o device=:/x four|type "nfs" are not supported' '-o size=10k four|size=10k' '-o size=x four|size=x' \
        '-o type=tmpfs -o device=tmpfs -o o=uid=99999 four|uid=99999' '-o type=none -o device=rel -o o=bind four|absolute path'; do
        # shellcheck disable=SC2086
        exits 1 docker volume create ${row%%|*}
        matches "$(cat "$WORK/err")" "${row#*|}"
    done
    equal "$(volumes)" "one three two "
    equal "$(post /volumes/create '{"Name":1}')" 400
    equal "$(post /volumes/create '{"Name":"four","Nonsense":{"a":1}}')" 400
    equal "$(post /volumes/create '[]')" 400
    equal "$(api -o "$WORK/body" -w '%{http_code}' -X PUT http://d/v1.47/volumes/one)" 503
    matches "$(cat "$WORK/body")" "only valid for cluster volumes"
}
is_removed() {
    equal "$(docker volume rm two)" two
    exits 1 docker volume inspect two
    matches "$(cat "$WORK/err")" "get two: no such volume"
    exits 1 docker volume rm two
    matches "$(cat "$WORK/err")" "get two: no such volume"
    docker volume rm -f two
}
is_kept_while_used() {
    local id
    id=$(docker create --name user --network none -v one:/data busybox true)
    exits 1 docker volume rm one
    matches "$(cat "$WORK/err")" "remove one: volume is in use - \[$id\]"
    exits 1 docker volume rm -f one
    docker rm user
    docker volume rm one
}
is_pruned() {
    docker volume create keep
    docker create --name user --network none -v keep:/data -v /anon busybox true
    docker volume create
    docker volume create named
    equal "$(docker volume ls -q | wc -l)" 5
    docker volume prune -f
    equal "$(docker volume ls -q | wc -l)" 4 "only what is anonymous and unused went"
    equal "$(api -X POST "http://d/v1.41/volumes/prune?filters=%7B%22label%21%22%3A%7B%22a%22%3Atrue%7D%7D")" '{"VolumesDeleted":["named"],"SpaceReclaimed":0}'
    docker volume prune -f -a --filter label=a=b
    docker volume create sized
    run_in -v sized:/data -- dd if=/dev/zero of=/data/x bs=1M count=1
    docker volume create other
    matches "$(docker volume prune -f -a)" "Total reclaimed space: 1.049MB"
    docker rm -v user
    equal "$(volumes)" "keep "
    docker volume rm keep
}
tells_events() {
    local since text
    since=$(date +%s)
    docker volume create told
    docker run --rm --network none -v told:/data:ro busybox true
    docker volume rm told
    text=$(docker events --since "$since" --until "$(date +%s.%N)" --filter volume=told --format '{{.Type}} {{.Action}} {{.Actor.ID}} {{index .Actor.Attributes "driver"}} {{index .Actor.Attributes "read/write"}}')
    equal "$text" $'volume create told local \nvolume mount told local false\nvolume unmount told local \nvolume destroy told local '
}

python_speaks_it() {
    python3 - "$SOCKET" <<'END'
import docker, sys
client = docker.DockerClient(base_url="unix://" + sys.argv[1])
volume = client.volumes.create("from-python", labels={"a": "b"}, driver="local")
assert volume.name == "from-python" and volume.attrs["Labels"] == {"a": "b"}
assert client.containers.run("busybox", "sh -c 'echo hi >/data/f; cat /data/f'", network_mode="none", remove=True,
                             volumes={"from-python": {"bind": "/data", "mode": "rw"}}) == b"hi\n"
mount = docker.types.Mount("/data", "from-python", read_only=True)
assert client.containers.run("busybox", "cat /data/f", network_mode="none", remove=True, mounts=[mount]) == b"hi\n"
assert [v.name for v in client.volumes.list(filters={"label": "a=b"})] == ["from-python"]
client.volumes.get("from-python").remove()
try:
    client.volumes.get("from-python")
except docker.errors.NotFound as error:
    assert "no such volume" in str(error)
else:
    raise AssertionError("it is still there")
END
}

check "volumes are created, and a name that is there is its own answer" is_created
check "a volume without a name gets one, and a label that says so" without_a_name
check "volumes are listed, and filtered" lists_and_filters
check "names, drivers and options that cannot be are refused by name" refuses_by_name
check "volumes are removed" is_removed
check "a volume that a container has is not removed" is_kept_while_used
check "prune takes what is anonymous, or all that fits" is_pruned
check "events tell of volumes" tells_events
check "python3-docker makes, mounts and removes them" python_speaks_it

# ---- in containers ------------------------------------------------------------------------------

keeps_files() {
    run_in -v data:/data -- sh -c 'echo hello >/data/file; chown 5:6 /data/file; ln -s /etc/passwd /data/link'
    equal "$(run_in -v data:/data -- stat -c '%u:%g' /data /data/file | tr '\n' ' ')" "0:0 5:6 "
    equal "$(run_in -v data:/data:ro -- cat /data/file)" hello
    exits 1 run_in -v data:/data:ro -- touch /data/new
    matches "$(cat "$WORK/err")" "Read-only file system"
    equal "$(run_in --user 1000 --mount type=volume,src=data,dst=/data,readonly -- cat /data/file)" hello
    equal "$(run_in -v data:/data -v data:/again -- cat /again/file)" hello "in two places"
    run_in --mount type=volume,src=data,dst=/data,volume-subpath=sub -- true && return 1
    run_in -v data:/data -- sh -c 'mkdir /data/sub; ln -s / /data/out; echo in >/data/sub/f'
    equal "$(run_in --mount type=volume,src=data,dst=/x,volume-subpath=sub -- cat /x/f)" in
    equal "$(run_in --mount type=volume,src=data,dst=/x,volume-subpath=out -- cat /x/file)" hello "a link stays in the volume"
}
shifted_on_disk() {
    local folder
    folder=$(docker volume inspect -f '{{.Mountpoint}}' data)
    [ "$(stat -c %u "$folder")" -gt 65536 ]
    equal "$(($(stat -c %u "$folder/file") - $(stat -c %u "$folder")))" 5
    equal "$(cat "$folder/file")" hello
}
anonymous_ones_go_with_the_container() {
    local before
    before=$(docker volume ls -q | wc -l)
    run_in -v /anon -- sh -c 'echo x >/anon/f'
    equal "$(docker volume ls -q | wc -l)" "$before" "--rm takes them along"
    docker create --name user --network none -v /anon -v data:/data --mount type=volume,dst=/other busybox true
    equal "$(docker volume ls -q | wc -l)" $((before + 2))
    docker rm user
    equal "$(docker volume ls -q | wc -l)" $((before + 2)) "rm leaves them"
    docker create --name user --network none -v /anon -v data:/data busybox true
    docker rm -v user
    equal "$(docker volume ls -q | wc -l)" $((before + 2)) "rm -v takes its own"
    in_use data
    docker volume prune -f
    equal "$(docker volume ls -q | wc -l)" "$before"
}
# An image with a volume in it, whose files have owners, modes and links of their own.
image_with_content() {
    local tree=$WORK/content
    mkdir -p "$tree/bin" "$tree/vol/sub" "$tree/tmp"
    cp /bin/busybox "$tree/bin/busybox"
    for tool in sh cat ls stat touch rm mkdir sleep readlink find sort; do ln -s busybox "$tree/bin/$tool"; done
    echo from-image >"$tree/vol/file"
    echo deep >"$tree/vol/sub/deep"
    ln -s sub/deep "$tree/vol/link"
    chown -R 5:6 "$tree/vol"
    chown 7:8 "$tree/vol/sub/deep"
    chmod 0750 "$tree/vol"
    chmod 04711 "$tree/vol/file"
    tar -C "$tree" -c . | docker import -c 'VOLUME /vol' - filled
}
is_filled_from_the_image() {
    image_with_content
    local wanted=$'5:6 750 /vol\n5:6 4711 /vol/file\n7:8 644 /vol/sub/deep\nsub/deep' script
    script='stat -c "%u:%g %a %n" /vol /vol/file /vol/sub/deep; readlink /vol/link'
    equal "$(docker run --rm --network none filled sh -c "$script")" "$wanted" "anonymous"
    equal "$(docker run --rm --network none -v fill1:/vol filled sh -c "$script")" "$wanted" "named"
    docker volume create -o size=8m fill2
    equal "$(docker run --rm --network none -v fill2:/vol filled sh -c "$script")" "$wanted" "a disk"
    docker run --rm --network none -v fill1:/vol filled sh -c 'rm /vol/file; echo own >/vol/new'
    equal "$(docker run --rm --network none -v fill1:/vol filled ls /vol)" $'link\nnew\nsub' "only once"
    equal "$(docker run --rm --network none -v fill3:/vol:nocopy filled ls -A /vol)" "" "nocopy"
    equal "$(docker run --rm --network none --mount type=volume,src=fill3,dst=/vol,volume-nocopy filled ls -A /vol)" ""
    equal "$(docker run --rm --network none -v fill3:/absent filled ls -A /absent)" "" "nothing there"
    equal "$(docker run --rm --network none -v fill3:/vol filled cat /vol/file)" from-image "still empty: the next one fills it"
    docker volume rm fill1 fill2 fill3
}
is_filled_at_create() {
    docker create --name filling --network none -v early:/vol filled ls -A /vol
    equal "$(run_in -v early:/seen -- cat /seen/file /seen/sub/deep)" $'from-image\ndeep' "before it was ever started"
    run_in -v early:/seen -- sh -c 'rm -rf /seen/*'
    equal "$(docker start -a filling)" ""
    equal "$(run_in -v early:/seen -- ls -A /seen)" "" "its start fills nothing again"
    docker rm filling
    docker volume rm early
    docker create --name filling --network none -v early:/vol absent-image true && return 1
    docker volume inspect early && return 1
    docker create --name filling --network none -v early:/vol:nocopy filled ls
    equal "$(run_in -v early:/seen:nocopy -- ls -A /seen)" "" "nocopy"
    docker rm filling
    docker volume rm early
}
inspect_shows_mounts() {
    docker create --name shown --network none -v data:/a:ro -v /tmp:/b:ro --mount type=volume,src=data,dst=/c,readonly \
        --mount type=bind,src=/tmp,dst=/d --mount type=tmpfs,dst=/e,tmpfs-size=1m --tmpfs /f:size=2m -v /g --volumes-from shown0 busybox true && return 1
    docker create --name shown --network none -v data:/a:ro -v /tmp:/b:ro --mount type=volume,src=data,dst=/c,readonly \
        --mount type=bind,src=/tmp,dst=/d --mount type=tmpfs,dst=/e,tmpfs-size=1m --tmpfs /f:size=2m -v /g busybox true
    docker inspect shown >"$WORK/shown"
    python3 - "$WORK/shown" <<'END'
import json, sys
container = json.load(open(sys.argv[1]))[0]
mounts = {mount["Destination"]: mount for mount in container["Mounts"]}
assert sorted(mounts) == ["/a", "/b", "/c", "/d", "/e", "/g"], mounts
def has(target, **wanted):
    for key, value in wanted.items():
        assert mounts[target].get(key) == value, (target, key, mounts[target])
has("/a", Type="volume", Name="data", Driver="local", Mode="ro", RW=False, Propagation="")
has("/b", Type="bind", Source="/tmp", Mode="ro", RW=False, Propagation="rprivate", Name=None)
has("/c", Type="volume", Name="data", Mode="z", RW=False)
has("/d", Type="bind", Source="/tmp", Mode="", RW=True)
has("/e", Type="tmpfs", Source="", RW=True)
has("/g", Type="volume", Driver="local", Mode="", RW=True)
assert mounts["/a"]["Source"].endswith("/_data")
host = container["HostConfig"]
assert sorted(host["Binds"]) == ["/tmp:/b:ro", "data:/a:ro"], host["Binds"]
assert host["Tmpfs"] == {"/f": "size=2m"}, host["Tmpfs"]
assert [m["Type"] for m in host["Mounts"]] == ["volume", "bind", "tmpfs"], host["Mounts"]
assert host["Mounts"][0] == {"Type": "volume", "Source": "data", "Target": "/c", "ReadOnly": True}
assert host["Mounts"][2]["TmpfsOptions"] == {"SizeBytes": 1048576}
assert host["VolumesFrom"] is None and container["Config"]["Volumes"] == {"/g": {}}
END
    matches "$(docker ps -a --filter name=shown --format '{{.Mounts}}')" "data"
    docker rm -v shown
}
volumes_from_others() {
    docker create --name first --network none -v data:/data -v /anon -v "$WORK/plain:/host:ro" --tmpfs /scratch busybox true
    docker create --name second --network none --volumes-from first:ro -v /own busybox true
    equal "$(run_in --volumes-from second -- sh -c 'cat /data/file; ls -d /own /anon /host; grep -c " /scratch " /proc/mounts || true')" $'hello\n/anon\n/host\n/own\n0'
    exits 1 run_in --volumes-from second -- touch /data/new
    run_in --volumes-from first -- touch /data/new
    run_in --volumes-from first -v "$WORK/plain:/data" -- test ! -e /data/file
    equal "$(post /containers/create '{"Image":"busybox","HostConfig":{"VolumesFrom":["nobody"]}}')" 400
    matches "$(cat "$WORK/body")" "No such container: nobody"
    exits 125 run_in --volumes-from first:nonsense -- true
    docker rm -v first
    docker rm -v second
    in_use data
}
tmpfs_volumes() {
    docker volume create -o type=tmpfs -o device=tmpfs -o o=size=1m,uid=1000,mode=750 memory
    docker run -d --name user --network none -v memory:/data busybox sh -c 'touch /data/a; sleep 1000'
    eventually run_in -v memory:/data -- test -e /data/a
    equal "$(run_in -v memory:/data -- sh -c 'stat -c "%u %a" /data; df -k /data | tail -1 | tr -s " " | cut -d" " -f2')" $'1000 750\n1024'
    docker rm -f user
    eventually run_in -v memory:/data -- test ! -e /data/a
    docker volume rm memory
}
bind_volumes() {
    mkdir -p "$WORK/host"
    echo outside >"$WORK/host/file"
    docker volume create -o type=none -o device="$WORK/host" -o o=bind linked
    equal "$(run_in -v linked:/data -- sh -c 'cat /data/file; touch /data/made')" outside
    [ -e "$WORK/host/made" ]
    docker volume rm linked
    [ -e "$WORK/host/file" ]
    docker volume create -o type=none -o device="$WORK/absent" -o o=bind linked
    exits 125 run_in -v linked:/data -- true
    matches "$(cat "$WORK/err")" "absent"
    docker volume rm linked
}
mounts_of_every_kind() {
    equal "$(run_in --tmpfs /t:size=1m,mode=700,uid=5,exec -- stat -c '%u %a' /t)" "5 700"
    equal "$(run_in --mount type=tmpfs,dst=/t,tmpfs-size=1m,tmpfs-mode=1770 -- stat -c '%a' /t)" 1770
    run_in --mount type=tmpfs,dst=/t,readonly -- touch /t/x && return 1
    mkdir -p "$WORK/slave/tree/below"
    mount -t tmpfs tmpfs "$WORK/slave/tree/below"
    touch "$WORK/slave/tree/below/seen"
    local status=0
    run_in --mount type=bind,src="$WORK/slave/tree",dst=/t -- test -e /t/below/seen || status=1$status
    run_in --mount type=bind,src="$WORK/slave/tree",dst=/t,bind-recursive=disabled -- test ! -e /t/below/seen || status=2$status
    run_in --mount type=bind,src="$WORK/slave/tree",dst=/t,readonly -- touch /t/below/x && status=3$status
    run_in --mount type=bind,src="$WORK/slave/tree",dst=/t,readonly,bind-recursive=writable -- touch /t/below/x || status=4$status
    run_in --mount type=bind,src="$WORK/slave/tree",dst=/t,readonly,bind-recursive=writable -- touch /t/x && status=5$status
    umount "$WORK/slave/tree/below"
    equal "$status" 0
    run_in --mount type=bind,src="$WORK/slave/tree/made",dst=/t -- true && return 1
    run_in -v "$WORK/slave/tree/made:/t" -- true
    [ -d "$WORK/slave/tree/made" ]
    equal "$(run_in -v data:/x/y -v "$WORK/slave/tree:/x" -- ls /x | tr '\n' ' ')" "below made y " "a folder comes before what lies in it"
}
# What the kernel shows of itself has ids that cannot be shifted: it is nobody's, for whoever may mount it at all.
file_systems_of_the_kernel() {
    equal "$(run_in -v /dev/null:/etc/quiet -- sh -c 'echo lost >/etc/quiet; cat /etc/quiet; stat -c "%u %F" /etc/quiet')" "65534 character special file"
    equal "$(run_in -v /sys:/host/sys:ro -- cat /host/sys/kernel/mm/transparent_hugepage/enabled)" "$(cat /sys/kernel/mm/transparent_hugepage/enabled)"
    equal "$(run_in -v /proc:/host/proc:ro -- cat /host/proc/1/comm)" "$(cat /proc/1/comm)"
    equal "$(run_in -v /:/host:ro -- sh -c 'stat -c %u /host/etc/passwd; stat -c %u /host/proc/version; cat /host/etc/hostname' | tr '\n' ' ')" "0 65534 $(cat /etc/hostname) "
    ! run_in -v /:/host:ro -- touch /host/proc/sys/kernel/panic 2>/dev/null || return 1
    run_in -v /proc:/host/proc -- sh -c 'echo 1 >/host/proc/sys/kernel/panic' && return 1
    run_in -v /dev/kmsg:/dev/kmsg -- sh -c 'echo forged >/dev/kmsg' && return 1
    ! run_in -v /dev:/host/dev -- sh -c 'echo x >/host/dev/kmsg' || return 1
}
a_volume_on_all_of_etc() {
    run_in -v etc:/etc -- sh -c 'test -s /etc/passwd && grep -q localhost /etc/hosts && test -s /etc/hostname && echo own >/etc/own'
    equal "$(run_in -v etc:/etc -v own:/etc/hosts.d -- sh -c 'cat /etc/own; grep -q localhost /etc/hosts && ls -d /etc/hosts.d' | tr '\n' ' ')" "own /etc/hosts.d "
    echo mine >"$WORK/slave/hosts"
    equal "$(run_in -v etc:/etc -v "$WORK/slave/hosts:/etc/hosts" -- cat /etc/hosts)" mine
    docker volume rm etc own
}
mounts_that_cannot_be() {
    local row
    for row in '-v one:/x -v two:/x|Duplicate mount point: /x' '-v /tmp:/x --mount type=volume,dst=/x|Duplicate mount point: /x' \
        '--tmpfs /x --mount type=tmpfs,dst=/x|Duplicate mount point: /x' '-v a/b:/x|includes invalid characters' '-v one:/x:rslave|invalid mode: rslave' \
        '-v /tmp:/x:nocopy|invalid mode: nocopy' '-v one:x|mount path must be absolute' '-v one:/|destination can.t be' \
        '-v /tmp:/x:rshared|rshared is not supported' '--mount type=bind,src=/tmp,dst=/x,bind-propagation=shared|shared is not supported' \
        '--mount type=image,src=busybox,dst=/x|not supported' '--mount type=npipe,src=one,dst=/x|not supported' \
        '--mount type=cluster,src=one,dst=/x|not supported' \
        '--mount type=volume,src=one,dst=/x,volume-opt=type=nfs,volume-opt=device=:/x|"nfs" are not supported' \
        '--mount type=volume,src=one,dst=/x,volume-subpath=../y|invalid subpath' '--mount type=volume,dst=/x,readonly|anonymous volumes' \
        '--storage-opt size=1k|size=1k' '--storage-opt nonsense=1|nonsense' '--tmpfs /x:huge=always|huge=always' '-v one:/proc/x|proc'; do
        # shellcheck disable=SC2086
        docker run --rm --network none ${row%%|*} busybox true 2>"$WORK/err" && return 1
        matches "$(cat "$WORK/err")" "${row#*|}"
    done
    equal "$(post /containers/create '{"Image":"busybox","HostConfig":{"Binds":["two:/y"],"Mounts":[{"Type":"volume","Source":"one","Target":"/x","VolumeOptions":{"DriverConfig":{"Name":"nope"}}}]}}')" 404
    matches "$(cat "$WORK/body")" 'plugin .*nope.* not found'
    equal "$(volumes)" "data " "nothing was left half-made"
}
hears_later_mounts() {
    docker run -d --name slave --network none -v "$WORK/slave:/s:rslave" -v "$WORK/slave:/p" busybox sleep 1000
    equal "$(docker inspect -f '{{range .Mounts}}{{.Destination}}={{.Propagation}} {{end}}' slave | tr ' ' '\n' | sort | tr -d '\n')" "/p=rprivate/s=rslave"
    mount -t tmpfs tmpfs "$WORK/slave/below"
    touch "$WORK/slave/below/later"
    local status=0 pid
    pid=$(docker inspect -f '{{.State.Pid}}' slave)
    [ -e "/proc/$pid/root/s/below/later" ] || status=1
    [ ! -e "/proc/$pid/root/p/below/later" ] || status=2
    docker rm -f slave
    umount "$WORK/slave/below"
    equal "$status" 0
}

check "files in a volume outlive containers, with their owners" keeps_files
check "on disk they belong to the tenant's shifted ids" shifted_on_disk
check "anonymous volumes go with --rm and rm -v" anonymous_ones_go_with_the_container
check "an empty volume is filled with what the image has there" is_filled_from_the_image
check "that happens when a container is created" is_filled_at_create
check "inspect and ps show mounts as Docker does" inspect_shows_mounts
check "--volumes-from takes another container's, chained and read-only" volumes_from_others
check "a tmpfs volume is shared while it is used, and then gone" tmpfs_volumes
check "a volume of type none shows a folder of the host" bind_volumes
check "every type of --mount does what it says" mounts_of_every_kind
check "what the kernel shows of itself is nobody's" file_systems_of_the_kernel
check "a volume on all of /etc" a_volume_on_all_of_etc
check "mounts that cannot be are refused by name, and leave nothing" mounts_that_cannot_be
check "rslave hears of later mounts, and rprivate does not" hears_later_mounts

# ---- tenants ------------------------------------------------------------------------------------

others_volumes_are_not_there() {
    chmod 0755 "$ENGINE" "$WORK"
    chmod 0666 "$SOCKET"
    chmod 0644 "$WORK/busybox.tar"
    install -D -m 0755 "$bulkhead" "$WORK/client/bulkhead"
    as $ALICE "$WORK/client/bulkhead" load -i "$WORK/busybox.tar"
    equal "$(as $ALICE docker volume ls -q)" ""
    ! as $ALICE docker volume inspect data || return 1
    ! as $ALICE docker volume rm data || return 1
    as $ALICE docker volume rm -f data
    in_use data
    as $ALICE docker run --rm --network none -v data:/data busybox sh -c 'ls -A /data | wc -l; echo alice >/data/file' >"$WORK/out"
    equal "$(cat "$WORK/out")" 0 "the same name is another volume"
    equal "$(run_in -v data:/data -- cat /data/file)" hello
    as $ALICE docker volume prune -af
    in_use data
    equal "$(as $ALICE docker volume ls -q)" ""
}
own_sources_only() {
    mkdir -p "$WORK/roots" "$WORK/alices"
    chmod 0755 "$WORK/roots"
    chown $ALICE:$ALICE "$WORK/alices"
    exits 125 as $ALICE docker run --rm --network none -v /dev/null:/x "$IMAGE" true
    matches "$(cat "$WORK/err")" 'belongs to uid 0'
    as $ALICE docker volume create -o type=none -o device="$WORK/roots" -o o=bind foreign
    as $ALICE docker run --rm --network none -v foreign:/data busybox true 2>"$WORK/err" && return 1
    matches "$(cat "$WORK/err")" "belongs to uid 0"
    as $ALICE docker volume create -o type=none -o device="$WORK/alices" -o o=bind mine
    as $ALICE docker run --rm --network none -v mine:/data busybox touch /data/made
    equal "$(stat -c %u:%g "$WORK/alices/made")" $ALICE:$ALICE
    as $ALICE docker run --rm --network none -v "$WORK/alices:/data:rslave" busybox true 2>"$WORK/err" && return 1
    matches "$(cat "$WORK/err")" "propagation .* is not allowed"
    as $ALICE docker volume rm foreign mine
}

check "another tenant's volumes are not there" others_volumes_are_not_there
check "a tenant's bind volumes lead to its own files only" own_sources_only

# ---- deaths -------------------------------------------------------------------------------------

# kill_helper ROLE : as soon as it can be found
kill_helper() {
    local pid tries=0
    until pid=$(helper_pid "$1" 2>/dev/null) && kill -KILL "$pid"; do
        tries=$((tries + 1))
        [ $tries -lt 100 ]
        sleep 0.1
    done
}
# Volumes are made and removed while helpers are killed: what was acknowledged holds, and the rest can be done again.
survives_deaths() {
    local round role name
    for round in 1 2 3; do
        for role in executor engine policyd; do
            name=death-$round-$role
            (docker volume create "$name-a" && docker volume create "$name-b") >/dev/null 2>&1 &
            kill_helper "$role"
            wait $! || true
            eventually docker volume create "$name-c"
            eventually docker run --rm --network none -v "$name-c:/data" busybox touch /data/x
            docker volume rm -f "$name-a" >/dev/null 2>&1 &
            kill_helper "$role"
            wait $! || true
        done
    done
    eventually in_use data
    for name in $(docker volume ls -q -f name=death); do
        eventually docker run --rm --network none -v "$name:/data" busybox touch /data/y
        docker volume rm "$name"
    done
    equal "$(run_in -v data:/data -- cat /data/file)" hello
}
running_ones_keep_their_volumes() {
    docker run -d --name lasting --network none -v data:/data busybox sh -c 'while :; do date >/data/now; sleep 0.1; done'
    system_restart_all
    equal "$(state_of lasting)" running
    docker rm -f lasting
    equal "$(run_in -v data:/data -- cat /data/file)" hello
}
system_restart_all() {
    engine_halt "$ENGINE"
    system_restart
}
one_folder_a_volume() {
    docker volume prune -af
    eventually only_rows
}
only_rows() {
    [ "$(find "$ENGINE/state/volumes" -mindepth 2 -maxdepth 2 | wc -l)" = "$(docker volume ls -q | wc -l)" ] &&
        [ -z "$(find "$ENGINE/state/volumes" -maxdepth 1 -name '.*' ! -name '.')" ]
}

check "kill -9 of helpers while volumes are made and removed loses nothing" survives_deaths
check "running containers keep their volumes through a restart" running_ones_keep_their_volumes
check "what lies on disk is what there is" one_folder_a_volume
check "nothing is left" nothing_left
