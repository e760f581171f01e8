/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading side of a connection: heads, bodies by length, bodies in chunks (RFC 9112 chapters 6 and 7). Everything here
 * handles bytes a client sent.
 */
#include "connection.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/cleanup.h"
#include "common/io.h"

#define BUFFER_BYTES      (8U * 1024U)
#define CHUNK_LINE_MAX    256U
#define TRAILER_LINES_MAX 32U
#define DRAIN_BYTES_MAX   (256U * 1024U)
#define SPLICE_BYTES      (1024U * 1024U)

void connection_init(struct connection *connection, int fd)
{
    *connection = (struct connection){.fd = fd};
}

/* What a client typed too late is taken off the socket: closing it with bytes unread would make the kernel tell the
 * client of a reset instead of the end. Nothing more comes once its way here is shut. */
static void take_leave(const struct connection *connection)
{
    char late[4096];
    (void)shutdown(connection->fd, SHUT_RDWR);
    while (recv(connection->fd, late, sizeof(late), MSG_DONTWAIT) > 0) {
    }
}

void connection_free(struct connection *connection)
{
    if (connection->hijacked) {
        take_leave(connection);
    }
    free(connection->buffer);
    free(connection->head_bytes);
    bh_close(&connection->fd);
    *connection = (struct connection){.fd = -1};
}

/* Makes room for at least one more byte behind `end`, never beyond a head's limit. */
static int make_room(struct connection *connection, struct bh_error *error)
{
    if (connection->end < connection->capacity) {
        return 0;
    }
    if (connection->start > 0) {
        memmove(connection->buffer, connection->buffer + connection->start, connection->end - connection->start);
        connection->end -= connection->start;
        connection->start = 0;
        return 0;
    }
    size_t capacity = connection->capacity ? connection->capacity * 2 : BUFFER_BYTES;
    if (capacity > HTTP_HEAD_BYTES_MAX) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "the request's head is larger than %u bytes",
                            HTTP_HEAD_BYTES_MAX);
    }
    char *buffer = realloc(connection->buffer, capacity);
    if (!buffer) {
        return bh_error_errno(error, ENOMEM, "read a request");
    }
    connection->buffer = buffer;
    connection->capacity = capacity;
    return 0;
}

/* Receives more. 1: something came, 0: end of file, -1: error. */
static int receive(struct connection *connection, struct bh_error *error)
{
    if (make_room(connection, error) < 0) {
        return -1;
    }
    for (;;) {
        ssize_t n =
            recv(connection->fd, connection->buffer + connection->end, connection->capacity - connection->end, 0);
        if (n > 0) {
            connection->end += (size_t)n;
            return 1;
        }
        if (n == 0) {
            return 0;
        }
        if (errno != EINTR) {
            return bh_error_errno(error, errno, "read from the client");
        }
    }
}

/* What the last request left is forgotten; what was pipelined behind it stays in the buffer. */
static void reset(struct connection *connection)
{
    struct connection fresh = {
        .fd = connection->fd,
        .buffer = connection->buffer,
        .start = connection->start,
        .end = connection->end,
        .capacity = connection->capacity,
    };
    free(connection->head_bytes);
    *connection = fresh;
    if (connection->start == connection->end) {
        free(connection->buffer); /* an idle connection costs no buffer */
        connection->buffer = NULL;
        connection->start = connection->end = connection->capacity = 0;
    }
}

/* The length of a head that is complete in the buffer, else 0. */
static size_t complete_head(const struct connection *connection)
{
    if (!connection->buffer) {
        return 0;
    }
    const char *bytes = connection->buffer + connection->start;
    size_t n_bytes = connection->end - connection->start;
    const char *stop = memmem(bytes, n_bytes, "\n\r\n", 3);
    if (!stop) {
        stop = memmem(bytes, n_bytes, "\n\n", 2); /* refused later, but at once */
        return stop ? (size_t)(stop - bytes) + 2 : 0;
    }
    return (size_t)(stop - bytes) + 3;
}

