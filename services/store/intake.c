/* SPDX-License-Identifier: Apache-2.0
 *
 * Taking in one blob or spool; see intake.h. One pass over the bytes: each piece is small enough to stay in the
 * processor's cache from the pipe to the hash, the file and the copy.
 */
#include "intake.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "common/limits.h"
#include "job.h"

#define PIECE_BYTES     (256 * BH_KIB)
#define WRITEBACK_BYTES (8 * BH_MIB) /* the disk is kept busy from the start, so that the last sync is short */

struct run {
    struct intake *intake;
    int job;
    struct bh_hash *hash;
    uint8_t *buffer;   /* PIECE_BYTES */
    uint64_t n_bytes;  /* hashed, copied, and in the file */
    uint64_t n_queued; /* handed to the disk */
};

/* The same bytes for whoever reads the other end. If that one has gone, or breaks, it is its own loss. */
static int copy_to_tee(struct run *run, const uint8_t *bytes, size_t n_bytes, struct bh_error *error)
{
    struct intake *intake = run->intake;
    while (intake->tee >= 0 && n_bytes > 0) {
        ssize_t n = write(intake->tee, bytes, n_bytes);
        if (n >= 0) {
            bytes += n;
            n_bytes -= (size_t)n;
        } else if (errno == EAGAIN) {
            if (job_wait(run->job, intake->tee, POLLOUT, error) < 0) {
                return -1;
            }
        } else if (errno != EINTR) {
            bh_close(&intake->tee);
        }
    }
    return 0;
}

static int take_piece(struct run *run, const uint8_t *bytes, size_t n_bytes, bool write_it, struct bh_error *error)
{
    struct intake *intake = run->intake;
    if (n_bytes > intake->max_bytes - run->n_bytes) {
        char text[BH_DIGEST_TEXT_SIZE];
        return intake->digest_known
                   ? bh_error_set(error, BH_DATA_LOSS, "%s has more than the announced %" PRIu64 " bytes",
                                  bh_digest_text(&intake->digest, text), intake->max_bytes)
                   : bh_error_set(error, BH_INVALID_ARGUMENT, "more bytes came than the %" PRIu64 " that may come",
                                  intake->max_bytes);
    }
    if (bh_hash_update(run->hash, bytes, n_bytes, error) < 0 ||
        (write_it && bh_write_all(intake->file, bytes, n_bytes, "to the store", error) < 0) ||
        copy_to_tee(run, bytes, n_bytes, error) < 0) {
        return -1;
    }
    run->n_bytes += n_bytes;
    if (write_it && run->n_bytes - run->n_queued >= WRITEBACK_BYTES) {
        (void)sync_file_range(intake->file, (off_t)run->n_queued, (off_t)(run->n_bytes - run->n_queued),
                              SYNC_FILE_RANGE_WRITE);
        run->n_queued = run->n_bytes;
    }
    return 0;
}

/* Takes `n_bytes` of a file from `offset` on. */
static int take_range(struct run *run, int fd, uint64_t offset, uint64_t n_bytes, bool write_it, struct bh_error *error)
{
    while (n_bytes > 0) {
        size_t wanted = n_bytes < PIECE_BYTES ? (size_t)n_bytes : PIECE_BYTES;
        ssize_t n = pread(fd, run->buffer, wanted, (off_t)offset);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return n < 0 ? bh_error_errno(error, errno, "read back what was stored")
                         : bh_error_set(error, BH_DATA_LOSS, "a stored file became shorter");
        }
        if (job_wait(run->job, -1, 0, error) < 0 || take_piece(run, run->buffer, (size_t)n, write_it, error) < 0) {
            return -1;
        }
        offset += (uint64_t)n;
        n_bytes -= (uint64_t)n;
    }
    return 0;
}

