#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What a process that was taken over can say to others: another tenant's objects do not exist for an api process, the engine cannot have
# policyd allow what the rules refuse, policyd cannot have the executor make the host's root, and descriptors that nobody asked for are closed.
# alone
# sanitize
source "$(dirname "$0")/../lib/system.sh"
source "$(dirname "$0")/lib/breach.sh"

prepare() {
    tenants_welcome
    "$ROOT/deploy/make-busybox-image" "$WORK/busybox.tar"
    chmod 0644 "$WORK/busybox.tar"
    as $ALICE bulkhead load -i "$WORK/busybox.tar"
    as $BOB bulkhead load -i "$WORK/busybox.tar"
    as $BOB bulkhead tag busybox bobs-own
    as $BOB bulkhead volume create bobs-volume
    as $BOB bulkhead run -d --name bobs --network none busybox sleep 1000
    as $BOB bulkhead network create bobs-network
    as $ALICE bulkhead run -d --name runs --network none busybox sleep 1000
}
# which pruning would have taken away
prepare_more() {
    as $ALICE bulkhead create --name alices --network none busybox sleep 1000
    as $ALICE bulkhead create --name waits --network none busybox sleep 1000
}
still_as_it_was() {
    equal "$(as $BOB bulkhead inspect -f '{{.State.Status}} {{.Name}}' bobs)" "running /bobs"
    equal "$(as $BOB bulkhead volume ls -q)" bobs-volume
    as $BOB bulkhead inspect bobs-own >/dev/null
    as $BOB bulkhead network inspect bobs-network >/dev/null
}
nothing_was_started() {
    still_as_it_was
    equal "$(as $ALICE bulkhead inspect -f '{{.State.Status}}' waits)" created
}
honest_again() {
    equal "$(as $ALICE bulkhead run --rm --network none busybox echo works)" works
    equal "$(as $BOB bulkhead run --rm --network none busybox echo works)" works
    matches "$(bulkhead audit verify)" "whole: [1-9][0-9]* records"
}
everything_ends() {
    as $ALICE bulkhead rm -f alices waits runs
    as $BOB bulkhead rm -f bobs
    nothing_left
}

# exec_of NAME : the id of a process that goes on in a container of Bob's
exec_of() {
    local id
    id=$(as $BOB curl -sf --unix-socket "$SOCKET" -H 'Content-Type: application/json' -d '{"Cmd": ["sleep", "1000"]}' "http://localhost/containers/$1/exec" | sed 's/.*"Id":"\([0-9a-f]*\)".*/\1/')
    as $BOB curl -sf --unix-socket "$SOCKET" -H 'Content-Type: application/json' -d '{"Detach": true}' "http://localhost/exec/$id/start" >/dev/null
    echo "$id"
}

ROLES="api engine store fetcher dialer extractor policyd executor netd"

broker_start
system_start
prepare >/dev/null 2>&1
id=$(as $BOB bulkhead inspect -f '{{.Id}}' bobs)
execution=$(exec_of bobs)
network=$(as $BOB bulkhead network inspect -f '{{.Id}}' bobs-network)
image=$(as $BOB bulkhead inspect -f '{{.Id}}' bobs-own)

check "by its id, nothing of another tenant's is there" forge tenant $ALICE $BOB "$id" "$execution" bobs-own bobs-volume "$network" runs
check "its tenant is served again" eventually as $ALICE bulkhead ps
check "nor by its name" forge tenant $ALICE $BOB bobs "$execution" bobs-own bobs-volume bobs-network runs
check "its tenant is served once more" eventually as $ALICE bulkhead ps
check "they are as they were" still_as_it_was
prepare_more >/dev/null 2>&1
check "what policyd refuses the engine cannot have, nor what is policyd's to say" forge spec alices bobs "$execution"
check "nor hand over a message that it can still change" forge unsealed runs
check "what policyd may not say the executor refuses" forge judged runs
check "they are still as they were, and nothing was started" nothing_was_started
for pair in $(breach wires); do
    check "descriptors that nobody asked for are closed: ${pair/:/ to }" forge descriptors "${pair%:*}" "${pair#*:}" waits runs
done
for name in $ROLES; do
    check "what only the supervisor says ends whoever else says it: $name" forge record $name
done
check "everybody reaches whom the table names, and nobody else, after all this" breach matrix
check "afterwards everybody is served" eventually honest_again
check "everything ends" everything_ends
