/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside of http.c: one client, one request under way, and what has files of its own.
 */
#pragma once

#include "http.h"

struct http {
    CURLM *multi;
    struct connections *connections;
    /* Every connection "goes to" a documentation address (RFC 5737): libcurl then has nothing to resolve, and the
     * socket that it asks us for is connected already. */
    struct curl_slist *connect_to;
};

struct http_message {
    struct http *http;
    CURL *easy;
    struct known_origin *known;
    struct curl_slist *headers;
    const struct http_handler *handler;
    void *argument;
    struct response response;
    const struct http_file *file; /* the body, or NULL */
    uint64_t sent;                /* bytes of it that libcurl has taken */
    long slow_s;
    bool head_complete;
    bool failed; /* `error` holds why we stopped libcurl */
    bool dial_failed;
    struct bh_error error;
    char curl_error[CURL_ERROR_SIZE];
};

/* http_curl.c: headers and options of a request, and what libcurl is to ask us. The message has its handle already. */
int http_prepare(struct http_message *message, const struct http_request *request, struct bh_error *error);
/* http_end.c: what libcurl's result means, and the error that says so unless it is complete. */
enum http_end http_explain(struct http_message *message, CURLcode result, struct bh_error *error);
