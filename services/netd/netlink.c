/* SPDX-License-Identifier: Apache-2.0
 *
 * See netlink.h.
 */
#include "netlink.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"

#define FOREIGN_MAX   4096          /* messages of somebody else's that are passed over before giving up */
#define BUFFER_BYTES  (64 * 1024)   /* what the kernel puts into one answer of a dump is less */
#define RECEIVE_BYTES (1024 * 1024) /* answers to a batch wait until it is over */

/* ---- sockets ----------------------------------------------------------------------------------------------- */

static void prepare(int fd)
{
    const int on = 1, bytes = RECEIVE_BYTES;
    /* For better texts, shorter answers and more room; without them everything works, too. */
    (void)setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
    (void)setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes));
}

int netlink_open(int protocol, struct netlink *ret_netlink, struct bh_error *error)
{
    const struct sockaddr_nl address = {.nl_family = AF_NETLINK};
    bh_autoclose int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
        return bh_error_errno(error, errno, "open a netlink socket of protocol %d", protocol);
    }
    prepare(fd);
    *ret_netlink = (struct netlink){.fd = bh_steal_fd(&fd)};
    return 0;
}

int netlink_adopt(int fd, int protocol, struct netlink *ret_netlink, struct bh_error *error)
{
    bh_autoclose int owned = fd;
    int domain = -1, actual = -1;
    socklen_t n_domain = sizeof(domain), n_actual = sizeof(actual);
    if (getsockopt(owned, SOL_SOCKET, SO_DOMAIN, &domain, &n_domain) < 0 ||
        getsockopt(owned, SOL_SOCKET, SO_PROTOCOL, &actual, &n_actual) < 0 || domain != AF_NETLINK ||
        actual != protocol) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "a descriptor is no netlink socket of protocol %d", protocol);
    }
    prepare(owned);
    *ret_netlink = (struct netlink){.fd = bh_steal_fd(&owned)};
    return 0;
}

void netlink_close(struct netlink *netlink)
{
    bh_close(&netlink->fd);
}

int netlink_namespace(const struct netlink *netlink, uint64_t *ret_cookie, struct bh_error *error)
{
    socklen_t n_bytes = sizeof(*ret_cookie);
    return getsockopt(netlink->fd, SOL_SOCKET, SO_NETNS_COOKIE, ret_cookie, &n_bytes) < 0
               ? bh_error_errno(error, errno, "ask for a socket's network namespace")
               : 0;
}

/* ---- one request ------------------------------------------------------------------------------------------- */

struct nlmsghdr *netlink_begin(struct netlink_request *request, uint16_t type, uint16_t flags)
{
    struct nlmsghdr *header = mnl_nlmsg_put_header(request->bytes);
    header->nlmsg_type = type;
    header->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
    return header;
}

static int send_bytes(const struct netlink *netlink, const void *bytes, size_t n_bytes)
{
    const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    ssize_t n;
    do {
        n = sendto(netlink->fd, bytes, n_bytes, 0, (const struct sockaddr *)&kernel, sizeof(kernel));
    } while (n < 0 && errno == EINTR);
    return n == (ssize_t)n_bytes ? 0 : -1;
}

/* The next datagram of the kernel's. 0: none is left. */
static ssize_t receive(const struct netlink *netlink, char *buffer, struct bh_error *error)
{
    for (int foreign = 0; foreign < FOREIGN_MAX; foreign++) {
        struct sockaddr_nl from = {0};
        struct iovec part = {.iov_base = buffer, .iov_len = BUFFER_BYTES};
        struct msghdr message = {.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &part, .msg_iovlen = 1};
        ssize_t n = recvmsg(netlink->fd, &message, MSG_DONTWAIT);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 && errno == EAGAIN) {
            return 0;
        }
        if (n < 0 && errno == ENOBUFS) {
            break;
        }
        if (n < 0) {
            return bh_error_errno(error, errno, "read the kernel's answer");
        }
        if (message.msg_flags & MSG_TRUNC) {
            return bh_error_set(error, BH_INTERNAL, "the kernel's answer is longer than %d bytes", BUFFER_BYTES);
        }
        if (from.nl_pid == 0 && n > 0) {
            return n;
        }
    }
    return bh_error_set(error, BH_UNAVAILABLE, "somebody floods the netlink socket");
}

