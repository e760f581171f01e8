/* SPDX-License-Identifier: Apache-2.0
 *
 * PackLayer: a stored layer into what registries take, which is gzip or zstd. Called by service.c in a worker.
 */
#pragma once

#include "engine_extractor.pb-c.h"
#include "input.h"

/* Compresses `source_fd` into `target_fd`, unless it is gzip or zstd already: then nothing is written. The same bytes
 * give the same result: no time, no name, no chance is in it. */
int pack_layer(int source_fd, int target_fd, const struct job_end *end, Bulkhead__Compression *ret_compression,
               bool *ret_packed, struct bh_error *error);
