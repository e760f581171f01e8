/* SPDX-License-Identifier: Apache-2.0
 *
 * A small HTTP/1.1 client over one unix socket: enough for the Docker Engine API, light enough that a command starts in
 * a millisecond. Knows requests, response heads, the three kinds of body, and the hijacked streams of attach. Used by
 * engine.c, which knows the API.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/cleanup.h"
#include "http_head.h"

struct http_connection;

struct http_request {
    const char *method;
    const char *path;         /* with its query, already encoded */
    const char *content_type; /* NULL: no body */
    const char *extra;        /* further header lines, each with its CRLF; NULL if none */
    const void *body;
    size_t body_bytes;
    bool chunked; /* a body of unknown length follows by http_write_chunk() */
    bool upgrade; /* ask for the raw connection */
};

/* Connects to the socket at `path`. The error says what to do if nobody answers there. */
int http_connect(const char *path, struct http_connection **ret_connection, struct bh_error *error);
/* The same over a descriptor that is connected already, which the connection takes over whatever happens. */
int http_adopt(int fd, struct http_connection **ret_connection, struct bh_error *error);
/* Reading gives up after so many milliseconds without a byte. */
int http_set_timeout(const struct http_connection *connection, unsigned int timeout_ms, struct bh_error *error);
void http_free(struct http_connection *connection);
void http_cleanup(struct http_connection **connection);
#define http_auto bh_cleanup(http_cleanup)

/* Sends a request, and reads the head of its response. */
int http_send(struct http_connection *connection, const struct http_request *request, struct bh_error *error);
int http_receive(struct http_connection *connection, struct http_head *ret_head, struct bh_error *error);

/* Body of a chunked request; `n_bytes` 0 ends it. Returns 1 (and no error) if the engine has stopped reading: its
 * answer tells why. */
int http_write_chunk(struct http_connection *connection, const void *bytes, size_t n_bytes, struct bh_error *error);

/* Reads what there is of the response's body, waiting for at least one byte; *ret_bytes is 0 at its end. On a
 * hijacked connection: the raw stream. */
int http_read(struct http_connection *connection, void *buffer, size_t buffer_bytes, size_t *ret_bytes,
              struct bh_error *error);
/* The whole body, NUL-terminated, at most `max_bytes`. */
int http_read_all(struct http_connection *connection, size_t max_bytes, char **ret_text, size_t *ret_bytes,
                  struct bh_error *error);

/* True if http_read() would not wait: bytes have arrived that are not taken yet, or the response is at its end. */
bool http_has_buffered(const struct http_connection *connection);
/* From now on, while there is nothing to read: if nobody reads standard output any more, the process ends as it would
 * by writing to it. A stream that is silent must not keep a pipeline alive. */
void http_watch_output(struct http_connection *connection);
/* True if the response is read to its end and another request may follow. */
bool http_is_reusable(const struct http_connection *connection);
/* True if not a byte of a response has arrived and the peer has gone: a kept connection that had died meanwhile. */
bool http_was_stale(const struct http_connection *connection);
/* The socket, to wait on, write to and half-close once hijacked. Borrowed. */
int http_descriptor(const struct http_connection *connection);
