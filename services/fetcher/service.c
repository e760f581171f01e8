/* SPDX-License-Identifier: Apache-2.0
 *
 * The fetcher's channels. On the engine's main channel only Spawn; on a worker's job channel the questions of one pull.
 * Handlers decode, check and hand over; job.c's loop brings the answers.
 */
#include "service.h"

#include <stdio.h>
#include <string.h>

#include "check.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "engine_fetcher.pb-c.h"
#include "fetcher_dialer.pb-c.h"
#include "job.h"
#include "sandbox.h"
#include "search.h"
#include "tags.h"
#include "transfer.h"
#include "upload.h"

#define STATE_NEW  1u
#define STATE_OPEN 2u

/* ---- the job channel, in a worker ---------------------------------------------------------------- */

static void handle_open_registry(struct bh_request *request)
{
    struct job *job = bh_request_owner(request);
    const Bulkhead__OpenRegistry *message = bh_request_body(request);
    const Bulkhead__Credentials *given = message->credentials;
    const struct session_credentials credentials = {
        .username = given ? given->username : "",
        .password = given ? given->password : "",
        .identity_token = given ? given->identity_token : "",
        .registry_token = given ? given->registry_token : "",
    };
    const struct session_target target = {.registry = message->host,
                                          .repository = message->repository,
                                          .push = message->push,
                                          .also_pull = message->also_pull,
                                          .n_also_pull = message->n_also_pull};
    struct bh_error error = {0};
    if (session_open(&job->session, &target, &credentials, &error) < 0) {
        (void)bh_request_fail(request, &error);
        return;
    }
    bh_channel_set_state(bh_request_channel(request), STATE_OPEN);
    Bulkhead__Done done = BULKHEAD__DONE__INIT;
    Bulkhead__FetcherToEngine packet = BULKHEAD__FETCHER_TO_ENGINE__INIT;
    packet.body_case = BULKHEAD__FETCHER_TO_ENGINE__BODY_DONE;
    packet.done = &done;
    (void)bh_request_reply(request, &packet.base, NULL, 0);
}

static int copy_digest(const ProtobufCBinaryData *bytes, char reference[static BH_DIGEST_TEXT_SIZE],
                       struct bh_error *error)
{
    struct bh_digest digest;
    if (bh_digest_from_bytes(bytes->data, bytes->len, &digest, error) < 0) {
        return -1;
    }
    (void)bh_digest_text(&digest, reference);
    return 0;
}

static int copy_tag(const char *tag, char reference[static BH_TAG_BYTES_MAX + 1], struct bh_error *error)
{
    if (!tags_is_tag(tag)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "tag \"%.64s\" must be 1 to %d letters, digits, \"_\", \".\" or \"-\"", tag,
                            BH_TAG_BYTES_MAX);
    }
    memcpy(reference, tag, strlen(tag) + 1);
    return 0;
}

static int validate_manifest(const Bulkhead__FetchManifest *message, struct transfer_question *ret_question,
                             struct bh_error *error)
{
    *ret_question = (struct transfer_question){.manifest = true};
    switch (message->which_case) {
    case BULKHEAD__FETCH_MANIFEST__WHICH_TAG:
        return copy_tag(message->tag, ret_question->reference, error);
    case BULKHEAD__FETCH_MANIFEST__WHICH_DIGEST:
        return copy_digest(&message->digest, ret_question->reference, error);
    default:
        return bh_error_set(error, BH_INVALID_ARGUMENT, "FetchManifest must name a tag or a digest");
    }
}

static int validate_blob(const Bulkhead__FetchBlob *message, struct transfer_question *ret_question,
                         struct bh_error *error)
{
    *ret_question = (struct transfer_question){.size_bytes = message->size_bytes, .offset = message->offset};
    if (message->size_bytes == 0 || message->size_bytes > BH_BLOB_BYTES_MAX || message->offset >= message->size_bytes) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "a blob of %llu bytes from %llu: the size must be 1 to %llu and the offset below it",
                            (unsigned long long)message->size_bytes, (unsigned long long)message->offset,
                            BH_BLOB_BYTES_MAX);
    }
    return copy_digest(&message->digest, ret_question->reference, error);
}

/* The session must name a repository for anything but CheckCredentials. */
static int check_repository(const struct job *job, struct bh_error *error)
{
    return job->session.repository[0]
               ? 0
               : bh_error_set(error, BH_FAILED_PRECONDITION, "the job was opened without a repository to ask for");
}

static void handle_fetch_manifest(struct bh_request *request)
{
    struct job *job = bh_request_owner(request);
    struct transfer_question question;
    struct bh_error error = {0};
    if (check_repository(job, &error) < 0 || validate_manifest(bh_request_body(request), &question, &error) < 0 ||
        transfer_start(job, request, &question, bh_request_take_fd(request, 0), &error) < 0) {
        (void)bh_request_fail(request, &error);
    }
}

