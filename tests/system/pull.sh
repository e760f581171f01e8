#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Pulling from real registries (plain, TLS with a password, a token server) and from ones that misbehave. Whatever goes wrong: one clear
# line, the right exit code, nothing half-made, and the next pull succeeds.
# sanitize
source "$(dirname "$0")/../lib/system.sh"

"$ROOT/deploy/make-busybox-image" "$WORK/busybox.tar"
GOOD=$WORK/good
image_folder "$WORK/busybox.tar" team/busybox 1 "$GOOD" >"$WORK/digest"
DIGEST=$(cat "$WORK/digest")
plain_registry
tls_registry
odd_registry "$GOOD"
ALICE=$(printf '%s' "alice:$PASSWORD" | base64 -w0)
push_folder "$GOOD" team/busybox 1 "http://$PLAIN"
push_folder "$GOOD" team/busybox 1 "https://$SECURE" --user "alice:$PASSWORD" --ca "$WORK/ca.crt"

# the odd registry may be plain, the secure one must prove who it is; all of them are on this host
system_start --insecure_registry "$PLAIN" --insecure_registry "$ODD" --private_registry "$PLAIN" --private_registry "$ODD" \
    --private_registry "$SECURE"

credentials() { # HOST [BASE64]
    printf '{"auths": {"%s": {"auth": "%s"}}}' "$1" "${2-$ALICE}" >"$DOCKER_CONFIG/config.json"
}
no_credentials() { rm -f "$DOCKER_CONFIG/config.json"; }
trust() { # FILE
    mkdir -p "$ENGINE/certs.d/$SECURE"
    cp "$1" "$ENGINE/certs.d/$SECURE/ca.crt"
    chmod -R go+rX "$ENGINE/certs.d"
}
no_blobs() { [ -z "$(find "$ENGINE/state" -regextype posix-extended -regex '.*/(blobs|layers)/[0-9a-f]{64}.*' 2>/dev/null)" ]; }
runs() { equal "$($client run --rm --network none "$1" echo works)" works; }
forget() { $client rmi -f "$1" >/dev/null && eventually no_blobs; }

pulls() { # REFERENCE
    $client pull "$1" >"$WORK/pulled"
    grep -q "^Digest: $DIGEST" "$WORK/pulled"
    grep -q "^Status: Downloaded newer image for $1" "$WORK/pulled"
    equal "$(tail -1 "$WORK/pulled")" "$1"
    runs "$1"
    $client pull "$1" | grep -q "Image is up to date for $1"
    forget "$1"
}
pulls_by_digest() {
    $client pull "$PLAIN/team/busybox@$DIGEST"
    runs "$PLAIN/team/busybox@$DIGEST"
    forget "$PLAIN/team/busybox@$DIGEST"
}
run_pulls_what_is_missing() {
    equal "$($client run --rm --network none "$PLAIN/team/busybox:1" echo pulled 2>"$WORK/err")" pulled
    grep -q "Unable to find image" "$WORK/err"
    forget "$PLAIN/team/busybox:1"
}
quiet() {
    equal "$($client pull -q "$PLAIN/team/busybox:1")" "$PLAIN/team/busybox:1"
    forget "$PLAIN/team/busybox:1"
}
with_tls_and_password() {
    trust "$WORK/ca.crt"
    credentials "$SECURE"
    pulls "$SECURE/team/busybox:1"
}

# fresh FUNCTION... : begins with an empty engine and well-behaved registries, whatever the check before left
fresh() {
    local left
    left=$(bulkhead ps -aq)
    [ -z "$left" ] || bulkhead rm -f $left >/dev/null
    left=$(bulkhead images -q | sort -u)
    [ -z "$left" ] || bulkhead rmi -f $left >/dev/null
    eventually no_blobs
    [ -n "${TOKENS:-}" ] || odd_faults '[]'
    "$@"
}

