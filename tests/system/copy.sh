#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A container's files, with docker's own client, curl and the Python SDK: cp, export, diff. Containers that run, have run, and never ran;
# archives and trees that want to get out; clients and copiers that go away.
# slow
source "$(dirname "$0")/../lib/system.sh"
system_start
system_load

# api METHOD PATH [CURL-OPTION...] : body on stdout; the status in $WORK/status
api() {
    local method=$1 path=$2
    shift 2
    curl -s --unix-socket "$SOCKET" -X "$method" -o "$WORK/body" -w '%{http_code}' "$@" "http://d/v1.47$path" >"$WORK/http"
    cat "$WORK/body"
}
status() { cat "$WORK/http"; }

prepare() {
    docker run -d --name runs --network none --tmpfs /scratch -v "$WORK/bound:/bound" "$IMAGE" sh -c '
        mkdir -p /d/sub /scratch/in; echo one >/d/one; echo two >/d/sub/two; ln -s one /d/relative; ln -s /d/one /d/absolute; ln /d/one /d/hard
        mkfifo /d/fifo; ln -s /d /link; touch /d/owned; chown 7:8 /d/owned; chmod 4751 /d/owned; echo volatile >/scratch/in/file
        ln -s ../../../../../../etc/passwd /outside; ln -s /loop /loop; echo ready; sleep 1000'
    eventually bash -c 'docker logs runs | grep -q ready'
    docker create --name fresh --network none "$IMAGE" true
    docker run --name ended --network none "$IMAGE" sh -c 'mkdir /kept; echo kept >/kept/file'
    mkdir -p "$WORK/tree/sub"
    head -c 3000000 /dev/urandom >"$WORK/tree/blob"
    echo in >"$WORK/tree/sub/in"
    ln -s blob "$WORK/tree/to-blob"
}
mkdir -p "$WORK/bound"
# as root, a client that replaced it would take /dev/null from everybody
devices_stay() {
    mkdir "$WORK/devices"
    mknod "$WORK/devices/null" c 1 3
    exits 1 bulkhead cp runs:/d/one "$WORK/devices/null"
    matches "$(cat "$WORK/err")" 'cannot overwrite device "null"'
    test -c "$WORK/devices/null"
}

# ---- out ---------------------------------------------------------------------------------------------

