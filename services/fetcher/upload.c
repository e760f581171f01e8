/* SPDX-License-Identifier: Apache-2.0
 *
 * A blob's way into a registry (distribution-spec, "Pushing blobs"); see upload.h. One exchange after the other:
 *
 *     CHECK -> (MOUNT -> CANCEL)* -> BEGIN -> SEND <-> ASK -> FINISH -> (VERIFY)
 *
 * and back to BEGIN when the registry has lost the upload.
 */
#include "upload.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "common/log.h"
#include "engine_fetcher.pb-c.h"
#include "retry.h"

#define PROGRESS_EVERY_MS 100U

enum step {
    STEP_CHECK,  /* HEAD of the blob */
    STEP_MOUNT,  /* POST with mount and from */
    STEP_CANCEL, /* DELETE of an upload that a refused mount has begun */
    STEP_BEGIN,  /* POST */
    STEP_SEND,   /* PATCH of everything that is left */
    STEP_ASK,    /* GET: how much has arrived? */
    STEP_FINISH, /* PUT with the digest */
    STEP_VERIFY, /* HEAD: has a PUT whose answer was lost done its work? */
};

struct upload {
    struct operation operation; /* first */
    enum step step;
    char digest[BH_DIGEST_TEXT_SIZE];
    struct http_file file; /* what is left to be sent */
    uint64_t size_bytes;
    char content_range[48];
    char *mount_from[UPLOAD_MOUNTS_MAX];
    size_t n_mount_from, next_mount;
    struct url location; /* of the upload */
    bool has_location;
    unsigned n_tries, n_restarts; /* without progress; all in all */
    uint64_t try_offset;          /* where the last try that counts began */
    uint64_t told_ms;
};

static void upload_free(struct operation *operation)
{
    struct upload *upload = (struct upload *)operation;
    for (size_t i = 0; i < upload->n_mount_from; i++) {
        free(upload->mount_from[i]);
    }
    bh_close(&upload->file.fd);
    free(upload);
}

/* ---- the end ---------------------------------------------------------------------------------------- */

static void succeed(struct upload *upload, Bulkhead__PushOutcome outcome, char *mounted_from)
{
    static char none[] = "";
    Bulkhead__BlobPushed pushed = BULKHEAD__BLOB_PUSHED__INIT;
    pushed.outcome = outcome;
    pushed.mounted_from = mounted_from ? mounted_from : none;
    Bulkhead__FetcherToEngine packet = BULKHEAD__FETCHER_TO_ENGINE__INIT;
    packet.body_case = BULKHEAD__FETCHER_TO_ENGINE__BODY_BLOB_PUSHED;
    packet.blob_pushed = &pushed;
    (void)bh_request_reply(upload->operation.request, &packet.base, NULL, 0);
    operation_end(&upload->operation, NULL);
}

#define OUTCOME(name) BULKHEAD__PUSH_OUTCOME__PUSH_OUTCOME_##name

/* ---- the steps --------------------------------------------------------------------------------------- */

static int take_answer(void *argument, const struct response *response, struct bh_error *error);
static void on_sent(void *argument, uint64_t sent_bytes);
static void on_done(void *argument, const struct response *response, const struct bh_error *error);

static void ask(struct upload *upload, const struct exchange_question *question)
{
    static const struct exchange_feature feature = {.complete = take_answer, .sent = on_sent, .done = on_done};
    struct bh_error error = {0};
    if (exchange_start(&upload->operation.job->session, question, &feature, upload, &upload->operation.exchange,
                       &error) < 0) {
        operation_end(&upload->operation, &error);
    }
}

static void go(struct upload *upload, enum step step, uint64_t delay_ms)
{
    const char *repository = upload->operation.job->session.repository;
    char target[URL_TARGET_SIZE];
    struct exchange_question question = {.target = target, .subject_blob = upload->digest, .delay_ms = delay_ms};
    upload->step = step;
    (void)snprintf(target, sizeof(target), "/v2/%s/blobs/uploads/", repository);
    switch (step) {
    case STEP_CHECK:
    case STEP_VERIFY:
        (void)snprintf(target, sizeof(target), "/v2/%s/blobs/%s", repository, upload->digest);
        question.method = HTTP_HEAD;
        question.patient = step == STEP_VERIFY;
        question.once = step == STEP_CHECK; /* whatever is wrong, the next request says it in words */
        break;
    case STEP_MOUNT:
        /* The name and the digest hold nothing that a query would have to escape. */
        (void)snprintf(target, sizeof(target), "/v2/%s/blobs/uploads/?mount=%s&from=%s", repository, upload->digest,
                       upload->mount_from[upload->next_mount]);
        question.method = HTTP_POST;
        break;
    case STEP_BEGIN:
        question.method = HTTP_POST;
        question.patient = true;
        break;
    case STEP_CANCEL:
        question.method = HTTP_DELETE;
        question.at = &upload->location;
        question.once = true;
        break;
    case STEP_SEND:
        question.method = HTTP_PATCH;
        question.at = &upload->location;
        question.file = &upload->file;
        question.content_type = "application/octet-stream";
        question.content_range = upload->file.offset > 0 ? upload->content_range : NULL;
        question.once = true;
        break;
    case STEP_ASK:
        question.at = &upload->location;
        question.patient = true;
        break;
    case STEP_FINISH:
        question.method = HTTP_PUT;
        question.at = &upload->location;
        question.patient = true;
        break;
    }
    ask(upload, &question);
}

