#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Registries whose wire is cut at a random byte of what they say, plain ones and those with TLS. Cut once, a pull goes on or says what happened;
# cut for good, it says so. Nothing is half there, and the next pull succeeds.
# slow
source "$(dirname "$0")/../lib/system.sh"

HEAD_BYTES=5000 # half of the cuts are here: handshakes, heads, manifests
BULKHEAD_SEED=${BULKHEAD_SEED:-$$}
RANDOM=$BULKHEAD_SEED
echo "BULKHEAD_SEED=$BULKHEAD_SEED"

# wire NAME ADDRESS : sets NAME to an address that leads there
wire() {
    local folder=$WORK/wire-$1
    mkdir -p "$folder"
    echo never >"$folder/cut"
    : >"$folder/log"
    [ -p "$WORK/wires" ] || { mkfifo "$WORK/wires" && exec 6<>"$WORK/wires"; }
    python3 "$TESTS/faults/cutter.py" "$2" "$folder" >"$folder/log" 2>&1 <"$WORK/wires" 6>&- 7>&- &
    at_end "kill $!"
    disown
    eventually grep -q 'listening on' "$folder/log"
    printf -v "$1" %s "$(sed -n 's/listening on //p' "$folder/log")"
}
tell() { # WIRE WHAT : a rename, so that nobody reads half of it
    echo "$2" >"$WORK/wire-$1/new"
    mv "$WORK/wire-$1/new" "$WORK/wire-$1/cut"
}
no_blobs() { [ -z "$(find "$ENGINE/state" -regextype posix-extended -regex '.*/(blobs|layers)/[0-9a-f]{64}.*' 2>/dev/null)" ]; }
absent() {
    equal "$(bulkhead images -q)" ""
    eventually no_blobs
}
comes_whole() { # REFERENCE
    equal "$(bulkhead inspect -f '{{.Id}}' "$1")" "$ID"
    equal "$(bulkhead run --rm --network none "$1" echo works)" works
    bulkhead rmi -f "$1" >/dev/null
    absent
}
# measured WIRE REFERENCE : how many bytes the registry says in an honest pull
measured() {
    tell "$1" never
    bulkhead pull "$2" >/dev/null
    comes_whole "$2" >&2
    cat "$WORK/wire-$1/passed"
}
# cuts N WIRE REFERENCE once|always
cuts() {
    local most=$1
    shift
    local all at i status failures=0
    all=$(measured "$1" "$2")
    for ((i = 0; i < most; i++)); do
        at=$(((RANDOM * 32768 + RANDOM) % (i % 2 ? all : HEAD_BYTES)))
        echo "cut at $at of $all, $3"
        tell "$1" "$at $3"
        status=0
        bulkhead pull "$2" >/dev/null 2>"$WORK/err" || status=$?
        if [ $status = 0 ]; then
            [ "$3" = once ] || { echo "a pull that was cut for good succeeded"; return 1; }
            comes_whole "$2"
        else
            failures=$((failures + 1))
            equal $status 1 "exit status"
            one_line "$WORK/err"
            matches "$(cat "$WORK/err")" 'reset|refused|ended|closed|cut|EOF|connection|TLS|handshake'
            absent
        fi
        tell "$1" never
        bulkhead pull "$2" >/dev/null
        comes_whole "$2"
    done
    echo "$failures of $most failed"
}
nothing_stays() {
    nothing_left
    equal "$(bulkhead audit verify >/dev/null && echo whole)" whole
}

"$ROOT/deploy/make-busybox-image" "$WORK/busybox.tar"
image_folder "$WORK/busybox.tar" team/busybox 1 "$WORK/good" >/dev/null
plain_registry
tls_registry
push_folder "$WORK/good" team/busybox 1 "http://$PLAIN"
push_folder "$WORK/good" team/busybox 1 "https://$SECURE" --user "alice:$PASSWORD" --ca "$WORK/ca.crt"
wire CUT "$PLAIN"
wire CUT_TLS "$SECURE"
printf '{"auths": {"%s": {"auth": "%s"}}}' "$CUT_TLS" "$(printf '%s' "alice:$PASSWORD" | base64 -w0)" >"$DOCKER_CONFIG/config.json"
mkdir -p "$ENGINE/certs.d/$CUT_TLS"
install -m 0644 "$WORK/ca.crt" "$ENGINE/certs.d/$CUT_TLS/ca.crt"
chmod -R go+rX "$ENGINE/certs.d"
system_start --insecure_registry "$CUT" --private_registry "$CUT" --private_registry "$CUT_TLS"
system_load
ID=$(bulkhead inspect -f '{{.Id}}' "$IMAGE")
bulkhead rmi -f "$IMAGE" >/dev/null

CHECK_SECONDS=300
check "a plain registry, cut once" cuts 10 CUT "$CUT/team/busybox:1" once
check "a plain registry, cut for good" cuts 5 CUT "$CUT/team/busybox:1" always
check "one with TLS, cut once" cuts 10 CUT_TLS "$CUT_TLS/team/busybox:1" once
check "one with TLS, cut for good" cuts 5 CUT_TLS "$CUT_TLS/team/busybox:1" always
check "nothing stays" nothing_stays