out_of_each() {
    equal "$(docker cp runs:/d/one - | tar xO)" one
    equal "$(docker cp ended:/kept/file - | tar xO)" kept
    equal "$(docker cp fresh:/etc/passwd - | tar xO | head -n 1 | cut -d: -f1)" root
    docker cp runs:/scratch/in/file "$WORK/volatile"
    equal "$(cat "$WORK/volatile")" volatile "a tmpfs of the running one"
    echo bound >"$WORK/bound/file"
    docker cp runs:/bound/file "$WORK/bound-out" && equal "$(cat "$WORK/bound-out")" bound
}
names_are_rebased() {
    equal "$(docker cp runs:/d/sub - | tar t)" $'sub/\nsub/two'
    equal "$(docker cp runs:/d/sub/ - | tar t)" $'sub/\nsub/two'
    equal "$(docker cp runs:/d/sub/. - | tar t)" $'./\n./two'
    equal "$(docker cp runs:/link - | tar tv | sed 's/.*link/link/')" "link -> /d"
    equal "$(api GET '/containers/runs/archive?path=/link/' | tar t | head -n 2)" $'link/\nlink/absolute'
    equal "$(docker cp runs:/ - | tar t 2>/dev/null | grep -cE '^/?(proc|sys|dev)/.')" 0 "of the kernel's file systems"
}
folders_go_out_whole() {
    rm -rf "$WORK/out-d"
    docker cp runs:/d "$WORK/out-d"
    equal "$(cd "$WORK/out-d" && find . | LC_ALL=C sort | tr '\n' ' ')" ". ./absolute ./fifo ./hard ./one ./owned ./relative ./sub ./sub/two "
    equal "$(stat -c %i "$WORK/out-d/one")" "$(stat -c %i "$WORK/out-d/hard")" "a hard link stays one"
    [ -p "$WORK/out-d/fifo" ]
    equal "$(docker cp runs:/d/owned - | tar tvn --numeric-owner | awk '{ print $1, $2 }')" "-rwsr-x--x 7/8"
}
follows_links_when_asked() {
    docker cp -L runs:/d/absolute "$WORK/followed"
    equal "$(cat "$WORK/followed")" one
    docker cp runs:/d/absolute "$WORK/not-followed"
    equal "$(readlink "$WORK/not-followed")" /d/one
    docker cp -L runs:/outside "$WORK/passwd" && ! cmp "$WORK/passwd" /etc/passwd # the container's, not the host's
}
stat_of() { curl -s --unix-socket "$SOCKET" -I "http://d/v1.47/containers/runs/archive?path=$1" | tr -d '\r' | sed -n 's/^X-Docker-Container-Path-Stat: //p' | base64 -d; }
tells_what_a_path_is() {
    stat_of /d/sub | python3 -c '
import json, sys
stat = json.load(sys.stdin)
assert list(stat) == ["name", "size", "mode", "mtime", "linkTarget"], stat
assert stat["name"] == "sub" and stat["mode"] == 0o755 | 1 << 31 and stat["linkTarget"] == "", stat'
    equal "$(stat_of /d/owned | python3 -c 'import json, sys; print(json.load(sys.stdin)["mode"])')" $((0751 | 1 << 23))
    equal "$(stat_of /outside | python3 -c 'import json, sys; s = json.load(sys.stdin); print(s["linkTarget"], s["mode"] >> 27)')" "/etc/passwd 1"
    equal "$(stat_of /link/. | python3 -c 'import json, sys; print(json.load(sys.stdin)["name"])')" .
    equal "$(stat_of / | python3 -c 'import json, sys; print(json.load(sys.stdin)["name"])')" /
    equal "$(stat_of /d/relative | python3 -c 'import json, sys; print(json.load(sys.stdin)["linkTarget"])')" /d/one
}
says_what_is_wrong() {
    equal "$(api GET '/containers/runs/archive?path=/nowhere')" '{"message":"Could not find the file /nowhere in container runs"}'
    equal "$(status)" 404
    api GET '/containers/runs/archive?path=/d/one/'
    equal "$(status)" 400 "a file that should be a folder"
    api GET '/containers/runs/archive?path=/d/one/x'
    equal "$(status)" 400
    api GET '/containers/runs/archive'
    equal "$(status)" 400 "no path"
    api GET '/containers/runs/archive?path=/loop/'
    equal "$(status)" 400 "a link to itself"
    api GET '/containers/runs/archive?path=/proc/1/environ'
    equal "$(status)" 404 "nothing of /proc is copied"
    api GET '/containers/nobody/archive?path=/'
    equal "$(status)" 404
    equal "$(cat "$WORK/body")" '{"message":"No such container: nobody"}'
    exits 1 docker cp runs:/nowhere "$WORK/x"
    matches "$(cat "$WORK/err")" "Could not find the file /nowhere in container runs"
}

# ---- in ----------------------------------------------------------------------------------------------

