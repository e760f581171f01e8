/* SPDX-License-Identifier: Apache-2.0
 *
 * The worker that takes in one blob or spool: reads it from a pipe or a stored spool, hashes it, writes it, copies it
 * to whoever wants the same bytes. It decides what is whole; blob.c and spool.c, its parents' side, decide what becomes
 * of it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/digest.h"
#include "common/service.h"

/* What the worker is told at its fork. Every descriptor is its own. */
struct intake {
    int source; /* pipe to read from; or a spool, if `ranged` */
    bool ranged;
    uint64_t range_offset, range_bytes;
    int file;   /* to write to, positioned behind `resume_bytes`, which are read back first */
    int tee;    /* non-blocking pipe for a copy; -1 if nobody wants one */
    int folder; /* that the file will be published in; -1 if it never is (a spool), and then nothing is synced */
    bool digest_known;
    struct bh_digest digest; /* what it must have */
    uint64_t size_bytes;     /* what it must be; 0: not known */
    uint64_t max_bytes;      /* what it may be at most */
    uint64_t resume_bytes;
};

/* For struct job_start; `plan` is a struct intake. Reports WRITTEN with digest and size, or FAILED: DATA_LOSS for an
 * early end (kept if the digest is known), for another digest, or for too many bytes; RESOURCE_EXHAUSTED if the disk is
 * full. A reader of the copy that goes away does not disturb it. */
int intake_work(struct bh_service_context *context, int job_fd, void *plan);