static void handle_fetch_blob(struct bh_request *request)
{
    struct job *job = bh_request_owner(request);
    struct transfer_question question;
    struct bh_error error = {0};
    if (check_repository(job, &error) < 0 || validate_blob(bh_request_body(request), &question, &error) < 0 ||
        transfer_start(job, request, &question, bh_request_take_fd(request, 0), &error) < 0) {
        (void)bh_request_fail(request, &error);
    }
}

static void handle_check_blob(struct bh_request *request)
{
    struct job *job = bh_request_owner(request);
    const Bulkhead__CheckBlob *message = bh_request_body(request);
    struct bh_digest digest;
    struct bh_error error = {0};
    if (check_repository(job, &error) < 0 ||
        bh_digest_from_bytes(message->digest.data, message->digest.len, &digest, &error) < 0 ||
        check_blob_start(job, request, &digest, &error) < 0) {
        (void)bh_request_fail(request, &error);
    }
}

static void handle_check_credentials(struct bh_request *request)
{
    struct bh_error error = {0};
    if (check_credentials_start(bh_request_owner(request), request, &error) < 0) {
        (void)bh_request_fail(request, &error);
    }
}

static int check_push(const struct job *job, struct bh_error *error)
{
    if (check_repository(job, error) < 0) {
        return -1;
    }
    return job->session.push ? 0 : bh_error_set(error, BH_FAILED_PRECONDITION, "the job was not opened for pushing");
}

static int validate_push(const Bulkhead__PushBlob *message, struct upload_question *ret_question,
                         struct bh_error *error)
{
    *ret_question = (struct upload_question){
        .size_bytes = message->size_bytes, .mount_from = message->mount_from, .n_mount_from = message->n_mount_from};
    if (message->size_bytes == 0 || message->size_bytes > BH_BLOB_BYTES_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "a blob of %llu bytes: it has 1 to %llu",
                            (unsigned long long)message->size_bytes, BH_BLOB_BYTES_MAX);
    }
    if (message->n_mount_from > UPLOAD_MOUNTS_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "more than %d repositories to mount from", UPLOAD_MOUNTS_MAX);
    }
    for (size_t i = 0; i < message->n_mount_from; i++) {
        if (!message->mount_from[i][0] || !session_is_repository(message->mount_from[i])) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "\"%.64s\" is no repository to mount from",
                                message->mount_from[i]);
        }
    }
    return bh_digest_from_bytes(message->digest.data, message->digest.len, &ret_question->digest, error);
}

static void handle_push_blob(struct bh_request *request)
{
    struct job *job = bh_request_owner(request);
    struct upload_question question;
    struct bh_error error = {0};
    if (check_push(job, &error) < 0 || validate_push(bh_request_body(request), &question, &error) < 0 ||
        upload_start(job, request, &question, bh_request_take_fd(request, 0), &error) < 0) {
        (void)bh_request_fail(request, &error);
    }
}

static void handle_push_manifest(struct bh_request *request)
{
    struct job *job = bh_request_owner(request);
    const Bulkhead__PushManifest *message = bh_request_body(request);
    char tag[BH_TAG_BYTES_MAX + 1];
    struct bh_error error = {0};
    int result = check_push(job, &error) < 0 ? -1 : copy_tag(message->tag, tag, &error);
    if (result == 0 && (message->size_bytes == 0 || message->size_bytes > BH_MANIFEST_BYTES_MAX)) {
        result = bh_error_set(&error, BH_INVALID_ARGUMENT, "a manifest of %llu bytes: it has 1 to %llu",
                              (unsigned long long)message->size_bytes, BH_MANIFEST_BYTES_MAX);
    }
    if (result < 0 || upload_manifest_start(job, request, tag, message->media_type, message->size_bytes,
                                            bh_request_take_fd(request, 0), &error) < 0) {
        (void)bh_request_fail(request, &error);
    }
}

static void handle_list_tags(struct bh_request *request)
{
    struct job *job = bh_request_owner(request);
    struct bh_error error = {0};
    if (check_repository(job, &error) < 0 || tags_start(job, request, &error) < 0) {
        (void)bh_request_fail(request, &error);
    }
}

static void handle_search_images(struct bh_request *request)
{
    const Bulkhead__SearchImages *message = bh_request_body(request);
    struct bh_error error = {0};
    if (search_start(bh_request_owner(request), request, message->term, message->limit, &error) < 0) {
        (void)bh_request_fail(request, &error);
    }
}

