/* SPDX-License-Identifier: Apache-2.0
 *
 * What both kinds of cgroups share; see cgroup.h. Names here are our own 64 hex digits and a parent that spec.c
 * checked, and every step goes from descriptor to descriptor without following a link.
 */
#include "cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"

#define REMOVE_ATTEMPTS 100
#define REMOVE_PAUSE_MS 10

static const struct cgroup_driver *driver_of(const struct cgroups *cgroups)
{
    return cgroups->version == 2 ? &cgroup_v2 : &cgroup_v1;
}

int cgroup_write(int folder, const char *file, const char *value, struct bh_error *error)
{
    bh_autoclose int fd = openat(folder, file, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        return bh_error_errno(error, errno, "open cgroup file %s", file);
    }
    size_t length = strlen(value);
    return write(fd, value, length) == (ssize_t)length
               ? 0
               : bh_error_errno(error, errno, "write \"%s\" to cgroup file %s", value, file);
}

/* ---- finding them ------------------------------------------------------------------------------------ */

/* Whether a comma-separated list has that word. */
static bool has_word(const char *list, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = list; (at = strstr(at, word)) != NULL; at += length) {
        if ((at == list || at[-1] == ',') && (at[length] == '\0' || at[length] == ',')) {
            return true;
        }
    }
    return false;
}

/* The hierarchy's name out of its mount's super options: everything but what all mounts have. */
static void controllers_of(char *options, char *ret_controllers, size_t size)
{
    char *rest = options, *word;
    ret_controllers[0] = '\0';
    while ((word = strsep(&rest, ",")) != NULL) {
        if (strcmp(word, "rw") != 0 && strcmp(word, "ro") != 0 && strcmp(word, "xattr") != 0 &&
            strncmp(word, "release_agent=", 14) != 0 && strcmp(word, "clone_children") != 0) {
            size_t used = strlen(ret_controllers);
            (void)snprintf(ret_controllers + used, size - used, "%s%s", used ? "," : "", word);
        }
    }
}

static bool is_known(const struct cgroups *cgroups, const char *controllers)
{
    for (size_t i = 0; i < cgroups->n; i++) {
        if (strcmp(cgroups->hierarchies[i].controllers, controllers) == 0) {
            return true;
        }
    }
    return false;
}

static int find_hierarchies(struct cgroups *cgroups, const char *wanted_type, struct bh_error *error)
{
    bh_autofclose FILE *mounts = fopen("/proc/self/mountinfo", "re");
    char line[8192];
    if (!mounts) {
        return bh_error_errno(error, errno, "open /proc/self/mountinfo");
    }
    while (fgets(line, sizeof(line), mounts) && cgroups->n < CGROUP_HIERARCHIES_MAX) {
        char root[1024], path[1024], type[64], options[1024];
        const char *dash = strstr(line, " - ");
        if (!dash || sscanf(line, "%*s %*s %*s %1023s %1023s", root, path) != 2 ||
            sscanf(dash, " - %63s %*s %1023s", type, options) != 2 || strcmp(type, wanted_type) != 0) {
            continue;
        }
        struct cgroup_hierarchy *hierarchy = &cgroups->hierarchies[cgroups->n];
        controllers_of(options, hierarchy->controllers, sizeof(hierarchy->controllers));
        if (strcmp(wanted_type, "cgroup2") == 0) {
            hierarchy->controllers[0] = '\0';
        }
        if (!is_known(cgroups, hierarchy->controllers)) {
            hierarchy->root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
            cgroups->n += hierarchy->root >= 0;
        }
    }
    return 0;
}

