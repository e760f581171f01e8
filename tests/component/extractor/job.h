/* SPDX-License-Identifier: Apache-2.0
 *
 * The engine's side of an extractor, for tests: spawn a worker, give it its one job, get the answer. Failures of the
 * test's own means end the test; the extractor's come back as codes.
 */
#pragma once

#include "common/channel.h"
#include "common/digest.h"
#include "engine_extractor.pb-c.h"
#include "harness.h"

struct extractor {
    struct harness harness;
    struct bh_channel *channel;
    struct bh_error error; /* of the last job that failed */
};

void extractor_start(struct extractor *extractor);
/* Also checks that it ended by itself, with status 0. */
void extractor_stop(struct extractor *extractor);

/* Spawns a worker; the result is the engine's end of its job channel. *ret_pid may be NULL. */
struct bh_channel *extractor_spawn(struct extractor *extractor, pid_t *ret_pid);

struct extracted {
    struct bh_digest diff_id;
    uint64_t uncompressed_bytes, entries, image_bytes;
    unsigned progress; /* messages */
};

/* One job each, in a worker of its own. 0 or the code of the error. */
enum bh_code extractor_layer_fd(struct extractor *extractor, int source_fd, int image_fd, struct extracted *ret_result);
/* From bytes (through a pipe, written by a thread), into a new image file. *ret_image_fd is the caller's, also after an
 * error. */
enum bh_code extractor_layer(struct extractor *extractor, const void *bytes, size_t n_bytes, int *ret_image_fd,
                             struct extracted *ret_result);
enum bh_code extractor_manifest(struct extractor *extractor, const char *text, Bulkhead__MediaType announced,
                                struct bh_message **ret_message);
enum bh_code extractor_config(struct extractor *extractor, const char *text, struct bh_message **ret_message);
/* Calls `found` (may be NULL) with every image. *ret_kind is the kind of the last answer. */
enum bh_code extractor_scan(struct extractor *extractor, int fd,
                            void (*found)(const Bulkhead__ArchiveImage *image, void *argument), void *argument,
                            uint32_t *ret_kind);
enum bh_code extractor_decompress(struct extractor *extractor, int source_fd, uint64_t max_bytes, uint8_t **ret_bytes,
                                  size_t *ret_n_bytes);

/* *ret_bytes is what came through the pipe. */
enum bh_code extractor_pack(struct extractor *extractor, int source_fd, uint8_t **ret_bytes, size_t *ret_n_bytes,
                            Bulkhead__Compression *ret_compression, bool *ret_packed);

/* The error's whole chain holds `text`. */
bool extractor_said(const struct extractor *extractor, const char *text);

/* An unnamed file with these bytes. */
int file_of(const void *bytes, size_t n_bytes);
