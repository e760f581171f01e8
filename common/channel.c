/* SPDX-License-Identifier: Apache-2.0
 *
 * The socket side of channels; see channel.h. What is read here was written by another process that may have been taken
 * over: every length and count is checked, descriptors that nobody asked for are closed.
 */
#include "common/channel_internal.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <fcntl.h>

#include "common/cleanup.h"
#include "common/io.h"

#define FDS_ON_WIRE (BH_MESSAGE_FDS_MAX + 1) /* and one memfd */

int bh_channel_pair(int ret_ends[2], struct bh_error *error)
{
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_ends) < 0) {
        return bh_error_errno(error, errno, "make a socket pair");
    }
    /* A few of the largest messages; beyond the system's ceiling only with CAP_NET_ADMIN, and not needed then. */
    const int bytes = (int)(2 * BH_MESSAGE_BYTES_MAX);
    for (int i = 0; i < 2; i++) {
        if (setsockopt(ret_ends[i], SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) < 0) {
            (void)setsockopt(ret_ends[i], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
        }
    }
    return 0;
}

int bh_channel_new(const struct bh_protocol *protocol, void *owner, struct bh_channel **ret_channel,
                   struct bh_error *error)
{
    struct bh_channel *channel = calloc(1, sizeof(*channel));
    if (!channel) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "no memory for channel %s", protocol->name);
    }
    atomic_init(&channel->references, 1);
    channel->protocol = protocol;
    channel->owner = owner;
    channel->fd = -1;
    channel->state = 1;
    channel->next_id = 1;
    TAILQ_INIT(&channel->calls);
    TAILQ_INIT(&channel->requests);
    STAILQ_INIT(&channel->outgoing);
    (void)pthread_mutex_init(&channel->lock, NULL);
    *ret_channel = channel;
    return 0;
}

struct bh_channel *bh_channel_ref(struct bh_channel *channel)
{
    atomic_fetch_add(&channel->references, 1);
    return channel;
}

void bh_channel_unref(struct bh_channel *channel)
{
    if (atomic_fetch_sub(&channel->references, 1) != 1) {
        return;
    }
    if (channel->loop) {
        channel->loop->destroy(channel);
    }
    (void)pthread_mutex_destroy(&channel->lock);
    free(channel);
}

void bh_channel_free(struct bh_channel *channel)
{
    if (channel) {
        channel->on_close = NULL;
        bh_channel_hang_up(channel, "was closed");
        bh_channel_unref(channel);
    }
}

int bh_channel_wire(struct bh_channel *channel, int fd, struct bh_error *error)
{
    if (channel->fd >= 0) {
        bh_channel_hang_up(channel, "was restarted");
    }
    (void)pthread_mutex_lock(&channel->lock);
    channel->fd = fd;
    channel->state = 1;
    (void)pthread_mutex_unlock(&channel->lock);
    return channel->loop ? channel->loop->attach(channel, error) : 0;
}

bool bh_channel_is_wired(const struct bh_channel *channel)
{
    return channel->fd >= 0;
}

int bh_channel_fd(const struct bh_channel *channel)
{
    return channel->fd;
}

void bh_channel_set_state(struct bh_channel *channel, uint32_t state)
{
    channel->state = state;
}

void bh_channel_on_close(struct bh_channel *channel, void (*notify)(struct bh_channel *, void *owner))
{
    channel->on_close = notify;
}

static void outgoing_free(struct bh_outgoing *outgoing)
{
    for (size_t i = 0; i < outgoing->n_fds; i++) {
        bh_close(&outgoing->fds[i]);
    }
    free(outgoing->bytes);
    free(outgoing);
}

