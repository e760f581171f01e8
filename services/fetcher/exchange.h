/* SPDX-License-Identifier: Apache-2.0
 *
 * One question to the job's registry, carried to its end: scheme, redirects, authentication and retries. The features
 * (transfer.c, check.c) say what to ask and take the body.
 *
 * Credentials only ever go to the registry's own scheme, host and port, and only a 401 from there is answered with
 * them: whoever a redirect leads to is asked anonymously (CVE-2020-15157).
 */
#pragma once

#include "registry_error.h"
#include "session.h"

#define EXCHANGE_REDIRECTS_MAX  5
#define EXCHANGE_TRIES_MAX      5
#define EXCHANGE_IMPATIENT_S    10     /* a longer Retry-After is told to the user, unless the question is patient */
#define EXCHANGE_PROGRESS_BYTES BH_MIB /* a try that brought this much makes the count start anew */

/* What a feature brings along. All but `done` may be NULL. */
struct exchange_feature {
    uint64_t (*offset)(void *argument); /* where the next try goes on; NULL: always from the start */
    int (*head)(void *argument, const struct response *response, struct bh_error *error); /* a 2xx came */
    enum http_take (*body)(void *argument, const void *bytes, size_t n_bytes, struct bh_error *error);
    /* The body ended. -1 with UNAVAILABLE: it is worth another try. `response` is NULL if the connection broke at the
     * end. */
    int (*complete)(void *argument, const struct response *response, struct bh_error *error);
    /* So much of the question's file has been sent in this try. */
    void (*sent)(void *argument, uint64_t sent_bytes);
    /* Last; the exchange is gone afterwards. `response` may be NULL where a feature has `complete`; with an error it is
     * the response that said so, NULL if none came. */
    void (*done)(void *argument, const struct response *response, const struct bh_error *error);
};

struct exchange_question {
    const char *target;           /* "/v2/library/busybox/manifests/latest", made of checked parts */
    const struct url *at;         /* where an upload goes on, as the registry said; copied; `target` is for messages */
    enum http_method method;      /* GET if nothing else is said */
    const struct http_file *file; /* what a PUT or PATCH carries; borrowed for the exchange's life */
    const char *content_type;     /* of it; borrowed */
    const char *content_range;    /* of it; borrowed */
    bool manifest;                /* ask for the manifest types */
    bool patient;                 /* try again also when nothing answers */
    bool once;                    /* no second try: the feature knows better how to go on */
    uint64_t delay_ms;            /* the first try waits so long */
    const char *subject_manifest, *subject_blob; /* for messages; borrowed for the exchange's life */
};

/* Begins; the feature hears of it from exchanges_tick() or http_perform() on, never from within. */
int exchange_start(struct session *session, const struct exchange_question *question,
                   const struct exchange_feature *feature, void *argument, struct exchange **ret_exchange,
                   struct bh_error *error);
/* Where the response came from that `complete` is told of: its Location is relative to that. */
const struct url *exchange_url(const struct exchange *exchange);
/* Goes on after HTTP_LATER. */
void exchange_resume(struct exchange *exchange);
/* Ends it without calling the feature. */
void exchange_abort(struct exchange *exchange);

/* A token came (or `error`): goes on with the exchanges that wait for it. Called by authorize.c. */
void exchanges_authorized(struct session *session, const struct bh_error *error);

/* Sends what is due. Returns how many milliseconds until the next is, at most `max_ms`. */
int exchanges_tick(struct session *session, int max_ms);
