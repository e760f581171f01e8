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
# request UID METHOD PATH [CURL-OPTION...] : the status and the body of one request
request() {
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
# no_trace WORD... : to Bob's client and that of root's tenant `bulkhead WORD...` shows nothing that is Alice's, where it does to hers: a match
# of $TRACES
no_trace() {
    local uid
    matches "$(as $ALICE timeout 30 bulkhead "$@" 2>&1 </dev/null)" "$TRACES"
    for uid in $BOB 0; do
        as "$uid" timeout 30 bulkhead "$@" >"$WORK/seen" 2>&1 </dev/null
        ! grep -E "$TRACES" "$WORK/seen" || return 1
    done
}
neither() { # FUNCTION COMMAND... : for Bob and for root's tenant
    local function=$1 uid
    shift
    for uid in $BOB 0; do "$function" as "$uid" "$@"; done
}

# Each question about Alice's object has the answer that one about no object at all has.
NOBODYS=$(printf '%064x' 0x5eed)
as_if_absent() { # METHOD PATH NAME ABSENT [BODY]
    local uid there nowhere
    for uid in $BOB 0; do
        there=$(answer $uid "$1" "$2" "$3" "${5:-}")
        nowhere=$(answer $uid "$1" "$2" "$4" "${5:-}")
        equal "$there" "$nowhere" "uid $uid"
        matches "$there" $'(\n[45][0-9][0-9]|"error":"[^"]+"}.*\n200)$'
    done
}
answer() { # UID METHOD PATH NAME BODY : with the name in its place, and left out of what comes back
    local options=() text
    [ -z "$5" ] || options=(-H 'Content-Type: application/json' -d "${5//<>/$4}")
    text=$(request "$1" "$2" "${3//\{\}/$4}" "${options[@]}" | grep -v '^Date:')
    text=${text//"$4"/X}
    echo "${text//"${4%:1}"/X}"
}
