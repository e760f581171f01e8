/* SPDX-License-Identifier: Apache-2.0
 *
 * The supervisor's fixed-size records; see control.h.
 */
#include "common/control.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *const role_names[BH_ROLE_COUNT] = {
    [BH_ROLE_SUPERVISOR] = "supervisor",
    [BH_ROLE_API] = "api",
    [BH_ROLE_ENGINE] = "engine",
    [BH_ROLE_STORE] = "store",
    [BH_ROLE_FETCHER] = "fetcher",
    [BH_ROLE_DIALER] = "dialer",
    [BH_ROLE_EXTRACTOR] = "extractor",
    [BH_ROLE_POLICYD] = "policyd",
    [BH_ROLE_EXECUTOR] = "executor",
    [BH_ROLE_MONITOR] = "monitor",
    [BH_ROLE_CLI] = "cli",
    [BH_ROLE_COPIER] = "copier",
    [BH_ROLE_NETD] = "netd",
};

const char *bh_role_name(enum bh_role role)
{
    return (unsigned int)role < BH_ROLE_COUNT && role_names[role] ? role_names[role] : "?";
}

enum bh_role bh_role_from_name(const char *name)
{
    for (int role = BH_ROLE_NONE + 1; role < BH_ROLE_COUNT; role++) {
        if (strcmp(role_names[role], name) == 0) {
            return (enum bh_role)role;
        }
    }
    return BH_ROLE_NONE;
}

int bh_control_send(int socket, const struct bh_control *record, int fd, struct bh_error *error)
{
    struct bh_control copy = *record;
    struct iovec part = {.iov_base = &copy, .iov_len = sizeof(copy)};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (fd >= 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = sizeof(control.bytes);
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(&control.header), &fd, sizeof(int));
    }
    ssize_t n;
    do {
        n = sendmsg(socket, &message, MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    return n < 0 ? bh_error_errno(error, errno, "send a control record") : 0;
}

int bh_control_receive(int socket, struct bh_control *ret_record, int *ret_fd, struct bh_error *error)
{
    struct bh_control record;
    struct iovec part = {.iov_base = &record, .iov_len = sizeof(record)};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(4 * sizeof(int))];
    } control = {0};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes)};
    ssize_t n;
    do {
        n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    } while (n < 0 && errno == EINTR);
    if (n == 0 || (n < 0 && errno == ECONNRESET)) {
        return 0;
    }
    if (n < 0) {
        return bh_error_errno(error, errno, "receive a control record");
    }
    int fds[4];
    size_t n_fds = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
            size_t bytes = c->cmsg_len - CMSG_LEN(0);
            memcpy(fds, CMSG_DATA(c), bytes < sizeof(fds) ? bytes : sizeof(fds));
            n_fds = bytes / sizeof(int);
        }
    }
    if ((size_t)n != sizeof(record) || n_fds > 1 || (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC))) {
        for (size_t i = 0; i < n_fds && i < 4; i++) {
            (void)close(fds[i]);
        }
        return bh_error_set(error, BH_INVALID_ARGUMENT, "a control record of %zd bytes with %zu descriptors", n, n_fds);
    }
    *ret_record = record;
    *ret_fd = n_fds == 1 ? fds[0] : -1;
    return 1;
}
