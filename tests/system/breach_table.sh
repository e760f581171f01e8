#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# docs/breach.md shows the attempts of the breach suite, and the rows, as they are.
source "$(dirname "$0")/../lib/check.sh"

check "docs/breach.md shows what is tried, and what each row says of it" python3 "$TESTS/breach/lib/table.py" "$BIN" "$ROOT" --check
