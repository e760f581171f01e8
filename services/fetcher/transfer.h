/* SPDX-License-Identifier: Apache-2.0
 *
 * FetchManifest and FetchBlob: a body from the registry into a pipe whose other end the store holds. Never more than
 * was announced, and never a hole: what a server sends out of range is refused here, what it sends wrongly inside is
 * the store's to find.
 */
#pragma once

#include "common/digest.h"
#include "job.h"

struct transfer_question {
    bool manifest;
    char reference[BH_TAG_BYTES_MAX + 1]; /* manifest: tag, or digest text; blob: digest text */
    uint64_t size_bytes, offset;          /* blob only */
};

/* Starts one, with the pipe (owned from now on). Answers `request` when it is done. */
int transfer_start(struct job *job, struct bh_request *request, const struct transfer_question *question, int pipe_fd,
                   struct bh_error *error);
