#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# docs/security.md says which attempt is made in which process. It says what the attempts themselves do.
source "$(dirname "$0")/../lib/check.sh"
PAGE=$ROOT/docs/security.md
export PYTHONDONTWRITEBYTECODE=1
table() { python3 "$TESTS/breach/lib/table.py" "$BIN" "$ROOT" "$@"; }

is_up_to_date() { table "$PAGE"; }
another_word_is_seen() {
    sed '0,/^| make a raw socket | ·/s//| make a raw socket | +/' "$PAGE" >"$WORK/page.md"
    ! cmp -s "$PAGE" "$WORK/page.md" && ! table "$WORK/page.md" >"$WORK/difference"
    matches "$(grep '^+|' "$WORK/difference")" 'make a raw socket'
}
is_refused_somewhere() { equal "$(table --nowhere)" ""; }

check "docs/security.md holds the tables that the attempts declare" is_up_to_date
check "a page with another word in it would be seen" another_word_is_seen
check "each attempt must be refused to somebody" is_refused_somewhere