/* Opens <folder>/<path>, making what is missing. */
static int open_parent(int folder, const char *path, bool create, int *ret_fd, struct bh_error *error)
{
    char copy[256];
    bh_autoclose int at = -1;
    (void)snprintf(copy, sizeof(copy), "%s", path);
    char *rest = copy, *component;
    while ((component = strsep(&rest, "/")) != NULL) {
        int from = at >= 0 ? at : folder;
        if (create && mkdirat(from, component, 0755) < 0 && errno != EEXIST) {
            return bh_error_errno(error, errno, "make cgroup \"%s\"", path);
        }
        int next = openat(from, component, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (next < 0) {
            return bh_error_errno(error, errno, "open cgroup \"%s\"", path);
        }
        bh_close(&at);
        at = next;
    }
    *ret_fd = bh_steal_fd(&at);
    return 0;
}

int cgroups_open(struct cgroups *cgroups, const char *parent, struct bh_error *error)
{
    *cgroups = (struct cgroups){.version = 1};
    if (find_hierarchies(cgroups, "cgroup", error) < 0) {
        return -1;
    }
    if (cgroups->n == 0) {
        cgroups->version = 2;
        if (find_hierarchies(cgroups, "cgroup2", error) < 0) {
            return -1;
        }
    }
    if (cgroups->n == 0) {
        return bh_error_set(error, BH_FAILED_PRECONDITION, "no cgroup hierarchy is mounted");
    }
    for (size_t i = 0; i < cgroups->n; i++) {
        bh_autoclose int fd = -1;
        if (open_parent(cgroups->hierarchies[i].root, parent, true, &fd, error) < 0 ||
            driver_of(cgroups)->prepare_parent(&cgroups->hierarchies[i], fd, error) < 0) {
            return bh_error_wrap(error, "cgroup hierarchy \"%s\"", cgroups->hierarchies[i].controllers);
        }
    }
    return 0;
}

void cgroups_close(struct cgroups *cgroups)
{
    while (cgroups->n > 0) {
        bh_close(&cgroups->hierarchies[--cgroups->n].root);
    }
}

/* ---- one container's --------------------------------------------------------------------------------- */

int cgroup_folder(const struct cgroup *cgroup, const char *controller)
{
    for (size_t i = 0; i < cgroup->all->n; i++) {
        if (cgroup->all->version == 2 || has_word(cgroup->all->hierarchies[i].controllers, controller)) {
            return cgroup->folders[i];
        }
    }
    return -1;
}

void cgroup_close(struct cgroup *cgroup)
{
    for (size_t i = 0; cgroup->all && i < cgroup->all->n; i++) {
        bh_close(&cgroup->folders[i]);
    }
}

static void cgroup_init(const struct cgroups *cgroups, struct cgroup *cgroup)
{
    cgroup->all = cgroups;
    for (size_t i = 0; i < CGROUP_HIERARCHIES_MAX; i++) {
        cgroup->folders[i] = -1;
    }
}

/* Applies settings; one that is refused is tried once more after the others, since the order in which memory limits
 * may be raised and lowered depends on what they were. */
int cgroup_update(const struct cgroup *cgroup, const struct spec_resources *resources, struct bh_error *error)
{
    struct cgroup_setting settings[CGROUP_SETTINGS_MAX];
    bool refused[CGROUP_SETTINGS_MAX] = {false};
    size_t n = driver_of(cgroup->all)->settings(resources, settings);
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < n; i++) {
            if (pass == 1 && !refused[i]) {
                continue;
            }
            struct bh_error failure = {0};
            int folder = cgroup_folder(cgroup, settings[i].controller);
            int result = folder < 0 ? bh_error_set(&failure, BH_FAILED_PRECONDITION,
                                                   "this host has no cgroup controller \"%s\"", settings[i].controller)
                                    : cgroup_write(folder, settings[i].file, settings[i].value, &failure);
            refused[i] = result < 0 && !(settings[i].optional && (folder < 0 || failure.sys_errno == ENOENT));
            if (refused[i] && pass == 1) {
                *error = failure;
                return -1;
            }
        }
    }
    return cgroup_limit_blocks(cgroup, resources, error);
}

/* The parent, as the start left it; one that somebody removed since is made and prepared again, or containers would
 * come without its device list and cpuset. */
static int open_prepared_parent(const struct cgroups *cgroups, const struct cgroup_hierarchy *hierarchy,
                                const char *parent, bool create, int *ret_fd, struct bh_error *error)
{
    if (open_parent(hierarchy->root, parent, false, ret_fd, error) == 0) {
        return 0;
    }
    if (!create || error->sys_errno != ENOENT) {
        return -1;
    }
    bh_error_clear(error);
    bh_autoclose int fd = -1;
    /* Level by level: in a v2 tree each hands the controllers down. */
    char path[256];
    (void)snprintf(path, sizeof(path), "%s", parent);
    for (char *slash = strchr(path, '/');; slash = strchr(slash + 1, '/')) {
        if (slash) {
            *slash = '\0';
        }
        bh_close(&fd);
        if (open_parent(hierarchy->root, path, true, &fd, error) < 0 ||
            driver_of(cgroups)->prepare_parent(hierarchy, fd, error) < 0) {
            return -1;
        }
        if (!slash) {
            *ret_fd = bh_steal_fd(&fd);
            return 0;
        }
        *slash = '/';
    }
}

static int open_one(const struct cgroups *cgroups, const struct cgroup_hierarchy *hierarchy, const char *parent,
                    const char *name, bool create, int *ret_fd, struct bh_error *error)
{
    bh_autoclose int above = -1;
    if (open_prepared_parent(cgroups, hierarchy, parent, create, &above, error) < 0) {
        return -1;
    }
    if (create && mkdirat(above, name, 0755) < 0) {
        /* Left by a crash, or by a container whose processes outlived its first one. */
        if (errno != EEXIST || cgroup_remove(cgroups, parent, name, error) < 0 || mkdirat(above, name, 0755) < 0) {
            return error->code != BH_OK ? -1 : bh_error_errno(error, errno, "make the cgroup of container %s", name);
        }
    }
    *ret_fd = openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return *ret_fd < 0 ? bh_error_errno(error, errno, "open the cgroup of container %s", name) : 0;
}

