#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# An engine that cannot run says why in one line and ends, instead of starting over and over.
source "$(dirname "$0")/../lib/system.sh"

engine_flags=(--state "$WORK/other/state" --socket "$WORK/other.sock" --libexec "$BIN" --policy "$WORK/other/policy.d"
    --certs "$WORK/other/certs.d" --cgroup_parent "$CGROUP-other")

# refuses TEXT COMMAND... : it ends with status 1 and a log of one line that has the text
refuses() {
    local text=$1
    shift
    exits 1 "$@"
    one_line "$WORK/err"
    matches "$(cat "$WORK/err")" "$text"
}

# A root of its own that is a plain folder, with everything the program needs bound below it.
chrooted() {
    mkdir -p "$WORK/root"
    unshare -m --propagation private bash -c '
        set -e
        root=$1
        shift
        for folder in /usr /proc /dev /tmp; do
            mkdir -p "$root$folder"
            mount --rbind "$folder" "$root$folder"
        done
        for folder in /bin /lib /lib64; do
            [ ! -L "$folder" ] || ln -sfn "$(readlink "$folder")" "$root$folder"
        done
        mkdir -p "$root/programs"
        mount --bind "$1" "$root/programs"
        shift
        exec chroot "$root" "/programs/$@"' bash "$WORK/root" "$BIN" "$@"
}

chrooted_engine() { refuses 'root folder is no mount' chrooted bulkheadd "${engine_flags[@]}"; }
chrooted_doctor() {
    exits 1 chrooted bulkhead -H "unix://$SOCKET" doctor
    grep -q '^fail  root folder ' "$WORK/out"
}
second_engine() {
    refuses 'another engine already runs' bulkheadd "${engine_flags[@]}" --state "$ENGINE/state"
    bulkhead version >/dev/null
}
not_root() { refuses 'must be started by root' setpriv --reuid 65534 --regid 65534 --clear-groups "$BIN/bulkheadd" "${engine_flags[@]}"; }

system_start

check "below a plain chroot the engine says that its root is no mount" chrooted_engine
check "doctor says so too" chrooted_doctor
check "a second engine on the same state is refused, and the first goes on" second_engine
check "an engine that root did not start is refused" not_root