void bh_channel_hang_up(struct bh_channel *channel, const char *why)
{
    (void)pthread_mutex_lock(&channel->lock);
    int fd = bh_steal_fd(&channel->fd);
    struct bh_outgoing *outgoing;
    while ((outgoing = STAILQ_FIRST(&channel->outgoing))) {
        STAILQ_REMOVE_HEAD(&channel->outgoing, next);
        outgoing_free(outgoing);
    }
    channel->n_outgoing = 0;
    (void)pthread_mutex_unlock(&channel->lock);
    if (fd < 0) {
        return;
    }
    if (channel->loop) {
        channel->loop->detach(channel);
    }
    bh_close(&fd);
    struct bh_error failure;
    (void)bh_error_set(&failure, BH_UNAVAILABLE, "the other end of %s %s", channel->protocol->name, why);
    bh_call_fail_all(channel, &failure);
    bh_request_cancel_all(channel);
    if (channel->on_close) {
        channel->on_close(channel, channel->owner);
    }
}

/* ---- sending ---------------------------------------------------------------------------------- */

static ssize_t send_datagram(int fd, const uint8_t *bytes, size_t n_bytes, const int *fds, size_t n_fds)
{
    struct iovec part = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = n_bytes};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(FDS_ON_WIRE * sizeof(int))];
    } control = {0};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (n_fds > 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(n_fds * sizeof(int));
        memcpy(CMSG_DATA(&control.header), fds, n_fds * sizeof(int));
    }
    ssize_t n;
    do {
        n = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (n < 0 && errno == EINTR);
    return n;
}

/* Keeps a datagram that the socket would not take. Called with the lock held; takes `bytes`. */
static int enqueue(struct bh_channel *channel, uint8_t *bytes, size_t n_bytes, const int *fds, size_t n_fds,
                   struct bh_error *error)
{
    struct bh_outgoing *outgoing = channel->n_outgoing < BH_CHANNEL_QUEUE_MAX ? calloc(1, sizeof(*outgoing)) : NULL;
    if (!outgoing) {
        free(bytes);
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "the other end of %s does not read (%zu messages wait)",
                            channel->protocol->name, channel->n_outgoing);
    }
    outgoing->bytes = bytes;
    outgoing->n_bytes = n_bytes;
    for (; outgoing->n_fds < n_fds; outgoing->n_fds++) {
        int copy = fcntl(fds[outgoing->n_fds], F_DUPFD_CLOEXEC, 3);
        if (copy < 0) {
            outgoing_free(outgoing);
            return bh_error_errno(error, errno, "keep a descriptor for %s", channel->protocol->name);
        }
        outgoing->fds[outgoing->n_fds] = copy;
    }
    STAILQ_INSERT_TAIL(&channel->outgoing, outgoing, next);
    channel->n_outgoing++;
    return 0;
}

/* DIRECT mode: waits for room. */
static int send_waiting(struct bh_channel *channel, const uint8_t *bytes, size_t n_bytes, const int *fds, size_t n_fds,
                        uint64_t deadline_at_ms, struct bh_error *error)
{
    for (;;) {
        if (send_datagram(channel->fd, bytes, n_bytes, fds, n_fds) >= 0) {
            return 0;
        }
        if (errno != EAGAIN) {
            return bh_error_errno(error, errno, "send on %s", channel->protocol->name);
        }
        uint64_t now = bh_now_ms();
        struct pollfd wait = {.fd = channel->fd, .events = POLLOUT};
        if (now >= deadline_at_ms || poll(&wait, 1, (int)(deadline_at_ms - now)) == 0) {
            return bh_error_set(error, BH_DEADLINE_EXCEEDED, "the other end of %s does not read",
                                channel->protocol->name);
        }
    }
}

