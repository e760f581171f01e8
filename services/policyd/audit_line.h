/* SPDX-License-Identifier: Apache-2.0
 *
 * One line of the audit log, to and from text. Pure; called by audit.c and audit_verify.c.
 */
#pragma once

#include "audit.h"

/* Writes record number `number`, which follows the one with hash `previous`, with its newline. Returns its length, 0 if
 * it does not fit in AUDIT_RECORD_BYTES_MAX; *ret_hash is its own hash. */
size_t audit_line_format(char *buffer, const struct audit_record *record, uint64_t number, int64_t wall_ns,
                         const struct bh_digest *previous, struct bh_digest *ret_hash);

/* Checks a line (without its newline) against what must stand in it; false if it does not fit. *ret_hash is its own
 * hash, *ret_gap tells whether it notes that records were lost. */
bool audit_line_check(const char *line, size_t n_bytes, uint64_t number, const struct bh_digest *previous,
                      struct bh_digest *ret_hash, bool *ret_gap);

/* What the last line says of itself: its number and hash, if its hash fits. */
bool audit_line_read(const char *line, size_t n_bytes, uint64_t *ret_number, struct bh_digest *ret_hash);