static const struct bh_protocol job_protocol = {
    .name = "engine_fetcher job",
    .incoming = &bulkhead__engine_to_fetcher__descriptor,
    .outgoing = &bulkhead__fetcher_to_engine__descriptor,
    .handlers =
        (const struct bh_handler[]){
            {BULKHEAD__ENGINE_TO_FETCHER__BODY_OPEN_REGISTRY, "OpenRegistry", STATE_NEW, 0, 0, handle_open_registry},
            {BULKHEAD__ENGINE_TO_FETCHER__BODY_FETCH_MANIFEST, "FetchManifest", STATE_OPEN, 1, 1,
             handle_fetch_manifest},
            {BULKHEAD__ENGINE_TO_FETCHER__BODY_FETCH_BLOB, "FetchBlob", STATE_OPEN, 1, 1, handle_fetch_blob},
            {BULKHEAD__ENGINE_TO_FETCHER__BODY_CHECK_BLOB, "CheckBlob", STATE_OPEN, 0, 0, handle_check_blob},
            {BULKHEAD__ENGINE_TO_FETCHER__BODY_CHECK_CREDENTIALS, "CheckCredentials", STATE_OPEN, 0, 0,
             handle_check_credentials},
            {BULKHEAD__ENGINE_TO_FETCHER__BODY_PUSH_BLOB, "PushBlob", STATE_OPEN, 0, 1, handle_push_blob},
            {BULKHEAD__ENGINE_TO_FETCHER__BODY_PUSH_MANIFEST, "PushManifest", STATE_OPEN, 1, 1, handle_push_manifest},
            {BULKHEAD__ENGINE_TO_FETCHER__BODY_SEARCH_IMAGES, "SearchImages", STATE_OPEN, 0, 0, handle_search_images},
            {BULKHEAD__ENGINE_TO_FETCHER__BODY_LIST_TAGS, "ListTags", STATE_OPEN, 0, 0, handle_list_tags},
            {0},
        },
};

static int work(struct bh_service_context *context, int job_fd, void *argument)
{
    return job_run(context, &job_protocol, job_fd, *(const int *)argument);
}

/* ---- the main channels, in the parent -------------------------------------------------------------- */

static void on_dialer_spawned(struct bh_message *message, const struct bh_error *error, void *argument)
{
    (void)argument;
    if (error) {
        bh_log_failure(BH_LOG_WARNING, error, "ask the dialer for a worker"); /* ours finds its channel closed */
    }
    bh_message_free(message);
}

/* Gives the dialer one end of a fresh channel; *ret_fd is the other, for our worker. */
static int reach_dialer(struct bh_service_context *context, int *ret_fd, struct bh_error *error)
{
    int ends[2];
    if (bh_channel_pair(ends, error) < 0) {
        return -1;
    }
    bh_autoclose int ours = ends[0];
    bh_autoclose int theirs = ends[1];
    Bulkhead__Spawn spawn = BULKHEAD__SPAWN__INIT;
    Bulkhead__FetcherToDialer packet = BULKHEAD__FETCHER_TO_DIALER__INIT;
    packet.body_case = BULKHEAD__FETCHER_TO_DIALER__BODY_SPAWN;
    packet.spawn = &spawn;
    if (bh_call_async(bh_service_peer(context, BH_ROLE_DIALER), &packet.base, &theirs, 1, 0, on_dialer_spawned, NULL,
                      NULL, error) < 0) {
        return bh_error_wrap(error, "ask the dialer for a worker");
    }
    *ret_fd = bh_steal_fd(&ours);
    return 0;
}

static void handle_spawn(struct bh_request *request)
{
    struct bh_service_context *context = bh_request_owner(request);
    bh_autoclose int job_fd = bh_request_take_fd(request, 0);
    bh_autoclose int dialer_fd = -1;
    struct bh_error error = {0};
    pid_t pid;
    if (reach_dialer(context, &dialer_fd, &error) < 0) {
        (void)bh_request_fail(request, &error);
        return;
    }
    const struct bh_worker worker = {
        .sandbox = &fetcher_worker_sandbox, .name = "fetch", .work = work, .keep = &dialer_fd, .n_keep = 1};
    if (bh_worker_fork(context, &worker, job_fd, &dialer_fd, &pid, &error) < 0) {
        (void)bh_request_fail(request, &error);
        return;
    }
    Bulkhead__Spawned spawned = BULKHEAD__SPAWNED__INIT;
    spawned.pid = pid;
    Bulkhead__FetcherToEngine packet = BULKHEAD__FETCHER_TO_ENGINE__INIT;
    packet.body_case = BULKHEAD__FETCHER_TO_ENGINE__BODY_SPAWNED;
    packet.spawned = &spawned;
    (void)bh_request_reply(request, &packet.base, NULL, 0);
}

static const struct bh_protocol engine_protocol = {
    .name = "engine_fetcher",
    .incoming = &bulkhead__engine_to_fetcher__descriptor,
    .outgoing = &bulkhead__fetcher_to_engine__descriptor,
    .handlers =
        (const struct bh_handler[]){
            {BULKHEAD__ENGINE_TO_FETCHER__BODY_SPAWN, "Spawn", ~0u, 1, 1, handle_spawn},
            {0},
        },
};

static const struct bh_protocol dialer_protocol = {
    .name = "fetcher_dialer",
    .incoming = &bulkhead__dialer_to_fetcher__descriptor,
    .outgoing = &bulkhead__fetcher_to_dialer__descriptor,
};

const struct bh_peer fetcher_peers[] = {
    {.role = BH_ROLE_ENGINE, .protocol = &engine_protocol},
    {.role = BH_ROLE_DIALER, .protocol = &dialer_protocol},
    {.role = BH_ROLE_NONE},
};

int fetcher_init(struct bh_service_context *context, struct bh_error *error)
{
    (void)context;
    return http_init(error);
}
