/* SPDX-License-Identifier: Apache-2.0
 *
 * Blobs and spools; see blob.h. Runs on the loop: makes pipes, names files, answers; the bytes themselves are only seen
 * by the worker (intake.c).
 */
#include "blob.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "engine_store.pb-c.h"
#include "ingest.h"
#include "intake.h"
#include "sandbox.h"

#define PIPE_BYTES (1024 * 1024) /* what the kernel allows everybody by default */

/* The descriptors of one intake that the parent holds for a moment. */
struct ends {
    int pipe_in;  /* the worker's: to read */
    int pipe_out; /* the engine's: to write */
    int tee_in;   /* the engine's: to read */
    int tee_out;  /* the worker's: to write */
    int file;     /* the worker's */
};

#define ENDS_NONE ((struct ends){.pipe_in = -1, .pipe_out = -1, .tee_in = -1, .tee_out = -1, .file = -1})

static void close_ends(struct ends *ends)
{
    bh_close(&ends->pipe_in);
    bh_close(&ends->pipe_out);
    bh_close(&ends->tee_in);
    bh_close(&ends->tee_out);
    bh_close(&ends->file);
}

static int make_pipe(int *ret_read, int *ret_write, struct bh_error *error)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) {
        return bh_error_errno(error, errno, "make a pipe");
    }
    *ret_read = ends[0];
    *ret_write = ends[1];
    (void)fcntl(*ret_write, F_SETPIPE_SZ, PIPE_BYTES); /* a smaller one only costs time */
    return 0;
}

static int make_ends(bool pipe_wanted, bool tee_wanted, struct ends *ends, struct bh_error *error)
{
    if (pipe_wanted && make_pipe(&ends->pipe_in, &ends->pipe_out, error) < 0) {
        return -1;
    }
    if (tee_wanted) {
        if (make_pipe(&ends->tee_in, &ends->tee_out, error) < 0) {
            return -1;
        }
        /* The worker must notice the end of its job while nobody reads the copy. */
        if (fcntl(ends->tee_out, F_SETFL, O_NONBLOCK) < 0) {
            return bh_error_errno(error, errno, "make a pipe non-blocking");
        }
    }
    return 0;
}

/* ---- answers --------------------------------------------------------------------------------------------------- */

static void answer_started(const struct ingest *ingest, uint64_t resume_offset, const struct ends *ends,
                           struct bh_request *request)
{
    Bulkhead__IngestStarted started = BULKHEAD__INGEST_STARTED__INIT;
    Bulkhead__StoreToEngine packet = BULKHEAD__STORE_TO_ENGINE__INIT;
    started.ingest = ingest->id;
    started.resume_offset = resume_offset;
    packet.body_case = BULKHEAD__STORE_TO_ENGINE__BODY_INGEST_STARTED;
    packet.ingest_started = &started;
    int fds[2];
    size_t n_fds = 0;
    if (ends->pipe_out >= 0) {
        fds[n_fds++] = ends->pipe_out;
    }
    if (ends->tee_in >= 0) {
        fds[n_fds++] = ends->tee_in;
    }
    (void)bh_request_progress(request, &packet.base, fds, n_fds);
}

static void answer_blob_stored(struct ingest *ingest)
{
    Bulkhead__BlobStored stored = BULKHEAD__BLOB_STORED__INIT;
    Bulkhead__StoreToEngine packet = BULKHEAD__STORE_TO_ENGINE__INIT;
    stored.digest.data = ingest->digest.bytes;
    stored.digest.len = BH_DIGEST_BYTES;
    stored.size_bytes = ingest->size_bytes;
    packet.body_case = BULKHEAD__STORE_TO_ENGINE__BODY_BLOB_STORED;
    packet.blob_stored = &stored;
    ingest_answer(ingest, &packet.base);
}

static void answer_spool_stored(struct ingest *ingest)
{
    Bulkhead__SpoolStored stored = BULKHEAD__SPOOL_STORED__INIT;
    Bulkhead__StoreToEngine packet = BULKHEAD__STORE_TO_ENGINE__INIT;
    stored.size_bytes = ingest->size_bytes;
    packet.body_case = BULKHEAD__STORE_TO_ENGINE__BODY_SPOOL_STORED;
    packet.spool_stored = &stored;
    ingest_answer(ingest, &packet.base);
}

/* ---- the worker's reports -------------------------------------------------------------------------------------- */

static void publish(struct ingest *ingest, const struct job_report *report)
{
    struct bh_error error;
    ingest->digest = report->digest;
    ingest->size_bytes = report->n_bytes;
    if (layout_publish_blob(&ingest->store->layout, &ingest->name, &ingest->digest, &error) < 0 ||
        job_published(ingest->job, &error) < 0) {
        ingest_fail(ingest, &error, false);
    }
}

static void finish_spool(struct ingest *ingest, const struct job_report *report)
{
    ingest->size_bytes = report->n_bytes;
    ingest->complete = true;
    job_free(ingest->job);
    ingest->job = NULL;
    answer_spool_stored(ingest);
}

static void on_report(const struct job_report *report, void *argument)
{
    struct ingest *ingest = argument;
    struct bh_error error;
    if (!report) {
        (void)bh_error_set(&error, BH_INTERNAL, "the worker of ingest %" PRIu64 " ended before its work was done",
                           ingest->id);
        ingest_fail(ingest, &error, false);
    } else if (report->kind == JOB_REPORT_FAILED) {
        ingest_fail(ingest, &report->error, report->keep != 0);
    } else if (report->kind == JOB_REPORT_DURABLE) {
        answer_blob_stored(ingest);
        ingest_end(ingest, false);
    } else if (ingest->kind == INGEST_SPOOL) {
        finish_spool(ingest, report);
    } else {
        publish(ingest, report);
    }
}

