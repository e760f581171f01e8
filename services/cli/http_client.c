/* SPDX-License-Identifier: Apache-2.0
 *
 * One HTTP/1.1 connection over a unix socket. What arrives is the engine's; it is checked all the same, since the
 * socket's name came from the environment.
 */
#include "http_client.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "common/io.h"
#include "http_chunked.h"
#include "string_list.h"

#define BUFFER_BYTES 65536

enum body_kind { BODY_NONE = 0, BODY_LENGTH, BODY_CHUNKED, BODY_UNTIL_CLOSE };

struct http_connection {
    int fd;
    enum body_kind body;
    uint64_t left; /* BODY_LENGTH */
    struct http_chunked chunked;
    bool close;     /* not to be used again */
    bool head_only; /* the answer to a HEAD request has a length and no body */
    bool stale;
    bool watches_output;
    size_t at, end; /* what has arrived and is not taken: buffer[at..end) */
    char buffer[BUFFER_BYTES];
};

int http_connect(const char *path, struct http_connection **ret_connection, struct bh_error *error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(address.sun_path)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "socket path \"%s\" is longer than %zu bytes", path,
                            sizeof(address.sun_path) - 1);
    }
    memcpy(address.sun_path, path, strlen(path));
    bh_autoclose int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return bh_error_errno(error, errno, "make a socket");
    }
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
        if (errno == EACCES) {
            return bh_error_set(error, BH_PERMISSION_DENIED,
                                "permission denied while trying to connect to the engine at unix://%s", path);
        }
        return bh_error_set(error, BH_UNAVAILABLE,
                            "Cannot connect to the engine at unix://%s. Is bulkheadd running? (%s)", path,
                            strerror(errno));
    }
    return http_adopt(bh_steal_fd(&fd), ret_connection, error);
}

int http_adopt(int fd, struct http_connection **ret_connection, struct bh_error *error)
{
    bh_autoclose int owned = fd;
    struct http_connection *connection = malloc(sizeof(*connection));
    if (!connection) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "out of memory");
    }
    memset(connection, 0, offsetof(struct http_connection, buffer));
    connection->fd = bh_steal_fd(&owned);
    *ret_connection = connection;
    return 0;
}

int http_set_timeout(const struct http_connection *connection, unsigned int timeout_ms, struct bh_error *error)
{
    const struct timeval timeout = {.tv_sec = timeout_ms / 1000, .tv_usec = (suseconds_t)(timeout_ms % 1000) * 1000};
    return setsockopt(connection->fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) < 0
               ? bh_error_errno(error, errno, "set a timeout")
               : 0;
}

void http_free(struct http_connection *connection)
{
    if (connection) {
        bh_close(&connection->fd);
        free(connection);
    }
}

void http_cleanup(struct http_connection **connection)
{
    http_free(*connection);
}

/* Like bh_write_all(), but a peer that has gone is EPIPE and not a signal. Returns 1 for that. */
static int send_all(struct http_connection *connection, const char *bytes, size_t n_bytes, int flags,
                    struct bh_error *error)
{
    while (n_bytes > 0) {
        ssize_t sent = send(connection->fd, bytes, n_bytes, MSG_NOSIGNAL | flags);
        if (sent < 0 && errno == EINTR) {
            continue;
        }
        if (sent < 0 && (errno == EPIPE || errno == ECONNRESET)) {
            connection->close = true;
            return 1;
        }
        if (sent < 0) {
            return bh_error_errno(error, errno, "send a request to the engine");
        }
        bytes += sent;
        n_bytes -= (size_t)sent;
    }
    return 0;
}

