/* SPDX-License-Identifier: Apache-2.0
 *
 * Bodies into pipes; see transfer.h.
 */
#include "transfer.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "engine_fetcher.pb-c.h"

#define PIPE_BYTES        (1024 * 1024)
#define PROGRESS_EVERY_MS 100U

struct transfer {
    struct operation operation; /* first */
    struct transfer_question question;
    int pipe_fd;
    uint64_t received; /* bytes that are in the pipe, the offset included */
    uint64_t skip;     /* bytes at the start of this body that we have already (the server ignored Range) */
    size_t held;       /* bytes of the chunk that comes again after HTTP_LATER which were dealt with */
    uint64_t told_ms;  /* when progress was last told */
    struct response head;
};

static void transfer_free(struct operation *operation)
{
    struct transfer *transfer = (struct transfer *)operation;
    bh_close(&transfer->pipe_fd);
    free(transfer);
}

static uint64_t blob_offset(void *argument)
{
    return ((const struct transfer *)argument)->received;
}

/* ---- the head ------------------------------------------------------------------------------------- */

static int manifest_head(void *argument, const struct response *response, struct bh_error *error)
{
    struct transfer *transfer = argument;
    if (response->status != 200) {
        return bh_error_set(error, BH_UNKNOWN, "manifest %s: received unexpected HTTP status: %u",
                            transfer->question.reference, response->status);
    }
    if (response->has_length && response->length > BH_MANIFEST_BYTES_MAX) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "manifest %s of %llu bytes is refused (at most %llu)",
                            transfer->question.reference, (unsigned long long)response->length, BH_MANIFEST_BYTES_MAX);
    }
    transfer->held = 0;
    transfer->question.size_bytes = BH_MANIFEST_BYTES_MAX;
    transfer->head = *response;
    return 0;
}

static int check_partial(const struct transfer *transfer, const struct response *response, struct bh_error *error)
{
    uint64_t size = transfer->question.size_bytes;
    bool sound = response->has_range && response->range_first == transfer->received &&
                 response->range_last == size - 1 &&
                 (response->range_total == size || response->range_total == UINT64_MAX);
    if (!sound) {
        return bh_error_set(
            error, BH_DATA_LOSS, "blob %s: asked for bytes %llu to %llu, and the server answers with another range",
            transfer->question.reference, (unsigned long long)transfer->received, (unsigned long long)(size - 1));
    }
    return 0;
}

static int blob_head(void *argument, const struct response *response, struct bh_error *error)
{
    struct transfer *transfer = argument;
    uint64_t size = transfer->question.size_bytes;
    uint64_t expected = size;
    transfer->held = 0;
    transfer->skip = 0;
    if (response->status == 206 && transfer->received > 0) {
        if (check_partial(transfer, response, error) < 0) {
            return -1;
        }
        expected = size - transfer->received;
    } else if (response->status == 200) {
        transfer->skip = transfer->received;
    } else {
        return bh_error_set(error, BH_DATA_LOSS, "blob %s: received unexpected HTTP status: %u",
                            transfer->question.reference, response->status);
    }
    if (response->has_length && response->length != expected) {
        return bh_error_set(error, BH_DATA_LOSS, "blob %s: the server announces %llu bytes instead of %llu",
                            transfer->question.reference, (unsigned long long)response->length,
                            (unsigned long long)expected);
    }
    return 0;
}

/* ---- the body ------------------------------------------------------------------------------------- */

static void tell_progress(struct transfer *transfer)
{
    uint64_t now_ms = bh_now_ms();
    if (transfer->question.manifest || now_ms < transfer->told_ms + PROGRESS_EVERY_MS) {
        return;
    }
    transfer->told_ms = now_ms;
    Bulkhead__BlobProgress progress = BULKHEAD__BLOB_PROGRESS__INIT;
    progress.received_bytes = transfer->received;
    Bulkhead__FetcherToEngine packet = BULKHEAD__FETCHER_TO_ENGINE__INIT;
    packet.body_case = BULKHEAD__FETCHER_TO_ENGINE__BODY_BLOB_PROGRESS;
    packet.blob_progress = &progress;
    (void)bh_request_progress(transfer->operation.request, &packet.base, NULL, 0);
}

static int refuse_excess(const struct transfer *transfer, struct bh_error *error)
{
    return bh_error_set(error, BH_DATA_LOSS, "%s %s: the server sends more than %llu bytes",
                        transfer->question.manifest ? "manifest" : "blob", transfer->question.reference,
                        (unsigned long long)transfer->question.size_bytes);
}

static enum http_take on_body(void *argument, const void *bytes, size_t n_bytes, struct bh_error *error)
{
    struct transfer *transfer = argument;
    const char *chunk = bytes;
    size_t at = transfer->held;
    transfer->held = 0;
    if (transfer->skip > 0) {
        size_t skipped = transfer->skip < n_bytes - at ? (size_t)transfer->skip : n_bytes - at;
        transfer->skip -= skipped;
        at += skipped;
    }
    if (n_bytes - at > transfer->question.size_bytes - transfer->received) {
        (void)refuse_excess(transfer, error);
        return HTTP_REFUSED;
    }
    while (at < n_bytes) {
        ssize_t written = write(transfer->pipe_fd, chunk + at, n_bytes - at);
        if (written > 0) {
            at += (size_t)written;
            transfer->received += (uint64_t)written;
        } else if (written < 0 && errno == EAGAIN) {
            transfer->held = at;
            transfer->operation.waiting_fd = transfer->pipe_fd;
            return HTTP_LATER;
        } else if (written < 0 && errno == EPIPE) {
            (void)bh_error_set(error, BH_ABORTED, "%s %s: the receiver closed its pipe",
                               transfer->question.manifest ? "manifest" : "blob", transfer->question.reference);
            return HTTP_REFUSED;
        } else if (written < 0 && errno != EINTR) {
            (void)bh_error_errno(error, errno, "write %s to its pipe", transfer->question.reference);
            return HTTP_REFUSED;
        }
    }
    tell_progress(transfer);
    return HTTP_TAKEN;
}