static void send_from(struct upload *upload, uint64_t offset, uint64_t delay_ms)
{
    upload->file.offset = offset;
    upload->file.n_bytes = upload->size_bytes - offset;
    (void)snprintf(upload->content_range, sizeof(upload->content_range), "%llu-%llu", (unsigned long long)offset,
                   (unsigned long long)(upload->size_bytes - 1));
    go(upload, STEP_SEND, delay_ms);
}

/* The bytes are there: closes the upload, which is when the registry compares the digest. */
static void close_upload(struct upload *upload)
{
    size_t used = strlen(upload->location.target);
    int n = snprintf(upload->location.target + used, sizeof(upload->location.target) - used, "%cdigest=%s",
                     strchr(upload->location.target, '?') ? '&' : '?', upload->digest);
    if (n < 0 || (size_t)n >= sizeof(upload->location.target) - used) {
        struct bh_error error;
        (void)bh_error_set(&error, BH_DATA_LOSS, "blob %s: the upload's URL is too long", upload->digest);
        operation_end(&upload->operation, &error);
        return;
    }
    go(upload, STEP_FINISH, 0);
}

/* What is not there already and can't be mounted is uploaded, or mounted from the next repository. */
static void go_on(struct upload *upload)
{
    if (upload->next_mount < upload->n_mount_from) {
        go(upload, STEP_MOUNT, 0);
    } else if (upload->file.fd < 0) {
        succeed(upload, OUTCOME(ABSENT), NULL);
    } else {
        go(upload, STEP_BEGIN, 0);
    }
}

/* The registry has lost the upload, or what it has of it is worthless. */
static void restart(struct upload *upload, const struct bh_error *why)
{
    if (++upload->n_restarts > UPLOAD_RESTARTS_MAX) {
        operation_end(&upload->operation, why);
        return;
    }
    bh_log_info("upload of %s begins anew: %s", upload->digest, why->message);
    upload->has_location = false;
    upload->try_offset = 0;
    go(upload, STEP_BEGIN, retry_delay_ms(upload->n_restarts, 0, (uint32_t)bh_now_ms()));
}

/* A try that ended early. False: it was the last. */
static bool count_try(struct upload *upload, uint64_t offset)
{
    if (offset >= upload->try_offset + EXCHANGE_PROGRESS_BYTES) {
        upload->n_tries = 0;
        upload->try_offset = offset;
    }
    return ++upload->n_tries < EXCHANGE_TRIES_MAX;
}

static uint64_t pause_ms(const struct upload *upload, const struct response *response)
{
    uint32_t random = 0;
    if (getrandom(&random, sizeof(random), 0) < 0) {
        random = (uint32_t)bh_now_ms(); /* jitter needs no more */
    }
    return retry_delay_ms(upload->n_tries, response ? response->retry_after_s : 0, random);
}

/* ---- what the registry says ---------------------------------------------------------------------------- */

/* Where the upload goes on. Relative to where the answer came from, and never from https to plain HTTP. */
static int take_location(struct upload *upload, const struct response *response, struct bh_error *error)
{
    const struct url *from = exchange_url(upload->operation.exchange);
    struct url to;
    if (!response->has_location) {
        return upload->has_location
                   ? 0
                   : bh_error_set(error, BH_DATA_LOSS, "%s takes an upload without saying where to", from->origin.host);
    }
    if (url_resolve(from, response->location, &to, error) < 0 || url_check_redirect(from, &to, error) < 0) {
        return bh_error_wrap(error, "upload to %s", from->origin.host);
    }
    upload->location = to;
    upload->has_location = true;
    return 0;
}

