/* SPDX-License-Identifier: Apache-2.0
 *
 * PushBlob and PushManifest: a file that was handed over goes to the registry. What is there already is not sent, what
 * another repository of the same registry has is mounted, and an upload that was cut off goes on where the registry
 * says. The registry's answers are hostile: where an upload goes on is judged like any redirect (no credentials on
 * another origin, the dialer judges addresses), and every way around is counted.
 */
#pragma once

#include "common/digest.h"
#include "job.h"

#define UPLOAD_MOUNTS_MAX   4 /* repositories that are tried before the bytes are sent */
#define UPLOAD_RESTARTS_MAX 3 /* uploads of one blob that may begin anew, after the registry has lost track */

struct upload_question {
    struct bh_digest digest;
    uint64_t size_bytes;
    char *const *mount_from; /* borrowed; checked names */
    size_t n_mount_from;
};

/* Starts one with the blob (owned from now on; -1: only if it is there or can be mounted). Answers `request` when it is
 * done. */
int upload_start(struct job *job, struct bh_request *request, const struct upload_question *question, int blob_fd,
                 struct bh_error *error);

/* PUT of a manifest under `tag`, which was checked. Takes the descriptor. */
int upload_manifest_start(struct job *job, struct bh_request *request, const char *tag, Bulkhead__MediaType media_type,
                          uint64_t size_bytes, int manifest_fd, struct bh_error *error);
