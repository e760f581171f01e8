/* SPDX-License-Identifier: Apache-2.0
 *
 * HostConfig.Binds, VolumesFrom and StorageOpt, and what all readers of mounts share; see mounts.h.
 */
#include "mounts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/cleanup.h"
#include "common/limits.h"
#include "common/size.h"

static const char *const propagations[] = {
    [BULKHEAD__PROPAGATION__PROPAGATION_PRIVATE] = "private",
    [BULKHEAD__PROPAGATION__PROPAGATION_RPRIVATE] = "rprivate",
    [BULKHEAD__PROPAGATION__PROPAGATION_SLAVE] = "slave",
    [BULKHEAD__PROPAGATION__PROPAGATION_RSLAVE] = "rslave",
    [BULKHEAD__PROPAGATION__PROPAGATION_SHARED] = "shared",
    [BULKHEAD__PROPAGATION__PROPAGATION_RSHARED] = "rshared",
};

int clean_path(const char *text, char *ret_path, size_t path_bytes)
{
    size_t length = 0;
    if (*text != '/') {
        return -1;
    }
    for (const char *segment = text; *segment;) {
        segment += strspn(segment, "/");
        size_t n = strcspn(segment, "/");
        if (n == 2 && segment[0] == '.' && segment[1] == '.') {
            return -1;
        }
        if (n > 0 && !(n == 1 && segment[0] == '.')) {
            if (length + n + 2 > path_bytes) {
                return -1;
            }
            ret_path[length++] = '/';
            memcpy(ret_path + length, segment, n);
            length += n;
        }
        segment += n;
    }
    if (length == 0) {
        ret_path[length++] = '/';
    }
    ret_path[length] = '\0';
    return 0;
}

static int check_target(const struct create *create, const char *target, char *ret_path, size_t path_bytes,
                        struct bh_error *error)
{
    const Bulkhead__ContainerRequest *request = create->request;
    if (clean_path(target, ret_path, path_bytes) < 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "invalid mount path: '%s' mount path must be absolute, and without \"..\"", target);
    }
    if (strcmp(ret_path, "/") == 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid mount config: destination can't be '/'");
    }
    if (strncmp(ret_path, "/proc", 5) == 0 && (ret_path[5] == '\0' || ret_path[5] == '/')) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid mount path: '%s': nothing can be mounted in /proc",
                            ret_path);
    }
    for (size_t i = 0; i < request->n_mounts; i++) {
        if (strcmp(request->mounts[i]->target, ret_path) == 0) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "Duplicate mount point: %s", ret_path);
        }
    }
    return request->n_mounts < BH_MOUNTS_MAX
               ? 0
               : bh_error_set(error, BH_INVALID_ARGUMENT, "more than %d mounts", BH_MOUNTS_MAX);
}

int mount_add(struct create *create, Bulkhead__MountKind kind, const char *target, Bulkhead__Mount **ret_mount,
              struct bh_error *error)
{
    Bulkhead__ContainerRequest *request = create->request;
    char path[BH_PATH_BYTES_MAX + 1];
    if (check_target(create, target, path, sizeof(path), error) < 0) {
        return -1;
    }
    Bulkhead__Mount **larger = realloc(request->mounts, (request->n_mounts + 1) * sizeof(*larger));
    if (!larger) {
        return out_of_memory(error);
    }
    request->mounts = larger;
    Bulkhead__Mount *mount = malloc(sizeof(*mount));
    if (!mount) {
        return out_of_memory(error);
    }
    bulkhead__mount__init(mount);
    request->mounts[request->n_mounts++] = mount;
    mount->kind = kind;
    *ret_mount = mount;
    return set_string(&mount->target, path, error);
}

int mount_set_source(Bulkhead__Mount *mount, const char *source, struct bh_error *error)
{
    char path[BH_PATH_BYTES_MAX + 1];
    if (clean_path(source, path, sizeof(path)) < 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "invalid mount path: '%s' must be an absolute path without \"..\"", source);
    }
    return set_string(&mount->source, path, error);
}

bool mount_set_propagation(Bulkhead__Mount *mount, const char *word)
{
    for (size_t i = 1; i < sizeof(propagations) / sizeof(propagations[0]); i++) {
        if (strcmp(word, propagations[i]) == 0) {
            mount->propagation_presence_case = BULKHEAD__MOUNT__PROPAGATION_PRESENCE_PROPAGATION;
            mount->propagation = (Bulkhead__Propagation)i;
            return true;
        }
    }
    return *word == '\0';
}

