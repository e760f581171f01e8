#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# docs/breach.md shows the attempts of the breach suite, and the rows, as they are.
source "$(dirname "$0")/../lib/check.sh"
export PYTHONDONTWRITEBYTECODE=1
table() { python3 "$TESTS/breach/lib/table.py" "$BIN" "$@"; }

another_word_is_seen() {
    mkdir -p "$WORK/docs"
    ln -s "$ROOT/common" "$WORK/"
    sed '0,/^| make a raw socket | –/s//| make a raw socket | works/' "$ROOT/docs/breach.md" >"$WORK/docs/breach.md"
    table "$WORK" --check 2>"$WORK/told" && return 1
    matches "$(cat "$WORK/told")" 'docs/breach.md shows other attempts'
}
is_refused_somewhere() { equal "$(table "$ROOT" --nowhere)" ""; }

check "docs/breach.md shows what is tried, and what each row says of it" table "$ROOT" --check
check "a page with another word in it would be seen" another_word_is_seen
check "each attempt must be refused to somebody" is_refused_somewhere
