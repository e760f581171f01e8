# SPDX-License-Identifier: Apache-2.0
#
# Two users of the host beside root: each is a tenant. Sourced after attack.sh.

ALICE=61001
BOB=61002

# as UID COMMAND... : with a copy of the client that they can reach, wherever the checkout lies
as() {
    local uid=$1
    shift
    setpriv --reuid "$uid" --regid "$uid" --clear-groups env HOME="$WORK/home-$uid" DOCKER_CONFIG="$WORK/home-$uid" PATH="$WORK/client:$PATH" "$@"
}
# ask UID METHOD PATH [CURL-OPTION...] : the status and the body of one request
ask() {
    local uid=$1 method=(-X "$2") path=$3
    [ "$2" != HEAD ] || method=(-I)
    shift 3
    as "$uid" curl -s -m 10 --unix-socket "$SOCKET" "${method[@]}" -w '\n%{http_code}' "$@" "http://d/v1.47$path" | tail -c 4000
}
tenants_prepare() {
    local uid
    chmod 0755 "$ENGINE" "$WORK"
    chmod 0666 "$SOCKET"
    chmod 0644 "$WORK/busybox.tar"
    install -D -m 0755 "$bulkhead" "$WORK/client/bulkhead"
    for uid in $ALICE $BOB; do
        install -d -o $uid -g $uid "$WORK/home-$uid"
        as $uid bulkhead load -i "$WORK/busybox.tar" >/dev/null
    done
}
# What a check of tenants leaves: everybody's containers go, what Alice has for all checks stays.
tenants_clean_up() {
    local uid left
    for uid in 0 $ALICE $BOB; do
        left=$(as $uid bulkhead ps -a --format '{{.ID}} {{.Names}} {{.Labels}}' | awk '$0 !~ /kept/ { print $1 }')
        [ -z "$left" ] || as $uid bulkhead rm -f $left >/dev/null
    done
}
# survives : the oracle of attack.sh for a host on which Alice's things remain
tenants_survived() {
    cmp <(outside) "$WORK/outside"
    equal "$(cat "$WORK/honeypot.log")" "" "connections to the honeypot"
    equal "$(as $ALICE bulkhead run --rm --network none busybox echo works)" works "an honest container of Alice's"
    equal "$(as $BOB bulkhead run --rm --network none busybox echo works)" works "an honest container of Bob's"
}
