/* SPDX-License-Identifier: Apache-2.0
 *
 * Bearer tokens (distribution's "Token Authentication Specification" and "Oauth2 Token Authentication"): where to ask,
 * with what, and what the answer says. Pure. Challenge and answer are hostile; the credentials are ours to keep.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "challenge.h"
#include "common/error.h"
#include "url.h"

#define TOKEN_BYTES_MAX       (64 * 1024)  /* a JWT with long access lists */
#define TOKEN_REPLY_BYTES_MAX (160 * 1024) /* token, access_token and refresh_token */

/* What a client handed over for one registry; empty strings where absent. Borrowed. */
struct token_credentials {
    const char *username, *password, *identity_token;
};

/* What the token is to open. Borrowed. */
struct token_scope {
    const char *repository; /* empty: only logging in */
    bool push;              /* and not only to read it */
    const char *const *also_pull;
    size_t n_also_pull;
};

/* What to send. Owned by token_request_clear(). */
struct token_request {
    struct url url;
    char *authorization; /* header value or NULL */
    char *form;          /* body of a POST or NULL for a GET */
};

/* Turns a Bearer challenge of `registry` into a token request for `scope`.
 *
 * The realm must be https, or plain HTTP on the registry's own host if that speaks plain HTTP itself. Credentials go to
 * the registry's own host, to another host of its registrable domain, or to one that `trusts` (the configuration)
 * names; where they may not go, the request is refused rather than made without them (CVE-2020-15157). Where we only
 * pull, the scope asked for is the challenge's if it is for pulling and nothing else. */
int token_request_make(const struct origin *registry, const struct challenge *challenge,
                       const struct token_scope *scope, const struct token_credentials *credentials,
                       bool (*trusts)(const struct origin *origin, void *argument), void *argument,
                       struct token_request *ret_request, struct bh_error *error);
void token_request_clear(struct token_request *request);

/* Reads the answer. *ret_token (to be freed) is printable ASCII without spaces, *ret_refresh_token is NULL where none
 * came. */
int token_reply_parse(const char *body, size_t body_bytes, char **ret_token, char **ret_refresh_token,
                      struct bh_error *error);

/* "Basic " and the base64 of "username:password"; to be freed. NULL without memory. */
char *token_basic(const char *username, const char *password);
