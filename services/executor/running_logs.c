/* SPDX-License-Identifier: Apache-2.0
 *
 * The log files of a container, as one moment shows them; see running.h. Its monitor renames all of them when it
 * rotates, at any time: what was opened meanwhile is let go, and opened again.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "running.h"

#define LOG_NAME     "container.log"
#define LOG_NEW_NAME "container.log.new" /* it is there while the others are renamed */
#define TRIES        20                  /* then whatever there is: a monitor that was killed in between leaves it so */

/* The n-th newest, compressed or not; -1 if there is none. */
static int open_file(int folder, size_t n)
{
    char name[48] = LOG_NAME;
    struct stat status;
    if (n > 0) {
        (void)snprintf(name, sizeof(name), LOG_NAME ".%zu", n);
    }
    bh_autoclose int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && n > 0) {
        (void)strcat(name, ".gz");
        fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    }
    return fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode) ? bh_steal_fd(&fd) : -1;
}

static size_t open_files(int folder, int *ret_fds, size_t max)
{
    size_t n = 0;
    while (n < max && (ret_fds[n] = open_file(folder, n)) >= 0) {
        n++;
    }
    return n;
}

/* Whether nothing was renamed since the newest file was opened: the last step of a rotation is another one there. */
static bool is_settled(int folder, int newest)
{
    struct stat opened, named;
    return faccessat(folder, LOG_NEW_NAME, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && fstat(newest, &opened) == 0 &&
           fstatat(folder, LOG_NAME, &named, AT_SYMLINK_NOFOLLOW) == 0 && named.st_ino == opened.st_ino;
}

int running_open_logs(const struct running *running, int *ret_fds, size_t max, struct bh_error *error)
{
    size_t n = 0;
    for (int tries = 0; tries < TRIES; tries++) {
        while (n > 0) {
            bh_close(&ret_fds[--n]);
        }
        n = open_files(running->logs, ret_fds, max);
        if (n > 0 && is_settled(running->logs, ret_fds[0])) {
            break;
        }
    }
    return n > 0 ? (int)n : bh_error_set(error, BH_NOT_FOUND, "container %.12s has no log", running->name);
}
