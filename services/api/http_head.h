/* SPDX-License-Identifier: Apache-2.0
 *
 * The head of one HTTP/1.1 request (RFC 9112), parsed strictly from bytes a client sent. Called by connection.c with a
 * whole head in memory; trusts nothing. There is one reading of every head: what two parsers could read differently is
 * refused.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

#define HTTP_HEAD_BYTES_MAX (64U * 1024U) /* fits X-Registry-Auth with long tokens, and long filters */
#define HTTP_FIELDS_MAX     64

struct http_field {
    const char *name;
    const char *value;
};

struct http_head {
    const char *method;
    const char *target;
    unsigned minor; /* of HTTP/1.x: 0 or 1 */
    struct http_field fields[HTTP_FIELDS_MAX];
    size_t n_fields;
    /* What the fields say about the message itself. */
    bool chunked;
    bool has_length;
    uint64_t content_length;
    bool keep_alive;
    bool upgrade;         /* Connection: Upgrade together with Upgrade: tcp */
    bool expect_continue; /* Expect: 100-continue */
};

/* Parses in place a head that ends with an empty line; `ret_head` borrows from `bytes`. Refuses (INVALID_ARGUMENT) bare
 * CR or LF, folded fields, white space around names, control characters, doubled Host, Content-Length,
 * Transfer-Encoding or Content-Type, Content-Length beside Transfer-Encoding, and codings other than chunked
 * (UNIMPLEMENTED). */
int http_head_parse(char *bytes, size_t n_bytes, struct http_head *ret_head, struct bh_error *error);

/* The value of a field, or NULL. `name` in any case. */
const char *http_head_field(const struct http_head *head, const char *name);

/* Whether a comma-separated field value lists `token`, in any case. */
bool http_list_has(const char *list, const char *token);

/* The defence against DNS rebinding: a Host that a web page could have chosen is refused (PERMISSION_DENIED). Local
 * are: names without a dot ("docker", "localhost"), names below ".localhost", loopback addresses, a socket's path
 * (plain or percent-encoded), and "v1.41", which `curl http:/v1.41/...` makes of a version. */
int http_host_check(const char *host, struct bh_error *error);
