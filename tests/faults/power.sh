#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The power cut at each sync to the disk: what a copy taken there holds is enough for an engine to start from and to be whole.
# slow
source "$(dirname "$0")/../lib/system.sh"
CHECK_SECONDS=600

prepare() {
    bulkhead tag "$IMAGE" "$PLAIN/power:1"
    bulkhead push "$PLAIN/power:1"
    bulkhead rmi "$PLAIN/power:1"
    bulkhead tag "$IMAGE" power:1
    bulkhead save -o "$WORK/power.tar" power:1
    bulkhead rmi power:1
    bulkhead create --name still --network none "$IMAGE" true
    bulkhead volume create kept
}
cut() {
    BULKHEAD=$bulkhead BULKHEADD=$BIN/bulkheadd LIBEXEC=$BIN STATE=$ENGINE/state CGROUP=$CGROUP IMAGE=$IMAGE REGISTRY=$PLAIN REMOTE=$PLAIN/power:1 \
        ARCHIVE=$WORK/power.tar python3 "$TESTS/faults/power.py" "$1" "$2" "$WORK/copy"
    [ "$(sed -n 's/ power cuts$//p' "$WORK/output" | tail -1)" -gt 0 ]
}

plain_registry
at_end "engine_cgroups '$CGROUP-copy' | xargs -r rmdir"
system_start --insecure_registry "$PLAIN" --private_registry "$PLAIN"
system_load
check "images, a container and a volume that must be there" prepare
for operation in pull load create commit tag volume rm; do
    check "$operation: the power is cut at each sync of the engine" cut $operation engine
done
for operation in pull load commit; do
    check "$operation: the power is cut at each sync of the store" cut $operation store
done
check "volume: the power is cut at each sync of the executor" cut volume executor