int connection_read_head(struct connection *connection, int *ret_status, struct bh_error *error)
{
    reset(connection);
    size_t length;
    while ((length = complete_head(connection)) == 0) {
        int received = receive(connection, error);
        if (received <= 0) {
            *ret_status = 431;
            return received < 0 && error->code != BH_RESOURCE_EXHAUSTED ? 0 : received;
        }
    }
    *ret_status = 400;
    connection->head_bytes = malloc(length);
    if (!connection->head_bytes) {
        return bh_error_errno(error, ENOMEM, "read a request");
    }
    memcpy(connection->head_bytes, connection->buffer + connection->start, length);
    connection->start += length;
    if (http_head_parse(connection->head_bytes, length, &connection->head, error) < 0) {
        *ret_status = error->code == BH_UNIMPLEMENTED ? 501 : 400;
        return -1;
    }
    connection->body_chunked = connection->head.chunked;
    connection->body_left = connection->head.has_length ? connection->head.content_length : 0;
    connection->body_done = !connection->body_chunked && connection->body_left == 0;
    connection->close_after = !connection->head.keep_alive;
    connection->head_only = strcmp(connection->head.method, "HEAD") == 0;
    return 1;
}

bool connection_has_body(const struct connection *connection)
{
    return connection->head.chunked || (connection->head.has_length && connection->head.content_length > 0);
}

static int broken_body(struct connection *connection, struct bh_error *error, const char *why)
{
    connection->body_broken = true;
    return bh_error_set(error, BH_INVALID_ARGUMENT, "malformed request body: %s", why);
}

/* Takes one CRLF-terminated line of a chunked body out of the buffer; the result is valid until the next receive. */
static int chunk_line(struct connection *connection, const char **ret_line, size_t *ret_length, struct bh_error *error)
{
    for (;;) {
        const char *line = connection->buffer + connection->start;
        size_t available = connection->end - connection->start;
        const char *stop = available ? memchr(line, '\n', available) : NULL;
        if (stop) {
            size_t length = (size_t)(stop - line);
            if (length == 0 || line[length - 1] != '\r' || memchr(line, '\r', length - 1)) {
                return broken_body(connection, error, "a chunk's line must end with CRLF");
            }
            connection->start += length + 1;
            *ret_line = line;
            *ret_length = length - 1;
            return 0;
        }
        if (available > CHUNK_LINE_MAX) {
            return broken_body(connection, error, "a chunk's line is too long");
        }
        if (receive(connection, error) <= 0) {
            return broken_body(connection, error, "it ends in the middle");
        }
    }
}

