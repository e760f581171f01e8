/* SPDX-License-Identifier: Apache-2.0
 *
 * A compressed log file (common/log_packed.h) as the bytes that it was, from front to back and in constant memory,
 * however large it is. Called by log_reader.c. What it holds is the container's; a damaged one is an error, not a
 * danger.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

struct log_unpack;

/* Whether `file` is a compressed one, and the inode of the file that it was. */
bool log_unpack_recognizes(int file, uint64_t *ret_inode);

/* Begins at the front. `file` is borrowed, and read by offset. */
int log_unpack_open(int file, struct log_unpack **ret_unpack, struct bh_error *error);
void log_unpack_close(struct log_unpack *unpack);
/* At least one byte, unless it is the end: 0. DATA_LOSS if it is damaged or cut off. */
int log_unpack_read(struct log_unpack *unpack, void *buffer, size_t n_bytes, size_t *ret_bytes, struct bh_error *error);