int mount_check_propagation(const Bulkhead__Mount *mount, const char *where, struct bh_error *error)
{
    bool shared = mount->propagation_presence_case == BULKHEAD__MOUNT__PROPAGATION_PRESENCE_PROPAGATION &&
                  (mount->propagation == BULKHEAD__PROPAGATION__PROPAGATION_SHARED ||
                   mount->propagation == BULKHEAD__PROPAGATION__PROPAGATION_RSHARED);
    return shared
               ? bh_error_set(error, BH_UNIMPLEMENTED,
                              "%s: mount propagation %s is not supported: a container has a user namespace of its own, "
                              "and its mounts are never seen outside; rprivate and rslave are",
                              where, propagations[mount->propagation])
               : 0;
}

/* ---- HostConfig.Binds -------------------------------------------------------------------------- */

static bool is_one_of(const char *word, const char *const *words)
{
    while (*words && strcmp(*words, word) != 0) {
        words++;
    }
    return *words != NULL;
}

static int apply_bind_option(struct create *create, Bulkhead__Mount *mount, const char *option, const char *bind,
                             struct bh_error *error)
{
    static const char *const no_effect[] = {"rw", "cached", "delegated", "consistent", NULL};
    const bool is_volume = mount->kind == BULKHEAD__MOUNT_KIND__MOUNT_KIND_VOLUME;
    if (strcmp(option, "ro") == 0) {
        mount->read_only = true;
        return 0;
    }
    if (strcmp(option, "z") == 0 || strcmp(option, "Z") == 0) {
        create_warn(create, "SELinux relabelling of bind mounts (z, Z) is not done");
        return 0;
    }
    if (is_volume && strcmp(option, "nocopy") == 0) {
        mount->no_copy = true;
        return 0;
    }
    if (!is_volume && *option && mount_set_propagation(mount, option)) {
        return mount_check_propagation(mount, "HostConfig.Binds", error);
    }
    return is_one_of(option, no_effect)
               ? 0
               : bh_error_set(error, BH_INVALID_ARGUMENT, "invalid volume specification: '%s': invalid mode: %s", bind,
                              option);
}

/* The two or three parts of "source:target[:option,…]", or a target alone. */
static int split_bind(char *copy, const char **ret_source, const char **ret_target, char **ret_options)
{
    char *rest = copy;
    *ret_source = strsep(&rest, ":");
    *ret_target = strsep(&rest, ":");
    *ret_options = strsep(&rest, ":");
    if (!*ret_target) { /* an anonymous volume */
        *ret_target = *ret_source;
        *ret_source = NULL;
    }
    return rest || (*ret_source && **ret_source == '\0') || **ret_target == '\0' ||
                   (*ret_options && **ret_options == '\0')
               ? -1
               : 0;
}

static int read_bind(struct create *create, const char *bind, struct bh_error *error)
{
    bh_autofree char *copy = strdup(bind);
    const char *source, *target;
    char *options;
    Bulkhead__Mount *mount;
    if (!copy) {
        return out_of_memory(error);
    }
    if (split_bind(copy, &source, &target, &options) < 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid volume specification: '%s'", bind);
    }
    const bool is_bind = source && *source == '/';
    if (mount_add(create, is_bind ? BULKHEAD__MOUNT_KIND__MOUNT_KIND_BIND : BULKHEAD__MOUNT_KIND__MOUNT_KIND_VOLUME,
                  target, &mount, error) < 0 ||
        (options && set_string(&mount->mode_text, options, error) < 0) ||
        (is_bind ? mount_set_source(mount, source, error)
                 : set_string(&mount->volume_name, source ? source : "", error)) < 0) {
        return -1;
    }
    mount->recursive = is_bind;
    mount->create_source = is_bind;
    for (char *option; options && (option = strsep(&options, ","));) {
        if (apply_bind_option(create, mount, option, bind, error) < 0) {
            return -1;
        }
    }
    return 0;
}

int read_binds(struct create *create, const json_t *value, const char *where, struct bh_error *error)
{
    Bulkhead__ContainerRequest *request = create->request;
    if (take_strings(value, where, &request->n_binds, &request->binds, error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < request->n_binds; i++) {
        if (read_bind(create, request->binds[i], error) < 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- HostConfig.StorageOpt --------------------------------------------------------------------- */

int read_storage_options(struct create *create, const json_t *value, const char *where, struct bh_error *error)
{
    Bulkhead__ContainerRequest *request = create->request;
    if (take_map(value, where, &request->n_storage_options, &request->storage_options, error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < request->n_storage_options; i++) {
        const Bulkhead__KeyValue *option = request->storage_options[i];
        if (strcasecmp(option->key, "size") != 0) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "%s: unknown option %.100s: only size is known", where,
                                option->key);
        }
        if (bh_size_parse(option->value, &request->disk_bytes) < 0 || request->disk_bytes < BH_DISK_BYTES_MIN ||
            request->disk_bytes > BH_DISK_BYTES_MAX) {
            return bh_error_set(error, BH_INVALID_ARGUMENT,
                                "%s: invalid size=%.100s: it must be like 10g, between 1m and 16t", where,
                                option->value);
        }
    }
    return 0;
}
