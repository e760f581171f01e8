#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A full disk: the state folder is a small tmpfs. What does not fit fails with one clear line and leaves nothing; what fits works afterwards.
# alone
source "$(dirname "$0")/../lib/system.sh"
mkdir -p "$ENGINE/state"
mount -t tmpfs -o size=24m,mode=0755 tmpfs "$ENGINE/state"
at_end "umount '$ENGINE/state'"
system_start

big_image() {
    mkdir -p "$WORK/big"
    head -c 60000000 /dev/urandom >"$WORK/big/random"
    tar -C "$WORK/big" -cf "$WORK/big.tar" .
    python3 "$TESTS/lib/images.py" archive "$WORK/big-image.tar" big:1 "$WORK/big.tar"
}
does_not_fit() {
    exits 1 bulkhead load -i "$WORK/big-image.tar"
    one_line "$WORK/err"
    matches "$(cat "$WORK/err")" "[Nn]o space left"
    equal "$(bulkhead images -q)" ""
}
room_is_back() {
    eventually enough_room
}
enough_room() { [ "$(df --output=avail -k "$ENGINE/state" | tail -1)" -gt 15000 ]; }
small_one_fits() {
    "$ROOT/deploy/make-busybox-image" "$WORK/busybox.tar"
    bulkhead load -i "$WORK/busybox.tar"
    equal "$(bulkhead run --rm --network none busybox echo fits)" fits
}
container_fills_it() {
    bulkhead run --rm --network none busybox sh -c 'dd if=/dev/zero of=/fill bs=1M count=100 2>/dev/null' && return 1
    equal "$(bulkhead run --rm --network none busybox echo again)" again
}

check "an image is made" big_image
check "what does not fit is refused in one line" does_not_fit
check "its room is free again" room_is_back
check "what fits is loaded and runs" small_one_fits
check "a container that fills the disk fails alone" container_fills_it