into_each() {
    local name
    for name in runs ended fresh; do
        docker cp "$WORK/tree" "$name:/tmp"
        docker cp "$name:/tmp/tree/blob" "$WORK/back-$name"
        cmp "$WORK/tree/blob" "$WORK/back-$name"
        docker cp "$WORK/tree/sub/." "$name:/tmp"
        equal "$(docker cp "$name:/tmp/in" - | tar xO)" in
        docker cp "$WORK/tree/sub/in" "$name:/tmp/renamed"
        equal "$(docker cp "$name:/tmp/renamed" - | tar xO)" in
        tar c -C "$WORK/tree" sub | docker cp - "$name:/tmp"
        equal "$(docker cp "$name:/tmp/sub/in" - | tar xO)" in
    done
    docker start -a fresh # what was put into it before is no hindrance
    docker cp "$WORK/tree/sub/in" runs:/bound/in
    equal "$(cat "$WORK/bound/in")" in "into a bind mount"
    docker cp "$WORK/tree/sub/in" runs:/scratch/in2 && equal "$(docker cp runs:/scratch/in2 - | tar xO)" in "into a tmpfs"
}
compressed_ones_too() {
    local kind
    for kind in gzip bzip2 xz; do
        tar c -C "$WORK/tree" "--$kind" sub | api PUT '/containers/runs/archive?path=/scratch' --data-binary @-
        equal "$(status)" 200 $kind
        equal "$(docker cp runs:/scratch/sub/in - | tar xO)" in
    done
}
owners_modes_times_stay() {
    echo x >"$WORK/special"
    chown 33:44 "$WORK/special"
    chmod 6755 "$WORK/special"
    touch -d '2001-02-03 04:05:06 UTC' "$WORK/special"
    docker cp -a "$WORK/special" runs:/tmp/special
    equal "$(docker cp runs:/tmp/special - | TZ=UTC tar tv --numeric-owner | tr -s ' ')" "-rwsr-sr-x 33/44 2 2001-02-03 04:05 special"
    chown 4000000:4000000 "$WORK/special"
    docker cp "$WORK/special" runs:/tmp/foreign
    equal "$(docker cp runs:/tmp/foreign - | tar tv --numeric-owner | awk '{ print $2 }')" 0/0 "an id that does not exist inside"
}
belongs_to_the_user_with_a() {
    docker create --name of-user --network none -u 7:8 "$IMAGE" true
    docker cp -a "$WORK/tree/sub/in" of-user:/tmp/in
    equal "$(docker cp of-user:/tmp/in - | tar tv --numeric-owner | awk '{ print $2 }')" 7/8
    docker rm of-user
}
holes_and_attributes() {
    truncate -s 64M "$WORK/sparse"
    tar cS -C "$WORK" sparse | docker cp - ended:/tmp
    equal "$(docker cp ended:/tmp/sparse - | tar xO | sha256sum)" "$(sha256sum <"$WORK/sparse")"
    [ "$(du -k "$ENGINE"/state/containers/*/upper/tmp/sparse | cut -f1)" -lt 1024 ]
    setfattr -n user.colour -v blue "$WORK/special"
    tar c --xattrs -C "$WORK" special | docker cp - ended:/tmp
    docker cp ended:/tmp/special - | tar x --xattrs -C "$WORK/bound"
    equal "$(getfattr --only-values -n user.colour "$WORK/bound/special")" blue
}
dir_and_non_dir() {
    mkdir -p "$WORK/a/thing" "$WORK/b"
    touch "$WORK/b/thing"
    tar c -C "$WORK/a" thing | api PUT '/containers/runs/archive?path=/scratch' --data-binary @-
    equal "$(status)" 200
    tar c -C "$WORK/b" thing | api PUT '/containers/runs/archive?path=/scratch&noOverwriteDirNonDir=true' --data-binary @-
    equal "$(status)" 400
    matches "$(cat "$WORK/body")" 'cannot overwrite directory .*thing.* with non-directory'
    tar c -C "$WORK/b" thing | api PUT '/containers/runs/archive?path=/scratch' --data-binary @-
    equal "$(status)" 200 "without the option"
    tar c -C "$WORK/a" thing | api PUT '/containers/runs/archive?path=/scratch&noOverwriteDirNonDir=1' --data-binary @- && equal "$(status)" 400
}
refuses_what_cannot_be() {
    tar c -C "$WORK/tree" sub | api PUT '/containers/runs/archive?path=/etc/passwd' --data-binary @-
    equal "$(status) $(cat "$WORK/body")" '400 {"message":"extraction point is not a directory"}'
    tar c -C "$WORK/tree" sub | api PUT '/containers/runs/archive?path=/nowhere' --data-binary @-
    equal "$(status) $(cat "$WORK/body")" '404 {"message":"Could not find the file /nowhere in container runs"}'
    tar c -C "$WORK/tree" sub | api PUT '/containers/runs/archive?path=/proc' --data-binary @-
    equal "$(status)" 403
    head -c 5000 /dev/urandom | api PUT '/containers/runs/archive?path=/scratch' --data-binary @-
    equal "$(status)" 400 "garbage"
    tar c -C "$WORK/tree" . | head -c 100000 | api PUT '/containers/runs/archive?path=/scratch' --data-binary @-
    equal "$(status)" 400 "half an archive"
    api PUT '/containers/runs/archive?path=/scratch'
    equal "$(status)" 200 "nothing at all is an empty archive"
    tar c -C /dev null | api PUT '/containers/runs/archive?path=/scratch' --data-binary @-
    equal "$(status)" 400
    matches "$(cat "$WORK/body")" "device"
    exits 1 docker cp "$WORK/special" runs:/etc/hosts
    matches "$(cat "$WORK/err")" "device or resource busy"
}
read_only_is_read_only() {
    docker run -d --name ro --network none --read-only -v "$WORK/tree:/volume:ro" "$IMAGE" sleep 1000
    docker create --name ro2 --network none --read-only -v "$WORK/tree:/volume:ro" "$IMAGE" true
    local name
    for name in ro ro2; do
        tar c -C "$WORK/tree" sub | api PUT "/containers/$name/archive?path=/tmp" --data-binary @-
        equal "$(status) $(cat "$WORK/body")" '403 {"message":"container rootfs is marked read-only"}'
        tar c -C "$WORK/tree" sub | api PUT "/containers/$name/archive?path=/volume" --data-binary @-
        equal "$(status) $(cat "$WORK/body")" '403 {"message":"mounted volume is marked read-only"}'
        equal "$(docker cp $name:/volume/sub/in - | tar xO)" in
    done
    docker rm -f ro ro2
}
with_an_init_of_ours() {
    docker run -d --init --name init --network none "$IMAGE" sh -c 'echo here >/file; exec sleep 1000'
    eventually docker exec init test -s /file
    equal "$(docker cp init:/file - | tar xO)" here
    docker cp "$WORK/tree/sub/in" init:/in
    equal "$(docker exec init cat /in)" in
    docker rm -f init
}
paused_ones_are_read() {
    docker pause runs
    equal "$(docker cp runs:/d/one - | tar xO)" one
    docker unpause runs
}