int http_send(struct http_connection *connection, const struct http_request *request, struct bh_error *error)
{
    bh_autofree char *body_lines = NULL;
    if (request->content_type && request->chunked) {
        if (strings_format(&body_lines, error, "Content-Type: %s\r\nTransfer-Encoding: chunked\r\n",
                           request->content_type) < 0) {
            return -1;
        }
    } else if (request->content_type) {
        if (strings_format(&body_lines, error, "Content-Type: %s\r\nContent-Length: %zu\r\n", request->content_type,
                           request->body_bytes) < 0) {
            return -1;
        }
    } else if (strcmp(request->method, "POST") == 0 || strcmp(request->method, "PUT") == 0) {
        if (strings_format(&body_lines, error, "Content-Length: 0\r\n") < 0) {
            return -1;
        }
    }
    bh_autofree char *head = NULL;
    if (strings_format(&head, error, "%s %s HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bulkhead/%s\r\n%s%s%s\r\n",
                       request->method, request->path, BH_VERSION, body_lines ? body_lines : "",
                       request->upgrade ? "Connection: Upgrade\r\nUpgrade: tcp\r\n" : "",
                       request->extra ? request->extra : "") < 0) {
        return -1;
    }
    connection->stale = false;
    connection->head_only = strcmp(request->method, "HEAD") == 0;
    int sent = send_all(connection, head, strlen(head), request->body_bytes > 0 ? MSG_MORE : 0, error);
    if (sent == 0 && request->body_bytes > 0) {
        sent = send_all(connection, request->body, request->body_bytes, 0, error);
    }
    return sent < 0 ? -1 : 0; /* if the peer has gone, reading its answer will tell */
}

int http_write_chunk(struct http_connection *connection, const void *bytes, size_t n_bytes, struct bh_error *error)
{
    char size[24];
    int n_size = snprintf(size, sizeof(size), "%zx\r\n", n_bytes);
    int sent = send_all(connection, size, (size_t)n_size, MSG_MORE, error);
    if (sent == 0 && n_bytes > 0) {
        sent = send_all(connection, bytes, n_bytes, MSG_MORE, error);
    }
    return sent == 0 ? send_all(connection, "\r\n", 2, 0, error) : sent;
}

/* Waits until there is something to read, or nobody to write it to. */
static int wait_watching(const struct http_connection *connection, struct bh_error *error)
{
    for (;;) {
        struct pollfd fds[2] = {{.fd = connection->fd, .events = POLLIN}, {.fd = STDOUT_FILENO}};
        if (poll(fds, 2, -1) < 0 && errno != EINTR) {
            return bh_error_errno(error, errno, "wait for the engine");
        }
        if (fds[1].revents & POLLERR) {
            (void)raise(SIGPIPE);
            return bh_error_set(error, BH_CANCELLED, "nobody reads standard output");
        }
        if (fds[0].revents) {
            return 0;
        }
    }
}

/* Reads more into the buffer; *ret_end tells that the peer has closed. */
static int fill(struct http_connection *connection, bool *ret_end, struct bh_error *error)
{
    if (connection->at > 0) {
        memmove(connection->buffer, connection->buffer + connection->at, connection->end - connection->at);
        connection->end -= connection->at;
        connection->at = 0;
    }
    if (connection->watches_output && wait_watching(connection, error) < 0) {
        return -1;
    }
    ssize_t received;
    do {
        received = recv(connection->fd, connection->buffer + connection->end, BUFFER_BYTES - connection->end, 0);
    } while (received < 0 && errno == EINTR);
    if (received < 0 && errno != ECONNRESET) {
        return bh_error_errno(error, errno, "read the engine's answer");
    }
    *ret_end = received <= 0;
    connection->end += received > 0 ? (size_t)received : 0;
    return 0;
}

static void begin_body(struct http_connection *connection, const struct http_head *head)
{
    connection->close = connection->close || head->close;
    connection->chunked = (struct http_chunked){0};
    if (connection->head_only || head->status == 204 || head->status == 304) {
        connection->body = BODY_NONE;
    } else if (head->chunked) {
        connection->body = BODY_CHUNKED;
    } else if (head->has_length) {
        connection->body = head->length > 0 ? BODY_LENGTH : BODY_NONE;
        connection->left = head->length;
    } else {
        connection->body = BODY_UNTIL_CLOSE;
        connection->close = true;
    }
}

