/* SPDX-License-Identifier: Apache-2.0
 *
 * A layer on its way through a worker, on three threads at once: one decompresses into a ring of blocks, one hashes
 * them for the diff ID, and the caller's own parses and writes. Every byte up to the end of the stream is hashed,
 * also what follows the archive.
 */
#pragma once

#include "common/digest.h"
#include "decompress.h"

struct pipeline;

/* Starts the threads. `decompressor` is borrowed and used by them alone until pipeline_free(). `stop_fd` is an eventfd
 * that ends the decompressor's wait for input (struct job_end); borrowed. */
int pipeline_start(struct decompressor *decompressor, int stop_fd, struct pipeline **ret_pipeline,
                   struct bh_error *error);

/* The next bytes in order, valid until the next call. *ret_n_bytes 0 at the end. */
int pipeline_next(struct pipeline *pipeline, const void **ret_bytes, size_t *ret_n_bytes, struct bh_error *error);

/* Consumes what is left, and gives the digest and length of the whole stream. */
int pipeline_finish(struct pipeline *pipeline, struct bh_digest *ret_digest, uint64_t *ret_bytes,
                    struct bh_error *error);

/* Stops the threads wherever they are. */
void pipeline_free(struct pipeline **pipeline);
#define bh_autopipeline bh_cleanup(pipeline_free)