# ---- hostile ------------------------------------------------------------------------------------------

archives_stay_inside() {
    echo canary >"$WORK/canary"
    python3 - "$WORK" <<'END' >"$WORK/hostile.tar"
import io, sys, tarfile
out = tarfile.open(fileobj=sys.stdout.buffer, mode="w|")
def file(name, data=b"evil"):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    out.addfile(info, io.BytesIO(data))
def link(name, target, kind=tarfile.SYMTYPE):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    out.addfile(info)
link("host", sys.argv[1])
file("host/canary")
link("up", "../../../../../../../.." + sys.argv[1])
file("up/canary")
link("proc", "/proc/1/root" + sys.argv[1])
out.close()
END
    tar cP --no-recursion "$WORK" | api PUT '/containers/ended/archive?path=/' --data-binary @-
    equal "$(status)" 200
    api PUT '/containers/ended/archive?path=/tmp' --data-binary "@$WORK/hostile.tar"
    equal "$(status)" 200 "links that would lead to the host"
    equal "$(cat "$WORK/canary")" canary
    equal "$(docker cp "ended:$WORK/canary" - | tar xO)" evil "they lead into the container's own tree"
    python3 -c '
import io, sys, tarfile
out = tarfile.open(fileobj=sys.stdout.buffer, mode="w|")
info = tarfile.TarInfo("../" * 20 + "tmp/escaped"); info.size = 1
out.addfile(info, io.BytesIO(b"x")); out.close()' | api PUT '/containers/ended/archive?path=/tmp' --data-binary @-
    equal "$(status)" 400
    [ ! -e /tmp/escaped ]
    python3 -c '
import sys, tarfile
out = tarfile.open(fileobj=sys.stdout.buffer, mode="w|")
info = tarfile.TarInfo("stolen"); info.type = tarfile.LNKTYPE; info.linkname = "/" + sys.argv[1] + "/secret"
out.addfile(info); out.close()' "$WORK" | api PUT '/containers/ended/archive?path=/tmp' --data-binary @-
    equal "$(status)" 400 "a hard link to a file of the host"
}
swapped_links_lead_nowhere() {
    docker run -d --name swaps --network none "$IMAGE" sh -c 'mkdir /real; echo inside >/real/passwd
        while :; do ln -sfn /etc /w; ln -sfn ../../../../../../../../etc /w; rm /w; mkdir /w; echo inside >/w/passwd; rm -r /w; done'
    local i host
    host=$(sha256sum </etc/passwd)
    for i in $(seq 10); do
        ! curl -s --unix-socket "$SOCKET" "http://d/v1.47/containers/swaps/archive?path=/w/passwd" 2>/dev/null | tar xO 2>/dev/null | sha256sum | grep -q "$host" || return 1
        tar c -C "$WORK/tree" sub | api PUT '/containers/swaps/archive?path=/w' --data-binary @- >/dev/null || true
    done
    [ ! -e /etc/sub ]
    docker rm -f swaps
}
deep_and_many() {
    docker run --name deep --network none "$IMAGE" sh -c 'mkdir /deep /many; cd /many; for i in $(seq 2000); do : >$i; done; cd /deep
        i=0; while [ $i -lt 300 ]; do mkdir 0123456789abcdef && cd 0123456789abcdef || break; i=$((i+1)); done; echo end'
    equal "$(docker cp deep:/many - | tar t | wc -l)" 2001
    curl -s --unix-socket "$SOCKET" -o "$WORK/body" "http://d/v1.47/containers/deep/archive?path=/deep" && return 1 # no whole archive, no end
    equal "$(docker cp deep:/many/1 - | tar t)" 1 "the next honest request"
    docker rm -f deep
}