int cgroup_open(const struct cgroups *cgroups, const char *parent, const char *name, struct cgroup *ret_cgroup,
                struct bh_error *error)
{
    cgroup_init(cgroups, ret_cgroup);
    for (size_t i = 0; i < cgroups->n; i++) {
        if (open_one(cgroups, &cgroups->hierarchies[i], parent, name, false, &ret_cgroup->folders[i], error) < 0) {
            cgroup_close(ret_cgroup);
            return -1;
        }
    }
    return 0;
}

int cgroup_make(const struct cgroups *cgroups, const char *parent, const char *name,
                const struct spec_resources *resources, const struct cgroup_devices *devices, struct cgroup *ret_cgroup,
                struct bh_error *error)
{
    struct bh_error ignored;
    cgroup_init(cgroups, ret_cgroup);
    for (size_t i = 0; i < cgroups->n; i++) {
        if (open_one(cgroups, &cgroups->hierarchies[i], parent, name, true, &ret_cgroup->folders[i], error) < 0) {
            cgroup_close(ret_cgroup);
            (void)cgroup_remove(cgroups, parent, name, &ignored);
            return -1;
        }
    }
    if (cgroup_update(ret_cgroup, resources, error) < 0 ||
        driver_of(cgroups)->restrict_devices(ret_cgroup, devices, error) < 0) {
        cgroup_close(ret_cgroup);
        (void)cgroup_remove(cgroups, parent, name, &ignored);
        return -1;
    }
    return 0;
}

int cgroup_freeze(const struct cgroup *cgroup, bool frozen, struct bh_error *error)
{
    return driver_of(cgroup->all)->freeze(cgroup, frozen, error);
}

void cgroup_kill(const struct cgroup *cgroup)
{
    driver_of(cgroup->all)->kill(cgroup);
}

void cgroup_kill_listed(int folder)
{
    bh_autoclose int fd = openat(folder, "cgroup.procs", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    bh_autofclose FILE *stream = fd >= 0 ? fdopen(fd, "r") : NULL;
    long pid;
    if (stream) {
        (void)bh_steal_fd(&fd);
        while (fscanf(stream, "%ld", &pid) == 1) {
            if (pid > 1) {
                (void)kill((pid_t)pid, SIGKILL);
            }
        }
    }
}

int cgroup_remove(const struct cgroups *cgroups, const char *parent, const char *name, struct bh_error *error)
{
    for (size_t i = 0; i < cgroups->n; i++) {
        bh_autoclose int above = -1;
        struct bh_error ignored;
        if (open_parent(cgroups->hierarchies[i].root, parent, false, &above, &ignored) < 0) {
            continue;
        }
        for (int attempt = 0; unlinkat(above, name, AT_REMOVEDIR) < 0 && errno != ENOENT; attempt++) {
            if (errno != EBUSY || attempt == REMOVE_ATTEMPTS) {
                return bh_error_errno(error, errno, "remove the cgroup of container %s", name);
            }
            struct cgroup left = {.all = cgroups};
            if (cgroup_open(cgroups, parent, name, &left, &ignored) == 0) {
                driver_of(cgroups)->kill(&left);
                cgroup_close(&left);
            } else {
                bh_autoclose int folder = openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                cgroup_kill_listed(folder);
            }
            (void)poll(NULL, 0, REMOVE_PAUSE_MS); /* until the kernel has taken the dead processes out */
        }
    }
    return 0;
}

void cgroup_watch_oom(const struct cgroup *cgroup, int *ret_fd, uint32_t *ret_version)
{
    *ret_fd = -1;
    *ret_version = 0;
    int folder = cgroup_folder(cgroup, "memory");
    if (folder < 0) {
        return;
    }
    if (cgroup->all->version == 2) {
        *ret_fd = openat(folder, "memory.events", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        *ret_version = *ret_fd >= 0 ? 2 : 0;
        return;
    }
    bh_autoclose int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    bh_autoclose int control = openat(folder, "memory.oom_control", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    char text[64];
    struct bh_error ignored;
    (void)snprintf(text, sizeof(text), "%d %d", event, control);
    if (event >= 0 && control >= 0 && cgroup_write(folder, "cgroup.event_control", text, &ignored) == 0) {
        *ret_fd = bh_steal_fd(&event);
        *ret_version = 1;
    }
}
