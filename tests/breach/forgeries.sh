#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What a process that was taken over can say to others: another tenant's objects do not exist for an api process, the engine cannot have
# policyd allow what the rules refuse, policyd cannot have the executor make the host's root, and descriptors that nobody asked for are closed.
# alone
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
    as $BOB bulkhead network create bobs-network
    as $BOB bulkhead run -d --name bobs --network none busybox sleep 1000
    as $ALICE bulkhead create --name alices --network none busybox sleep 1000
    as $ALICE bulkhead run -d --name runs --network none busybox sleep 1000
}
still_as_it_was() {
    equal "$(as $BOB bulkhead inspect -f '{{.State.Status}} {{.Name}}' bobs)" "running /bobs"
    equal "$(as $BOB bulkhead volume ls -q)" bobs-volume
    as $BOB bulkhead inspect bobs-own >/dev/null
    equal "$(as $BOB bulkhead network ls -q --filter type=custom | wc -l)" 1
}
honest_again() {
    equal "$(as $ALICE bulkhead run --rm --network none busybox echo works)" works
    equal "$(as $BOB bulkhead run --rm --network none busybox echo works)" works
    matches "$(bulkhead audit verify)" "whole: [1-9][0-9]* records"
}
everything_ends() {
    as $ALICE bulkhead rm -f alices runs
    as $BOB bulkhead rm -f bobs
    as $BOB bulkhead network rm bobs-network
    nothing_left
}

broker_start
system_start
prepare >/dev/null 2>&1
id=$(as $BOB bulkhead inspect -f '{{.Id}}' bobs)

network=$(as $BOB bulkhead network inspect -f '{{.Id}}' bobs-network)
check "by its id, what is another tenant's is not there" forge tenant $ALICE $BOB "$id" bobs-volume bobs-own "$network"
check "its tenant is served again" eventually as $ALICE bulkhead ps
check "nor by its name" forge tenant $ALICE $BOB bobs bobs-volume bobs-own bobs-network
check "its tenant is served once more" eventually as $ALICE bulkhead ps
check "they are as they were" still_as_it_was
check "what policyd refuses the engine cannot have, nor what is policyd's to say" forge spec alices bobs
check "what policyd may not say the executor refuses" forge judged runs
check "they are still as they were" still_as_it_was
for pair in $(breach wires); do
    check "descriptors that nobody asked for are closed: ${pair/:/ to }" forge descriptors "${pair%:*}" "${pair#*:}"
done
check "afterwards everybody is served" eventually honest_again
check "everything ends" everything_ends
