/* SPDX-License-Identifier: Apache-2.0
 *
 * Removal; see remove.h. Runs in a forked child, since a hostile upper may hold millions of names. A folder below the
 * first level is moved up before it is emptied, so that neither stack nor descriptors grow with the depth of the tree.
 */
#include "remove.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "policyd_executor.pb-c.h"

/* Empties one folder: files go, folders are moved into `top` under fresh names, for later. Counts those in *moved. */
static int empty_folder(int top, const char *name, bool is_top, unsigned long *moved, struct bh_error *error)
{
    int fd = openat(top, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    bh_autoclosedir DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
    if (!folder) {
        bh_close(&fd);
        return bh_error_errno(error, errno, "open a folder to remove");
    }
    for (const struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        if (unlinkat(dirfd(folder), entry->d_name, 0) == 0 || errno == ENOENT) {
            continue;
        }
        if (errno != EISDIR && errno != EPERM) {
            return bh_error_errno(error, errno, "remove a file");
        }
        if (unlinkat(dirfd(folder), entry->d_name, AT_REMOVEDIR) == 0) {
            continue;
        }
        if (is_top) {
            continue; /* it lies where it can be emptied already */
        }
        char fresh[32];
        (void)snprintf(fresh, sizeof(fresh), ".removed-%lu", (*moved)++);
        if (renameat(dirfd(folder), entry->d_name, top, fresh) < 0) {
            return bh_error_errno(error, errno, "move a folder that is to be removed");
        }
    }
    return 0;
}

/* One round over the folders directly below `top`. Returns how many there were. */
static int empty_children(int top, unsigned long *moved, struct bh_error *error)
{
    int copy = openat(top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), n = 0;
    bh_autoclosedir DIR *folder = copy >= 0 ? fdopendir(copy) : NULL;
    if (!folder) {
        bh_close(&copy);
        return bh_error_errno(error, errno, "list a folder to remove");
    }
    for (const struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        n++;
        if (unlinkat(top, entry->d_name, 0) == 0) {
            continue;
        }
        if (empty_folder(top, entry->d_name, false, moved, error) < 0 ||
            (unlinkat(top, entry->d_name, AT_REMOVEDIR) < 0 &&
             bh_error_errno(error, errno, "remove an emptied folder") < 0)) {
            return -1;
        }
    }
    return n;
}

int remove_tree(int above, const char *name, struct bh_error *error)
{
    unsigned long moved = 0;
    int left;
    bh_autoclose int top = openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (top < 0) {
        return errno == ENOENT ? 0 : bh_error_errno(error, errno, "open \"%s\" to remove it", name);
    }
    if (empty_folder(above, name, true, &moved, error) < 0) {
        return -1;
    }
    do {
        left = empty_children(top, &moved, error);
    } while (left > 0);
    return left < 0 || unlinkat(above, name, AT_REMOVEDIR) < 0
               ? bh_error_errno(error, left < 0 ? EIO : errno, "remove the folder \"%s\"", name)
               : 0;
}

static int remove_work(struct executor *executor, void *argument, int answer_socket)
{
    const struct removal *removal = argument;
    struct job_answer answer = {0};
    /* The container's folder last: as long as it is there, the rest will be found again. */
    int result = *removal->cgroup_parent
                     ? cgroup_remove(&executor->cgroups, removal->cgroup_parent, removal->name, &answer.error)
                     : 0;
    if (result == 0) {
        result = remove_tree(executor->folders.logs, removal->name, &answer.error);
    }
    if (result == 0) {
        result = remove_tree(executor->folders.containers, removal->name, &answer.error);
    }
    if (result == 0) {
        bh_error_clear(&answer.error);
    }
    job_answer(answer_socket, &answer, -1);
    return result < 0;
}

static void remove_done(struct bh_request *request, const struct job_answer *answer, int fd)
{
    (void)answer;
    (void)fd;
    Bulkhead__Done done = BULKHEAD__DONE__INIT;
    Bulkhead__ExecutorToPolicyd packet = BULKHEAD__EXECUTOR_TO_POLICYD__INIT;
    packet.body_case = BULKHEAD__EXECUTOR_TO_POLICYD__BODY_DONE;
    packet.done = &done;
    (void)bh_request_reply(request, &packet.base, NULL, 0);
}

const struct job_kind remove_job = {.name = "remove", .work = remove_work, .done = remove_done};