/* Still within the exchange, whose URL a Location is relative to. */
static int take_answer(void *argument, const struct response *response, struct bh_error *error)
{
    struct upload *upload = argument;
    if (!response) {
        return -1; /* it broke off: that is no answer */
    }
    switch (upload->step) {
    case STEP_MOUNT:
        return response->status == 201 ? 0 : take_location(upload, response, error);
    case STEP_BEGIN:
    case STEP_SEND:
    case STEP_ASK:
        return take_location(upload, response, error);
    case STEP_FINISH:
        if (response->has_digest) {
            char text[BH_DIGEST_TEXT_SIZE];
            (void)bh_digest_text(&response->digest, text);
            if (strcmp(text, upload->digest) != 0) {
                return bh_error_set(error, BH_DATA_LOSS, "blob %s: the registry says that it has stored %s",
                                    upload->digest, text);
            }
        }
        return 0;
    default:
        return 0;
    }
}

/* How much the registry has, as it says: never more than was sent. */
static int arrived(const struct upload *upload, const struct response *response, uint64_t *ret_offset,
                   struct bh_error *error)
{
    if (!response->has_upload_range) {
        return bh_error_set(error, BH_UNAVAILABLE, "blob %s: the registry does not say what it has of it",
                            upload->digest);
    }
    if (response->upload_last >= upload->size_bytes) {
        return bh_error_set(error, BH_DATA_LOSS, "blob %s: the registry says that it has %llu bytes of %llu",
                            upload->digest, (unsigned long long)response->upload_last + 1,
                            (unsigned long long)upload->size_bytes);
    }
    /* "0-0" is said for one byte and for none. */
    *ret_offset = response->upload_last == 0 && upload->size_bytes > 1 ? 0 : response->upload_last + 1;
    return 0;
}

static void after_mount(struct upload *upload, const struct response *response, const struct bh_error *error)
{
    char *from = upload->mount_from[upload->next_mount++];
    if (!error && response->status == 201) {
        succeed(upload, OUTCOME(MOUNTED), from);
    } else if (error && !response) {
        operation_end(&upload->operation, error);
    } else if (error) {
        go_on(upload); /* not to be read from there: the bytes will do */
    } else if (upload->next_mount < upload->n_mount_from || upload->file.fd < 0) {
        go(upload, STEP_CANCEL, 0);
    } else {
        send_from(upload, 0, 0); /* it has begun an upload instead */
    }
}

static void after_send(struct upload *upload, const struct response *response, const struct bh_error *error)
{
    struct bh_error lie;
    uint64_t offset = upload->size_bytes;
    if (error) {
        bool passes = !response || response->status == 408 || response->status == 416 || response->status == 429 ||
                      response->status >= 500;
        bool lost = response && response->status == 404;
        if (lost) {
            restart(upload, error);
        } else if (!passes || error->code == BH_PERMISSION_DENIED || !count_try(upload, upload->file.offset)) {
            operation_end(&upload->operation, error);
        } else {
            bh_log_info("try %u of %s failed (%s)", upload->n_tries, upload->digest, error->message);
            go(upload, STEP_ASK, pause_ms(upload, response));
        }
        return;
    }
    if (response->has_upload_range && arrived(upload, response, &offset, &lie) < 0) {
        operation_end(&upload->operation, &lie);
    } else if (offset == upload->size_bytes) {
        close_upload(upload);
    } else if (count_try(upload, offset)) {
        send_from(upload, offset, pause_ms(upload, response));
    } else {
        (void)bh_error_set(&lie, BH_UNAVAILABLE, "blob %s: the registry takes %llu bytes of %llu and no more",
                           upload->digest, (unsigned long long)offset, (unsigned long long)upload->size_bytes);
        operation_end(&upload->operation, &lie);
    }
}

static void after_ask(struct upload *upload, const struct response *response, const struct bh_error *error)
{
    struct bh_error said = {0};
    uint64_t offset = 0;
    if (error && response && response->status >= 400 && response->status < 500) {
        restart(upload, error);
    } else if (error) {
        operation_end(&upload->operation, error);
    } else if (arrived(upload, response, &offset, &said) < 0 && said.code == BH_DATA_LOSS) {
        operation_end(&upload->operation, &said);
    } else if (said.code || offset == 0) {
        (void)bh_error_set(&said, BH_UNAVAILABLE, "blob %s: nothing of it has arrived", upload->digest);
        restart(upload, &said);
    } else if (offset == upload->size_bytes) {
        close_upload(upload);
    } else {
        send_from(upload, offset, 0);
    }
}

