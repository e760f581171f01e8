/* SPDX-License-Identifier: Apache-2.0
 *
 * Token requests over HTTP; what they may contain is decided in token.c. Redirects of a token server are not followed.
 */
#include "authorize.h"

#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "exchange.h"
#include "registry_error.h"

struct authorization {
    struct session *session;
    struct http_message *message;
    char host[URL_HOST_SIZE];
    char *body;
    size_t n_bytes;
};

static void authorization_free(struct authorization *authorization)
{
    if (authorization->body) {
        explicit_bzero(authorization->body, authorization->n_bytes);
    }
    free(authorization->body);
    free(authorization);
}

void authorize_abort(struct session *session)
{
    if (session->authorization) {
        http_abort(session->authorization->message);
        authorization_free(session->authorization);
        session->authorization = NULL;
    }
}

static int on_head(void *argument, const struct response *response, struct bh_error *error)
{
    (void)argument;
    if (response->has_length && response->length > TOKEN_REPLY_BYTES_MAX) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "a token answer longer than %d bytes is refused",
                            TOKEN_REPLY_BYTES_MAX);
    }
    return 0;
}

static enum http_take on_body(void *argument, const void *bytes, size_t n_bytes, struct bh_error *error)
{
    struct authorization *authorization = argument;
    if (n_bytes > TOKEN_REPLY_BYTES_MAX - authorization->n_bytes) {
        (void)bh_error_set(error, BH_RESOURCE_EXHAUSTED, "a token answer longer than %d bytes is refused",
                           TOKEN_REPLY_BYTES_MAX);
        return HTTP_REFUSED;
    }
    char *grown = realloc(authorization->body, authorization->n_bytes + n_bytes + 1);
    if (!grown) {
        (void)bh_error_errno(error, ENOMEM, "hold a token answer");
        return HTTP_REFUSED;
    }
    authorization->body = grown;
    memcpy(grown + authorization->n_bytes, bytes, n_bytes);
    authorization->n_bytes += n_bytes;
    grown[authorization->n_bytes] = '\0';
    return HTTP_TAKEN;
}

/* Makes the session's Authorization value out of a token server's answer. */
static int take_answer(struct authorization *authorization, const struct response *response, struct bh_error *error)
{
    struct session *session = authorization->session;
    if (response->status != 200) {
        const struct registry_subject subject = {.host = authorization->host, .repository = session->repository};
        if (response->status == 400 || response->status == 403) {
            /* Some token servers say so when the credentials are wrong. */
            (void)registry_error(&subject, 401, authorization->body, authorization->n_bytes, error);
        } else {
            (void)registry_error(&subject, response->status, authorization->body, authorization->n_bytes, error);
        }
        return bh_error_wrap(error, "ask %s for a token", authorization->host);
    }
    bh_autofree char *token = NULL;
    char *refresh_token = NULL, *header = NULL;
    if (token_reply_parse(authorization->body ? authorization->body : "", authorization->n_bytes, &token,
                          &refresh_token, error) < 0) {
        return -1;
    }
    free(session->refresh_token);
    session->refresh_token = refresh_token;
    if (asprintf(&header, "Bearer %s", token) < 0) {
        return bh_error_errno(error, ENOMEM, "hold a token");
    }
    explicit_bzero(token, strlen(token));
    session_set_header(session, header);
    return 0;
}

static void on_done(void *argument, const struct response *response, enum http_end end, const struct bh_error *failure)
{
    struct authorization *authorization = argument;
    struct session *session = authorization->session;
    struct bh_error error = {0};
    int result;
    if (end == HTTP_COMPLETE) {
        result = take_answer(authorization, response, &error);
    } else {
        error = *failure;
        result = bh_error_wrap(&error, "ask %s for a token", authorization->host);
    }
    session->authorization = NULL;
    authorization_free(authorization);
    exchanges_authorized(session, result < 0 ? &error : NULL);
}

static int ask_for_token(struct session *session, const struct challenge *challenge, struct bh_error *error)
{
    static const struct http_handler handler = {.head = on_head, .body = on_body, .done = on_done};
    const struct token_credentials credentials = {session->username, session->password, session->identity_token};
    struct token_request request;
    const struct token_scope scope = {.repository = session->repository,
                                      .push = session->push,
                                      .also_pull = (const char *const *)session->also_pull,
                                      .n_also_pull = session->n_also_pull};
    if (token_request_make(&session->origin, challenge, &scope, &credentials, session_trusts, session, &request,
                           error) < 0) {
        token_request_clear(&request);
        return -1;
    }
    struct authorization *authorization = calloc(1, sizeof(*authorization));
    if (!authorization) {
        token_request_clear(&request);
        return bh_error_errno(error, ENOMEM, "hold a token request");
    }
    authorization->session = session;
    (void)snprintf(authorization->host, sizeof(authorization->host), "%s", request.url.origin.host);
    const struct http_request http_request = {.url = &request.url,
                                              .method = request.form ? HTTP_POST : HTTP_GET,
                                              .authorization = request.authorization,
                                              .form = request.form};
    int result = http_start(session->http, &http_request, &handler, authorization, &authorization->message, error);
    token_request_clear(&request);
    if (result < 0) {
        (void)bh_error_wrap(error, "ask %s for a token", authorization->host);
        authorization_free(authorization);
        return -1;
    }
    session->authorization = authorization;
    return 0;
}

int authorize(struct session *session, const struct challenge *challenge, struct bh_error *error)
{
    if (session->authorization) {
        return 0;
    }
    if (challenge->bearer && challenge->realm[0]) {
        return ask_for_token(session, challenge, error);
    }
    if (!challenge->basic || !session->username[0]) {
        return bh_error_set(error, BH_UNAUTHENTICATED, "no basic auth credentials"); /* as Docker says it */
    }
    char *header = token_basic(session->username, session->password);
    if (!header) {
        return bh_error_errno(error, ENOMEM, "hold credentials");
    }
    session_set_header(session, header);
    return 1;
}
