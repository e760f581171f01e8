/* SPDX-License-Identifier: Apache-2.0
 *
 * One record of the log drivers `local` and `journald` (proto/log_entry.proto), in Docker's framing. Called by
 * log_file.c. The text is the container's own and stays what it is, byte for byte.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The message's own bytes and both sizes around it, beside a text of any length. */
#define MONITOR_LOCAL_FRAME_BYTES 64U

/* Writes one record of at most `n_text` + MONITOR_LOCAL_FRAME_BYTES bytes; returns its length. `partial`: the line goes
 * on in the next record. */
size_t monitor_local_record(uint8_t *buffer, const uint8_t *text, size_t n_text, bool partial, const char *stream,
                            int64_t wall_ns);

/* How many of the first `n_bytes` bytes of `buffer`, which holds whole records, are whole records. */
size_t monitor_local_whole(const uint8_t *buffer, size_t n_bytes);
