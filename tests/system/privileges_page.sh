#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# docs/privileges.md says what the programs declare.
source "$(dirname "$0")/../lib/check.sh"

check "docs/privileges.md holds the tables that the programs print" \
    python3 "$TESTS/lib/privileges_table.py" "$BIN" "$ROOT/docs/privileges.md"
