/* SPDX-License-Identifier: Apache-2.0
 *
 * The two forms in which a container's log lies in its files, for log_reader.c: how to find the next item, what it
 * says, and where the last N begin. What the items hold is the container's own: any bytes.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/error.h"
#include "log_line.h"

#define LOG_ITEM_BYTES_MAX  (256U * 1024U) /* the monitor's longest line, six times escaped, and room */
#define LOG_BLOCK_BYTES     (64U * 1024U)  /* what `search_back` may use of its buffer */
#define LOG_ITEM_IMPOSSIBLE SIZE_MAX

struct log_format {
    /* How long the item that begins at `bytes` is, its end included. 0: it is not whole yet; the first `searched` bytes
     * were looked at before. LOG_ITEM_IMPOSSIBLE: this is not where one begins. */
    size_t (*next)(const char *bytes, size_t n_bytes, size_t searched);
    /* Decodes one whole item in place. DATA_LOSS if it is damaged. */
    int (*parse)(char *bytes, size_t n_bytes, struct log_line *ret_line, struct bh_error *error);
    /* Searches one file backwards for the beginning of the `*items`-th item before its end. 1: *ret_offset is there. 0:
     * it has fewer, which were taken off `*items`. `block` holds LOG_ITEM_BYTES_MAX. */
    int (*search_back)(int file, char *block, uint64_t *items, off_t *ret_offset, struct bh_error *error);
};

extern const struct log_format log_format_json;    /* json-file: a line of JSON each (log_line.c) */
extern const struct log_format log_format_records; /* local and journald: log_entry.proto in its frame (log_entry.c) */