int bh_channel_send_bytes(struct bh_channel *channel, uint8_t *bytes, size_t n_bytes, const int *fds, size_t n_fds,
                          uint64_t deadline_at_ms, struct bh_error *error)
{
    bh_autofree uint8_t *owned = bytes;
    if (!channel->loop) {
        if (channel->fd < 0) {
            return bh_error_set(error, BH_UNAVAILABLE, "nobody is at the other end of %s", channel->protocol->name);
        }
        return send_waiting(channel, owned, n_bytes, fds, n_fds, deadline_at_ms, error);
    }
    (void)pthread_mutex_lock(&channel->lock);
    int result = 0;
    bool queued = false;
    if (channel->fd < 0) {
        result = bh_error_set(error, BH_UNAVAILABLE, "nobody is at the other end of %s", channel->protocol->name);
    } else if (!STAILQ_EMPTY(&channel->outgoing) || send_datagram(channel->fd, owned, n_bytes, fds, n_fds) < 0) {
        if (STAILQ_EMPTY(&channel->outgoing) && errno != EAGAIN) {
            result = bh_error_errno(error, errno, "send on %s", channel->protocol->name);
        } else {
            result = enqueue(channel, bh_steal_pointer(&owned), n_bytes, fds, n_fds, error);
            queued = result == 0;
        }
    }
    (void)pthread_mutex_unlock(&channel->lock);
    if (queued) {
        channel->loop->want_write(channel);
    }
    return result;
}

int bh_channel_flush(struct bh_channel *channel)
{
    (void)pthread_mutex_lock(&channel->lock);
    struct bh_outgoing *outgoing;
    while (channel->fd >= 0 && (outgoing = STAILQ_FIRST(&channel->outgoing))) {
        if (send_datagram(channel->fd, outgoing->bytes, outgoing->n_bytes, outgoing->fds, outgoing->n_fds) < 0) {
            break; /* EAGAIN: later; anything else: reading will see the end */
        }
        STAILQ_REMOVE_HEAD(&channel->outgoing, next);
        channel->n_outgoing--;
        outgoing_free(outgoing);
    }
    int left = !STAILQ_EMPTY(&channel->outgoing);
    (void)pthread_mutex_unlock(&channel->lock);
    return left;
}

/* ---- receiving -------------------------------------------------------------------------------- */

struct datagram {
    uint8_t *bytes;
    size_t n_bytes;
    int fds[FDS_ON_WIRE];
    size_t n_fds;
};

static void datagram_release(struct datagram *datagram)
{
    for (size_t i = 0; i < datagram->n_fds; i++) {
        bh_close(&datagram->fds[i]);
    }
    free(datagram->bytes);
}

/* As bh_channel_receive(); the caller releases the datagram in every case. */
static int read_datagram(struct bh_channel *channel, struct datagram *ret_datagram, struct bh_error *error)
{
    ssize_t size;
    do {
        size = recv(channel->fd, NULL, 0, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);
    } while (size < 0 && errno == EINTR);
    if (size < 0 && errno == EAGAIN) {
        return 0;
    }
    if (size <= 0) {
        return 2;
    }
    if ((size_t)size > BH_MESSAGE_BYTES_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "a message of %zd bytes on %s (at most %llu)", size,
                            channel->protocol->name, BH_MESSAGE_BYTES_MAX);
    }
    ret_datagram->bytes = malloc((size_t)size);
    if (!ret_datagram->bytes) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "no memory for a message of %zd bytes", size);
    }
    struct iovec part = {.iov_base = ret_datagram->bytes, .iov_len = (size_t)size};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(FDS_ON_WIRE * sizeof(int))];
    } control = {0};
    /* Not the padded size: the kernel would fill the padding with one descriptor more. */
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = CMSG_LEN(FDS_ON_WIRE * sizeof(int))};
    ssize_t n;
    do {
        n = recvmsg(channel->fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return bh_error_errno(error, errno, "receive on %s", channel->protocol->name);
    }
    ret_datagram->n_bytes = (size_t)n;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
            size_t n_fds = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
            memcpy(ret_datagram->fds, CMSG_DATA(c), n_fds * sizeof(int));
            ret_datagram->n_fds = n_fds;
        }
    }
    if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "more than %d descriptors on %s", FDS_ON_WIRE,
                            channel->protocol->name);
    }
    return 1;
}