/* What the kernel says of a request: 0 or -1 with its errno and, if it gave one, its text. */
static int read_result(const struct nlmsghdr *header, struct bh_error *error, const char *what)
{
    const struct nlmsgerr *result = mnl_nlmsg_get_payload(header);
    if (header->nlmsg_len < mnl_nlmsg_size(sizeof(*result))) {
        return bh_error_set(error, BH_INTERNAL, "%s: the kernel's answer is cut short", what);
    }
    if (result->error == 0) {
        return 0;
    }
    const char *text = NULL;
    if (header->nlmsg_flags & NLM_F_ACK_TLVS) {
        size_t skipped = sizeof(*result);
        if (!(header->nlmsg_flags & NLM_F_CAPPED)) {
            skipped += result->msg.nlmsg_len - sizeof(struct nlmsghdr);
        }
        const struct nlattr *attribute;
        netlink_each(attribute, header, (unsigned int)skipped)
        {
            if (mnl_attr_get_type(attribute) == NLMSGERR_ATTR_MSG &&
                mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) >= 0) {
                text = mnl_attr_get_str(attribute);
            }
        }
    }
    return text ? bh_error_errno(error, -result->error, "%s (%s)", what, text)
                : bh_error_errno(error, -result->error, "%s", what);
}

/* Goes through what came until the request's end. 1: more is to come, 0: done, -1: refused. */
static int take_messages(const char *buffer, ssize_t received, uint32_t sequence, netlink_take take, void *argument,
                         struct bh_error *error, const char *what)
{
    int left = (int)received;
    for (const struct nlmsghdr *header = (const void *)buffer; mnl_nlmsg_ok(header, left);
         header = mnl_nlmsg_next(header, &left)) {
        if (header->nlmsg_seq != sequence) {
            continue; /* of an earlier request that was given up */
        }
        if (header->nlmsg_type == NLMSG_ERROR) {
            return read_result(header, error, what);
        }
        if (header->nlmsg_type == NLMSG_DONE) {
            return 0;
        }
        if (header->nlmsg_flags & NLM_F_DUMP_INTR) {
            return bh_error_errno(error, EINTR, "%s: it changed meanwhile", what);
        }
        if (take && take(header, argument) < 0) {
            return bh_error_set(error, BH_INTERNAL, "%s: the kernel's answer cannot be used", what);
        }
    }
    return 1;
}

static int exchange(struct netlink *netlink, struct nlmsghdr *header, netlink_take take, void *argument,
                    struct bh_error *error, const char *what)
{
    bh_autofree char *buffer = malloc(BUFFER_BYTES);
    if (!buffer) {
        return bh_error_errno(error, ENOMEM, "%s", what);
    }
    header->nlmsg_flags |= NLM_F_ACK;
    header->nlmsg_seq = ++netlink->sequence;
    if (send_bytes(netlink, header, header->nlmsg_len) < 0) {
        return bh_error_errno(error, errno, "%s", what);
    }
    for (;;) {
        ssize_t received = receive(netlink, buffer, error);
        if (received < 0) {
            return bh_error_wrap(error, "%s", what);
        }
        if (received == 0) {
            return bh_error_set(error, BH_UNAVAILABLE, "%s: the kernel did not answer", what);
        }
        int result = take_messages(buffer, received, netlink->sequence, take, argument, error, what);
        if (result <= 0) {
            return result;
        }
    }
}

int netlink_do(struct netlink *netlink, struct nlmsghdr *header, struct bh_error *error, const char *what, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, what);
    (void)vsnprintf(text, sizeof(text), what, arguments);
    va_end(arguments);
    return exchange(netlink, header, NULL, NULL, error, text);
}

int netlink_ask(struct netlink *netlink, struct nlmsghdr *header, netlink_take take, void *argument,
                struct bh_error *error, const char *what, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, what);
    (void)vsnprintf(text, sizeof(text), what, arguments);
    va_end(arguments);
    return exchange(netlink, header, take, argument, error, text);
}

/* ---- a batch ----------------------------------------------------------------------------------------------- */

int netlink_send_batch(struct netlink *netlink, const void *bytes, size_t n_bytes, uint32_t first,
                       struct bh_error *error)
{
    bh_autofree char *buffer = malloc(BUFFER_BYTES);
    const int room = (int)n_bytes + BUFFER_BYTES;
    bool acknowledged = false;
    if (!buffer || setsockopt(netlink->fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room)) < 0 ||
        send_bytes(netlink, bytes, n_bytes) < 0) {
        return bh_error_errno(error, buffer ? errno : ENOMEM, "send changes of the tables");
    }
    for (;;) {
        ssize_t received = receive(netlink, buffer, error);
        if (received < 0) {
            return -1;
        }
        if (received == 0) {
            return acknowledged ? 0 : bh_error_set(error, BH_UNAVAILABLE, "the kernel did not confirm changed tables");
        }
        int left = (int)received;
        for (const struct nlmsghdr *header = (const void *)buffer; mnl_nlmsg_ok(header, left);
             header = mnl_nlmsg_next(header, &left)) {
            uint32_t place = header->nlmsg_seq - first;
            if (place > netlink->sequence - first || header->nlmsg_type != NLMSG_ERROR) {
                continue; /* of an earlier request that was given up */
            }
            if (read_result(header, error, "change the tables") < 0) {
                return -1;
            }
            acknowledged = acknowledged || header->nlmsg_seq == netlink->sequence;
        }
    }
}