# ---- export and diff ----------------------------------------------------------------------------------

exports_the_root() {
    docker export ended >"$WORK/export.tar"
    equal "$(tar xOf "$WORK/export.tar" kept/file)" kept
    tar tf "$WORK/export.tar" | grep -qx bin/busybox
    docker export -o "$WORK/export2.tar" runs
    equal "$(tar tf "$WORK/export2.tar" | grep -cE '^(scratch|bound|proc|sys)/.')" 0 "what is mounted is none of it"
    equal "$(tar tf "$WORK/export2.tar" | grep -c '^\./')" 0
    equal "$(docker export ended | sha256sum)" "$(docker export ended | sha256sum)" "the same each time"
    exits 1 docker export nobody
    matches "$(cat "$WORK/err")" "No such container: nobody"
}
# what Docker 20.10 tells of the same actions
lists_changes() {
    docker run --name changes --network none "$IMAGE" sh -c 'mkdir /newd /newd/sub; touch /newd/sub/f; rm -r /home; rm /bin/[; mkdir /var/spool; touch /var/spool/z
        echo x >>/etc/passwd; chmod 750 /root; rm -r /usr; ln -s bin /usr; touch /etc/tmpx; rm /etc/tmpx; mv /bin/yes /bin/yes2; mkdir -p /a/b/c; touch /tmp/q'
    equal "$(docker diff changes | LC_ALL=C sort | tr '\n' ',')" \
        'A /a,A /a/b,A /a/b/c,A /bin/yes2,A /newd,A /newd/sub,A /newd/sub/f,A /tmp/q,A /var/spool,A /var/spool/z,C /bin,C /etc,C /etc/passwd,C /root,C /tmp,C /usr,C /var,D /bin/[,D /bin/yes,D /home,'
    docker create --name untouched --network none "$IMAGE" true
    equal "$(api GET /containers/untouched/changes)" null
    docker start -a untouched
    equal "$(docker diff untouched)" "" "mount points are no change"
    docker run --name replaced --network none "$IMAGE" sh -c 'rm -r /etc; mkdir /etc; echo new >/etc/new'
    equal "$(docker diff replaced | LC_ALL=C sort | tr '\n' ',')" 'A /etc/new,C /etc,D /etc/group,D /etc/passwd,' ||
        matches "$(docker diff replaced | tr '\n' ',')" 'A /etc/new'
    api GET /containers/nobody/changes
    equal "$(status)" 404
    docker rm changes untouched replaced
}