static int parse_chunk_size(struct connection *connection, const char *line, size_t length, struct bh_error *error)
{
    uint64_t size = 0;
    size_t digits = 0;
    for (; digits < length && isxdigit((unsigned char)line[digits]); digits++) {
        int c = tolower((unsigned char)line[digits]);
        size = size * 16 + (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    /* An extension may follow; it means nothing here. */
    if (digits == 0 || digits > 15 || (digits < length && line[digits] != ';')) {
        return broken_body(connection, error, "a chunk's size must be a hexadecimal number");
    }
    connection->body_left = size;
    return 0;
}

/* Goes on to the next chunk; the last one ends the body. */
static int next_chunk(struct connection *connection, struct bh_error *error)
{
    const char *line;
    size_t length;
    if (connection->body_started) {
        if (chunk_line(connection, &line, &length, error) < 0) {
            return -1;
        }
        if (length != 0) {
            return broken_body(connection, error, "a chunk is longer than its size says");
        }
    }
    connection->body_started = true;
    if (chunk_line(connection, &line, &length, error) < 0 || parse_chunk_size(connection, line, length, error) < 0) {
        return -1;
    }
    if (connection->body_left > 0) {
        return 0;
    }
    for (unsigned i = 0; i < TRAILER_LINES_MAX; i++) {
        if (chunk_line(connection, &line, &length, error) < 0) {
            return -1;
        }
        if (length == 0) {
            connection->body_done = true;
            return 0;
        }
    }
    return broken_body(connection, error, "too many trailer fields");
}

/* Goes to the body's next byte. 1: it can be read; 0: the body has ended; -1. */
static int prepare_body(struct connection *connection, struct bh_error *error)
{
    if (connection->body_broken) {
        return broken_body(connection, error, "it ends in the middle");
    }
    if (connection->head.expect_continue && !connection->body_done && connection->status == 0) {
        static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
        connection->head.expect_continue = false;
        if (connection_send(connection, go_on, sizeof(go_on) - 1) < 0) {
            return broken_body(connection, error, "the client is gone");
        }
    }
    if (!connection->body_done && connection->body_chunked && connection->body_left == 0 &&
        next_chunk(connection, error) < 0) {
        return -1;
    }
    return !connection->body_done;
}

/* What is left of the body, or of its chunk, is `n_bytes` less. */
static ssize_t count_body(struct connection *connection, ssize_t n_bytes)
{
    connection->body_left -= (uint64_t)n_bytes;
    connection->body_done = !connection->body_chunked && connection->body_left == 0;
    return n_bytes;
}

ssize_t connection_read_body(struct connection *connection, void *bytes, size_t n_bytes, struct bh_error *error)
{
    int prepared = prepare_body(connection, error);
    if (prepared <= 0) {
        return prepared;
    }
    size_t want = connection->body_left < n_bytes ? (size_t)connection->body_left : n_bytes;
    size_t available = connection->end - connection->start;
    ssize_t n;
    if (available > 0) {
        n = (ssize_t)(available < want ? available : want);
        memcpy(bytes, connection->buffer + connection->start, (size_t)n);
        connection->start += (size_t)n;
    } else {
        do {
            n = recv(connection->fd, bytes, want, 0);
        } while (n < 0 && errno == EINTR);
        if (n <= 0) {
            return broken_body(connection, error, "it ends in the middle");
        }
    }
    return count_body(connection, n);
}

ssize_t connection_splice_body(struct connection *connection, int pipe, struct bh_error *error)
{
    int prepared = prepare_body(connection, error);
    if (prepared <= 0) {
        return prepared;
    }
    size_t want = connection->body_left < SPLICE_BYTES ? (size_t)connection->body_left : SPLICE_BYTES;
    size_t available = connection->end - connection->start;
    if (available > 0) { /* came with the head, or with a chunk's size */
        size_t n = available < want ? available : want;
        if (bh_write_all(pipe, connection->buffer + connection->start, n, "the body's pipe", error) < 0) {
            return -1;
        }
        connection->start += n;
        return count_body(connection, (ssize_t)n);
    }
    ssize_t n;
    do {
        n = splice(connection->fd, NULL, pipe, NULL, want, SPLICE_F_MOVE);
    } while (n < 0 && errno == EINTR);
    if (n < 0 && errno == EPIPE) {
        return bh_error_errno(error, EPIPE, "write the body's pipe");
    }
    return n > 0 ? count_body(connection, n) : broken_body(connection, error, "it ends in the middle");
}

int connection_read_whole_body(struct connection *connection, size_t max_bytes, char **ret_body, size_t *ret_bytes,
                               struct bh_error *error)
{
    if (connection->head.has_length && connection->head.content_length > max_bytes) {
        connection->close_after = true;
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "the request's body is larger than %zu bytes", max_bytes);
    }
    size_t n_bytes = 0;
    size_t capacity = 4096;
    bh_autofree char *body = malloc(capacity);
    while (body) {
        if (n_bytes == capacity - 1) {
            capacity *= 2;
            char *larger = realloc(body, capacity);
            if (!larger) {
                break;
            }
            body = larger;
        }
        ssize_t n = connection_read_body(connection, body + n_bytes, capacity - 1 - n_bytes, error);
        if (n < 0) {
            return -1;
        }
        n_bytes += (size_t)n;
        if (n_bytes > max_bytes) {
            connection->close_after = true;
            return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "the request's body is larger than %zu bytes", max_bytes);
        }
        if (n == 0) {
            body[n_bytes] = '\0';
            *ret_body = bh_steal_pointer(&body);
            *ret_bytes = n_bytes;
            return 0;
        }
    }
    return bh_error_errno(error, ENOMEM, "read the request's body");
}

void connection_finish_body(struct connection *connection)
{
    char dropped[4096];
    size_t total = 0;
    if (connection->head.expect_continue && !connection->body_done) {
        connection->close_after = true; /* it was never asked to send it */
    }
    while (!connection->close_after && !connection->body_done) {
        struct bh_error error = {0};
        ssize_t n = connection_read_body(connection, dropped, sizeof(dropped), &error);
        total += n > 0 ? (size_t)n : 0;
        if (n < 0 || total > DRAIN_BYTES_MAX) {
            connection->close_after = true;
        }
    }
}

const char *connection_early_bytes(const struct connection *connection, size_t *ret_bytes)
{
    *ret_bytes = connection->end - connection->start;
    return connection->buffer + connection->start;
}
