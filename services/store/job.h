/* SPDX-License-Identifier: Apache-2.0
 *
 * The store's workers, seen from both ends. A worker does what may take long (read a pipe, hash, check, sync) with the
 * descriptors it was given, and reports to its parent in records of fixed size; the parent alone names files, and never
 * waits.
 *
 *   worker:  JOB_REPORT_FAILED, and exits                                (nothing is published)
 *   worker:  JOB_REPORT_WRITTEN -> parent: publishes, job_published()
 *            -> worker: syncs the folder, JOB_REPORT_DURABLE, and exits  (the parent answers)
 *
 * The end of the socket is the end of the worker, and the other way round.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/digest.h"
#include "common/service.h"

enum job_report_kind {
    JOB_REPORT_FAILED = 1,
    JOB_REPORT_WRITTEN = 2,
    JOB_REPORT_DURABLE = 3,
};

struct job_report {
    uint32_t kind;
    uint32_t keep;           /* FAILED: what was written may be resumed */
    struct bh_digest digest; /* WRITTEN blobs */
    uint64_t n_bytes;        /* WRITTEN: of the file */
    uint64_t content_bytes;  /* WRITTEN layers */
    uint64_t inodes;
    struct bh_error error; /* FAILED */
};

/* ---- the parent ---- */

struct job;

/* On the loop. `report` is NULL when the worker ended without its last report; nothing follows then. The job may be
 * freed inside. */
typedef void (*job_notify)(const struct job_report *report, void *argument);

/* What to run: the descriptors in `keep` are borrowed, `plan` is copied by the fork. */
struct job_start {
    const char *name;
    const struct bh_worker_sandbox *sandbox;
    int (*work)(struct bh_service_context *context, int job_fd, void *plan);
    void *plan;
    int keep[4]; /* -1 where none */
    job_notify notify;
    void *argument;
};

int job_start(struct bh_service_context *context, const struct job_start *start, struct job **ret_job,
              struct bh_error *error);
/* After a WRITTEN report: the file has its name, the folder is to be synced. */
int job_published(struct job *job, struct bh_error *error);
/* Ends the worker if it still runs. Accepts NULL. */
void job_free(struct job *job);

/* ---- the worker ---- */

/* Sends one record. A parent that is gone is no error: the worker ends anyway. */
void job_report(int job_fd, const struct job_report *report);
/* Waits for job_published(). -1: the parent gave the job up. */
int job_wait_published(int job_fd);
/* Waits until `fd` (-1: nothing) has one of `events`, or an error or end. CANCELLED when the parent gave the job up,
 * which is looked for first. With `fd` -1 it only looks and does not wait. */
int job_wait(int job_fd, int fd, short events, struct bh_error *error);
