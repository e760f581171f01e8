#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Two users of the host are two tenants: neither sees, names or mounts what is the other's, and the defaults for those who are not root hold.
# sanitize
source "$(dirname "$0")/../lib/system.sh"

ALICE=61001
BOB=61002
# a copy of the client that they can reach, wherever the checkout lies
as() {
    local uid=$1
    shift
    setpriv --reuid "$uid" --regid "$uid" --clear-groups env HOME="$WORK" PATH="$WORK/client:$PATH" "$@"
}

prepare() {
    chmod 0755 "$ENGINE" "$WORK"
    install -D -m 0755 "$bulkhead" "$WORK/client/bulkhead"
    chmod 0666 "$SOCKET"
    chmod 0644 "$WORK/busybox.tar"
    mkdir "$WORK/of-alice" "$WORK/of-bob"
    chown $ALICE:$ALICE "$WORK/of-alice"
    chown $BOB:$BOB "$WORK/of-bob"
}
names_are_not_shared() {
    equal "$(bulkhead images -q | wc -l)" 1
    equal "$(as $ALICE bulkhead images -q)" ""
    as $ALICE bulkhead load -i "$WORK/busybox.tar"
    equal "$(as $ALICE bulkhead images -q | wc -l)" 1
    equal "$(as $BOB bulkhead images -q)" ""
}
containers_are_not_shared() {
    local id
    id=$(as $ALICE bulkhead run -d --name mine --network none busybox sleep 1000)
    as $BOB bulkhead load -i "$WORK/busybox.tar"
    for uid in $BOB 0; do
        equal "$(as $uid bulkhead ps -aq)" ""
        for name in mine "$id" "${id:0:12}"; do
            ! as $uid bulkhead inspect "$name" || return 1
            ! as $uid bulkhead kill "$name" || return 1
            ! as $uid bulkhead logs "$name" || return 1
            as $uid bulkhead rm -f "$name" || true # as with docker, absent is no failure for -f
        done
    done
    equal "$(as $ALICE bulkhead inspect -f '{{.State.Status}}' mine)" running
    as $BOB bulkhead run --rm --name mine --network none busybox true
}
ids_do_not_overlap() {
    local alice bob root
    alice=$(as $ALICE bulkhead run --rm --network none busybox awk '{ print $2 }' /proc/self/uid_map)
    bob=$(as $BOB bulkhead run --rm --network none busybox awk '{ print $2 }' /proc/self/uid_map)
    root=$(bulkhead run --rm --network none busybox awk '{ print $2 }' /proc/self/uid_map)
    equal "$(printf '%s\n' "$alice" "$bob" "$root" | sort -un | wc -l)" 3
    [ $((alice % 65536)) = 0 ] && [ $((bob % 65536)) = 0 ] && [ "$root" != 0 ]
}
own_files_stay_own() {
    as $ALICE bulkhead run --rm --network none -v "$WORK/of-alice:/data" busybox sh -c 'echo hello >/data/file; chown 33:33 /data/file || true; echo x >/data/other'
    equal "$(stat -c %u "$WORK/of-alice/other")" $ALICE
    [ "$(stat -c %u "$WORK/of-alice/file")" -gt 65536 ]
}
refused() {
    local pattern=$1
    shift
    exits 125 as $ALICE bulkhead "$@"
    matches "$(cat "$WORK/err")" "$pattern"
}
others_files_are_refused() {
    refused "belongs to uid $BOB" run --rm --network none -v "$WORK/of-bob:/data" busybox true
    refused "belongs to uid 0" run --rm --network none -v /etc:/data busybox true
    ln -s /etc "$WORK/of-alice/link"
    refused "belongs to uid 0" run --rm --network none -v "$WORK/of-alice/link:/data" busybox true
}
privileges_are_refused() {
    refused 'rule "privileged"' run --rm --privileged --network none busybox true
    refused 'rule' run --rm --network host busybox true
    refused 'rule' run --rm --network none --cap-add SYS_ADMIN busybox true
    refused 'rule' run --rm --network none --security-opt seccomp=unconfined busybox true
}
tables_are_roots() {
    ! as $ALICE bulkhead privileges || return 1
    ! as $ALICE bulkhead audit verify || return 1
    bulkhead privileges
    bulkhead audit verify
}
everything_ends() {
    as $ALICE bulkhead rm -f mine
    equal "$(as $ALICE bulkhead ps -aq)" ""
}

system_start
system_load
prepare
check "a tenant's images are its own" names_are_not_shared
check "a tenant's containers cannot be seen, named, ended or read by others, root's tenant included" containers_are_not_shared
check "id ranges are disjoint" ids_do_not_overlap
check "files on a bind mount belong to the tenant's user" own_files_stay_own
check "other people's folders cannot be mounted, through a link neither" others_files_are_refused
check "what other tenants may not have is refused, and the rule named" privileges_are_refused
check "the privileges table and the audit log are root's" tables_are_roots
check "everything ends" everything_ends
check "nothing is left behind" nothing_left
