#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# slow
#
# Content is kept to the byte: a Debian root, and layers with everything that tar can hold, pulled through a registry, equal what `tar -x`
# makes of the same layers: paths, types, modes, owners, times, xattrs, links, contents.
source "$(dirname "$0")/../lib/system.sh"
CHECK_SECONDS=600
plain_registry
system_start
system_load

# listing FOLDER : everything that must be equal, a line a path
listing() { python3 "$TESTS/lib/listing.py" "$1"; }

# push_layers NAME LAYER... : as an image in the registry; pulled from there
push_and_pull() {
    local name=$1
    shift
    python3 "$TESTS/lib/images.py" archive "$WORK/image-$name.tar" "$name:1" "$@"
    image_folder "$WORK/image-$name.tar" "$name" 1 "$WORK/folder-$name"
    push_folder "$WORK/folder-$name" "$name" 1 "http://$PLAIN"
    bulkhead pull -q "$PLAIN/$name:1"
}
# mounted NAME : the container's root as its own processes see it; $root is its path, through a running container of that image. The image
# needs no program: the listing is taken through /proc/PID/root of a process that a bind-mounted busybox runs.
same_as_tar() { # NAME EXPECTED_FOLDER
    local pid
    bulkhead run -d --name "look-$1" --network none --read-only -v /bin/busybox:/busybox-to-look:ro --entrypoint /busybox-to-look \
        "$PLAIN/$1:1" sleep 1000
    pid=$(bulkhead inspect -f '{{.State.Pid}}' "look-$1")
    python3 "$TESTS/lib/listing.py" "/proc/$pid/root/." --map-of "$pid" --without-engine-files >"$WORK/$1.got"
    mkdir -p "$2/etc" # the engine makes it for its own files
    python3 "$TESTS/lib/listing.py" "$2" --without-engine-files >"$WORK/$1.want"
    bulkhead rm -f "look-$1"
    diff "$WORK/$1.want" "$WORK/$1.got" | head -40
    cmp -s "$WORK/$1.want" "$WORK/$1.got"
}
extract() { # FOLDER LAYER...
    local folder=$1 layer
    shift
    mkdir -p "$folder"
    for layer in "$@"; do
        tar --numeric-owner --xattrs '--xattrs-include=*' --same-owner -C "$folder" -xpf "$layer"
    done
}

debian() {
    on_the_host mmdebstrap --variant=minbase --quiet bookworm "$WORK/debian.tar"
    push_and_pull debian "$WORK/debian.tar"
    extract "$WORK/want-debian" "$WORK/debian.tar"
    same_as_tar debian "$WORK/want-debian"
}
debian_runs() {
    equal "$(bulkhead run --rm --network none "$PLAIN/debian:1" sh -c '. /etc/os-release; echo $ID')" debian
    equal "$(docker run --rm --network none "$PLAIN/debian:1" dpkg-query -W -f '${Status}\n' bash)" "install ok installed"
}
everything_tar_holds() {
    python3 "$TESTS/lib/odd_layer.py" "$WORK/odd.tar"
    push_and_pull odd "$WORK/odd.tar"
    extract "$WORK/want-odd" "$WORK/odd.tar"
    same_as_tar odd "$WORK/want-odd"
}
many_small_files() {
    mkdir -p "$WORK/many"
    python3 -c '
import os, sys
for i in range(10000):
    folder = os.path.join(sys.argv[1], f"d{i // 100}")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, f"f{i}"), "w") as file:
        file.write(str(i))' "$WORK/many"
    tar -C "$WORK/many" --sort=name -cf "$WORK/many.tar" .
    push_and_pull many "$WORK/many.tar"
    extract "$WORK/want-many" "$WORK/many.tar"
    same_as_tar many "$WORK/want-many"
}
whiteouts() {
    local folder=$WORK/wh
    mkdir -p "$folder/1/keep" "$folder/1/gone" "$folder/1/opaque" "$folder/2/keep" "$folder/2/opaque" "$folder/want/keep" "$folder/want/opaque"
    echo a >"$folder/1/keep/a"
    echo b >"$folder/1/keep/b"
    echo c >"$folder/1/gone/c"
    echo d >"$folder/1/opaque/d"
    : >"$folder/2/keep/.wh.a"
    : >"$folder/2/.wh.gone"
    : >"$folder/2/opaque/.wh..wh..opq"
    echo e >"$folder/2/opaque/e"
    cp -p "$folder/1/keep/b" "$folder/want/keep/b"
    cp -p "$folder/2/opaque/e" "$folder/want/opaque/e"
    touch -r "$folder/2/keep" "$folder/want/keep"
    touch -r "$folder/2/opaque" "$folder/want/opaque"
    find "$folder" -exec touch -d @1700000000 {} + # tar keeps whole seconds
    tar -C "$folder/1" -cf "$WORK/wh1.tar" .
    tar -C "$folder/2" -cf "$WORK/wh2.tar" .
    push_and_pull whiteouts "$WORK/wh1.tar" "$WORK/wh2.tar"
    touch -r "$folder/2" "$folder/want"
    same_as_tar whiteouts "$folder/want"
}
two_gigabytes() {
    mkdir -p "$WORK/huge"
    python3 -c '
import hashlib, sys
block = hashlib.sha512(b"x").digest() * 16384
with open(sys.argv[1], "wb") as file:
    for i in range(2048):
        file.write(i.to_bytes(8, "big") + block[8:])' "$WORK/huge/file"
    tar -C "$WORK/huge" -cf "$WORK/huge.tar" .
    rm "$WORK/huge/file"
    push_and_pull huge "$WORK/huge.tar"
    extract "$WORK/want-huge" "$WORK/huge.tar"
    same_as_tar huge "$WORK/want-huge"
}

check "a Debian root equals tar -x" debian
check "and runs" debian_runs
check "whiteouts and opaque folders" whiteouts
check "everything that tar can hold" everything_tar_holds
check "10,000 small files" many_small_files
check "one file of 2 GiB" two_gigabytes
