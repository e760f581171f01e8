/* SPDX-License-Identifier: Apache-2.0
 *
 * One connection: the very address that was judged is the one connected to, so a name that changes its answer in
 * between gains nothing.
 */
#include "dial.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "resolve.h"

static void describe(const struct resolved_address *address, uint16_t port, char text[static DIAL_ADDRESS_TEXT_SIZE])
{
    char numeric[INET6_ADDRSTRLEN] = "?";
    bool ipv6 = address->any.sa_family == AF_INET6;
    const void *bytes = ipv6 ? (const void *)&address->ipv6.sin6_addr : (const void *)&address->ipv4.sin_addr;
    (void)inet_ntop(address->any.sa_family, bytes, numeric, sizeof(numeric));
    (void)snprintf(text, DIAL_ADDRESS_TEXT_SIZE, ipv6 ? "[%s]:%u" : "%s:%u", numeric, port);
}

/* Turns a failed connect into the words that Docker's users know. */
static int refuse(int err, const char *text, struct bh_error *error)
{
    const char *reason = strerror(err);
    char lower[128];
    (void)snprintf(lower, sizeof(lower), "%s", reason);
    if (lower[0] >= 'A' && lower[0] <= 'Z') {
        lower[0] = (char)(lower[0] - 'A' + 'a');
    }
    (void)bh_error_set(error, BH_UNAVAILABLE, "dial tcp %s: connect: %s", text, lower);
    if (error) {
        error->sys_errno = err;
    }
    return -1;
}

/* Waits until a connect that is under way has succeeded or failed. */
static int finish_connect(int fd, uint64_t deadline_ms, const char *text, struct bh_error *error)
{
    for (;;) {
        uint64_t now_ms = bh_now_ms();
        if (now_ms >= deadline_ms) {
            return bh_error_set(error, BH_DEADLINE_EXCEEDED, "dial tcp %s: i/o timeout", text);
        }
        struct pollfd wait = {.fd = fd, .events = POLLOUT};
        int ready = poll(&wait, 1, (int)(deadline_ms - now_ms));
        if (ready < 0 && errno != EINTR) {
            return refuse(errno, text, error);
        }
        if (ready > 0) {
            break;
        }
    }
    int err = 0;
    socklen_t n_bytes = sizeof(err);
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &n_bytes) < 0) {
        err = errno;
    }
    return err == 0 ? 0 : refuse(err, text, error);
}

static int connect_address(const struct resolved_address *address, uint64_t deadline_ms, const char *text, int *ret_fd,
                           struct bh_error *error)
{
    bh_autoclose int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
    if (fd < 0) {
        return refuse(errno, text, error);
    }
    const int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); /* only for speed */
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    if (connect(fd, &address->any, address->n_bytes) < 0) {
        if (errno != EINPROGRESS) {
            return refuse(errno, text, error);
        }
        if (finish_connect(fd, deadline_ms, text, error) < 0) {
            return -1;
        }
    }
    *ret_fd = bh_steal_fd(&fd);
    return 0;
}

/* Drops the addresses that the rules refuse; the last refusal is the error if none is left. */
static int keep_allowed(const struct egress_rules *rules, const struct dial_question *question,
                        struct resolved_address *addresses, bool *insecure, size_t *n_addresses, struct bh_error *error)
{
    size_t kept = 0;
    for (size_t i = 0; i < *n_addresses; i++) {
        struct egress_question judged = {.host = question->host,
                                         .port = question->port,
                                         .registry_host = question->registry_host,
                                         .registry_port = question->registry_port};
        if (egress_address(&addresses[i].any, &judged.address, error) < 0 ||
            egress_judge(rules, &judged, &insecure[kept], error) < 0) {
            continue;
        }
        addresses[kept++] = addresses[i];
    }
    *n_addresses = kept;
    return kept > 0 ? 0 : -1;
}

int dial(const struct egress_rules *rules, const struct dial_question *question, struct dial_connection *ret_connection,
         struct bh_error *error)
{
    uint64_t deadline_ms = bh_now_ms() + question->timeout_ms;
    struct resolved_address addresses[RESOLVE_ADDRESSES_MAX];
    bool insecure[RESOLVE_ADDRESSES_MAX] = {false};
    size_t n_addresses = 0;
    if (resolve_host(question->host, question->port, addresses, &n_addresses, error) < 0 ||
        keep_allowed(rules, question, addresses, insecure, &n_addresses, error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < n_addresses; i++) {
        /* An address that swallows packets leaves the others their share of the time. */
        uint64_t now_ms = bh_now_ms();
        uint64_t left_ms = deadline_ms > now_ms ? deadline_ms - now_ms : 0;
        char text[DIAL_ADDRESS_TEXT_SIZE];
        describe(&addresses[i], question->port, text);
        int fd = -1;
        if (connect_address(&addresses[i], now_ms + left_ms / (n_addresses - i), text, &fd, error) == 0) {
            *ret_connection = (struct dial_connection){.fd = fd, .insecure_allowed = insecure[i]};
            memcpy(ret_connection->address, text, sizeof(text));
            return 0;
        }
    }
    return -1;
}
