#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The trusted base has not grown unnoticed, and docs/security.md shows it as it is.
source "$(dirname "$0")/../lib/check.sh"

check "lines, code, libraries, system calls and capabilities are within tests/trusted_base.txt, and docs/security.md shows them" \
    python3 "$TESTS/lib/trusted_base.py" "$BIN" --check
