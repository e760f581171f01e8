/* SPDX-License-Identifier: Apache-2.0
 *
 * The folders of the store below its root, and the only code that names files in them:
 *
 *   blobs/<64 hex>         whole, verified, durable
 *   layers/<64 hex>        sealed layer image, mode 0400, named for its compressed blob
 *   layers/<64 hex>.meta   the record that belongs to it (layer_record.h)
 *   partial/<64 hex>       the beginning of a blob whose digest is known, kept for a resume
 *   ingest/<16 hex>        what is being written; emptied at start
 *
 * Every name is made from a digest of 32 bytes or from a number of ours. A file gets into blobs/ and layers/ by rename
 * alone, after it was synced. Called on the loop only; nothing here waits for a disk longer than a directory operation.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/digest.h"
#include "common/error.h"
#include "layer_record.h"

struct layout {
    int blobs, layers, partial, ingest;
};

/* Where a file that is being written lies. */
struct layout_name {
    int folder; /* borrowed from the layout; -1: nowhere */
    char text[BH_DIGEST_HEX_SIZE];
};

#define LAYOUT_NOWHERE ((struct layout_name){.folder = -1})

/* Opens the folders, making those that are missing, and cleans up after a crash: empties ingest/, removes layers that
 * lack a valid record, records that lack a layer, and partial blobs that are stored by now or were not touched for a
 * week. *ret_removed counts what went. */
int layout_open(const char *root, struct layout *ret_layout, unsigned int *ret_removed, struct bh_error *error);
void layout_close(struct layout *layout);

/* While it runs: removes partial blobs that were not touched for a day, so that pulls which nobody takes up again do
 * not fill the disk. */
int layout_expire_partials(struct layout *layout, struct bh_error *error);

/* ---- files being written ---- */

/* Makes the new, empty file ingest/<number>, mode 0600, open for reading and writing. */
int layout_create(const struct layout *layout, uint64_t number, struct layout_name *ret_name, int *ret_fd,
                  struct bh_error *error);

/* Opens (or makes) partial/<digest> for writing and locks it for as long as the open file lives. FAILED_PRECONDITION if
 * somebody has it. *ret_bytes: what is there; a file longer than `max_bytes` is emptied. */
int layout_create_partial(const struct layout *layout, const struct bh_digest *digest, uint64_t max_bytes,
                          struct layout_name *ret_name, int *ret_fd, uint64_t *ret_bytes, struct bh_error *error);

/* Opens a file being written a second time, read-only. */
int layout_reopen(const struct layout_name *name, int *ret_fd, struct bh_error *error);
/* Removes it, if it is there. */
void layout_discard(struct layout_name *name);

/* Move a finished file to its place; what is there already stays, and the new one is removed. `*name` is nowhere
 * afterwards. */
int layout_publish_blob(const struct layout *layout, struct layout_name *name, const struct bh_digest *digest,
                        struct bh_error *error);
int layout_publish_layer(const struct layout *layout, struct layout_name *image, struct layout_name *record,
                         const struct bh_digest *digest, struct bh_error *error);

/* ---- what is stored ---- */

struct layout_content {
    bool blob, layer;
    uint64_t blob_bytes;
    struct layer_record record; /* if `layer` */
};

/* Absent content is no error. */
int layout_stat(const struct layout *layout, const struct bh_digest *digest, struct layout_content *ret_content,
                struct bh_error *error);
/* NOT_FOUND if it is not stored. */
int layout_open_blob(const struct layout *layout, const struct bh_digest *digest, int *ret_fd, uint64_t *ret_bytes,
                     struct bh_error *error);
/* Deletes blob, layer and kept beginning. What is absent is no error. */
int layout_delete(const struct layout *layout, const struct bh_digest *digest, struct bh_error *error);
/* Digests of all that is stored, ascending, each once. The caller frees *ret_digests. */
int layout_list(const struct layout *layout, struct bh_digest **ret_digests, size_t *ret_count, struct bh_error *error);
