#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# save, load and import: archives that docker, podman, skopeo, umoci and buildah write and read; images keep their ids on every way round.
# slow
source "$(dirname "$0")/../lib/system.sh"
CHECK_SECONDS=60
client=docker
system_start
system_load

id_of() { docker image inspect -f '{{.Id}}' "$1"; }
ID=$(id_of busybox)
storage() { echo --root "$WORK/$1/root" --runroot "$WORK/$1/run" --storage-driver vfs; }
status_of() { curl -s -o "$WORK/answer" -w '%{http_code}' --unix-socket "$SOCKET" "http://x$1"; }
document() { tar -xOf "$1" "$2"; }
no_blobs() { [ -z "$(find "$ENGINE/state" -regextype posix-extended -regex '.*/(blobs|layers)/[0-9a-f]{64}' 2>/dev/null)" ]; }
store_files() { find "$ENGINE/state/store" -type f | sort; }

# ---- save --------------------------------------------------------------------------------------------

saves() {
    docker save busybox >"$WORK/one.tar"
    docker save -o "$WORK/again.tar" busybox:latest
    cmp "$WORK/one.tar" "$WORK/again.tar"
    equal "$(document "$WORK/one.tar" oci-layout)" '{"imageLayoutVersion":"1.0.0"}'
    equal "$(document "$WORK/one.tar" manifest.json | python3 -c 'import json,sys; d=json.load(sys.stdin); print(len(d), d[0]["Config"], d[0]["RepoTags"], len(d[0]["Layers"]))')" \
        "1 blobs/sha256/${ID#sha256:} ['busybox:latest'] 1"
    equal "$(document "$WORK/one.tar" index.json | python3 -c 'import json,sys; d=json.load(sys.stdin)["manifests"]; print(len(d), d[0]["annotations"])')" \
        "1 {'io.containerd.image.name': 'docker.io/library/busybox:latest', 'org.opencontainers.image.ref.name': 'latest'}"
    equal "$(document "$WORK/one.tar" "blobs/sha256/${ID#sha256:}" | sha256sum)" "${ID#sha256:}  -"
}
saves_what_names_mean() {
    docker tag busybox team/tool:1
    docker tag busybox team/tool:2
    docker tag busybox team/tool-box:1
    tags_in() { docker save "$@" | tar -xO manifest.json | python3 -c 'import json,sys; print(*[i["RepoTags"] for i in json.load(sys.stdin)])'; }
    equal "$(tags_in team/tool)" "['team/tool:1', 'team/tool:2']"
    equal "$(tags_in team/tool:2)" "['team/tool:2']"
    equal "$(tags_in "$ID")" "None"
    equal "$(tags_in "${ID:7:12}" team/tool:2 busybox)" "['team/tool:2', 'busybox:latest']"
    docker rmi team/tool:1 team/tool:2 team/tool-box:1
}
several_share_layers() {
    tar -C "$TESTS/lib" -cf "$WORK/small.tar" check.sh
    docker import -c 'ENV A=1' "$WORK/small.tar" small:1
    docker import -c 'ENV A=2' "$WORK/small.tar" small:2
    docker save -o "$WORK/two.tar" small busybox
    equal "$(tar -tf "$WORK/two.tar" | grep -c '^blobs/sha256/.')" 8 # three configs, three manifests, two layers
    equal "$(tar -tf "$WORK/two.tar" | sort | uniq -d)" ""
    equal "$(curl -s --unix-socket "$SOCKET" "http://x/images/get?names=small&names=busybox" | sha256sum)" "$(sha256sum <"$WORK/two.tar")"
    equal "$(curl -s --unix-socket "$SOCKET" "http://x/images/small:2/get" | tar -xO manifest.json | grep -c small:2)" 1
}
refuses_to_save() {
    equal "$(status_of /images/get)" 400
    equal "$(status_of /images/nosuch/get)" 404
    matches "$(cat "$WORK/answer")" "No such image: nosuch:latest"
    equal "$(status_of '/images/get?names=busybox&names=nosuch:1')" 404
    matches "$(cat "$WORK/answer")" "No such image: nosuch:1"
    equal "$(status_of '/images/get?names=A/b')" 400
    exits 1 docker save -o "$WORK/none.tar" nosuch
    [ ! -s "$WORK/none.tar" ]
}
a_client_that_goes_away() {
    head -c 12000000 /dev/urandom >"$WORK/large"
    tar -C "$WORK" -cf - large | docker import - large:1
    local before
    before=$(store_files)
    curl -s --limit-rate 100k --unix-socket "$SOCKET" "http://x/images/large:1/get" | head -c 100000 >/dev/null || true
    eventually grep -q 'broken off: the client is gone' "$ENGINE/engine.log"
    equal "$(docker save large:1 | tar -xO blobs | wc -c)" "$(docker save large:1 | tar -xO blobs | wc -c)"
    equal "$(store_files)" "$before"
}
helpers_that_die() {
    local role
    docker save -o "$WORK/whole.tar" large:1
    for role in store extractor engine; do
        curl -s --limit-rate 12M --unix-socket "$SOCKET" "http://x/images/large:1/get" -o "$WORK/cut.tar" &
        kill -KILL "$(helper_pid $role)"
        if wait $!; then # it had what it needed
            cmp "$WORK/cut.tar" "$WORK/whole.tar"
        fi
        eventually docker save -o "$WORK/again.tar" large:1
        cmp "$WORK/again.tar" "$WORK/whole.tar"
    done
    docker rmi large:1
}

# ---- round trips -------------------------------------------------------------------------------------

loads_again() { # ARCHIVE [NAME]
    docker rmi -f "$(docker images -q --no-trunc "${2:-busybox}")" || true
    docker load -q -i "$1"
    equal "$(id_of "${2:-busybox}")" "$ID"
    equal "$(docker run --rm --network none "${2:-busybox}" echo works)" works
}
our_own() {
    loads_again "$WORK/one.tar"
    for packed in "gzip -c" "xz -0c" "zstd -qc" "bzip2 -1c"; do
        $packed "$WORK/one.tar" >"$WORK/packed.tar"
        loads_again "$WORK/packed.tar"
    done
    docker rmi small:1 small:2
    matches "$(docker load -i "$WORK/two.tar")" $'Loaded image: small:1\nLoaded image: small:2\nLoaded image: busybox:latest'
    equal "$(docker run --rm --network none busybox echo works)" works
}
with_podman() {
    local storage
    storage=$(storage podman)
    podman $storage load -q -i "$WORK/two.tar"
    equal "sha256:$(podman $storage image inspect -f '{{.Id}}' localhost/busybox)" "$ID"
    podman $storage save -q -o "$WORK/podman.tar" localhost/busybox
    loads_again "$WORK/podman.tar" localhost/busybox
    podman $storage save -q --format oci-archive -o "$WORK/podman-oci.tar" localhost/busybox
    docker load -q -i "$WORK/podman-oci.tar" # a config in OCI's form has another digest
    equal "$(docker run --rm --network none localhost/busybox echo works)" works
    podman $storage save -q -m -o "$WORK/podman-both.tar" localhost/busybox localhost/small:1
    matches "$(docker load -i "$WORK/podman-both.tar")" "Loaded image: localhost/small:1"
    equal "$(id_of localhost/busybox)" "$ID"
    docker rmi localhost/busybox localhost/small:1
}
with_skopeo() {
    skopeo copy -q "docker-archive:$WORK/two.tar:busybox:latest" "docker-archive:$WORK/skopeo.tar:busybox:latest"
    loads_again "$WORK/skopeo.tar"
    skopeo copy -q "oci-archive:$WORK/one.tar:latest" "oci-archive:$WORK/skopeo-oci.tar:docker.io/library/busybox:latest"
    loads_again "$WORK/skopeo-oci.tar"
    skopeo copy -q "oci-archive:$WORK/one.tar" "oci-archive:$WORK/nameless.tar"
    matches "$(docker load -i "$WORK/nameless.tar")" "Loaded image ID: $ID"
}
with_umoci() {
    skopeo copy -q "docker-archive:$WORK/one.tar" "oci:$WORK/layout:latest"
    mkdir "$WORK/ours"
    tar -C "$WORK/ours" -xf "$WORK/one.tar"
    umoci unpack --image "$WORK/ours:latest" "$WORK/bundle"
    [ -x "$WORK/bundle/rootfs/bin/busybox" ]
    umoci config --image "$WORK/layout:latest" --tag team/changed:1 --config.env WHO=umoci
    umoci rm --image "$WORK/layout:latest"
    tar -C "$WORK/layout" -cf "$WORK/umoci.tar" blobs index.json oci-layout
    matches "$(docker load -i "$WORK/umoci.tar")" "Loaded image: team/changed:1"
    equal "$(docker run --rm --network none team/changed:1 sh -c 'echo $WHO')" umoci
    docker rmi team/changed:1
}
with_buildah() {
    local storage
    storage=$(storage buildah)
    echo '{}' >"$DOCKER_CONFIG/config.json" # it insists on one
    buildah $storage pull -q "docker-archive:$WORK/two.tar:busybox:latest"
    buildah $storage push -q localhost/busybox:latest "docker-archive:$WORK/buildah.tar:busybox:latest"
    loads_again "$WORK/buildah.tar"
}
old_docker() {
    python3 "$TESTS/lib/old_archive.py" "$WORK/busybox.tar" "$WORK/old.tar"
    loads_again "$WORK/old.tar"
    python3 "$TESTS/lib/old_archive.py" --twice "$WORK/busybox.tar" "$WORK/old-two.tar"
    matches "$(docker load -i "$WORK/old-two.tar")" $'Loaded image: busybox:latest\nLoaded image: old/second:1'
    equal "$(docker run --rm --network none old/second:1 echo works)" works
    docker rmi old/second:1
    python3 "$TESTS/lib/old_archive.py" --v1 "$WORK/busybox.tar" "$WORK/v1.tar"
    exits 1 docker load -i "$WORK/v1.tar"
    matches "$(cat "$WORK/err")" "before 1.10"
}
other_compressions() {
    local tool
    for tool in zstd xz bzip2; do
        $tool -c "$WORK/small.tar" >"$WORK/small.tar.$tool"
        docker import "$WORK/small.tar.$tool" "packed:$tool"
        docker save -o "$WORK/$tool.tar" "packed:$tool"
        equal "$(document "$WORK/$tool.tar" "blobs/sha256/$(sha256sum <"$WORK/small.tar" | cut -c1-64)" | sha256sum)" "$(sha256sum <"$WORK/small.tar")"
        id=$(id_of "packed:$tool")
        docker rmi "packed:$tool"
        docker load -q -i "$WORK/$tool.tar"
        equal "$(id_of "packed:$tool")" "$id"
        docker rmi "packed:$tool"
    done
}

# ---- import ------------------------------------------------------------------------------------------

imports() {
    local id
    id=$(tar -C "$WORK/bundle/rootfs" -c . | docker import -m "from a pipe" -c 'CMD ["echo", "cmd"]' -c 'ENV A=1 B=$A' -c 'ENV C=$A' \
        -c 'EXPOSE 80 53/udp' -c 'LABEL k="a b"' -c 'USER 1000' -c 'WORKDIR /tmp' -c 'VOLUME /data' -c 'STOPSIGNAL SIGINT' \
        -c 'HEALTHCHECK --interval=5s CMD true' -c 'ONBUILD RUN x' --platform linux/amd64 - imported:1)
    equal "$id" "$(id_of imported:1)"
    equal "$(docker inspect -f '{{json .Config.Cmd}} {{.Config.Env}} {{.Config.User}} {{.Config.WorkingDir}} {{.Config.StopSignal}}' imported:1)" \
        '["echo","cmd"] [A=1 B= C=1] 1000 /tmp SIGINT'
    equal "$(docker inspect -f '{{json .Config.ExposedPorts}} {{json .Config.Labels}} {{json .Config.Volumes}} {{json .Config.OnBuild}} {{json .Config.Healthcheck.Test}}' imported:1)" \
        '{"53/udp":{},"80/tcp":{}} {"k":"a b"} {"/data":{}} ["RUN x"] ["CMD-SHELL","true"]'
    equal "$(docker inspect -f '{{.Comment}} {{.Os}}/{{.Architecture}} {{len .RootFS.Layers}}' imported:1)" "from a pipe linux/amd64 1"
    equal "$(docker history --format '{{.Comment}}' imported:1)" "from a pipe"
    equal "$(docker run --rm --network none imported:1)" cmd
    docker rmi imported:1
}
import_without_a_name() {
    local id
    id=$(docker import - <"$WORK/small.tar")
    equal "$(docker inspect -f '{{json .RepoTags}} {{.Comment}}' "$id")" '[] Imported from -'
    docker rmi "$id"
}
refuses_to_import() {
    local before
    before=$(docker images -aq | sort)
    head -c 5000 /dev/urandom >"$WORK/noise"
    exits 1 docker import "$WORK/noise" bad:1
    matches "$(cat "$WORK/err")" "no valid tar archive"
    head -c 3000 "$WORK/small.tar" >"$WORK/cut"
    exits 1 docker import "$WORK/cut" bad:1
    exits 1 docker import http://127.0.0.1/x.tar bad:1
    matches "$(cat "$WORK/err")" "importing from a URL is not supported"
    exits 1 docker import -c 'RUN x' "$WORK/small.tar" bad:1
    matches "$(cat "$WORK/err")" "RUN is not a valid change command"
    exits 1 docker import "$WORK/small.tar" Bad:1
    exits 1 docker import "$WORK/small.tar" "busybox@$ID"
    equal "$(docker images -aq | sort)" "$before"
}
odd_archives() {
    python3 - "$WORK/one.tar" "$WORK" <<'END'
import hashlib, io, json, sys, tarfile
source, work = sys.argv[1:]
members = list(tarfile.open(source))
end = members[-1].offset_data + members[-1].size
open(work + "/unpadded.tar", "wb").write(open(source, "rb").read()[:end])
open(work + "/cut.tar", "wb").write(open(source, "rb").read()[:end - 1])

def archive(name, layer, repositories=None, second=False):
    config = json.dumps({"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {
        "type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]}}).encode()
    target = tarfile.open(f"{work}/{name}.tar", "w")
    manifest = [{"Config": "c.json", "RepoTags": ["odd:1"], "Layers": ["l.tar"]}]
    if second:
        manifest.append({"Config": "c.json", "RepoTags": ["odd:2"], "Layers": ["c.json"]})
    for member, data in {"c.json": config, "l.tar": layer, "manifest.json": json.dumps(manifest).encode(),
                         "repositories": json.dumps(repositories or {}).encode()}.items():
        info = tarfile.TarInfo(member)
        info.size = len(data)
        target.addfile(info, io.BytesIO(data))
    target.close()

archive("empty-layer", b"")
archive("claims", b"\0" * 1024, {"busybox": {"latest": "0" * 64}})
archive("half-bad", b"\0" * 10240, second=True)
END
    docker load -q -i "$WORK/unpadded.tar"
    exits 1 docker load -q -i "$WORK/cut.tar"
    matches "$(cat "$WORK/err")" 'member "repositories" does not end inside the archive'
    equal "$(docker load -i "$WORK/empty-layer.tar")" "Loaded image: odd:1"
    docker save odd:1 | docker load -q
    equal "$(docker load -i "$WORK/claims.tar")" "Loaded image: odd:1"
    equal "$(id_of busybox)" "$ID"
    docker rmi odd:1
    docker images -q -f dangling=true | xargs -r docker rmi
    exits 1 docker load -i "$WORK/half-bad.tar"
    matches "$(cat "$WORK/err")" "image 2 of the archive, docker.io/library/odd:2"
    equal "$(docker images -q odd)" ""
    eventually not_stored "$(head -c 10240 /dev/zero | sha256sum | cut -c1-64)"
}
not_stored() { ! store_files | grep -q "$1"; }
tells_progress() {
    docker rmi busybox
    local lines
    lines=$(curl -s --unix-socket "$SOCKET" -X POST --data-binary "@$WORK/one.tar" -H 'Content-Type: application/x-tar' 'http://x/images/load?quiet=0')
    matches "$lines" '"status":"Loading layer","progressDetail":\{"current":[0-9]+,"total":[0-9]+\}'
    matches "$lines" '\{"stream":"Loaded image: busybox:latest\\n"\}'
    docker rmi busybox
    equal "$(curl -s --unix-socket "$SOCKET" -X POST --data-binary "@$WORK/one.tar" 'http://x/images/load?quiet=1')" '{"stream":"Loaded image: busybox:latest\n"}'
}
changed_hands() { # another tenant neither saves nor sees it
    chmod 0666 "$SOCKET"
    chmod 0755 "$ENGINE" "$WORK"
    equal "$(setpriv --reuid 61007 --regid 61007 --clear-groups curl -s -o /dev/null -w '%{http_code}' --unix-socket "$SOCKET" http://x/images/busybox/get)" 404
    equal "$(setpriv --reuid 61007 --regid 61007 --clear-groups curl -s -o /dev/null -w '%{http_code}' --unix-socket "$SOCKET" "http://x/images/$ID/get")" 404
    matches "$(setpriv --reuid 61007 --regid 61007 --clear-groups curl -s --unix-socket "$SOCKET" -X POST --data-binary "@$WORK/claims.tar" 'http://x/images/load?quiet=1')" odd:1
    equal "$(docker images -q odd)" ""
}

# An archive that is whole but for its last two blocks, which nobody needs: the client says that there is more and hangs up. The engine is held
# meanwhile, so that it finds the end of the stream and the client's going at once.
broken_uploads() {
    local framing path
    "$ROOT/deploy/make-busybox-image" "$WORK/whole-image.tar" whole:1
    python3 - "$WORK/whole-image.tar" "$WORK/members" <<'END'
import sys, tarfile
last = tarfile.open(sys.argv[1]).getmembers()[-1]
open(sys.argv[2], "wb").write(open(sys.argv[1], "rb").read(last.offset_data + (last.size + 511) // 512 * 512))
END
    docker load -q -i "$WORK/members" # nothing but the client's word says that it is cut
    docker rmi whole:1
    for framing in length chunks; do
        for path in "/images/load?quiet=1" "/images/create?fromSrc=-&repo=broken&tag=1"; do
            break_off $framing "$path" || return 1
        done
    done
}
break_off() { # FRAMING PATH
    python3 - "$SOCKET" "$WORK/members" "$1" "$2" "$(helper_pid engine)" <<'END'
import os, signal, socket, sys, time
path, file, framing, target, engine = sys.argv[1:]
body = open(file, "rb").read()
for attempt in range(4):
    s = socket.socket(socket.AF_UNIX)
    s.connect(path)
    head = f"POST {target} HTTP/1.1\r\nHost: d\r\nContent-Type: application/x-tar\r\n"
    if framing == "length":
        s.sendall(f"{head}Content-Length: {len(body) + 1024}\r\n\r\n".encode() + body)
    else:
        s.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n{len(body):x}\r\n".encode() + body + b"\r\n")
    time.sleep(0.2)
    os.kill(int(engine), signal.SIGSTOP)
    s.close()
    time.sleep(0.1)
    os.kill(int(engine), signal.SIGCONT)
    time.sleep(0.5)
END
    equal "$(docker images -q whole)$(docker images -q broken)" "" "images of $2 with $1"
}

check "save writes the same archive each time, and all of both formats" saves
check "save: a name is all its tags, a tag itself, an id no name" saves_what_names_mean
check "save: several images share their layers" several_share_layers
check "save refuses what is not there before it sends a byte" refuses_to_save
check "save ends with a client that goes away" a_client_that_goes_away
check "save works again after each helper was killed in the middle, and never sends half an archive as a whole one" helpers_that_die
check "our own archives load, compressed too" our_own
check "podman reads and writes them" with_podman
check "skopeo reads and writes them" with_skopeo
check "umoci reads and writes them" with_umoci
check "buildah reads and writes them" with_buildah
check "archives of older dockers load; of those before 1.10 not, and that is said" old_docker
check "layers in zstd, xz and bzip2 go out so that everybody reads them" other_compressions
check "archives without padding, with empty layers, and those that claim other names; all of an archive or nothing" odd_archives
check "load tells how far it is, unless quiet" tells_progress
check "import, with every change" imports
check "import without a name" import_without_a_name
check "import refuses, and leaves nothing" refuses_to_import
check "an upload that breaks off where it could end is none" broken_uploads
check "another tenant's images are not saved, and its archives change nothing here" changed_hands