# ---- going away ---------------------------------------------------------------------------------------

client_goes_away() {
    docker run -d --name big --network none "$IMAGE" sh -c 'dd if=/dev/zero of=/big bs=1M count=100 2>/dev/null; echo ready; sleep 1000'
    eventually bash -c 'docker logs big | grep -q ready'
    local before
    before=$(pgrep -xc bulkhead-copier || true)
    curl -s --unix-socket "$SOCKET" --limit-rate 1M --max-time 1 -o /dev/null 'http://d/v1.47/containers/big/archive?path=/big' || true
    eventually bash -c "[ \"\$(pgrep -xc bulkhead-copier || true)\" -le $before ]"
    (head -c 5000000 /dev/zero; sleep 2) | curl -s --unix-socket "$SOCKET" --max-time 1 -T - 'http://d/v1.47/containers/big/archive?path=/tmp' || true
    eventually bash -c "[ \"\$(pgrep -xc bulkhead-copier || true)\" -le $before ]"
    equal "$(docker cp big:/etc/passwd - | tar t)" passwd
}
killed_copier() {
    curl -s --unix-socket "$SOCKET" --limit-rate 10M -o "$WORK/cut" 'http://d/v1.47/containers/big/archive?path=/big' &
    local client=$!
    eventually test -s "$WORK/cut"
    pkill -KILL -x -n bulkhead-copier
    ! wait $client || return 1 # an archive without its end
    equal "$(docker cp big:/etc/passwd - | tar t)" passwd
}
killed_helpers() {
    local role
    for role in executor policyd engine; do
        kill -KILL "$(helper_pid $role)"
        eventually docker cp runs:/d/one "$WORK/again"
        equal "$(cat "$WORK/again")" one "after the $role died"
    done
    is_state runs running
}
large_ones_are_whole() {
    equal "$(docker cp big:/big - | tar xO | sha256sum)" "$(head -c 104857600 /dev/zero | sha256sum)"
    head -c 30000000 /dev/urandom >"$WORK/large"
    docker cp "$WORK/large" big:/large
    equal "$(docker cp big:/large - | tar xO | sha256sum)" "$(sha256sum <"$WORK/large")"
    rm "$WORK/large"
}
a_gigabyte_each_way() {
    local sum
    head -c 1073741824 /dev/urandom | tee "$WORK/gigabyte" | sha256sum >"$WORK/sum"
    sum=$(cat "$WORK/sum")
    $client cp "$WORK/gigabyte" big:/gigabyte
    rm "$WORK/gigabyte"
    equal "$(docker exec big sha256sum </dev/null /gigabyte | cut -c1-64)" "${sum%% *}" "in the container"
    $client cp big:/gigabyte "$WORK/gigabyte"
    equal "$(sha256sum <"$WORK/gigabyte")" "$sum" "and back"
    rm "$WORK/gigabyte"
    docker exec big rm /gigabyte
}
sdk_copies() {
    python3 - "$SOCKET" <<'END'
import io, sys, tarfile, docker
client = docker.DockerClient(base_url="unix://" + sys.argv[1], version="1.41")
container = client.containers.get("runs")
stream, stat = container.get_archive("/d/sub")
data = b"".join(stream)
assert stat["name"] == "sub" and tarfile.open(fileobj=io.BytesIO(data)).getnames() == ["sub", "sub/two"]
buffer = io.BytesIO()
with tarfile.open(fileobj=buffer, mode="w") as archive:
    info = tarfile.TarInfo("of-sdk"); info.size = 3
    archive.addfile(info, io.BytesIO(b"sdk"))
assert container.put_archive("/scratch", buffer.getvalue())
assert {"Path": "/d", "Kind": 1} in container.diff()
assert len(b"".join(container.export())) > 10000
try:
    container.get_archive("/nowhere")
except docker.errors.NotFound as error:
    assert "Could not find the file /nowhere in container" in str(error)
else:
    raise AssertionError("no error")
END
}
of_another_tenant() {
    chmod 0755 "$ENGINE"
    chmod 0666 "$SOCKET"
    local path
    for path in /archive?path=/ /export /changes; do
        equal "$(setpriv --reuid 61001 --regid 61001 --clear-groups curl -s -o /dev/null -w '%{http_code}' --unix-socket "$SOCKET" "http://d/v1.47/containers/runs$path")" 404
    done
    equal "$(setpriv --reuid 61001 --regid 61001 --clear-groups curl -s -o /dev/null -w '%{http_code}' --unix-socket "$SOCKET" -T /dev/null "http://d/v1.47/containers/runs/archive?path=/")" 404
}
tidy() {
    docker rm -f $(docker ps -aq)
    nothing_left
}

