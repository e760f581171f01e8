/* SPDX-License-Identifier: Apache-2.0
 *
 * The life of one question to a registry; see exchange.h. A small state machine: DUE -> SENT -> (DUE again | WAITING
 * for a token) -> gone.
 */
#include "exchange.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "authorize.h"
#include "common/cleanup.h"
#include "common/io.h"
#include "common/log.h"
#include "retry.h"

enum exchange_state {
    EXCHANGE_DUE,     /* to be sent at `due_ms` */
    EXCHANGE_SENT,    /* `message` is under way */
    EXCHANGE_WAITING, /* for a token */
};

struct exchange {
    TAILQ_ENTRY(exchange) next;
    struct session *session;
    struct exchange_question question;
    const struct exchange_feature *feature;
    void *argument;

    enum exchange_state state;
    uint64_t due_ms;
    struct http_message *message;
    struct url url;   /* of this hop */
    struct url start; /* of the first */
    unsigned n_redirects, n_tries;
    unsigned generation; /* of the Authorization value that this hop carried */
    bool authorized;     /* a 401 was answered in this try already */
    bool success;        /* the head of this hop was a 2xx */
    uint64_t try_offset; /* where this try began */
    char *complaint;     /* body of a response that is no 2xx */
    size_t complaint_bytes;
    char target[]; /* question.target */
};

static void exchange_free(struct exchange *exchange)
{
    TAILQ_REMOVE(&exchange->session->exchanges, exchange, next);
    free(exchange->complaint);
    free(exchange);
}

void exchange_abort(struct exchange *exchange)
{
    http_abort(exchange->message);
    exchange_free(exchange);
}

const struct url *exchange_url(const struct exchange *exchange)
{
    return &exchange->url;
}

void exchange_resume(struct exchange *exchange)
{
    if (exchange->message) {
        http_resume(exchange->message);
    }
}

static void finish(struct exchange *exchange, const struct response *response, const struct bh_error *error)
{
    const struct exchange_feature *feature = exchange->feature;
    void *argument = exchange->argument;
    exchange_free(exchange);
    feature->done(argument, response, error);
}

static void fail(struct exchange *exchange, const struct response *response, const struct bh_error *error)
{
    finish(exchange, response, error);
}

/* ---- again ------------------------------------------------------------------------------------------ */

static uint64_t feature_offset(const struct exchange *exchange)
{
    return exchange->feature->offset ? exchange->feature->offset(exchange->argument) : 0;
}

static void send_soon(struct exchange *exchange, uint64_t delay_ms)
{
    exchange->state = EXCHANGE_DUE;
    exchange->due_ms = bh_now_ms() + delay_ms;
}

/* Back to the registry itself, with a clean slate. */
static void start_over(struct exchange *exchange, uint64_t delay_ms)
{
    if (!exchange->question.at) {
        exchange->start.origin = exchange->session->origin;
    }
    exchange->url = exchange->start;
    exchange->n_redirects = 0;
    exchange->authorized = false;
    send_soon(exchange, delay_ms);
}

/* Another try after a failure that may pass, or the end. */
static void try_again(struct exchange *exchange, const struct response *response, const struct bh_error *error)
{
    unsigned retry_after_s = response ? response->retry_after_s : 0;
    uint64_t offset = feature_offset(exchange);
    /* A body that cannot be resumed and has begun to arrive cannot be taken back. */
    bool started = exchange->success && !exchange->feature->offset && exchange->feature->body;
    if (offset >= exchange->try_offset + EXCHANGE_PROGRESS_BYTES) {
        exchange->n_tries = 0;
    }
    if (++exchange->n_tries >= EXCHANGE_TRIES_MAX || started || exchange->question.once) {
        fail(exchange, response, error);
        return;
    }
    uint32_t random = 0;
    if (getrandom(&random, sizeof(random), 0) < 0) {
        random = (uint32_t)bh_now_ms(); /* jitter needs no more */
    }
    uint64_t delay_ms = retry_delay_ms(exchange->n_tries, retry_after_s, random);
    bh_log_info("try %u of %s on %s failed (%s), next in %llu ms", exchange->n_tries, exchange->target,
                exchange->session->registry, error->message, (unsigned long long)delay_ms);
    start_over(exchange, delay_ms);
}