static void after_finish(struct upload *upload, const struct response *response, const struct bh_error *error)
{
    if (!error) {
        succeed(upload, OUTCOME(UPLOADED), NULL);
    } else if (response && (response->status == 404 || response->status == 400 || response->status == 416)) {
        go(upload, STEP_VERIFY, 0); /* the upload is gone: perhaps since an earlier PUT's answer was lost */
    } else {
        operation_end(&upload->operation, error);
    }
}

/* A registry that has answered before may come back: beginning an upload waits for that. One that never did is told of
 * at once. */
static void after_silence(struct upload *upload, const struct bh_error *error)
{
    bool answered = upload->operation.job->session.scheme_settled;
    if (answered && upload->file.fd >= 0 && error->code != BH_PERMISSION_DENIED) {
        go(upload, STEP_BEGIN, retry_delay_ms(1, 0, (uint32_t)bh_now_ms()));
    } else {
        operation_end(&upload->operation, error);
    }
}

static void on_done(void *argument, const struct response *response, const struct bh_error *error)
{
    struct upload *upload = argument;
    upload->operation.exchange = NULL;
    switch (upload->step) {
    case STEP_CHECK:
        if (error && !response) {
            after_silence(upload, error);
        } else if (error) {
            go_on(upload); /* absent; or not to be read, and then a request with a body says why */
        } else {
            succeed(upload, OUTCOME(EXISTS), NULL);
        }
        break;
    case STEP_MOUNT:
        after_mount(upload, response, error);
        break;
    case STEP_CANCEL:
        go_on(upload); /* the registry clears what is left of it some day by itself */
        break;
    case STEP_BEGIN:
        if (error) {
            operation_end(&upload->operation, error);
        } else {
            send_from(upload, 0, 0);
        }
        break;
    case STEP_SEND:
        after_send(upload, response, error);
        break;
    case STEP_ASK:
        after_ask(upload, response, error);
        break;
    case STEP_FINISH:
        after_finish(upload, response, error);
        break;
    case STEP_VERIFY:
        if (!error) {
            succeed(upload, OUTCOME(UPLOADED), NULL);
        } else {
            struct bh_error refused;
            (void)bh_error_set(&refused, BH_DATA_LOSS, "blob %s: the registry refuses what was uploaded",
                               upload->digest);
            restart(upload, &refused);
        }
        break;
    }
}

/* ---- progress ------------------------------------------------------------------------------------------ */

static void on_sent(void *argument, uint64_t sent_bytes)
{
    struct upload *upload = argument;
    uint64_t now_ms = bh_now_ms();
    if (upload->step != STEP_SEND || now_ms < upload->told_ms + PROGRESS_EVERY_MS) {
        return;
    }
    upload->told_ms = now_ms;
    Bulkhead__PushProgress progress = BULKHEAD__PUSH_PROGRESS__INIT;
    progress.sent_bytes = upload->file.offset + sent_bytes;
    Bulkhead__FetcherToEngine packet = BULKHEAD__FETCHER_TO_ENGINE__INIT;
    packet.body_case = BULKHEAD__FETCHER_TO_ENGINE__BODY_PUSH_PROGRESS;
    packet.push_progress = &progress;
    (void)bh_request_progress(upload->operation.request, &packet.base, NULL, 0);
}

/* ---- the start ------------------------------------------------------------------------------------------ */

int upload_start(struct job *job, struct bh_request *request, const struct upload_question *question, int blob_fd,
                 struct bh_error *error)
{
    bh_autoclose int blob = blob_fd;
    struct upload *upload = calloc(1, sizeof(*upload));
    if (!upload) {
        return bh_error_errno(error, ENOMEM, "hold an upload");
    }
    upload->operation.free = upload_free;
    upload->size_bytes = question->size_bytes;
    upload->file.fd = -1;
    (void)bh_digest_text(&question->digest, upload->digest);
    for (size_t i = 0; i < question->n_mount_from && i < UPLOAD_MOUNTS_MAX; i++) {
        upload->mount_from[i] = strdup(question->mount_from[i]);
        if (!upload->mount_from[i]) {
            upload_free(&upload->operation);
            return bh_error_errno(error, ENOMEM, "hold an upload");
        }
        upload->n_mount_from = i + 1;
    }
    if (operation_begin(&upload->operation, job, request, error) < 0) {
        upload_free(&upload->operation);
        return -1;
    }
    upload->file.fd = bh_steal_fd(&blob);
    go(upload, STEP_CHECK, 0); /* answers the request itself if it fails */
    return 0;
}
