#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Pushes that go wrong: registries that cut, forget, lie, refuse or die, helpers that are killed, clients that go away. Either the push succeeds all
# the same, or there is one clear line and the next succeeds; a tag never names what is not whole.
# slow
source "$(dirname "$0")/../lib/system.sh"

mkdir "$WORK/pushed"
odd_registry "$WORK/pushed" --write --log "$WORK/requests"
OWN=127.0.0.1:$(free_port)
client=docker
system_start --insecure_registry "$ODD" --private_registry "$ODD" --insecure_registry "$OWN" --private_registry "$OWN"

# two layers that do not compress, so that cuts hit the middle of something
big_image() {
    local size
    mkdir "$WORK/files" "$WORK/own"
    for size in 10000000 300000; do
        head -c "$size" /dev/urandom >"$WORK/files/$size" && tar -C "$WORK/files" -cf "$WORK/$size.tar" "$size" || return 1
    done
    python3 "$TESTS/lib/images.py" archive "$WORK/big.tar" big:latest "$WORK/10000000.tar" "$WORK/300000.tar" &&
        bulkhead load -i "$WORK/big.tar" >/dev/null
}
digest_of() { sed -n 's/.*digest: \(sha256:[0-9a-f]*\) size: .*/\1/p' "$1" | tail -1; }
push() { docker push "$@" >"$WORK/push" 2>"$WORK/err"; }
odd_digest() { sha256sum "$WORK/pushed/manifests/$1" | sed 's/^/sha256:/; s/ .*//'; }
# fails PATTERN COMMAND... : exit code 1 and a line that says why
fails() {
    local pattern=$1
    shift
    exits 1 "$@" && matches "$(cat "$WORK/err")" "$pattern"
}

# ---- registries that misbehave -------------------------------------------------------------------------

# survives FAULT... : the push succeeds all the same, and what is there is right
survives() {
    local faults
    faults=$(printf '"%s",' "$@")
    rm -rf "$WORK/pushed/blobs" "$WORK/pushed/manifests/odd"
    odd_faults "[${faults%,}]"
    docker tag big "$ODD/odd/big:1"
    push "$ODD/odd/big:1" || { cat "$WORK/err"; return 1; }
    odd_faults '[]'
    equal "$(odd_digest odd/big/1)" "$(digest_of "$WORK/push")"
    for blob in "$WORK"/pushed/blobs/*; do
        equal "$(sha256sum <"$blob" | cut -c-64)" "$(basename "$blob")"
    done
}
# refused PATTERN FAULT... : it fails with words, no tag appears, and without the fault it succeeds
refused() {
    local pattern=$1 faults
    shift
    faults=$(printf '"%s",' "$@")
    rm -rf "$WORK/pushed/blobs" "$WORK/pushed/manifests/odd"
    odd_faults "[${faults%,}]"
    docker tag big "$ODD/odd/big:1"
    fails "$pattern" docker push "$ODD/odd/big:1"
    [ ! -e "$WORK/pushed/manifests/odd/big/1" ]
    odd_faults '[]'
    push "$ODD/odd/big:1" && equal "$(odd_digest odd/big/1)" "$(digest_of "$WORK/push")"
}
goes_on_where_it_was_cut() {
    : >"$WORK/requests"
    survives upload-cuts=3
    # every PATCH but the first of a blob is preceded by a question for what has arrived
    [ "$(grep -c '^PATCH ' "$WORK/requests")" -ge 4 ] && [ "$(grep -c '^GET .*/blobs/uploads/' "$WORK/requests")" -ge 3 ]
}
# ---- what dies ----------------------------------------------------------------------------------------

# slow_push : one that is under way, of a registry that never answers the first PATCH
slow_push() {
    rm -rf "$WORK/pushed/blobs" "$WORK/pushed/manifests/odd"
    docker tag big "$ODD/odd/big:1"
    : >"$WORK/requests"
    odd_faults '["upload-silent"]'
    docker push "$ODD/odd/big:1" >"$WORK/push" 2>"$WORK/err" &
    pushing=$!
    eventually grep -q '^PATCH ' "$WORK/requests"
}
succeeds_afterwards() {
    odd_faults '[]'
    push "$ODD/odd/big:1" && equal "$(odd_digest odd/big/1)" "$(digest_of "$WORK/push")"
}
helper_dies() {
    local pushing dead
    slow_push
    dead=$(helper_pid "$1")
    kill -9 "$dead"
    if wait $pushing; then # it had what it needed already
        equal "$(odd_digest odd/big/1)" "$(digest_of "$WORK/push")"
    else # with a word
        [ -s "$WORK/err" ]
        [ ! -e "$WORK/pushed/manifests/odd/big/1" ]
    fi
    eventually restarted "$1" "$dead"
    succeeds_afterwards
}
client_goes_away() {
    local pushing
    slow_push
    kill $pushing
    ! wait $pushing || return 1
    succeeds_afterwards
    eventually no_fetch_worker
}
no_fetch_worker() { [ "$(pgrep -P "$(helper_pid fetcher)" | wc -l)" = 0 ]; }
registry_dies_and_comes_back() {
    local pushing
    start_own
    docker tag big "$OWN/odd/big:1"
    docker push "$OWN/odd/big:1" >"$WORK/push" 2>"$WORK/err" &
    pushing=$!
    eventually grep -qs '^PATCH ' "$WORK/own.requests"
    kill -9 "$(cat "$WORK/own.pid")"
    start_own
    wait $pushing || { cat "$WORK/err"; return 1; }
    kill "$(cat "$WORK/own.pid")"
    equal "$(sha256sum "$WORK/own/manifests/odd/big/1" | sed 's/^/sha256:/; s/ .*//')" "$(digest_of "$WORK/push")"
}
# a registry that is slow enough to be killed in the middle; what it had of an upload is lost with it
start_own() {
    python3 "$TESTS/lib/registry.py" --root "$WORK/own" --port "${OWN##*:}" --write --fault upload-pause=1 --log "$WORK/own.requests" \
        >"$WORK/own.log" 2>&1 <"$WORK/odd.pipe" 7>&- 8>&- &
    echo $! >"$WORK/own.pid"
    eventually grep -q 'listening on' "$WORK/own.log"
}

check "an image that does not compress" big_image
check "cut off three times at random: goes on where it was" goes_on_where_it_was_cut
check "cut off and forgotten: begins anew" survives upload-cuts=1 upload-forget
check "whole URLs as Location" survives upload-absolute
check "503 with Retry-After" survives upload-status-once=503
check "the answer to the last PUT is lost" survives put-lost
check "a Range that lies" refused 'says that it has' upload-range=0-99999999999
check "an upload to the metadata service" refused 'refused|metadata' upload-location=http://169.254.169.254/latest/
check "denied" refused 'denied: requested access to the resource is denied' upload-status=403
check "the registry is killed in the middle and comes back" registry_dies_and_comes_back
for role in fetcher store engine; do
    check "the $role is killed in the middle" helper_dies "$role"
done
check "the client goes away in the middle" client_goes_away