/* ---- connections that fail ---------------------------------------------------------------------------- */

/* Registries that may be insecure are asked in plain HTTP if they do not speak TLS (as Docker does). */
static bool fall_back_to_http(struct exchange *exchange, enum http_end end, const struct bh_error *error)
{
    struct session *session = exchange->session;
    if (!exchange->url.origin.https || exchange->n_redirects > 0 || exchange->question.at) {
        return false;
    }
    if (!session->origin.https) {
        start_over(exchange, 0); /* another exchange has found out meanwhile */
        return true;
    }
    const struct known_origin *known = connections_find(session->connections, &session->origin);
    bool no_tls = end == HTTP_NO_TLS && known && known->insecure;
    bool no_port = end == HTTP_UNREACHABLE && !session->has_port && error->code != BH_PERMISSION_DENIED;
    if (session->scheme_settled || (!no_tls && !no_port)) {
        return false;
    }
    session->https_failure = *error;
    session->origin.https = false;
    session->origin.port = session->has_port ? session->origin.port : 80;
    start_over(exchange, 0);
    return true;
}

static void on_failure(struct exchange *exchange, enum http_end end, const struct bh_error *error)
{
    struct session *session = exchange->session;
    if (fall_back_to_http(exchange, end, error)) {
        return;
    }
    struct bh_error told = *error;
    if (!session->scheme_settled && !session->origin.https && session->https_failure.code != BH_OK &&
        end == HTTP_UNREACHABLE) {
        told = session->https_failure; /* plain HTTP was only a guess */
        session->origin.https = true;
        session->origin.port = session->has_port ? session->origin.port : 443;
        session->https_failure = (struct bh_error){0};
    }
    char authority[URL_AUTHORITY_SIZE];
    if (end != HTTP_STOPPED) {
        (void)bh_error_wrap(&told, "Get \"%s://%s/v2/\"", exchange->url.origin.https ? "https" : "http",
                            origin_authority(&exchange->url.origin, authority));
    }
    bool may_pass = end == HTTP_BROKEN || end == HTTP_SLOW || (end == HTTP_NO_TLS && session->scheme_settled) ||
                    (end == HTTP_UNREACHABLE && exchange->question.patient &&
                     (told.code == BH_UNAVAILABLE || told.code == BH_DEADLINE_EXCEEDED));
    bool whole = end == HTTP_BROKEN && exchange->success && exchange->feature->complete &&
                 exchange->feature->complete(exchange->argument, NULL, NULL) == 0;
    if (whole) {
        finish(exchange, NULL, NULL); /* it only broke after the last byte */
    } else if (may_pass) {
        try_again(exchange, NULL, &told);
    } else {
        fail(exchange, NULL, &told);
    }
}

/* ---- answers -------------------------------------------------------------------------------------------- */

static void complain(struct exchange *exchange, const struct response *response)
{
    const struct session *session = exchange->session;
    const struct registry_subject subject = {.host = session->registry,
                                             .repository = session->repository,
                                             .manifest = exchange->question.subject_manifest,
                                             .blob = exchange->question.subject_blob,
                                             .push = session->push};
    struct bh_error error = {0};
    (void)registry_error(&subject, response->status, exchange->complaint, exchange->complaint_bytes, &error);
    if (!origin_equal(&exchange->url.origin, &session->origin)) {
        (void)bh_error_wrap(&error, "follow a redirect of %s to %s", session->registry, exchange->url.origin.host);
    }
    bool may_pass = response->status == 429 || response->status == 408 || response->status >= 500;
    bool soon = exchange->question.patient || response->retry_after_s <= EXCHANGE_IMPATIENT_S;
    if (may_pass && soon) {
        exchange->success = false;
        try_again(exchange, response, &error);
    } else {
        fail(exchange, response, &error);
    }
}

