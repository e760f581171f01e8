/* SPDX-License-Identifier: Apache-2.0
 *
 * See helpers_log.h.
 */
#include "helpers_log.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log.h"

#define MOVE_BYTES 65536

static int prepare(struct helpers_log *log, struct bh_error *error)
{
    log->file = open("/proc/self/fd/2", O_WRONLY | O_CLOEXEC); /* splice(2) refuses O_APPEND, which ours may have */
    log->nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (log->file < 0 || log->nowhere < 0 || pipe2(log->pipe, O_CLOEXEC) < 0) {
        return bh_error_errno(error, errno, "prepare a pipe for the helpers' log");
    }
    return fcntl(log->pipe[0], F_SETFL, O_NONBLOCK) < 0
               ? bh_error_errno(error, errno, "prepare a pipe for the helpers' log")
               : 0;
}

void helpers_log_open(struct helpers_log *ret_log)
{
    struct stat status;
    struct bh_error error;
    *ret_log = (struct helpers_log){.pipe = {-1, -1}, .file = -1, .nowhere = -1};
    if (fstat(STDERR_FILENO, &status) < 0 || !S_ISREG(status.st_mode) || prepare(ret_log, &error) == 0) {
        return;
    }
    bh_log_failure(BH_LOG_WARNING, &error, "helpers write the log themselves");
    bh_close(&ret_log->pipe[0]);
    bh_close(&ret_log->pipe[1]);
    bh_close(&ret_log->file);
    bh_close(&ret_log->nowhere);
}

int helpers_log_end(const struct helpers_log *log)
{
    return log->pipe[1];
}

void helpers_log_drain(const struct helpers_log *log)
{
    ssize_t moved = log->pipe[0] < 0 ? 0 : 1;
    while (moved > 0) {
        (void)lseek(log->file, 0, SEEK_END); /* others write to it as well */
        moved = splice(log->pipe[0], NULL, log->file, NULL, MOVE_BYTES, SPLICE_F_NONBLOCK);
        if (moved < 0 && errno != EAGAIN) { /* a full disk: nobody is to wait for room in the pipe */
            moved = splice(log->pipe[0], NULL, log->nowhere, NULL, MOVE_BYTES, SPLICE_F_NONBLOCK);
        }
    }
}

static void on_readable(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    helpers_log_drain(argument);
}

int helpers_log_watch(struct helpers_log *log, struct event_base *base, struct bh_error *error)
{
    if (log->pipe[0] < 0) {
        return 0;
    }
    log->event = event_new(base, log->pipe[0], EV_READ | EV_PERSIST, on_readable, log);
    return !log->event || event_add(log->event, NULL) < 0
               ? bh_error_set(error, BH_RESOURCE_EXHAUSTED, "watch the helpers' log")
               : 0;
}