/* ---- beginning ------------------------------------------------------------------------------------------------- */

/* Starts the worker with its ends, answers IngestStarted. */
static int start(struct ingest *ingest, struct intake *intake, struct ends *ends, struct bh_request *request,
                 struct bh_error *error)
{
    if (!intake->ranged) {
        intake->source = ends->pipe_in;
    }
    intake->tee = ends->tee_out;
    intake->file = ends->file;
    const struct job_start job = {.name = "store-intake",
                                  .sandbox = &store_intake_sandbox,
                                  .work = intake_work,
                                  .plan = intake,
                                  .keep = {intake->source, intake->tee, intake->file, intake->folder},
                                  .notify = on_report,
                                  .argument = ingest};
    if (job_start(ingest->store->context, &job, &ingest->job, error) < 0) {
        return -1;
    }
    answer_started(ingest, intake->resume_bytes, ends, request);
    close_ends(ends); /* before anybody waits: the lock on a partial blob is the worker's alone */
    ingest_wait(ingest, request);
    return 0;
}

/* A blob of known digest from a pipe is written where it can be resumed. If that cannot be had (somebody is writing it
 * there already) or it is stored, it is written aside like all others. */
static int open_blob_file(struct ingest *ingest, const struct blob_request *wanted, struct intake *intake, int *ret_fd,
                          struct bh_error *error)
{
    const struct layout *layout = &ingest->store->layout;
    struct layout_content content = {.blob = false};
    bool resumable = wanted->digest_known && !wanted->ranged;
    if (resumable && layout_stat(layout, &wanted->digest, &content, error) < 0) {
        return -1;
    }
    if (!resumable || content.blob ||
        layout_create_partial(layout, &wanted->digest, wanted->size_bytes, &ingest->name, ret_fd, &intake->resume_bytes,
                              error) < 0) {
        return layout_create(layout, ingest->id, &ingest->name, ret_fd, error);
    }
    ingest->partial = true;
    return lseek(*ret_fd, (off_t)intake->resume_bytes, SEEK_SET) < 0
               ? bh_error_errno(error, errno, "go to the end of a partial blob")
               : 0;
}

int blob_begin(struct store *store, const struct blob_request *wanted, struct bh_request *request,
               struct bh_error *error)
{
    bh_autoclose int spool = -1;
    bh_cleanup(close_ends) struct ends ends = ENDS_NONE;
    struct intake intake = {.source = -1,
                            .ranged = wanted->ranged,
                            .range_offset = wanted->range_offset,
                            .range_bytes = wanted->range_bytes,
                            .folder = store->layout.blobs,
                            .digest_known = wanted->digest_known,
                            .digest = wanted->digest,
                            .size_bytes = wanted->size_bytes,
                            .max_bytes = wanted->size_bytes > 0 ? wanted->size_bytes : wanted->max_bytes};
    if (wanted->ranged) {
        uint64_t spool_bytes = 0;
        uint64_t end = 0;
        if (spool_open(store, wanted->spool, &spool, &spool_bytes, error) < 0) {
            return -1;
        }
        if (__builtin_add_overflow(wanted->range_offset, wanted->range_bytes, &end) || end > spool_bytes) {
            return bh_error_set(error, BH_OUT_OF_RANGE,
                                "%" PRIu64 " bytes from byte %" PRIu64 " on are not within a spool of %" PRIu64,
                                wanted->range_bytes, wanted->range_offset, spool_bytes);
        }
        intake.source = spool;
    }
    struct ingest *ingest = NULL;
    if (make_ends(!wanted->ranged, wanted->tee, &ends, error) < 0 ||
        ingest_new(store, INGEST_BLOB, &ingest, error) < 0) {
        return -1;
    }
    if (open_blob_file(ingest, wanted, &intake, &ends.file, error) < 0 ||
        start(ingest, &intake, &ends, request, error) < 0) {
        ingest_end(ingest, true);
        return -1;
    }
    return 0;
}

int spool_begin(struct store *store, uint64_t max_bytes, struct bh_request *request, struct bh_error *error)
{
    bh_cleanup(close_ends) struct ends ends = ENDS_NONE;
    struct intake intake = {.folder = -1, .max_bytes = max_bytes};
    struct ingest *ingest = NULL;
    if (make_ends(true, false, &ends, error) < 0 || ingest_new(store, INGEST_SPOOL, &ingest, error) < 0) {
        return -1;
    }
    if (layout_create(&store->layout, ingest->id, &ingest->name, &ends.file, error) < 0 ||
        start(ingest, &intake, &ends, request, error) < 0) {
        ingest_end(ingest, false);
        return -1;
    }
    return 0;
}

int spool_open(struct store *store, uint64_t id, int *ret_fd, uint64_t *ret_bytes, struct bh_error *error)
{
    const struct ingest *ingest = ingest_find(store, id, INGEST_SPOOL);
    if (!ingest) {
        return bh_error_set(error, BH_NOT_FOUND, "there is no spool %" PRIu64, id);
    }
    if (!ingest->complete) {
        return bh_error_set(error, BH_FAILED_PRECONDITION, "spool %" PRIu64 " is still being written", id);
    }
    if (layout_reopen(&ingest->name, ret_fd, error) < 0) {
        return -1;
    }
    *ret_bytes = ingest->size_bytes;
    return 0;
}