static void on_unauthorized(struct exchange *exchange, const struct response *response)
{
    struct session *session = exchange->session;
    bool own = origin_equal(&exchange->url.origin, &session->origin);
    if (!own || !response->has_challenge || exchange->authorized) {
        complain(exchange, response);
        return;
    }
    if (exchange->generation != session->generation) {
        send_soon(exchange, 0); /* a newer token has come since this was sent */
        return;
    }
    exchange->authorized = true;
    struct bh_error error = {0};
    int result = authorize(session, &response->challenge, &error);
    if (result == 0) {
        exchange->state = EXCHANGE_WAITING;
    } else if (result > 0) {
        send_soon(exchange, 0);
    } else if (error.code == BH_UNAUTHENTICATED && !response->challenge.basic) {
        complain(exchange, response); /* the registry's own words say more */
    } else {
        fail(exchange, NULL, &error);
    }
}

void exchanges_authorized(struct session *session, const struct bh_error *error)
{
    struct exchange *exchange, *following;
    for (exchange = TAILQ_FIRST(&session->exchanges); exchange; exchange = following) {
        following = TAILQ_NEXT(exchange, next);
        if (exchange->state != EXCHANGE_WAITING) {
            continue;
        }
        if (error) {
            fail(exchange, NULL, error);
        } else {
            send_soon(exchange, 0);
        }
    }
}

static int follow_redirect(struct exchange *exchange, const struct response *response, struct bh_error *error)
{
    struct url to;
    bool reads = exchange->question.method == HTTP_GET || exchange->question.method == HTTP_HEAD;
    if (!reads && response->status != 307 && response->status != 308) {
        return bh_error_set(error, BH_DATA_LOSS, "%s answers an upload with a redirect of status %u",
                            exchange->url.origin.host, response->status);
    }
    if (!response->has_location) {
        return bh_error_set(error, BH_DATA_LOSS, "%s redirects without saying where to", exchange->url.origin.host);
    }
    if (++exchange->n_redirects > EXCHANGE_REDIRECTS_MAX) {
        return bh_error_set(error, BH_UNAVAILABLE, "%s redirects more than %d times", exchange->session->registry,
                            EXCHANGE_REDIRECTS_MAX);
    }
    if (url_resolve(&exchange->url, response->location, &to, error) < 0 ||
        url_check_redirect(&exchange->url, &to, error) < 0) {
        return bh_error_wrap(error, "follow a redirect of %s", exchange->url.origin.host);
    }
    exchange->url = to;
    send_soon(exchange, 0);
    return 0;
}

/* ---- what HTTP tells us ------------------------------------------------------------------------------------ */

static int on_head(void *argument, const struct response *response, struct bh_error *error)
{
    struct exchange *exchange = argument;
    exchange->success = response->status >= 200 && response->status < 300;
    if (origin_equal(&exchange->url.origin, &exchange->session->origin)) {
        exchange->session->scheme_settled = true;
    }
    if (exchange->success && exchange->feature->head) {
        return exchange->feature->head(exchange->argument, response, error);
    }
    return 0;
}

/* Keeps the beginning of a body that says what went wrong. */
static enum http_take take_complaint(struct exchange *exchange, const void *bytes, size_t n_bytes,
                                     struct bh_error *error)
{
    if (n_bytes > REGISTRY_ERROR_BYTES_MAX - exchange->complaint_bytes) {
        (void)bh_error_set(error, BH_RESOURCE_EXHAUSTED, "%s sends an error message longer than %d bytes",
                           exchange->url.origin.host, REGISTRY_ERROR_BYTES_MAX);
        return HTTP_REFUSED;
    }
    char *grown = realloc(exchange->complaint, exchange->complaint_bytes + n_bytes);
    if (!grown) {
        (void)bh_error_errno(error, ENOMEM, "hold an error message");
        return HTTP_REFUSED;
    }
    memcpy(grown + exchange->complaint_bytes, bytes, n_bytes);
    exchange->complaint = grown;
    exchange->complaint_bytes += n_bytes;
    return HTTP_TAKEN;
}

static enum http_take on_body(void *argument, const void *bytes, size_t n_bytes, struct bh_error *error)
{
    struct exchange *exchange = argument;
    if (!exchange->success) {
        return take_complaint(exchange, bytes, n_bytes, error);
    }
    return exchange->feature->body ? exchange->feature->body(exchange->argument, bytes, n_bytes, error) : HTTP_TAKEN;
}

