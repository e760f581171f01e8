/* SPDX-License-Identifier: Apache-2.0
 *
 * Questions without a body; see check.h.
 */
#include "check.h"

#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "engine_fetcher.pb-c.h"

struct check {
    struct operation operation; /* first */
    char digest[BH_DIGEST_TEXT_SIZE];
};

static void check_free(struct operation *operation)
{
    free((struct check *)operation);
}

static void blob_done(void *argument, const struct response *response, const struct bh_error *error)
{
    struct check *check = argument;
    if (!error) {
        Bulkhead__BlobAvailable available = BULKHEAD__BLOB_AVAILABLE__INIT;
        available.size_bytes = response->has_length ? response->length : 0;
        Bulkhead__FetcherToEngine packet = BULKHEAD__FETCHER_TO_ENGINE__INIT;
        packet.body_case = BULKHEAD__FETCHER_TO_ENGINE__BODY_BLOB_AVAILABLE;
        packet.blob_available = &available;
        (void)bh_request_reply(check->operation.request, &packet.base, NULL, 0);
    }
    operation_end(&check->operation, error);
}

/* Docker's words for a registry that does not take the credentials. */
static void explain_login(const struct check *check, const struct response *response, struct bh_error *error)
{
    const struct session *session = &check->operation.job->session;
    char authority[URL_AUTHORITY_SIZE];
    const char *scheme = session->origin.https ? "https" : "http";
    (void)origin_authority(&session->origin, authority);
    if (response && response->status == 401 && session->username[0] && response->challenge.basic) {
        (void)bh_error_set(error, BH_UNAUTHENTICATED,
                           "login attempt to %s://%s/v2/ failed with status: 401 Unauthorized", scheme, authority);
    } else if (error->code == BH_UNAUTHENTICATED) {
        (void)bh_error_wrap(error, "Get \"%s://%s/v2/\"", scheme, authority);
    }
}

static void credentials_done(void *argument, const struct response *response, const struct bh_error *error)
{
    struct check *check = argument;
    if (error) {
        struct bh_error told = *error;
        explain_login(check, response, &told);
        operation_end(&check->operation, &told);
        return;
    }
    static char none[] = "";
    Bulkhead__CredentialsAccepted accepted = BULKHEAD__CREDENTIALS_ACCEPTED__INIT;
    char *token = check->operation.job->session.refresh_token;
    accepted.identity_token = token ? token : none;
    Bulkhead__FetcherToEngine packet = BULKHEAD__FETCHER_TO_ENGINE__INIT;
    packet.body_case = BULKHEAD__FETCHER_TO_ENGINE__BODY_CREDENTIALS_ACCEPTED;
    packet.credentials_accepted = &accepted;
    (void)bh_request_reply(check->operation.request, &packet.base, NULL, 0);
    operation_end(&check->operation, NULL);
}

static int start(struct job *job, struct bh_request *request, const struct bh_digest *digest,
                 const struct exchange_feature *feature, struct bh_error *error)
{
    struct check *check = calloc(1, sizeof(*check));
    if (!check) {
        return bh_error_errno(error, ENOMEM, "hold a check");
    }
    check->operation.free = check_free;
    char target[URL_TARGET_SIZE] = "/v2/";
    if (digest) {
        (void)snprintf(target, sizeof(target), "/v2/%s/blobs/%s", job->session.repository,
                       bh_digest_text(digest, check->digest));
    }
    const struct exchange_question question = {
        .target = target, .method = digest ? HTTP_HEAD : HTTP_GET, .subject_blob = digest ? check->digest : NULL};
    if (operation_begin(&check->operation, job, request, error) < 0) {
        check_free(&check->operation);
        return -1;
    }
    if (exchange_start(&job->session, &question, feature, check, &check->operation.exchange, error) < 0) {
        operation_end(&check->operation, NULL);
        return -1;
    }
    return 0;
}

int check_blob_start(struct job *job, struct bh_request *request, const struct bh_digest *digest,
                     struct bh_error *error)
{
    static const struct exchange_feature feature = {.done = blob_done};
    return start(job, request, digest, &feature, error);
}

int check_credentials_start(struct job *job, struct bh_request *request, struct bh_error *error)
{
    static const struct exchange_feature feature = {.done = credentials_done};
    return start(job, request, NULL, &feature, error);
}
