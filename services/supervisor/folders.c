/* SPDX-License-Identifier: Apache-2.0
 *
 * State folders; see folders.h. Names here are constants of ours.
 */
#include "folders.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"

/* Makes every missing folder of an absolute path, with root's default mode. */
static int make_path(const char *path, mode_t mode, struct bh_error *error)
{
    char copy[PATH_MAX];
    memcpy(copy, path, strlen(path) + 1);
    for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(copy, 0755) < 0 && errno != EEXIST) {
            return bh_error_errno(error, errno, "make folder \"%s\"", copy);
        }
        *slash = '/';
    }
    return mkdir(copy, mode) < 0 && errno != EEXIST ? bh_error_errno(error, errno, "make folder \"%s\"", copy) : 0;
}

/* Opens parent/name as a real folder, making it if need be, and gives it its owner and mode. */
static int open_child(int parent, const char *name, uint32_t owner, mode_t mode, int *ret_fd, struct bh_error *error)
{
    if (mkdirat(parent, name, mode) < 0 && errno != EEXIST) {
        return bh_error_errno(error, errno, "make state folder \"%s\"", name);
    }
    bh_autoclose int fd = openat(parent, name, O_DIRECTORY | O_NOFOLLOW | O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return bh_error_errno(error, errno, "open state folder \"%s\"", name);
    }
    if (fchown(fd, owner, owner) < 0 || fchmod(fd, mode) < 0) {
        return bh_error_errno(error, errno, "give state folder \"%s\" to uid %u", name, owner);
    }
    *ret_fd = bh_steal_fd(&fd);
    return 0;
}

static int open_path(const char *path, int *ret_fd, struct bh_error *error)
{
    *ret_fd = open(path, O_DIRECTORY | O_PATH | O_CLOEXEC);
    return *ret_fd < 0 ? bh_error_errno(error, errno, "open folder \"%s\"", path) : 0;
}

static int lock_state(int state, int *ret_lock, struct bh_error *error)
{
    *ret_lock = openat(state, "lock", O_CREAT | O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (*ret_lock < 0) {
        return bh_error_errno(error, errno, "open the state folder's lock");
    }
    return flock(*ret_lock, LOCK_EX | LOCK_NB) < 0
               ? bh_error_set(error, BH_FAILED_PRECONDITION, "another engine already runs on this state folder")
               : 0;
}

int folders_open(const struct settings *settings, struct folders *ret_folders, struct bh_error *error)
{
    static const enum bh_role owners[] = {BH_ROLE_ENGINE, BH_ROLE_STORE, BH_ROLE_POLICYD};
    for (int i = 0; i < BH_ROLE_COUNT; i++) {
        ret_folders->state[i] = -1;
    }
    for (int i = 0; i < BH_FOLDER_COUNT; i++) {
        ret_folders->shared[i] = -1;
    }
    bh_autoclose int state = -1;
    if (make_path(settings->state, 0700, error) < 0 || make_path(settings->policy, 0755, error) < 0 ||
        make_path(settings->certs, 0755, error) < 0) {
        return -1;
    }
    state = open(settings->state, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
    if (state < 0 || fchmod(state, 0700) < 0) {
        return bh_error_errno(error, errno, "open state folder \"%s\"", settings->state);
    }
    if (lock_state(state, &ret_folders->lock, error) < 0) {
        return bh_error_wrap(error, "%s", settings->state);
    }
    for (size_t i = 0; i < sizeof(owners) / sizeof(owners[0]); i++) {
        uint32_t uid = settings->uid_base + owners[i];
        if (open_child(state, bh_role_name(owners[i]), uid, 0700, &ret_folders->state[owners[i]], error) < 0) {
            return -1;
        }
    }
    uint32_t store_uid = settings->uid_base + BH_ROLE_STORE;
    int *shared = ret_folders->shared;
    if (open_child(ret_folders->state[BH_ROLE_STORE], "layers", store_uid, 0700, &shared[BH_FOLDER_LAYERS], error) <
            0 ||
        open_child(state, "containers", 0, 0700, &shared[BH_FOLDER_CONTAINERS], error) < 0 ||
        open_child(state, "logs", 0, 0711, &shared[BH_FOLDER_LOGS], error) < 0 ||
        open_child(state, "volumes", 0, 0700, &shared[BH_FOLDER_VOLUMES], error) < 0 ||
        open_path(settings->policy, &shared[BH_FOLDER_POLICY], error) < 0 ||
        open_path(settings->certs, &shared[BH_FOLDER_CERTS], error) < 0 ||
        open_path(settings->libexec, &shared[BH_FOLDER_LIBEXEC], error) < 0) {
        return -1;
    }
    return 0;
}

int folders_get(const struct folders *folders, enum bh_role role, enum bh_folder folder)
{
    return folder == BH_FOLDER_STATE ? folders->state[role] : folders->shared[folder];
}