static int take_pipe(struct run *run, struct bh_error *error)
{
    for (;;) {
        if (job_wait(run->job, run->intake->source, POLLIN, error) < 0) {
            return -1;
        }
        ssize_t n = read(run->intake->source, run->buffer, PIECE_BYTES);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return n < 0 ? bh_error_errno(error, errno, "read the pipe") : 0;
        }
        if (take_piece(run, run->buffer, (size_t)n, true, error) < 0) {
            return -1;
        }
    }
}

static int take_all(struct run *run, struct bh_error *error)
{
    const struct intake *intake = run->intake;
    if (take_range(run, intake->file, 0, intake->resume_bytes, false, error) < 0) {
        return -1;
    }
    run->n_queued = run->n_bytes;
    return intake->ranged ? take_range(run, intake->source, intake->range_offset, intake->range_bytes, true, error)
                          : take_pipe(run, error);
}

/* Everything came: is it what it must be? Sets `*ret_keep` where a later attempt may go on from here. */
static int judge(struct run *run, struct bh_digest *ret_digest, bool *ret_keep, struct bh_error *error)
{
    const struct intake *intake = run->intake;
    char expected[BH_DIGEST_TEXT_SIZE];
    char found[BH_DIGEST_TEXT_SIZE];
    if (intake->size_bytes > 0 && run->n_bytes < intake->size_bytes) {
        *ret_keep = intake->digest_known;
        return bh_error_set(error, BH_DATA_LOSS, "%s ended after %" PRIu64 " of %" PRIu64 " bytes",
                            intake->digest_known ? bh_digest_text(&intake->digest, expected) : "a blob", run->n_bytes,
                            intake->size_bytes);
    }
    if (bh_hash_finish(run->hash, ret_digest, error) < 0) {
        return -1;
    }
    if (intake->digest_known && !bh_digest_equal(&intake->digest, ret_digest)) {
        return bh_error_set(error, BH_DATA_LOSS, "the bytes have the digest %s, must be %s",
                            bh_digest_text(ret_digest, found), bh_digest_text(&intake->digest, expected));
    }
    if (intake->folder >= 0 && fsync(intake->file) < 0) {
        return bh_error_errno(error, errno, "sync a blob to the disk");
    }
    return 0;
}

static int take_in(struct run *run, struct job_report *ret_report, bool *ret_keep, struct bh_error *error)
{
    run->buffer = malloc(PIECE_BYTES);
    if (!run->buffer) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "no memory to take in a blob");
    }
    struct bh_digest digest;
    if (bh_hash_new(&run->hash, error) < 0 || take_all(run, error) < 0) {
        return -1;
    }
    bh_close(&run->intake->tee); /* its reader has all there is and need not wait for the disk */
    if (judge(run, &digest, ret_keep, error) < 0) {
        return -1;
    }
    *ret_report = (struct job_report){.kind = JOB_REPORT_WRITTEN, .digest = digest, .n_bytes = run->n_bytes};
    return 0;
}

int intake_work(struct bh_service_context *context, int job_fd, void *plan)
{
    (void)context;
    struct intake *intake = plan;
    struct run run = {.intake = intake, .job = job_fd};
    struct job_report report;
    struct bh_error error;
    bool keep = false;
    int result = take_in(&run, &report, &keep, &error);
    free(run.buffer);
    bh_hash_free(run.hash);
    bh_close(&intake->tee);
    bh_close(&intake->source);
    bh_close(&intake->file); /* before the report: its space and its lock are free when the engine hears of it */
    if (result < 0) {
        report = (struct job_report){.kind = JOB_REPORT_FAILED, .keep = keep, .error = error};
        job_report(job_fd, &report);
        return 0;
    }
    job_report(job_fd, &report);
    if (intake->folder < 0 || job_wait_published(job_fd) < 0) {
        return 0;
    }
    if (fsync(intake->folder) < 0) {
        report = (struct job_report){.kind = JOB_REPORT_FAILED};
        (void)bh_error_errno(&report.error, errno, "sync the store's folder to the disk");
    } else {
        report = (struct job_report){.kind = JOB_REPORT_DURABLE};
    }
    job_report(job_fd, &report);
    return 0;
}