static void on_success(struct exchange *exchange, const struct response *response)
{
    struct bh_error error = {0};
    if (!exchange->feature->complete || exchange->feature->complete(exchange->argument, response, &error) == 0) {
        finish(exchange, response, NULL);
    } else if (error.code == BH_UNAVAILABLE) {
        try_again(exchange, NULL, &error);
    } else {
        fail(exchange, response, &error);
    }
}

static void on_done(void *argument, const struct response *response, enum http_end end, const struct bh_error *error)
{
    struct exchange *exchange = argument;
    exchange->message = NULL;
    if (end != HTTP_COMPLETE) {
        on_failure(exchange, end, error);
        return;
    }
    struct bh_error refusal = {0};
    switch (response->status) {
    case 301:
    case 302:
    case 303:
    case 307:
    case 308:
        if (follow_redirect(exchange, response, &refusal) < 0) {
            fail(exchange, response, &refusal);
        }
        return;
    case 401:
        on_unauthorized(exchange, response);
        return;
    default:
        if (exchange->success) {
            on_success(exchange, response);
        } else {
            complain(exchange, response);
        }
    }
}

static void on_sent(void *argument, uint64_t sent_bytes)
{
    const struct exchange *exchange = argument;
    if (exchange->feature->sent) {
        exchange->feature->sent(exchange->argument, sent_bytes);
    }
}

static void send_now(struct exchange *exchange)
{
    static const struct http_handler handler = {.head = on_head, .body = on_body, .sent = on_sent, .done = on_done};
    struct session *session = exchange->session;
    bool own = origin_equal(&exchange->url.origin, &session->origin);
    exchange->try_offset = feature_offset(exchange);
    exchange->complaint_bytes = 0;
    exchange->success = false;
    exchange->generation = session->generation;
    exchange->state = EXCHANGE_SENT;
    const struct http_request request = {
        .url = &exchange->url,
        .method = exchange->question.method,
        .content_type = exchange->question.content_type,
        .content_range = exchange->question.content_range,
        .file = exchange->question.file,
        .accept = exchange->question.manifest ? response_accept_manifests : "*/*",
        .authorization = own ? session->header : NULL,
        .offset = exchange->try_offset,
    };
    struct bh_error error = {0};
    if (http_start(session->http, &request, &handler, exchange, &exchange->message, &error) < 0) {
        on_failure(exchange, HTTP_UNREACHABLE, &error);
    }
}

int exchange_start(struct session *session, const struct exchange_question *question,
                   const struct exchange_feature *feature, void *argument, struct exchange **ret_exchange,
                   struct bh_error *error)
{
    size_t length = strlen(question->target);
    if (length >= URL_TARGET_SIZE) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "a URL longer than %d bytes is refused", URL_TARGET_SIZE);
    }
    struct exchange *exchange = calloc(1, sizeof(*exchange) + length + 1);
    if (!exchange) {
        return bh_error_errno(error, ENOMEM, "hold a request");
    }
    exchange->session = session;
    exchange->question = *question;
    exchange->feature = feature;
    exchange->argument = argument;
    memcpy(exchange->target, question->target, length + 1);
    exchange->question.target = exchange->target;
    if (question->at) {
        exchange->start = *question->at;
        exchange->question.at = &exchange->start;
    } else {
        memcpy(exchange->start.target, question->target, length + 1);
    }
    TAILQ_INSERT_TAIL(&session->exchanges, exchange, next);
    start_over(exchange, question->delay_ms);
    *ret_exchange = exchange;
    return 0;
}

int exchanges_tick(struct session *session, int max_ms)
{
    struct exchange *exchange, *following;
    uint64_t now_ms = bh_now_ms();
    for (exchange = TAILQ_FIRST(&session->exchanges); exchange; exchange = following) {
        following = TAILQ_NEXT(exchange, next);
        if (exchange->state == EXCHANGE_DUE && exchange->due_ms <= now_ms) {
            send_now(exchange);
        }
    }
    uint64_t wait_ms = (uint64_t)max_ms;
    now_ms = bh_now_ms();
    TAILQ_FOREACH(exchange, &session->exchanges, next)
    {
        if (exchange->state == EXCHANGE_DUE) {
            uint64_t left_ms = exchange->due_ms > now_ms ? exchange->due_ms - now_ms : 0;
            wait_ms = left_ms < wait_ms ? left_ms : wait_ms;
        }
    }
    return (int)wait_ms;
}
