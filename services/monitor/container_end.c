/* SPDX-License-Identifier: Apache-2.0
 *
 * How the container ended; see container_end.h.
 */
#include "container_end.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "common/log.h"

#define EXIT_NAME     "exit"
#define EXIT_NEW_NAME "exit.new"
#define EXIT_MODE     0640
#define EXIT_UNKNOWN  255 /* the kernel would not say: never taken for success */

int exit_record_prepare(int logs, struct bh_error *error)
{
    if (unlinkat(logs, EXIT_NAME, 0) < 0 && errno != ENOENT) {
        return bh_error_errno(error, errno, "remove the last run's exit record");
    }
    bh_autoclose int fd = openat(logs, EXIT_NEW_NAME, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, EXIT_MODE);
    if (fd < 0) {
        return bh_error_errno(error, errno, "make %s", EXIT_NEW_NAME);
    }
    if (fallocate(fd, 0, 0, sizeof(struct bh_exit_record)) < 0 && errno != EOPNOTSUPP) {
        return bh_error_errno(error, errno, "reserve %s", EXIT_NEW_NAME);
    }
    return 0;
}

/* Whether memory.events (v2) counts a kill, or the eventfd (v1) has told of one. */
static bool ran_out_of_memory(uint32_t version, int fd)
{
    if (version == 1) {
        uint64_t events = 0;
        return read(fd, &events, sizeof(events)) == (ssize_t)sizeof(events) && events > 0;
    }
    char text[512];
    ssize_t n = version == 2 ? pread(fd, text, sizeof(text) - 1, 0) : 0;
    if (n <= 0) {
        return false;
    }
    text[n] = '\0';
    for (const char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        if (strncmp(line, "oom_kill ", 9) == 0) {
            return strtoul(line + 9, NULL, 10) > 0;
        }
    }
    return false;
}

void exit_record_fill(struct bh_exit_record *record, const struct bh_monitor_start *start, int pidfd, int oom_fd)
{
    *record = (struct bh_exit_record){
        .magic = BH_MONITOR_MAGIC,
        .exit_code = EXIT_UNKNOWN,
        .finished_at_ns = bh_wall_ns(),
        .oom_killed = ran_out_of_memory(start->oom_version, oom_fd) ? 1 : 0,
    };
    memcpy(record->container_id, start->container_id, sizeof(record->container_id));
    siginfo_t info = {0};
    if (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG) < 0 || info.si_pid == 0) {
        bh_log_error("wait for process %d: %s; its exit code is lost", start->pid, strerror(errno));
        return;
    }
    record->exit_code = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}

int exit_record_write(const struct bh_exit_record *record, int logs, bool durable, struct bh_error *error)
{
    /* Not truncated: the blocks were reserved at the start, and are written over. */
    bh_autoclose int fd = openat(logs, EXIT_NEW_NAME, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, EXIT_MODE);
    if (fd < 0) {
        return bh_error_errno(error, errno, "open %s", EXIT_NEW_NAME);
    }
    if (bh_write_all(fd, record, sizeof(*record), EXIT_NEW_NAME, error) < 0) {
        return -1;
    }
    if ((durable && fsync(fd) < 0) || renameat(logs, EXIT_NEW_NAME, logs, EXIT_NAME) < 0) {
        return bh_error_errno(error, errno, "save the exit record");
    }
    if (durable && fsync(logs) < 0) {
        return bh_error_errno(error, errno, "save the log folder");
    }
    return 0;
}
