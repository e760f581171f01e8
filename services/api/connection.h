/* SPDX-License-Identifier: Apache-2.0
 *
 * One client's connection as HTTP/1.1 sees it: reads heads and bodies, writes responses, gives the raw socket away when
 * a client attaches. Blocking, used by the one thread that owns the connection. Trusts nothing that comes in.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/error.h"
#include "http_head.h"

struct connection {
    int fd;
    char *buffer; /* bytes read and not yet consumed: buffer[start..end) */
    size_t start, end, capacity;
    struct http_head head;
    char *head_bytes; /* what `head` points into */
    /* the body being read */
    uint64_t body_left; /* of the length, or of the current chunk */
    bool body_chunked, body_done, body_started, body_broken;
    /* the response being written */
    int status; /* 0 until its head was sent */
    bool streaming, chunks, head_only, close_after, hijacked;
};

/* Takes over `fd`. */
void connection_init(struct connection *connection, int fd);
void connection_free(struct connection *connection);

/* Reads the next head. 1: `connection->head` is set. 0: the client closed. -1: malformed; *ret_status is what to
 * answer. */
int connection_read_head(struct connection *connection, int *ret_status, struct bh_error *error);

bool connection_has_body(const struct connection *connection);
/* Reads body bytes, sending "100 Continue" first where the client waits for it. 0 at the end, -1 if it is malformed or
 * cut off. */
ssize_t connection_read_body(struct connection *connection, void *bytes, size_t n_bytes, struct bh_error *error);
/* The same into a pipe, without a look at most of them. A pipe that nobody reads any more is EPIPE in error->sys_errno.
 */
ssize_t connection_splice_body(struct connection *connection, int pipe, struct bh_error *error);
/* The whole body, NUL-terminated; more than `max_bytes` is RESOURCE_EXHAUSTED. */
int connection_read_whole_body(struct connection *connection, size_t max_bytes, char **ret_body, size_t *ret_bytes,
                               struct bh_error *error);
/* Reads and drops a small rest, so that the next request can follow; else arranges for the connection to close. */
void connection_finish_body(struct connection *connection);

/* A whole response. `content_type` may be NULL when there is no body; `extra` is NULL or whole header lines. */
int connection_respond(struct connection *connection, int status, const char *content_type, const char *extra,
                       const void *body, size_t n_bytes);

/* A response of unknown length: chunked, or to the end of the connection for HTTP/1.0. A write fails once the client is
 * gone. */
int connection_stream_begin(struct connection *connection, int status, const char *content_type);
/* The same with header lines of one's own (`extra`, whole lines). */
int connection_stream_begin_with(struct connection *connection, int status, const char *content_type,
                                 const char *extra);
int connection_stream_write(struct connection *connection, const void *bytes, size_t n_bytes);
int connection_stream_end(struct connection *connection);

/* Answers 101 UPGRADED (or 200 to a client that did not ask to upgrade); from then on the socket carries raw bytes.
 * Returns once the client has taken the head, or has had a quarter of a second to. What it has sent already is at
 * connection_early_bytes(). */
int connection_hijack(struct connection *connection, const char *content_type);
/* The same for a WebSocket (RFC 6455): `accept` answers its key. */
int connection_hijack_websocket(struct connection *connection, const char *accept);
const char *connection_early_bytes(const struct connection *connection, size_t *ret_bytes);

/* Sends all of it on the raw socket. */
int connection_send(struct connection *connection, const void *bytes, size_t n_bytes);

/* The reason phrase of a status. */
const char *http_reason(int status);
