#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Arbitrary code in every process, after its sandbox was sealed: nothing works beyond what its own row says. Each attempt is first shown
# to work in a process without a sandbox.
# alone
# sanitize
source "$(dirname "$0")/../lib/system.sh"
source "$(dirname "$0")/lib/breach.sh"


broker_start
system_start
system_load

CHAPTERS=$(breach chapters)
for chapter in $CHAPTERS; do
    check "without a sandbox every attempt works: $chapter" breach bare $chapter
done
check "and every system call gets an answer that is no refusal" breach bare_calls
for name in $(breach names); do
    for chapter in $CHAPTERS; do
        check "$name does what its row says and nothing else: $chapter" breach attempts $name $chapter
    done
    [ $name = executor ] || check "$name makes no system call that its row does not name" breach calls $name
done
