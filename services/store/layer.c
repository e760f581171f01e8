/* SPDX-License-Identifier: Apache-2.0
 *
 * Layers; see layer.h. Runs on the loop. What makes sealing safe, in this order: a read lease, which the kernel only
 * grants while nobody has the file open (or mapped) for writing, and without which nobody can open it so any more; mode
 * 0400; the check; the sync; the name.
 */
#include "layer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "engine_store.pb-c.h"
#include "ingest.h"
#include "layer_seal.h"
#include "sandbox.h"

/* A worker that was told to end may still be on its way out with the file open. */
#define WRITER_WAIT_MS  2000
#define WRITER_RETRY_MS 10

/* Numbers of the records beside images, in ingest/: those of the images with the highest bit. */
#define RECORD_NUMBER(id) ((id) | 1ULL << 63)

int layer_begin(struct store *store, const struct bh_digest *blob, struct bh_request *request, struct bh_error *error)
{
    struct layout_content content;
    char text[BH_DIGEST_TEXT_SIZE];
    if (layout_stat(&store->layout, blob, &content, error) < 0) {
        return -1;
    }
    if (content.layer) {
        return bh_error_set(error, BH_ALREADY_EXISTS, "the layer of %s is sealed already", bh_digest_text(blob, text));
    }
    struct ingest *ingest = NULL;
    if (ingest_new(store, INGEST_LAYER, &ingest, error) < 0) {
        return -1;
    }
    ingest->digest = *blob;
    bh_autoclose int fd = -1;
    if (layout_create(&store->layout, ingest->id, &ingest->name, &fd, error) < 0 ||
        layout_reopen(&ingest->name, &ingest->image, error) < 0) {
        ingest_end(ingest, false);
        return -1;
    }
    Bulkhead__IngestStarted started = BULKHEAD__INGEST_STARTED__INIT;
    Bulkhead__StoreToEngine packet = BULKHEAD__STORE_TO_ENGINE__INIT;
    started.ingest = ingest->id;
    packet.body_case = BULKHEAD__STORE_TO_ENGINE__BODY_INGEST_STARTED;
    packet.ingest_started = &started;
    if (bh_request_reply(request, &packet.base, &fd, 1) < 0) {
        ingest_end(ingest, false); /* nobody will ever ask for it */
    }
    return 0;
}

static void answer_sealed(struct ingest *ingest, const struct layer_record *record)
{
    Bulkhead__LayerSealed sealed = BULKHEAD__LAYER_SEALED__INIT;
    Bulkhead__StoreToEngine packet = BULKHEAD__STORE_TO_ENGINE__INIT;
    sealed.image_bytes = record->image_bytes;
    sealed.content_bytes = record->content_bytes;
    sealed.inodes = record->inodes;
    packet.body_case = BULKHEAD__STORE_TO_ENGINE__BODY_LAYER_SEALED;
    packet.layer_sealed = &sealed;
    ingest_answer(ingest, &packet.base);
    ingest_end(ingest, false);
}

static int require_blob(const struct ingest *ingest, struct layout_content *ret_content, struct bh_error *error)
{
    char text[BH_DIGEST_TEXT_SIZE];
    if (layout_stat(&ingest->store->layout, &ingest->digest, ret_content, error) < 0) {
        return -1;
    }
    return ret_content->blob ? 0
                             : bh_error_set(error, BH_FAILED_PRECONDITION,
                                            "the layer of %s cannot be sealed: that blob is not stored",
                                            bh_digest_text(&ingest->digest, text));
}

/* ---- the worker's reports -------------------------------------------------------------------------------------- */

static int publish(struct ingest *ingest, struct bh_error *error)
{
    struct layout_content content; /* the blob may have been deleted meanwhile */
    if (require_blob(ingest, &content, error) < 0 ||
        layout_publish_layer(&ingest->store->layout, &ingest->name, &ingest->record_name, &ingest->digest, error) < 0) {
        return -1;
    }
    return job_published(ingest->job, error);
}

static void finish(struct ingest *ingest)
{
    /* As stored: if somebody else sealed the same layer first, it is that one. */
    struct layout_content content;
    struct bh_error error;
    if (require_blob(ingest, &content, &error) < 0) {
        ingest_fail(ingest, &error, false);
    } else if (!content.layer) {
        (void)bh_error_set(&error, BH_ABORTED, "the layer was deleted while it was sealed");
        ingest_fail(ingest, &error, false);
    } else {
        answer_sealed(ingest, &content.record);
    }
}

