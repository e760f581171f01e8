/* SPDX-License-Identifier: Apache-2.0
 *
 * The head of an HTTP/1.1 response (RFC 9112 section 4), read strictly: what this client does not understand it
 * refuses.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

#define HTTP_HEAD_BYTES_MAX 16384 /* the engine's heads are a few hundred bytes */

struct http_head {
    int status;
    bool chunked;
    bool has_length;
    uint64_t length;
    bool close;    /* the connection ends with this response */
    bool upgraded; /* 101, or a raw stream follows */
    char content_type[80];
    char api_version[16]; /* Api-Version: the newest that the engine speaks */
    char path_stat[8192]; /* X-Docker-Container-Path-Stat: base64 of JSON with a name and a link's target */
};

/* Parses `n_bytes` that end with the empty line. */
int http_head_parse(const char *bytes, size_t n_bytes, struct http_head *ret_head, struct bh_error *error);

/* The length of the head at the start of `bytes`, with its empty line; 0 if it is not whole yet. */
size_t http_head_length(const char *bytes, size_t n_bytes);
