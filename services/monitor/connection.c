/* SPDX-License-Identifier: Apache-2.0
 *
 * One connection; see connection.h.
 */
#include "connection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"

/* Requests are a few dozen bytes. */
#define REQUEST_BYTES_MAX 4096

void connection_open(struct connection *connection, int fd)
{
    *connection = (struct connection){.fd = fd, .lines_told = UINT64_MAX};
    const int smallest = 0;
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &smallest, sizeof(smallest));
}

void connection_close(struct connection *connection)
{
    bh_close(&connection->fd);
    free(connection->pending);
    *connection = (struct connection){.fd = -1};
}

/* Moves received descriptors into `ret_fds`; all of them, so that the caller can close what it does not want. */
static size_t take_descriptors(struct msghdr *header, int ret_fds[static BH_MESSAGE_FDS_MAX])
{
    size_t n = 0;
    for (struct cmsghdr *control = CMSG_FIRSTHDR(header); control; control = CMSG_NXTHDR(header, control)) {
        if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        size_t count = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count && n < BH_MESSAGE_FDS_MAX; i++) {
            memcpy(&ret_fds[n++], CMSG_DATA(control) + i * sizeof(int), sizeof(int));
        }
    }
    return n;
}

int connection_receive(struct connection *connection, struct bh_message **ret_message, struct bh_error *error)
{
    uint8_t bytes[REQUEST_BYTES_MAX];
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(BH_MESSAGE_FDS_MAX * sizeof(int))];
    } control;
    struct iovec part = {.iov_base = bytes, .iov_len = sizeof(bytes)};
    struct msghdr header = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
    ssize_t n = recvmsg(connection->fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return 0;
    }
    if (n <= 0) {
        return n < 0 ? bh_error_errno(error, errno, "receive a request") : bh_error_set(error, BH_OK, "hung up");
    }
    int fds[BH_MESSAGE_FDS_MAX];
    size_t n_fds = take_descriptors(&header, fds);
    struct bh_message *message = NULL;
    int result = 1;
    if (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
        result = bh_error_set(error, BH_INVALID_ARGUMENT, "a request larger than %d bytes or %llu descriptors",
                              REQUEST_BYTES_MAX, (unsigned long long)BH_MESSAGE_FDS_MAX);
    } else if (bh_message_decode(&bulkhead__engine_to_monitor__descriptor, bytes, (size_t)n, &message, error) < 0) {
        result = -1;
    }
    if (result < 0) {
        for (size_t i = 0; i < n_fds; i++) {
            (void)close(fds[i]);
        }
        return result;
    }
    memcpy(message->fds, fds, n_fds * sizeof(int));
    message->n_fds = n_fds;
    *ret_message = message;
    return 1;
}

/* Sends or keeps `bytes`, which it takes over. */
static void send_or_keep(struct connection *connection, uint8_t *bytes, size_t n_bytes)
{
    struct iovec part = {.iov_base = bytes, .iov_len = n_bytes};
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
    ssize_t n = sendmsg(connection->fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        connection->pending = bytes;
        connection->n_pending = n_bytes;
        return;
    }
    free(bytes);
    if (n < 0) {
        connection_close(connection);
    }
}

void connection_send(struct connection *connection, uint64_t id, bool more, Bulkhead__MonitorToEngine *packet)
{
    struct bh_message_header header = {.id = id, .more = more};
    uint8_t *bytes = NULL;
    size_t n_bytes = 0;
    int memfd = -1; /* answers are far too small to need one */
    if (bh_message_encode(&bulkhead__monitor_to_engine__descriptor, &packet->base, &header, &bytes, &n_bytes, &memfd,
                          NULL) < 0) {
        connection_close(connection);
        return;
    }
    send_or_keep(connection, bytes, n_bytes);
}

void connection_send_done(struct connection *connection, uint64_t id)
{
    Bulkhead__Done done = BULKHEAD__DONE__INIT;
    Bulkhead__MonitorToEngine packet = BULKHEAD__MONITOR_TO_ENGINE__INIT;
    packet.body_case = BULKHEAD__MONITOR_TO_ENGINE__BODY_DONE;
    packet.done = &done;
    connection_send(connection, id, false, &packet);
}

void connection_fail(struct connection *connection, uint64_t id, const struct bh_error *error)
{
    struct bh_message_header header = {.id = id};
    uint8_t *bytes = NULL;
    size_t n_bytes = 0;
    if (bh_message_encode_error(&bulkhead__monitor_to_engine__descriptor, error, &header, &bytes, &n_bytes, NULL) < 0) {
        connection_close(connection);
        return;
    }
    send_or_keep(connection, bytes, n_bytes);
}

void connection_flush(struct connection *connection)
{
    if (connection->pending) {
        uint8_t *bytes = bh_steal_pointer(&connection->pending);
        send_or_keep(connection, bytes, connection->n_pending);
    }
}