static void on_report(const struct job_report *report, void *argument)
{
    struct ingest *ingest = argument;
    struct bh_error error;
    if (!report) {
        (void)bh_error_set(&error, BH_INTERNAL, "the worker that sealed ingest %" PRIu64 " ended before it was done",
                           ingest->id);
        ingest_fail(ingest, &error, false);
    } else if (report->kind == JOB_REPORT_FAILED) {
        ingest_fail(ingest, &report->error, false);
    } else if (report->kind == JOB_REPORT_DURABLE) {
        finish(ingest);
    } else if (publish(ingest, &error) < 0) {
        ingest_fail(ingest, &error, false);
    }
}

/* ---- sealing --------------------------------------------------------------------------------------------------- */

/* The lease is there: from here on nobody can write. */
static int start_worker(struct ingest *ingest, struct bh_error *error)
{
    struct store *store = ingest->store;
    if (fchmod(ingest->image, 0400) < 0) {
        return bh_error_errno(error, errno, "make a layer image read-only");
    }
    if (layout_create(&store->layout, RECORD_NUMBER(ingest->id), &ingest->record_name, &ingest->record, error) < 0) {
        return -1;
    }
    struct layer_seal plan = {.image = ingest->image,
                              .record = ingest->record,
                              .folder = store->layout.layers,
                              .blob = ingest->digest,
                              .diff_id = ingest->diff_id};
    const struct job_start job = {.name = "store-seal",
                                  .sandbox = &store_seal_sandbox,
                                  .work = layer_seal_work,
                                  .plan = &plan,
                                  .keep = {plan.image, plan.record, plan.folder, -1},
                                  .notify = on_report,
                                  .argument = ingest};
    return job_start(store->context, &job, &ingest->job, error);
}

static int wait_for_writer(struct ingest *ingest, struct bh_error *error)
{
    const struct timeval pause = {.tv_usec = WRITER_RETRY_MS * 1000};
    if (bh_now_ms() >= ingest->retry_until_ms) {
        return bh_error_set(error, BH_FAILED_PRECONDITION,
                            "the layer image of ingest %" PRIu64 " is still open for writing somewhere", ingest->id);
    }
    return evtimer_add(ingest->retry, &pause) < 0 ? bh_error_set(error, BH_RESOURCE_EXHAUSTED, "start a timer") : 0;
}

static int try_to_seal(struct ingest *ingest, struct bh_error *error)
{
    if (fcntl(ingest->image, F_SETLEASE, F_RDLCK) == 0) {
        return start_worker(ingest, error);
    }
    return errno == EAGAIN ? wait_for_writer(ingest, error)
                           : bh_error_errno(error, errno, "take a lease on a layer image");
}

static void on_retry(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    struct ingest *ingest = argument;
    struct bh_error error;
    if (try_to_seal(ingest, &error) < 0) {
        ingest_fail(ingest, &error, false);
    }
}

int layer_seal(struct store *store, uint64_t id, const struct bh_digest *diff_id, struct bh_request *request,
               struct bh_error *error)
{
    struct ingest *ingest = ingest_find(store, id, INGEST_LAYER);
    if (!ingest) {
        return bh_error_set(error, BH_NOT_FOUND, "there is no layer being written under ingest %" PRIu64, id);
    }
    if (ingest->request) {
        return bh_error_set(error, BH_FAILED_PRECONDITION, "ingest %" PRIu64 " is being sealed already", id);
    }
    struct layout_content content;
    ingest->diff_id = *diff_id;
    ingest->retry_until_ms = bh_now_ms() + WRITER_WAIT_MS;
    ingest->retry = evtimer_new(store->context->base, on_retry, ingest);
    if (require_blob(ingest, &content, error) < 0 ||
        (!ingest->retry && bh_error_set(error, BH_RESOURCE_EXHAUSTED, "no memory for a timer") < 0) ||
        try_to_seal(ingest, error) < 0) {
        ingest_end(ingest, false);
        return -1;
    }
    ingest_wait(ingest, request);
    return 0;
}
