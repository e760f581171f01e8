/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing side of a connection: whole responses, streams in chunks, and the hand-over of the raw socket. Called by
 * handlers through connection.h and request.h; what it writes comes from us.
 */
#include <errno.h>
#include <linux/sock_diag.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

#include "connection.h"
#include "common/docker_time.h"

#define HEAD_BYTES 1024

const char *http_reason(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {
        {101, "UPGRADED"},
        {200, "OK"},
        {201, "Created"},
        {204, "No Content"},
        {304, "Not Modified"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {409, "Conflict"},
        {413, "Content Too Large"},
        {415, "Unsupported Media Type"},
        {431, "Request Header Fields Too Large"},
        {499, "Client Closed Request"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {507, "Insufficient Storage"},
    };
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if (reasons[i].status == status) {
            return reasons[i].reason;
        }
    }
    return "Unknown";
}

/* Sends the parts in order, resuming after short writes. */
static int send_parts(struct connection *connection, struct iovec *parts, size_t n_parts)
{
    while (n_parts > 0) {
        struct msghdr message = {.msg_iov = parts, .msg_iovlen = n_parts};
        ssize_t n = sendmsg(connection->fd, &message, MSG_NOSIGNAL);
        if (n < 0) {
            if (errno == EINTR) {
                continue;
            }
            connection->close_after = true;
            return -1;
        }
        size_t sent = (size_t)n;
        while (n_parts > 0 && sent >= parts->iov_len) {
            sent -= parts->iov_len;
            parts++;
            n_parts--;
        }
        if (n_parts > 0) {
            parts->iov_base = (char *)parts->iov_base + sent;
            parts->iov_len -= sent;
        }
    }
    return 0;
}

static struct iovec part(const void *bytes, size_t n_bytes)
{
    /* iovec has no const; sendmsg() does not write to it. */
    union {
        const void *constant;
        void *plain;
    } base = {.constant = bytes};
    return (struct iovec){.iov_base = base.plain, .iov_len = n_bytes};
}

int connection_send(struct connection *connection, const void *bytes, size_t n_bytes)
{
    struct iovec parts[] = {part(bytes, n_bytes)};
    return send_parts(connection, parts, 1);
}

/* The fields every response carries. `framing` is whole lines. Returns the length. */
static size_t write_head(const struct connection *connection, char head[static HEAD_BYTES], int status,
                         const char *content_type, const char *framing)
{
    char date[HTTP_DATE_SIZE];
    int n = snprintf(head, HEAD_BYTES,
                     "HTTP/1.1 %d %s\r\n"
                     "Api-Version: 1.47\r\n"
                     "%s%s%s"
                     "Date: %s\r\n"
                     "Docker-Experimental: false\r\n"
                     "Ostype: linux\r\n"
                     "Server: Bulkhead/" BH_VERSION " (linux)\r\n"
                     "%s%s"
                     "\r\n",
                     status, http_reason(status), content_type ? "Content-Type: " : "",
                     content_type ? content_type : "", content_type ? "\r\n" : "", http_date(date),
                     connection->close_after && status != 101 ? "Connection: close\r\n" : "", framing);
    return n < HEAD_BYTES ? (size_t)n : HEAD_BYTES - 1;
}

/* Sends a head with further lines (which may be long) in front of its end, and a body. */
static int send_with(struct connection *connection, const char *head, size_t length, const char *extra,
                     const void *body, size_t n_bytes)
{
    struct iovec parts[] = {part(head, length - 2), part(extra ? extra : "", extra ? strlen(extra) : 0),
                            part("\r\n", 2), part(body, n_bytes)};
    return send_parts(connection, parts, n_bytes ? 4 : 3);
}

int connection_respond(struct connection *connection, int status, const char *content_type, const char *extra,
                       const void *body, size_t n_bytes)
{
    char framing[64] = "";
    char head[HEAD_BYTES];
    if (status != 204 && status != 304) {
        snprintf(framing, sizeof(framing), "Content-Length: %zu\r\n", n_bytes);
    }
    if (connection->head_only || status == 204 || status == 304) {
        n_bytes = 0;
    }
    connection->status = status;
    size_t length = write_head(connection, head, status, content_type, framing);
    return send_with(connection, head, length, extra, body, n_bytes);
}

int connection_stream_begin(struct connection *connection, int status, const char *content_type)
{
    return connection_stream_begin_with(connection, status, content_type, NULL);
}

int connection_stream_begin_with(struct connection *connection, int status, const char *content_type, const char *extra)
{
    char head[HEAD_BYTES];
    connection->chunks = connection->head.minor == 1;
    connection->close_after = connection->close_after || !connection->chunks;
    connection->status = status;
    connection->streaming = true;
    size_t length =
        write_head(connection, head, status, content_type, connection->chunks ? "Transfer-Encoding: chunked\r\n" : "");
    return send_with(connection, head, length, extra, NULL, 0);
}

int connection_stream_write(struct connection *connection, const void *bytes, size_t n_bytes)
{
    if (n_bytes == 0 || connection->head_only) {
        return 0;
    }
    if (!connection->chunks) {
        return connection_send(connection, bytes, n_bytes);
    }
    char size[24];
    int n = snprintf(size, sizeof(size), "%zx\r\n", n_bytes);
    struct iovec parts[] = {part(size, (size_t)n), part(bytes, n_bytes), part("\r\n", 2)};
    return send_parts(connection, parts, 3);
}

int connection_stream_end(struct connection *connection)
{
    connection->streaming = false;
    if (!connection->chunks || connection->head_only) {
        return 0;
    }
    return connection_send(connection, "0\r\n\r\n", 5);
}

#define HEAD_TAKEN_MS 250

/* Some clients read ahead, and throw away what came behind the head before they gave their own reader the socket
 * (docker-py does). So that one gets the head alone, however soon there is output. What lies unread at the other end of
 * a unix socket counts as its sender's. */
static void wait_until_taken(int fd)
{
    const struct timespec pause = {.tv_nsec = 100000};
    for (unsigned waited = 0; waited < HEAD_TAKEN_MS * 10; waited++) {
        uint32_t memory[SK_MEMINFO_VARS] = {0};
        socklen_t n_bytes = sizeof(memory);
        if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory, &n_bytes) < 0 || memory[SK_MEMINFO_WMEM_ALLOC] == 0) {
            return;
        }
        (void)nanosleep(&pause, NULL);
    }
}

static int hijack(struct connection *connection, int status, const char *content_type, const char *framing)
{
    char head[HEAD_BYTES];
    connection->close_after = true;
    connection->hijacked = true;
    connection->status = status;
    if (connection_send(connection, head, write_head(connection, head, status, content_type, framing)) < 0) {
        return -1;
    }
    wait_until_taken(connection->fd);
    return 0;
}

int connection_hijack(struct connection *connection, const char *content_type)
{
    bool upgrade = connection->head.upgrade;
    return hijack(connection, upgrade ? 101 : 200, content_type,
                  upgrade ? "Connection: Upgrade\r\nUpgrade: tcp\r\n" : "");
}

int connection_hijack_websocket(struct connection *connection, const char *accept)
{
    char framing[128];
    (void)snprintf(framing, sizeof(framing),
                   "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: %s\r\n", accept);
    return hijack(connection, 101, NULL, framing);
}
