/* SPDX-License-Identifier: Apache-2.0
 *
 * Removal; see remove.h. The work is a forked child's, since a hostile upper may hold millions of names, and even an
 * empty folder may take milliseconds to remove. A folder below the first level is moved up before it is emptied, so
 * that neither stack nor descriptors grow with the depth of the tree.
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
#include "common/digest.h"
#include "common/log.h"
#include "own_files.h"
#include "project.h"
#include "record.h"

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
        /* A name may be taken, by the container's choice or by a removal that was cut short: then the next one. */
        int result;
        do {
            char fresh[32];
            (void)snprintf(fresh, sizeof(fresh), ".removed-%lu", (*moved)++);
            result = renameat2(dirfd(folder), entry->d_name, top, fresh, RENAME_NOREPLACE);
        } while (result < 0 && errno == EEXIST);
        if (result < 0) {
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
    if (left < 0) {
        return bh_error_wrap(error, "remove the folder \"%s\"", name);
    }
    return unlinkat(above, name, AT_REMOVEDIR) < 0 ? bh_error_errno(error, errno, "remove the folder \"%s\"", name) : 0;
}

/* ---- containers --------------------------------------------------------------------------------------- */

#define TRASH_PREFIX ".removed."
#define LOGS_SUFFIX  ".logs"

struct trash {
    char folder[96], logs[96];
};

static void trash_names(const char *name, struct trash *ret_trash)
{
    (void)snprintf(ret_trash->folder, sizeof(ret_trash->folder), TRASH_PREFIX "%.64s", name);
    (void)snprintf(ret_trash->logs, sizeof(ret_trash->logs), TRASH_PREFIX "%.64s" LOGS_SUFFIX, name);
}

/* In the child. The folder goes last: as long as it is there, its record leads to the rest. */
static int empty_trash(const struct executor *executor, const char *name, const char *cgroup_parent,
                       struct bh_error *error)
{
    struct trash trash;
    trash_names(name, &trash);
    bh_autoclose int folder =
        openat(executor->folders.containers, trash.folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return (folder >= 0 && project_release(folder, OWN_FILES_PROJECT, error) < 0) ||
                   (*cgroup_parent && cgroup_remove(&executor->cgroups, cgroup_parent, name, error) < 0) ||
                   remove_tree(executor->folders.containers, trash.logs, error) < 0
               ? -1
               : remove_tree(executor->folders.containers, trash.folder, error);
}

static int empty_in_background(const struct executor *executor, const char *name, const char *cgroup_parent,
                               struct bh_error *error)
{
    pid_t pid = fork();
    if (pid < 0) {
        return bh_error_errno(error, errno, "fork the removal of container %.12s", name);
    }
    if (pid == 0) {
        struct bh_error failure;
        int result = empty_trash(executor, name, cgroup_parent, &failure);
        if (result < 0) {
            bh_log_failure(BH_LOG_ERROR, &failure, "what is left of a removed container stays until the next start");
        }
        _exit(result < 0);
    }
    return 0;
}

static int rename_away(int from, const char *name, int to, const char *trash, struct bh_error *error)
{
    return renameat(from, name, to, trash) < 0 && errno != ENOENT ? bh_error_errno(error, errno, "remove \"%s\"", name)
                                                                  : 0;
}

int remove_container(const struct executor *executor, const char *name, const char *cgroup_parent,
                     struct bh_error *error)
{
    struct trash trash;
    trash_names(name, &trash);
    int containers = executor->folders.containers;
    return rename_away(executor->folders.logs, name, containers, trash.logs, error) < 0 ||
                   rename_away(containers, name, containers, trash.folder, error) < 0
               ? -1
               : empty_in_background(executor, name, cgroup_parent, error);
}

/* The record inside still says where the cgroup is. */
static int finish_removal(const struct executor *executor, const char *name, struct bh_error *error)
{
    struct trash trash;
    struct record record = {0};
    struct bh_digest id;
    struct bh_error ignored;
    char text[BH_DIGEST_TEXT_SIZE];
    trash_names(name, &trash);
    (void)snprintf(text, sizeof(text), "sha256:%.64s", name);
    bh_autoclose int folder =
        openat(executor->folders.containers, trash.folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder < 0 || bh_digest_parse(text, &id, &ignored) < 0 ||
        record_read(folder, id.bytes, &record, &ignored) < 0) {
        record.cgroup_parent[0] = '\0';
    }
    return empty_in_background(executor, name, record.cgroup_parent, error);
}

int remove_leftovers(const struct executor *executor, struct bh_error *error)
{
    int copy = openat(executor->folders.containers, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bh_autoclosedir DIR *folder = copy >= 0 ? fdopendir(copy) : NULL;
    if (!folder) {
        bh_close(&copy);
        return bh_error_errno(error, errno, "list the containers' folder");
    }
    for (const struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        const size_t prefix = sizeof(TRASH_PREFIX) - 1;
        if (strncmp(entry->d_name, TRASH_PREFIX, prefix) == 0 && strlen(entry->d_name) >= prefix + 64) {
            char name[65];
            (void)snprintf(name, sizeof(name), "%.64s", entry->d_name + prefix);
            if (finish_removal(executor, name, error) < 0) {
                return -1;
            }
        }
    }
    return 0;
}
