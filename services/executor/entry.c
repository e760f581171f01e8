/* SPDX-License-Identifier: Apache-2.0
 *
 * See entry.h. Only numbers that the kernel made are read. Whatever runs in the container may have made namespaces of
 * its own below the container's: such a process is passed over, since its user namespace is not one that we made.
 */
#include "entry.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "common/cleanup.h"

#define CHILDREN_BYTES 4096

static bool has_ended(int pidfd)
{
    struct pollfd ended = {.fd = pidfd, .events = POLLIN};
    return poll(&ended, 1, 0) != 0;
}

/* Whether its user namespace can be entered, and was made by root of the host: by us. */
static bool is_entry(int32_t pid)
{
    char path[48];
    uid_t owner = (uid_t)-1;
    (void)snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
    bh_autoclose int namespace = open(path, O_RDONLY | O_CLOEXEC);
    return namespace >= 0 && ioctl(namespace, NS_GET_OWNER_UID, &owner) == 0 && owner == 0;
}

static size_t read_children(int32_t pid, char text[static CHILDREN_BYTES])
{
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
    bh_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, CHILDREN_BYTES - 1);
    text[n > 0 ? n : 0] = '\0';
    return n > 0 ? (size_t)n : 0;
}

/* A number that was somebody's may be somebody else's by now: it is a child of `first` still. */
static bool is_child(int32_t first, int32_t pid)
{
    char children[CHILDREN_BYTES];
    (void)read_children(first, children);
    for (char *at = children, *end; *at; at = end) {
        if ((int32_t)strtol(at, &end, 10) == pid && end != at) {
            return true;
        }
        if (end == at) {
            return false;
        }
    }
    return false;
}

int entry_find(const struct running *running, int32_t *ret_pid, int *ret_pidfd, struct bh_error *error)
{
    char children[CHILDREN_BYTES];
    int32_t first = running->record.pid;
    if (is_entry(first)) {
        *ret_pid = first;
        *ret_pidfd = fcntl(running->pidfd, F_DUPFD_CLOEXEC, 0);
        return *ret_pidfd < 0 ? bh_error_errno(error, errno, "prepare to enter a container") : 0;
    }
    (void)read_children(first, children);
    for (char *at = children, *end; *at; at = end) {
        int32_t pid = (int32_t)strtol(at, &end, 10);
        if (end == at) {
            break;
        }
        /* The descriptor first: what is looked at afterwards is about that very process, as long as it lives. */
        bh_autoclose int pidfd = pid > 0 ? pidfd_open(pid, 0) : -1;
        if (pidfd >= 0 && is_child(first, pid) && is_entry(pid) && !has_ended(pidfd) && !has_ended(running->pidfd)) {
            *ret_pid = pid;
            *ret_pidfd = bh_steal_fd(&pidfd);
            return 0;
        }
    }
    return has_ended(running->pidfd)
               ? bh_error_set(error, BH_FAILED_PRECONDITION, "the container has ended")
               : bh_error_set(error, BH_FAILED_PRECONDITION, "container %.12s has no process that can be entered by",
                              running->name);
}
