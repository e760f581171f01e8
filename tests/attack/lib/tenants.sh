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
    # as_program UID COMMAND... : the same as a program, for what runs under another one
    printf '#!/bin/sh\nuid=$1\nshift\nexec setpriv --reuid $uid --regid $uid --clear-groups env DOCKER_CONFIG="%s/home-$uid" HOME="%s/home-$uid" "%s" "$@"\n' "$WORK" "$WORK" "$WORK/client/bulkhead" >"$WORK/client/as_program"
    chmod 0755 "$WORK/client/as_program"
    mkdir -p "$WORK/home-0"
    PATH=$WORK/client:$PATH
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

# ---- what attacks on Alice's things share ----------------------------------------------------------------

# no_trace WORD... : Bob's client and that of root's tenant succeed and print nothing that is Alice's, where hers does: no match of $TRACES
no_trace() {
    local uid
    timeout 30 as_program $ALICE "$@" 2>&1 </dev/null | grep -qE "$TRACES" || { echo "Alice herself sees nothing"; return 1; }
    for uid in $BOB 0; do
        timeout 30 as_program $uid "$@" >"$WORK/seen" 2>&1 </dev/null || { cat "$WORK/seen"; return 1; }
        ! grep -E "$TRACES" "$WORK/seen" || return 1
    done
}
neither() { # FUNCTION WORD... : for Bob and for root's tenant
    local function=$1 uid
    shift
    for uid in $BOB 0; do "$function" "$uid" "$@"; done
}

# Each question about Alice's object has the answer that one about no object at all has.
NOBODYS=$(printf '%064x' 0x5eed)
as_if_absent() { # METHOD PATH NAME ABSENT [BODY] : {} in the path and <> in the body stand for the name
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
    text=$(ask "$1" "$2" "${3//\{\}/$4}" "${options[@]}" | grep -v '^Date:')
    text=${text//"$4"/X}
    echo "${text//"${4%:1}"/X}"
}
