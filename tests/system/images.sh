#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Images: load, list, inspect, tag, remove, and archives that are no images.
# sanitize
source "$(dirname "$0")/../lib/system.sh"
system_start

loads() {
    "$ROOT/deploy/make-busybox-image" "$WORK/busybox.tar"
    matches "$($client load -i "$WORK/busybox.tar")" "Loaded image: busybox:latest"
    matches "$($client load <"$WORK/busybox.tar")" "Loaded image: busybox:latest"
}
lists() {
    matches "$($client images | head -1)" '^REPOSITORY +TAG +IMAGE ID +CREATED +SIZE$'
    matches "$($client images | grep busybox)" '^busybox +latest +[0-9a-f]{12} +.* ago +[0-9.]+MB$'
    equal "$($client images --format '{{.Repository}}:{{.Tag}}')" busybox:latest
    matches "$($client images -q --no-trunc)" '^sha256:[0-9a-f]{64}$'
    equal "$($client images nosuch -q)" ""
    equal "$($client images 'busy*' -q)" "$($client images -q)"
}
inspects() {
    equal "$($client inspect -f '{{.Os}} {{json .RepoTags}} {{json .Config.Cmd}}' busybox)" 'linux ["busybox:latest"] ["sh"]'
    equal "$($client inspect -f '{{.Id}}' busybox)" "$($client images -q --no-trunc)"
    equal "$($client inspect --type image -f '{{.RootFS.Type}} {{len .RootFS.Layers}}' busybox)" "layers 1"
}
the_id_is_the_configs_digest() {
    local name
    name=$(tar -xOf "$WORK/busybox.tar" manifest.json | python3 -c 'import json,sys; print(json.load(sys.stdin)[0]["Config"])')
    equal "$($client images -q --no-trunc)" "sha256:${name%.json}"
}
tags() {
    $client tag busybox team/tool:1.0
    $client tag busybox localhost:5000/tool
    equal "$($client inspect -f '{{.Id}}' team/tool:1.0)" "$($client inspect -f '{{.Id}}' busybox)"
    equal "$($client images -q | sort -u | wc -l)" 1
    equal "$($client rmi team/tool:1.0)" "Untagged: team/tool:1.0"
    equal "$($client rmi localhost:5000/tool)" "Untagged: localhost:5000/tool:latest"
    exits 1 $client tag busybox 'Not/Valid:tag'
    exits 1 $client tag nosuchimage x:y
}
by_id() {
    local id
    id=$($client images -q)
    equal "$($client run --rm --network none "$id" echo by id)" "by id"
}
in_use_is_not_removed() {
    $client create --name user --network none busybox true
    exits 1 $client rmi busybox
    matches "$(cat "$WORK/err")" "container"
    $client rm user
}
removes() {
    matches "$($client rmi busybox)" "Deleted: sha256:"
    equal "$($client images -q)" ""
    exits 1 $client rmi busybox
    matches "$(cat "$WORK/err")" "No such image: busybox(:latest)?"
    one_line "$WORK/err"
}
the_store_is_empty() {
    eventually no_blobs
}
no_blobs() { [ -z "$(find "$ENGINE/state" -regextype posix-extended -regex '.*/(blobs|layers)/[0-9a-f]{64}' 2>/dev/null)" ]; }
refuses_archive() { # NAME
    exits 1 $client load -i "$WORK/bad.tar"
    equal "$(wc -l <"$WORK/err")" 1
    equal "$($client images -q)" ""
    eventually no_blobs
}
bad_archives() {
    head -c 100000 /dev/urandom >"$WORK/bad.tar"
    refuses_archive
    head -c 1000000 "$WORK/busybox.tar" >"$WORK/bad.tar"
    refuses_archive
    : >"$WORK/bad.tar"
    refuses_archive
    tar -C "$TESTS" -cf "$WORK/bad.tar" lib && refuses_archive
}
compressed() {
    local tool
    for tool in gzip xz zstd bzip2; do
        $tool -c "$WORK/busybox.tar" >"$WORK/packed.tar"
        matches "$($client load -i "$WORK/packed.tar")" "Loaded image: busybox:latest"
        equal "$($client run --rm --network none busybox echo $tool)" $tool
        $client rmi busybox
    done
}

for client in $CLIENTS; do
    check "$client: load, from a file and from stdin" loads
    check "$client: images" lists
    check "$client: inspect" inspects
    check "$client: an image's id is its config's digest" the_id_is_the_configs_digest
    check "$client: tag and rmi of a name" tags
    check "$client: run by id" by_id
    check "$client: an image in use stays" in_use_is_not_removed
    check "$client: rmi" removes
    check "$client: rmi frees the store" the_store_is_empty
    check "$client: what is no image is refused, and leaves nothing" bad_archives
    check "$client: gzip, xz, zstd and bzip2 archives" compressed
done
