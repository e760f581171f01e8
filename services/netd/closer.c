/* SPDX-License-Identifier: Apache-2.0
 *
 * See closer.h.
 */
#include "closer.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/channel.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "common/service.h"
#include "sandbox.h"

#define FDS_MAX  4  /* in one message, more than are ever sent */
#define HELD_MAX 64 /* that wait for netd's own close */

union control {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int) * FDS_MAX)];
};

/* ---- the worker -------------------------------------------------------------------------------------------- */

/* What came is held until netd says that it has closed its own: or that would be the last close. */
struct held {
    int fds[HELD_MAX];
    size_t n;
};

static void close_held(struct held *held)
{
    while (held->n > 0) {
        (void)close(held->fds[--held->n]);
    }
}

/* Returns whether descriptors came. */
static bool hold(struct held *held, struct msghdr *message)
{
    bool came = false;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header; header = CMSG_NXTHDR(message, header)) {
        if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
            int fds[FDS_MAX];
            size_t n_bytes = header->cmsg_len - CMSG_LEN(0);
            memcpy(fds, CMSG_DATA(header), n_bytes < sizeof(fds) ? n_bytes : sizeof(fds));
            for (size_t i = 0; i < n_bytes / sizeof(int) && i < FDS_MAX; i++) {
                if (held->n == HELD_MAX) {
                    close_held(held);
                }
                held->fds[held->n++] = fds[i];
                came = true;
            }
        }
    }
    return came;
}

static int work(struct bh_service_context *context, int job_fd, void *argument)
{
    (void)context;
    (void)argument;
    struct held held = {.n = 0};
    for (;;) {
        char byte;
        union control control;
        struct iovec data = {.iov_base = &byte, .iov_len = 1};
        struct msghdr message = {
            .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
        ssize_t n = recvmsg(job_fd, &message, MSG_CMSG_CLOEXEC);
        if (n <= 0) {
            return n < 0;
        }
        if (!hold(&held, &message)) {
            close_held(&held);
        }
    }
}

/* ---- netd -------------------------------------------------------------------------------------------------- */

static void on_worker_exit(struct bh_service_context *context, pid_t pid, int status, void *argument)
{
    (void)context;
    (void)status;
    struct closer *closer = argument;
    if (closer->pid == pid) { /* the next one is started when it is needed */
        closer->pid = 0;
        bh_close(&closer->socket);
    }
}

static int start(struct closer *closer, struct bh_error *error)
{
    static const struct bh_worker worker = {
        .sandbox = &netd_closer_sandbox, .name = "closer", .work = work, .on_exit = on_worker_exit};
    int ends[2];
    if (bh_channel_pair(ends, error) < 0) {
        return -1;
    }
    bh_autoclose int mine = ends[0], its = ends[1];
    if (bh_worker_fork(closer->context, &worker, its, closer, &closer->pid, error) < 0) {
        return -1;
    }
    closer->socket = bh_steal_fd(&mine);
    return 0;
}

static int hand_over(const struct closer *closer, int fd)
{
    char byte = 0;
    union control control = {0};
    struct iovec data = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {
        .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = CMSG_SPACE(sizeof(int))};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &fd, sizeof(fd));
    return sendmsg(closer->socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL) == 1 ? 0 : -1;
}

void closer_close(struct closer *closer, int *fd)
{
    struct bh_error error;
    if (*fd < 0) {
        return;
    }
    if (closer->pid == 0 && start(closer, &error) < 0) {
        bh_log_failure(BH_LOG_WARNING, &error, "start the worker that closes descriptors");
    }
    /* With a full queue or a dead worker the close here is the last one. */
    bool handed_over = closer->pid != 0 && hand_over(closer, *fd) == 0;
    bh_close(fd);
    if (handed_over) {
        (void)send(closer->socket, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL); /* the next one's word does as well */
    }
}

void closer_stop(struct closer *closer)
{
    closer->pid = 0;
    bh_close(&closer->socket);
}