# refused PATTERN REFERENCE : exit code 1, one line, nothing in the store, and no image
refused() {
    exits 1 $client pull "$2"
    one_line "$WORK/err"
    matches "$(cat "$WORK/err")" "$1"
    equal "$($client images -q)" ""
    eventually no_blobs
}
unknown_image() { refused 'not found|manifest unknown|does not exist' "$PLAIN/team/nothing:1"; }
unknown_tag() { refused 'not found|manifest unknown' "$PLAIN/team/busybox:nothing"; }
nobody_listens() { refused 'refused' "127.0.0.1:1/team/busybox:1"; }
bad_reference() { exits 1 $client pull 'UPPER/Case' && one_line "$WORK/err"; }
no_password() {
    no_credentials
    refused 'unauthorized|authentication required|no basic auth credentials|401' "$SECURE/team/busybox:1"
}
wrong_password() {
    credentials "$SECURE" "$(printf 'alice:wrong' | base64)"
    refused 'unauthorized|authentication required|401' "$SECURE/team/busybox:1"
}
wrong_ca() {
    credentials "$SECURE"
    trust "$WORK/other-ca.crt"
    refused 'certificate' "$SECURE/team/busybox:1"
}
plain_is_not_enough() { refused 'certificate|HTTPS|TLS|SSL|http' "localhost:${PLAIN##*:}/team/busybox:1"; }
misbehaving() { # PATTERN FAULT... : a pull fails, then the registry behaves and the next succeeds
    local pattern=$1 faults
    shift
    faults=$(printf '"%s",' "$@")
    odd_faults "[${faults%,}]"
    refused "$pattern" "$ODD/team/busybox:1"
    odd_faults '[]'
    pulls "$ODD/team/busybox:1"
}
resumes() {
    odd_faults '["stop-once=100000"]'
    $client pull "$ODD/team/busybox:1"
    odd_faults '[]'
    runs "$ODD/team/busybox:1"
    forget "$ODD/team/busybox:1"
}
spoilt() { # PATTERN FLAG... : an image that is wrong in itself
    local pattern=$1
    shift
    odd_faults '[]'
    image_folder "$WORK/busybox.tar" team/spoilt 1 "$GOOD" "$@" >/dev/null
    refused "$pattern" "$ODD/team/spoilt:1"
    pulls "$ODD/team/busybox:1"
}
through_an_index() {
    image_folder "$WORK/busybox.tar" team/indexed 1 "$GOOD" --index >"$WORK/indexed"
    $client pull "$ODD/team/indexed:1" | grep -q "^Digest: $(cat "$WORK/indexed")"
    runs "$ODD/team/indexed:1"
    forget "$ODD/team/indexed:1"
}
digest_that_lies() {
    odd_faults '[]'
    # the blob's bytes are not what its name says; restored afterwards, since the good image has the same layer
    image_folder "$WORK/busybox.tar" team/lie 1 "$GOOD" --digest-wrong >/dev/null
    refused 'digest|verif|match' "$ODD/team/lie:1"
    image_folder "$WORK/busybox.tar" team/busybox 1 "$GOOD" >/dev/null
    pulls "$ODD/team/busybox:1"
}
interrupted_client() {
    odd_faults '["slow=0.01"]'
    timeout 1 $client pull "$ODD/team/busybox:1" && return 1
    odd_faults '[]'
    equal "$($client images -q)" ""
    pulls "$ODD/team/busybox:1"
}
two_at_once() {
    $client pull "$ODD/team/busybox:1" >"$WORK/one" 2>&1 &
    local one=$!
    $client pull "$ODD/team/busybox:1" >"$WORK/two" 2>&1
    wait $one
    equal "$($client images -q | wc -l)" 1
    runs "$ODD/team/busybox:1"
    forget "$ODD/team/busybox:1"
}
plain_lines() {
    $client pull "$PLAIN/team/busybox:1" >"$WORK/pulled"
    ! grep -q $'\033' "$WORK/pulled" || return 1
    grep -qE '^[0-9a-f]{12}: Pull complete' "$WORK/pulled"
    forget "$PLAIN/team/busybox:1"
}
bars_on_a_terminal() {
    script -qec "bulkhead pull $PLAIN/team/busybox:1" "$WORK/typescript" </dev/null >/dev/null
    grep -q $'\033\[' "$WORK/typescript"
    grep -q 'Pull complete' "$WORK/typescript"
    forget "$PLAIN/team/busybox:1"
}
token_server() {
    odd_registry "$GOOD" --auth bearer --user alice --password "$PASSWORD" --port "$1"
}

[ "${BULKHEAD_QUICK:-no}" = no ] || CLIENTS=bulkhead # the failures that are tried again take their time
for client in $CLIENTS; do
    check "$client: pull from docker-registry" fresh pulls "$PLAIN/team/busybox:1"
    check "$client: pull by digest" fresh pulls_by_digest
    check "$client: run pulls what is missing" fresh run_pulls_what_is_missing
    check "$client: pull -q" fresh quiet
    check "$client: TLS with a CA in certs.d, and a password" fresh with_tls_and_password
    check "$client: pull from our own registry" fresh pulls "$ODD/team/busybox:1"
    check "$client: unknown image" fresh unknown_image
    check "$client: unknown tag" fresh unknown_tag
    check "$client: nobody listens" fresh nobody_listens
    check "$client: a reference that is none" fresh bad_reference
    check "$client: no password" fresh no_password
    check "$client: wrong password" fresh wrong_password
    check "$client: wrong CA" fresh wrong_ca
    check "$client: plain HTTP only where it is configured" fresh plain_is_not_enough
    check "$client: a registry that stops in the middle, always" fresh misbehaving '.' stop=100000
    check "$client: a registry that stops in the middle, once: resumed" fresh resumes
    check "$client: wrong bytes for a digest" fresh digest_that_lies
    check "$client: every blob corrupted on the way" fresh misbehaving '.' corrupt
    check "$client: 500 from the registry" fresh misbehaving '.' status=500
    check "$client: longer than announced" fresh misbehaving '.' extra=100
    check "$client: a diff ID that does not match" fresh spoilt 'diff|match|config says' --diff-id-wrong
    check "$client: a layer that is no gzip stream in the middle" fresh spoilt '.' --layer-corrupt
    check "$client: another architecture only" fresh spoilt 'no match.*linux/amd64|no match.*linux/arm64' --architecture s390x --index
    check "$client: an index with our architecture" fresh through_an_index
    check "$client: a client that goes away" fresh interrupted_client
    check "$client: two pulls of one image at once" fresh two_at_once
    check "$client: plain lines where there is no terminal" fresh plain_lines
done
check "bulkhead: bars on a terminal" fresh bars_on_a_terminal

# the same folder behind a token server, on the port that the engine was told about
kill "$odd_pid"
while kill -0 "$odd_pid" 2>/dev/null; do sleep 0.05; done
TOKENS=yes
token_server "${ODD##*:}"
for client in $CLIENTS; do
    credentials "$ODD"
    check "$client: a token server" fresh pulls "$ODD/team/busybox:1"
    no_credentials
    check "$client: a token server without a password" fresh refused 'unauthorized|authentication required|denied|401' "$ODD/team/busybox:1"
done