/* A packet that only announces a memfd is replaced by what the memfd holds. */
static int unfold_memfd(struct bh_channel *channel, struct datagram *datagram, struct bh_message **message,
                        struct bh_error *error)
{
    uint64_t expected = bh_message_memfd_bytes(*message);
    if (datagram->n_fds == 0 || expected > BH_MESSAGE_MEMFD_BYTES_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "a message on %s announces a body that did not come",
                            channel->protocol->name);
    }
    bh_autoclose int memfd = datagram->fds[--datagram->n_fds];
    bh_autofree void *bytes = NULL;
    size_t n_bytes = 0;
    if (bh_memfd_read(memfd, BH_MESSAGE_MEMFD_BYTES_MAX, &bytes, &n_bytes, error) < 0) {
        return -1;
    }
    if (n_bytes != expected) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "a memfd of %zu bytes instead of the announced %llu", n_bytes,
                            (unsigned long long)expected);
    }
    struct bh_message *inner = NULL;
    if (bh_message_decode(channel->protocol->incoming, bytes, n_bytes, &inner, error) < 0) {
        return -1;
    }
    bh_message_free(*message);
    *message = inner;
    if (bh_message_memfd_bytes(inner) != 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "a memfd within a memfd on %s", channel->protocol->name);
    }
    return 0;
}

int bh_channel_receive(struct bh_channel *channel, struct bh_error *error)
{
    __attribute__((cleanup(datagram_release))) struct datagram datagram = {0};
    int read = read_datagram(channel, &datagram, error);
    if (read != 1) {
        return read;
    }
    bh_automessage struct bh_message *message = NULL;
    if (bh_message_decode(channel->protocol->incoming, datagram.bytes, datagram.n_bytes, &message, error) < 0) {
        return bh_error_wrap(error, "channel %s", channel->protocol->name);
    }
    if (bh_message_memfd_bytes(message) > 0 && unfold_memfd(channel, &datagram, &message, error) < 0) {
        return -1;
    }
    if (datagram.n_fds > BH_MESSAGE_FDS_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "too many descriptors on %s", channel->protocol->name);
    }
    memcpy(message->fds, datagram.fds, datagram.n_fds * sizeof(int));
    message->n_fds = datagram.n_fds;
    datagram.n_fds = 0;

    struct bh_channel *held = bh_channel_ref(channel); /* a handler may free its own channel */
    if (message->cancel) {
        bh_request_cancel_id(channel, message->id);
    } else if (channel->protocol->handlers) {
        bh_request_dispatch(channel, bh_steal_pointer(&message));
    } else {
        bh_call_deliver(channel, bh_steal_pointer(&message));
    }
    bh_channel_unref(held);
    return 1;
}

bool bh_channel_expire(struct bh_channel *channel)
{
    bool calls = bh_call_expire_all(channel);
    bool requests = bh_request_expire_all(channel);
    return calls || requests;
}

/* ---- without a loop ---------------------------------------------------------------------------- */

int bh_channel_poll(struct bh_channel *channel, int timeout_ms, struct bh_error *error)
{
    if (channel->fd < 0) {
        return 2;
    }
    struct pollfd wait = {.fd = channel->fd, .events = POLLIN};
    int ready = poll(&wait, 1, timeout_ms);
    if (ready < 0 && errno != EINTR) {
        return bh_error_errno(error, errno, "wait for %s", channel->protocol->name);
    }
    int result = ready > 0 ? bh_channel_receive(channel, error) : 0;
    if (result == 2 || result < 0) {
        bh_channel_hang_up(channel, "hung up");
    }
    return result;
}

int bh_channel_serve(struct bh_channel *channel, struct bh_error *error)
{
    for (;;) {
        int result = bh_channel_poll(channel, -1, error);
        if (result == 2) {
            return 0;
        }
        if (result < 0) {
            return -1;
        }
    }
}