static int blob_complete(void *argument, const struct response *response, struct bh_error *error)
{
    (void)response;
    const struct transfer *transfer = argument;
    if (transfer->received != transfer->question.size_bytes) {
        return bh_error_set(error, BH_DATA_LOSS, "blob %s: the server sends %llu bytes instead of %llu",
                            transfer->question.reference, (unsigned long long)transfer->received,
                            (unsigned long long)transfer->question.size_bytes);
    }
    return 0;
}

/* ---- the answer ----------------------------------------------------------------------------------- */

static void answer_manifest(struct transfer *transfer)
{
    Bulkhead__ManifestFetched fetched = BULKHEAD__MANIFEST_FETCHED__INIT;
    fetched.size_bytes = transfer->received;
    if (transfer->head.media_type != BULKHEAD__MEDIA_TYPE__MEDIA_TYPE_UNSPECIFIED) {
        fetched.media_type_presence_case = BULKHEAD__MANIFEST_FETCHED__MEDIA_TYPE_PRESENCE_MEDIA_TYPE;
        fetched.media_type = transfer->head.media_type;
    }
    if (transfer->head.has_digest) {
        fetched.docker_content_digest.data = transfer->head.digest.bytes;
        fetched.docker_content_digest.len = BH_DIGEST_BYTES;
    }
    Bulkhead__FetcherToEngine packet = BULKHEAD__FETCHER_TO_ENGINE__INIT;
    packet.body_case = BULKHEAD__FETCHER_TO_ENGINE__BODY_MANIFEST_FETCHED;
    packet.manifest_fetched = &fetched;
    (void)bh_request_reply(transfer->operation.request, &packet.base, NULL, 0);
}

static void answer_blob(struct transfer *transfer)
{
    Bulkhead__BlobFetched fetched = BULKHEAD__BLOB_FETCHED__INIT;
    fetched.size_bytes = transfer->received;
    Bulkhead__FetcherToEngine packet = BULKHEAD__FETCHER_TO_ENGINE__INIT;
    packet.body_case = BULKHEAD__FETCHER_TO_ENGINE__BODY_BLOB_FETCHED;
    packet.blob_fetched = &fetched;
    (void)bh_request_reply(transfer->operation.request, &packet.base, NULL, 0);
}

static void on_done(void *argument, const struct response *response, const struct bh_error *error)
{
    (void)response;
    struct transfer *transfer = argument;
    if (!error) {
        bh_close(&transfer->pipe_fd); /* whoever hears the answer finds the end of the file */
        if (transfer->question.manifest) {
            answer_manifest(transfer);
        } else {
            answer_blob(transfer);
        }
    }
    operation_end(&transfer->operation, error);
}

int transfer_start(struct job *job, struct bh_request *request, const struct transfer_question *question, int pipe_fd,
                   struct bh_error *error)
{
    static const struct exchange_feature manifest_feature = {.head = manifest_head, .body = on_body, .done = on_done};
    static const struct exchange_feature blob_feature = {
        .offset = blob_offset, .head = blob_head, .body = on_body, .complete = blob_complete, .done = on_done};
    bh_autoclose int pipe = pipe_fd;
    int flags = fcntl(pipe, F_GETFL);
    if (flags < 0 || fcntl(pipe, F_SETFL, flags | O_NONBLOCK) < 0) {
        return bh_error_errno(error, errno, "prepare the pipe of %s", question->reference);
    }
    (void)fcntl(pipe, F_SETPIPE_SZ, PIPE_BYTES); /* only for speed */
    struct transfer *transfer = calloc(1, sizeof(*transfer));
    if (!transfer) {
        return bh_error_errno(error, ENOMEM, "hold a transfer");
    }
    *transfer = (struct transfer){.question = *question, .received = question->offset, .pipe_fd = -1};
    transfer->operation.free = transfer_free;
    char target[URL_TARGET_SIZE];
    const char *reference = transfer->question.reference;
    (void)snprintf(target, sizeof(target), "/v2/%s/%s/%s", job->session.repository,
                   question->manifest ? "manifests" : "blobs", reference);
    const struct exchange_question asked = {
        .target = target,
        .manifest = question->manifest,
        .patient = !question->manifest,
        .subject_manifest = question->manifest ? reference : NULL,
        .subject_blob = question->manifest ? NULL : reference,
    };
    if (operation_begin(&transfer->operation, job, request, error) < 0) {
        transfer_free(&transfer->operation);
        return -1;
    }
    if (exchange_start(&job->session, &asked, question->manifest ? &manifest_feature : &blob_feature, transfer,
                       &transfer->operation.exchange, error) < 0) {
        operation_end(&transfer->operation, NULL);
        return -1;
    }
    transfer->pipe_fd = bh_steal_fd(&pipe);
    return 0;
}
