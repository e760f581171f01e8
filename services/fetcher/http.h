/* SPDX-License-Identifier: Apache-2.0
 *
 * HTTP/1.1 over the dialer's sockets: one request, one response, no redirect, no authentication, no retry (exchange.c
 * does those). libcurl speaks TLS and HTTP; it never resolves, never makes a socket and reads no file but the CA
 * bundle. Everything that arrives is hostile and bounded here.
 */
#pragma once

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "connections.h"
#include "response.h"
#include "url.h"

/* A transfer slower than HTTP_SLOW_BYTES_S for HTTP_SLOW_S (not counting times when we ourselves make it wait) is given
 * up. */
#define HTTP_SLOW_BYTES_S 1024L
#define HTTP_SLOW_S       30L
#define HTTP_DIGESTING_S  600L /* a registry that has been sent a blob hashes it before it answers */

struct http;         /* the client of one job */
struct http_message; /* one request under way */

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_PATCH, HTTP_DELETE };

/* A part of a file, as the body of a request. */
struct http_file {
    int fd; /* borrowed; read by ranges, its position stays */
    uint64_t offset, n_bytes;
};

struct http_request {
    const struct url *url;
    enum http_method method;
    const char *accept;           /* header values, or NULL */
    const char *authorization;    /* whoever sets it has checked the origin */
    const char *form;             /* body of a POST, or NULL */
    const char *content_type;     /* of `file`, or NULL */
    const char *content_range;    /* header value, or NULL */
    const struct http_file *file; /* body of a PUT or PATCH, or NULL; borrowed until the end */
    uint64_t offset;              /* Range: from here on; 0: the whole */
};

enum http_take {
    HTTP_TAKEN,
    HTTP_LATER,   /* no room: the very same bytes (and perhaps more) come again after http_resume() */
    HTTP_REFUSED, /* the handler has set the error */
};

/* How a request ended. */
enum http_end {
    HTTP_COMPLETE,    /* head and body arrived whole, whatever the status */
    HTTP_NO_TLS,      /* the server does not speak TLS, or closed before a word of HTTP */
    HTTP_UNTRUSTED,   /* its certificate does not hold */
    HTTP_BROKEN,      /* the connection ended or failed in the middle */
    HTTP_SLOW,        /* given up */
    HTTP_UNREACHABLE, /* the dialer could not connect */
    HTTP_STOPPED,     /* refused: by the handler, or because the response breaks a limit or the protocol */
};

struct http_handler {
    /* The head is complete; the body follows. */
    int (*head)(void *argument, const struct response *response, struct bh_error *error);
    enum http_take (*body)(void *argument, const void *bytes, size_t n_bytes, struct bh_error *error);
    /* So much of the request's file has been handed to the connection. May be NULL. */
    void (*sent)(void *argument, uint64_t sent_bytes);
    /* Last; the message is gone afterwards. `error` is set unless `end` is HTTP_COMPLETE. Only from http_perform(). */
    void (*done)(void *argument, const struct response *response, enum http_end end, const struct bh_error *error);
};

/* Once per process, before the sandbox: OpenSSL reads its configuration. */
int http_init(struct bh_error *error);

/* `connections` is borrowed. */
int http_new(struct connections *connections, struct http **ret_http, struct bh_error *error);
void http_free(struct http *http);

/* Starts a request. Fails at once (and calls no handler) if the origin cannot be reached or may not be spoken to in
 * plain HTTP. */
int http_start(struct http *http, const struct http_request *request, const struct http_handler *handler,
               void *argument, struct http_message **ret_message, struct bh_error *error);

/* Goes on after HTTP_LATER. */
void http_resume(struct http_message *message);
/* Ends a request without calling its handler again. */
void http_abort(struct http_message *message);

/* Waits for sockets, `extra` descriptors, or the time. */
void http_wait(struct http *http, struct curl_waitfd *extra, unsigned n_extra, int timeout_ms);
/* Moves bytes and calls handlers. */
void http_perform(struct http *http);
