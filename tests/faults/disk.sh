#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A full disk and a broken one, at each write of those who keep something: the engine's database, the store's blobs and layers, policyd's audit
# log, the executor's records.
# slow
source "$(dirname "$0")/../lib/system.sh"

CHECK_SECONDS=900
WRITES=write,pwrite64,fsync,fdatasync,ftruncate,fallocate,copy_file_range,linkat,renameat,renameat2,mkdirat

walk() { echo "$*"; BULKHEAD=$bulkhead IMAGE=$IMAGE REMOTE=$REMOTE python3 "$TESTS/faults/schedule.py" "$@"; }
prepare() {
    bulkhead tag "$IMAGE" "$PLAIN/faults:1"
    bulkhead push "$PLAIN/faults:1"
    bulkhead rmi "$PLAIN/faults:1"
    bulkhead run -d --name box --network none "$IMAGE" sleep 100000
}
nothing_leaked() {
    bulkhead rm -f victim mayfly box
    nothing_left
    eventually no_folders
}
no_folders() { [ "$(find "$ENGINE/state/containers" "$ENGINE/state/logs" -mindepth 1 -maxdepth 1 2>/dev/null | wc -l)" = 0 ]; }

plain_registry
REMOTE=$PLAIN/faults:1
system_start --insecure_registry "$PLAIN" --private_registry "$PLAIN"
system_load
check "a registry, and a container that must run on" prepare
for fault in ENOSPC EIO; do
    for operation in run exec commit rm pull; do
        check "$operation, $fault at the engine's writes" walk $operation engine $WRITES --fault $fault
    done
    check "run, $fault at policyd's writes" walk run policyd $WRITES --fault $fault
    check "run, $fault at the executor's writes" walk run executor $WRITES --fault $fault
    check "rm, $fault at the executor's writes" walk rm executor $WRITES --fault $fault
    check "pull, $fault at the store's writes" walk pull store $WRITES --fault $fault
    check "commit, $fault at the store's writes" walk commit store $WRITES --fault $fault
done
check "nothing leaked" nothing_leaked