check "containers to copy from and to" prepare
check "cp takes files out of a running, an ended and a fresh container, volumes and tmpfs with them" out_of_each
check "entries of an archive are named after what was asked for" names_are_rebased
check "a folder goes out with its links, FIFOs, owners and modes" folders_go_out_whole
check "cp -L follows a link, inside" follows_links_when_asked
check "HEAD tells what a path is" tells_what_a_path_is
check "what is missing or wrong is told in Docker's words" says_what_is_wrong
check "cp puts files into a running, an ended and a fresh container" into_each
check "archives may be compressed" compressed_ones_too
check "owners, modes and times stay what they were" owners_modes_times_stay
check "cp -a gives files to the container's user" belongs_to_the_user_with_a
check "holes stay holes, and users' attributes stay" holes_and_attributes
check "noOverwriteDirNonDir" dir_and_non_dir
check "what cannot be put anywhere is refused" refuses_what_cannot_be
check "a read-only root or volume is not written to" read_only_is_read_only
check "a container with --init is entered, too" with_an_init_of_ours
check "a paused container is read" paused_ones_are_read
check "an archive's names and links stay inside" archives_stay_inside
check "links that are swapped during cp lead nowhere" swapped_links_lead_nowhere
check "many files are copied, and too deep a tree is refused" deep_and_many
check "a device of the host's is not replaced" devices_stay
check "export" exports_the_root
check "diff lists what Docker lists" lists_changes
check "a client that goes away ends the job" client_goes_away
check "a killed copier cuts the archive short, and no more" killed_copier
check "large files come through whole" large_ones_are_whole
for client in $CLIENTS; do
    check "$client: a gigabyte goes in and comes out" a_gigabyte_each_way
done
client=docker
check "helpers that die do no harm" killed_helpers
check "the Python SDK copies" sdk_copies
check "another tenant's container is not there" of_another_tenant
check "nothing is left" tidy
