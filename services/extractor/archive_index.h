/* SPDX-License-Identifier: Apache-2.0
 *
 * A table of contents of an image archive (`docker save`, OCI layout as a tar): which member lies where. Names are
 * keys of this table and nothing else; links lead from one key to another, or nowhere.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "common/error.h"
#include "json.h"

struct archive_index;

struct archive_range {
    uint64_t offset, size_bytes;
};

/* Reads the headers of a plain tar archive; contents are skipped. `fd` is borrowed for the life of the index. */
int archive_index_build(int fd, struct archive_index **ret_index, struct bh_error *error);
void archive_index_free(struct archive_index **index);
#define bh_autoindex bh_cleanup(archive_index_free)

bool archive_index_has(const struct archive_index *index, const char *name);

/* Finds a regular file, through links inside the archive. What is absent, or no regular file, is INVALID_ARGUMENT. */
int archive_index_find(const struct archive_index *index, const char *name, struct archive_range *ret_range,
                       struct bh_error *error);

/* Reads a member of at most `max_bytes` whole; the caller frees *ret_bytes. */
int archive_index_read(const struct archive_index *index, const char *name, size_t max_bytes, char **ret_bytes,
                       size_t *ret_n_bytes, struct bh_error *error);
/* ... and parses it as JSON. */
int archive_index_json(const struct archive_index *index, const char *name, size_t max_bytes, json_t **ret_json,
                       struct bh_error *error);
