#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# No line of a test looks as if it could fail, and cannot.
source "$(dirname "$0")/../lib/check.sh"

finds_them() {
    mkdir "$WORK/tests"
    printf '%s\n' 'f() {' '    ! false' '    false && true' '    "$@" || status=$?' '    [ 1 = 2 ] && [ 3 = 3 ]' '    true' '}' >"$WORK/tests/bad.sh"
    exits 1 python3 "$TESTS/lib/can_fail.py" "$WORK/tests"
    equal "$(grep -c "bad.sh:" "$WORK/out")" 4
}
check "lines that cannot fail are found" finds_them
check "there is none in the tests" python3 "$TESTS/lib/can_fail.py" "$TESTS"