int http_receive(struct http_connection *connection, struct http_head *ret_head, struct bh_error *error)
{
    for (;;) {
        const char *start = connection->buffer + connection->at;
        size_t n_head = http_head_length(start, connection->end - connection->at);
        if (n_head > 0) {
            if (http_head_parse(start, n_head, ret_head, error) < 0) {
                return -1;
            }
            connection->at += n_head;
            if (ret_head->status == 100) {
                continue;
            }
            begin_body(connection, ret_head);
            return 0;
        }
        if (connection->end - connection->at >= HTTP_HEAD_BYTES_MAX) {
            return bh_error_set(error, BH_INTERNAL, "the engine's answer has a head of more than %d bytes",
                                HTTP_HEAD_BYTES_MAX);
        }
        bool end = false;
        if (fill(connection, &end, error) < 0) {
            return -1;
        }
        if (end) {
            connection->stale = connection->end == 0;
            return bh_error_set(error, BH_UNAVAILABLE, "the engine closed the connection without an answer");
        }
    }
}

/* Takes up to `buffer_bytes` of the body out of what has arrived. */
static int take(struct http_connection *connection, char *buffer, size_t buffer_bytes, size_t *ret_bytes,
                struct bh_error *error)
{
    const char *start = connection->buffer + connection->at;
    size_t arrived = connection->end - connection->at;
    if (connection->body == BODY_CHUNKED) {
        size_t used = 0;
        if (http_chunked_decode(&connection->chunked, start, arrived, &used, buffer, buffer_bytes, ret_bytes, error) <
            0) {
            connection->close = true;
            return -1;
        }
        connection->at += used;
        if (connection->chunked.state == HTTP_CHUNKED_DONE) {
            connection->body = BODY_NONE;
        }
        return 0;
    }
    size_t n_copy = arrived < buffer_bytes ? arrived : buffer_bytes;
    if (connection->body == BODY_LENGTH && n_copy > connection->left) {
        n_copy = (size_t)connection->left;
    }
    memcpy(buffer, start, n_copy);
    connection->at += n_copy;
    if (connection->body == BODY_LENGTH) {
        connection->left -= n_copy;
        connection->body = connection->left > 0 ? BODY_LENGTH : BODY_NONE;
    }
    *ret_bytes = n_copy;
    return 0;
}

int http_read(struct http_connection *connection, void *buffer, size_t buffer_bytes, size_t *ret_bytes,
              struct bh_error *error)
{
    *ret_bytes = 0;
    while (connection->body != BODY_NONE) {
        if (take(connection, buffer, buffer_bytes, ret_bytes, error) < 0) {
            return -1;
        }
        if (*ret_bytes > 0 || connection->body == BODY_NONE) {
            return 0;
        }
        bool end = false;
        if (fill(connection, &end, error) < 0) {
            return -1;
        }
        if (end) {
            bool whole = connection->body == BODY_UNTIL_CLOSE;
            connection->body = BODY_NONE;
            connection->close = true;
            return whole ? 0
                         : bh_error_set(error, BH_UNAVAILABLE,
                                        "the engine closed the connection in the middle of an answer");
        }
    }
    return 0;
}

int http_read_all(struct http_connection *connection, size_t max_bytes, char **ret_text, size_t *ret_bytes,
                  struct bh_error *error)
{
    bh_autofree char *text = NULL;
    size_t capacity = 0, length = 0, n_read = 0;
    do {
        if (capacity - length < 2) {
            capacity = capacity ? capacity * 2 : 4096;
            char *grown = capacity > max_bytes ? NULL : realloc(text, capacity);
            if (!grown) {
                connection->close = true;
                return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "the engine's answer is larger than %zu bytes",
                                    max_bytes);
            }
            text = grown;
        }
        if (http_read(connection, text + length, capacity - length - 1, &n_read, error) < 0) {
            return -1;
        }
        length += n_read;
    } while (n_read > 0);
    text[length] = '\0';
    *ret_bytes = length;
    *ret_text = bh_steal_pointer(&text);
    return 0;
}

bool http_has_buffered(const struct http_connection *connection)
{
    return connection->end > connection->at || connection->body == BODY_NONE;
}

void http_watch_output(struct http_connection *connection)
{
    connection->watches_output = true;
}

bool http_is_reusable(const struct http_connection *connection)
{
    return !connection->close && connection->body == BODY_NONE && connection->at == connection->end;
}

bool http_was_stale(const struct http_connection *connection)
{
    return connection->stale;
}

int http_descriptor(const struct http_connection *connection)
{
    return connection->fd;
}
