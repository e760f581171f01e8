/* SPDX-License-Identifier: Apache-2.0
 *
 * The head of one HTTP response: the few header fields we understand, each read strictly. Pure. Lines come from http.c
 * as libcurl cuts them; every one is hostile.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "challenge.h"
#include "common/digest.h"
#include "common/error.h"
#include "types.pb-c.h"
#include "url.h"

#define RESPONSE_HEAD_BYTES_MAX    (64 * 1024) /* all lines of one head together */
#define RESPONSE_RETRY_AFTER_MAX_S 60

struct response {
    unsigned status; /* 0 until a status line came */
    size_t head_bytes;
    Bulkhead__MediaType media_type; /* UNSPECIFIED: none, or none we know */
    bool has_length, has_range, has_location, has_digest, has_challenge, has_upload_range, has_next;
    uint64_t length;                               /* Content-Length */
    uint64_t range_first, range_last, range_total; /* Content-Range; the total is UINT64_MAX for "*" */
    uint64_t upload_last; /* Range of an upload: the last byte that the registry has; 0 also if it has none */
    char location[URL_TARGET_SIZE];
    char next[URL_TARGET_SIZE]; /* Link with rel="next" */
    struct bh_digest digest;    /* Docker-Content-Digest, a claim */
    struct challenge challenge;
    unsigned retry_after_s; /* at most RESPONSE_RETRY_AFTER_MAX_S; 0: none */
};

/* Takes one line of `n_bytes` (with its line end). A status line starts the head anew (after "100 Continue"). -1: a
 * head that is too long, contradicts itself (two different Content-Lengths), or holds a known field that is malformed.
 */
int response_line(struct response *response, const char *line, size_t n_bytes, struct bh_error *error);

/* "bytes 5-9/10" or "bytes 5-9/ *" (RFC 9110, 14.4). */
int response_parse_range(const char *text, uint64_t *ret_first, uint64_t *ret_last, uint64_t *ret_total);

/* "0-1023", or "bytes=0-1023" (distribution-spec, "Pushing a blob in chunks"). It must begin at 0. */
int response_parse_upload_range(const char *text, uint64_t *ret_last);

/* The target of a Link header's rel="next" (RFC 8288), if this value is one; -1 if it is none or does not fit. */
int response_parse_next(const char *text, char *ret_target, size_t target_size);

/* The manifest media type that a Content-Type names (parameters ignored), or UNSPECIFIED. */
Bulkhead__MediaType response_media_type(const char *content_type);

/* The other way around; NULL for what is no manifest's. */
const char *response_media_type_name(Bulkhead__MediaType type);

/* What we ask for, as an Accept header's value. */
extern const char response_accept_manifests[];
