/* SPDX-License-Identifier: Apache-2.0
 *
 * What one job knows: its registry, its tenant's credentials for exactly that origin, and the exchanges under way. One
 * per worker process; shared by exchange.c, authorize.c and the requests of job.c.
 */
#pragma once

#include <stdbool.h>
#include <sys/queue.h>

#include "common/limits.h"
#include "http.h"
#include "token.h"

#define SESSION_ALSO_PULL_MAX 8 /* repositories that blobs are mounted from: each makes the token request longer */

struct exchange;
struct authorization;
TAILQ_HEAD(exchange_list, exchange);

struct session {
    struct http *http;
    struct connections *connections;
    const char *const *trusted; /* private_registries and insecure_registries: may be token realms, too */
    size_t n_trusted;

    bool open;
    char registry[URL_AUTHORITY_SIZE]; /* as it was given, for messages */
    char repository[BH_REPOSITORY_BYTES_MAX + 1];
    bool push;                              /* tokens are asked for pushing, too */
    char *also_pull[SESSION_ALSO_PULL_MAX]; /* repositories that tokens are asked for, to read */
    size_t n_also_pull;
    struct origin origin;
    bool has_port;                 /* the registry's name says a port */
    bool scheme_settled;           /* it has answered in this scheme */
    struct bh_error https_failure; /* why https did not work, if plain HTTP is tried instead */

    char *username, *password, *identity_token;
    char *header;                        /* the Authorization value that requests to `origin` carry; NULL: none yet */
    unsigned generation;                 /* counts the values that `header` has had */
    char *refresh_token;                 /* of the last token answer; NULL: none */
    struct authorization *authorization; /* a token request under way, or NULL */

    struct exchange_list exchanges;
};

/* Names the registry, once. Nothing is sent yet. `credentials` strings are copied. */
struct session_target {
    const char *registry, *repository;
    bool push;
    char *const *also_pull;
    size_t n_also_pull;
};
struct session_credentials {
    const char *username, *password, *identity_token, *registry_token;
};
int session_open(struct session *session, const struct session_target *target,
                 const struct session_credentials *credentials, struct bh_error *error);

/* Whether a name follows the distribution specification's grammar (or is empty). */
bool session_is_repository(const char *name);

/* Replaces the Authorization value; takes `header`. */
void session_set_header(struct session *session, char *header);

/* True if the configuration names this origin: a token realm there may have the registry's credentials. `argument` is
 * the session. */
bool session_trusts(const struct origin *origin, void *argument);

/* Frees what the session owns and ends what is under way without a word. */
void session_close(struct session *session);
