#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Hostile layers through `load`, and what can be loaded is run. Each case says in lib/layers.py what must come of it.
source "$(dirname "$0")/../lib/system.sh"
source "$(dirname "$0")/lib/attack.sh"
attack_start
python3 "$ATTACK/layers.py" "$WORK/busybox.tar" "$CANARY" "$WORK/layers" || { echo "not ok - the layers can be made"; exit 1; }

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
