#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The hook of breach tests is in the programs that were built for them, and in no others.
source "$(dirname "$0")/../lib/check.sh"
RELEASE=${BULKHEAD_RELEASE:-$ROOT/build/tests/bin}
PROGRAMS=$(cd "$RELEASE" && ls) && [ -n "$PROGRAMS" ] || { echo "not ok - there are release programs in $RELEASE"; exit 1; }

# has_hook PROGRAM : the address that it calls, or its symbols
has_hook() { grep -qa 'bulkhead-breach' "$1" || nm "$1" | grep -q 'bh_breach'; }
in_the_breach_build() {
    for role in api engine store fetcher dialer extractor policyd executor netd copier monitor; do
        has_hook "$BIN/bulkhead-$role" || { echo "no hook in $BIN/bulkhead-$role, so that its absence elsewhere proves nothing"; return 1; }
    done
}
absent_from() {
    ! has_hook "$RELEASE/$1"
}
cannot_be_installed() {
    local cache
    cache=$(dirname "$BIN")
    ! DESTDIR=$WORK/installed cmake --install "$cache" >"$WORK/out" 2>&1 || return 1
    grep -q 'not for use' "$WORK/out"
}

check "every process of the build for breach tests has the hook" in_the_breach_build
check "that build cannot be installed" cannot_be_installed
for program in $PROGRAMS; do
    check "$program has no hook" absent_from "$program"
done
