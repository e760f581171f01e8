#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Hostile layers through `load`, and what can be loaded is run. Each case says in lib/layers.py what must come of it.
source "$(dirname "$0")/../lib/system.sh"
source "$(dirname "$0")/lib/attack.sh"
attack_start
python3 "$ATTACK/layers.py" "$WORK/busybox.tar" "$CANARY" "$WORK/layers" || { echo "not ok - the layers can be made"; exit 1; }

# The watch of all these attacks is shown what it is to see: a program that holds fifty megabytes.
memory_is_seen() {
    mkdir -p "$WORK/held/programs"
    cp "$(command -v tail)" "$WORK/held/programs/holder"
    python3 "$ATTACK/memory.py" "$WORK/held/programs" "$WORK/held" <"$WORK/honeypot.pipe" &
    local watch=$! holder
    mkfifo "$WORK/held/pipe"
    exec 6<>"$WORK/held/pipe"
    "$WORK/held/programs/holder" <"$WORK/held/pipe" >/dev/null &
    holder=$!
    head -c 50000000 /dev/zero >&6
    eventually holds_much
    kill $watch $holder
}
holds_much() { local total name largest; read -r total name largest <"$WORK/held/peak" && [ "$total" -gt 40000 ] && [ "$name" = holder ]; }
check "memory that is held is seen" memory_is_seen

is_refused() { # NUMBER PATTERN
    refused "$2" bulkhead load -i "$WORK/layers/$1.tar"
}
is_harmless() { # NUMBER COMMAND
    timeout 60 bulkhead load -i "$WORK/layers/$1.tar"
    timeout 60 bulkhead run --rm --network none "attack:$1" sh -c "$2"
}
is_unrunnable() { # NUMBER PATTERN
    timeout 60 bulkhead load -i "$WORK/layers/$1.tar"
    refused "$2" bulkhead run --rm --network none "attack:$1" sh -c true
}

while IFS=$'\t' read -r number name verdict detail <&6; do
    attack "$name" "is_$verdict" "$number" "$detail"
    rm -f "$WORK/layers/$number.tar"
done 6<"$WORK/layers/cases"
