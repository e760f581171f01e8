/* SPDX-License-Identifier: Apache-2.0
 *
 * Binds, Mounts and Tmpfs of a HostConfig into one list of mounts. Paths are checked for form only; whether this tenant
 * may have them, and what they lead to, is judged and resolved behind us.
 */
#include "mounts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/limits.h"
#include "create.h"

static const char no_volumes[] = "volumes are not supported yet: give the absolute path of a host folder";

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

/* Appends an empty mount of `kind` at `target` and returns it in `*ret_mount`, owned by the request. */
static int add_mount(struct create *create, Bulkhead__MountKind kind, const char *target, Bulkhead__Mount **ret_mount,
                     struct bh_error *error)
{
    Bulkhead__ContainerRequest *request = create->request;
    char path[BH_PATH_BYTES_MAX + 1];
    if (clean_path(target, path, sizeof(path)) < 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "invalid mount path: '%s' must be an absolute path without \"..\"", target);
    }
    if (strcmp(path, "/") == 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid mount config: destination can't be '/'");
    }
    for (size_t i = 0; i < request->n_mounts; i++) {
        if (strcmp(request->mounts[i]->target, path) == 0) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "Duplicate mount point: %s", path);
        }
    }
    if (request->n_mounts == BH_MOUNTS_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "more than %d mounts", BH_MOUNTS_MAX);
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

static int set_source(Bulkhead__Mount *mount, const char *source, struct bh_error *error)
{
    char path[BH_PATH_BYTES_MAX + 1];
    if (clean_path(source, path, sizeof(path)) < 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "invalid mount path: '%s' must be an absolute path without \"..\"", source);
    }
    return set_string(&mount->source, path, error);
}

/* Docker's propagation modes: ours is private, whatever happens to mounts on either side. */
static int check_propagation(const char *mode, const char *where, struct bh_error *error)
{
    if (*mode == '\0' || strcmp(mode, "rprivate") == 0 || strcmp(mode, "private") == 0) {
        return 0;
    }
    return bh_error_set(error, BH_UNIMPLEMENTED, "%s: mount propagation \"%s\" is not supported, only rprivate", where,
                        mode);
}

static int apply_bind_option(struct create *create, Bulkhead__Mount *mount, const char *option, const char *bind,
                             struct bh_error *error)
{
    static const char *const propagations[] = {"private", "rprivate", "shared", "rshared", "slave", "rslave"};
    static const char *const no_effect[] = {"rw", "cached", "delegated", "consistent"};
    if (strcmp(option, "ro") == 0) {
        mount->read_only = true;
        return 0;
    }
    if (strcmp(option, "z") == 0 || strcmp(option, "Z") == 0) {
        create_warn(create, "SELinux relabelling of bind mounts (z, Z) is not done");
        return 0;
    }
    for (size_t i = 0; i < sizeof(propagations) / sizeof(propagations[0]); i++) {
        if (strcmp(option, propagations[i]) == 0) {
            return check_propagation(option, "HostConfig.Binds", error);
        }
    }
    for (size_t i = 0; i < sizeof(no_effect) / sizeof(no_effect[0]); i++) {
        if (strcmp(option, no_effect[i]) == 0) {
            return 0;
        }
    }
    return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid volume specification: '%s': invalid mode: %s", bind,
                        option);
}

/* "/source:/target[:option,…]" */
static int read_bind(struct create *create, const char *bind, struct bh_error *error)
{
    bh_autofree char *copy = strdup(bind);
    if (!copy) {
        return out_of_memory(error);
    }
    char *rest = copy;
    const char *source = strsep(&rest, ":");
    const char *target = strsep(&rest, ":");
    char *options = strsep(&rest, ":");
    if (rest || !target || *source == '\0' || *target == '\0' || (options && *options == '\0')) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid volume specification: '%s'", bind);
    }
    if (*source != '/') {
        return bh_error_set(error, BH_UNIMPLEMENTED, "HostConfig.Binds \"%s\": %s", bind, no_volumes);
    }
    Bulkhead__Mount *mount;
    if (add_mount(create, BULKHEAD__MOUNT_KIND__MOUNT_KIND_BIND, target, &mount, error) < 0 ||
        set_source(mount, source, error) < 0) {
        return -1;
    }
    mount->recursive = true;
    mount->create_source = true;
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

/* One "name" or "name=value" of a tmpfs; the defaults are Docker's: noexec,nosuid,nodev. */
static int apply_tmpfs_option(Bulkhead__Mount *mount, const char *option, struct bh_error *error)
{
    static const char *const no_effect[] = {"", "rw", "nosuid", "nodev", "rprivate", "private"};
    if (strncmp(option, "size=", 5) == 0) {
        return parse_size(option + 5, &mount->tmpfs_bytes) == 0
                   ? 0
                   : bh_error_set(error, BH_INVALID_ARGUMENT, "invalid tmpfs option \"%s\": it must be like size=64m",
                                  option);
    }
    if (strncmp(option, "mode=", 5) == 0) {
        char *end;
        unsigned long mode = strtoul(option + 5, &end, 8);
        if (option[5] < '0' || option[5] > '7' || *end || mode > 07777) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid tmpfs option \"%s\": it must be like mode=1777",
                                option);
        }
        mount->tmpfs_mode = (uint32_t)mode;
        return 0;
    }
    if (strcmp(option, "ro") == 0) {
        mount->read_only = true;
        return 0;
    }
    if (strcmp(option, "exec") == 0 || strcmp(option, "noexec") == 0) {
        mount->no_exec = *option == 'n';
        return 0;
    }
    for (size_t i = 0; i < sizeof(no_effect) / sizeof(no_effect[0]); i++) {
        if (strcmp(option, no_effect[i]) == 0) {
            return 0;
        }
    }
    return bh_error_set(error, BH_UNIMPLEMENTED,
                        "tmpfs option \"%s\" is not supported: size, mode, ro, rw, exec and noexec are", option);
}

static int add_tmpfs(struct create *create, const char *target, Bulkhead__Mount **ret_mount, struct bh_error *error)
{
    if (add_mount(create, BULKHEAD__MOUNT_KIND__MOUNT_KIND_TMPFS, target, ret_mount, error) < 0) {
        return -1;
    }
    (*ret_mount)->tmpfs_mode = 01777;
    (*ret_mount)->no_exec = true;
    return 0;
}

int read_tmpfs(struct create *create, const json_t *value, const char *where, struct bh_error *error)
{
    Bulkhead__KeyValue **pairs = NULL;
    size_t n_pairs = 0;
    int result = take_map(value, where, &n_pairs, &pairs, error);
    for (size_t i = 0; result == 0 && i < n_pairs; i++) {
        Bulkhead__Mount *mount;
        bh_autofree char *copy = strdup(pairs[i]->value);
        char *rest = copy;
        result = copy ? add_tmpfs(create, pairs[i]->key, &mount, error) : out_of_memory(error);
        for (char *option; result == 0 && (option = strsep(&rest, ","));) {
            result = apply_tmpfs_option(mount, option, error);
        }
    }
    for (size_t i = 0; i < n_pairs; i++) {
        bulkhead__key_value__free_unpacked(pairs[i], NULL);
    }
    free(pairs);
    return result;
}

/* ---- HostConfig.Mounts ------------------------------------------------------------------------- */

/* Refuses every key of `object` that is neither in `known` nor default. */
static int refuse_others(const json_t *object, const char *where, const char *const *known, struct bh_error *error)
{
    union {
        const json_t *constant;
        json_t *plain;
    } walk = {.constant = object};
    const char *key;
    json_t *item;
    json_object_foreach(walk.plain, key, item)
    {
        bool found = false;
        for (size_t i = 0; known[i]; i++) {
            found = found || strcmp(known[i], key) == 0;
        }
        if (!found && !json_is_empty(item)) {
            return bh_error_set(error, BH_UNIMPLEMENTED, "%s.%.64s is not supported", where, key);
        }
    }
    return 0;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static int apply_bind_options(const json_t *options, Bulkhead__Mount *mount, struct bh_error *error)
{
    static const char *const known[] = {"Propagation", "NonRecursive", "CreateMountpoint", NULL};
    int non_recursive = 0;
    int create_source = 0;
    if (!options || json_is_null(options)) {
        return 0;
    }
    const json_t *recursion = json_object_get(options, "NonRecursive");
    const json_t *creation = json_object_get(options, "CreateMountpoint");
    if (refuse_others(options, "HostConfig.Mounts.BindOptions", known, error) < 0 ||
        check_propagation(text_of(options, "Propagation"), "HostConfig.Mounts.BindOptions.Propagation", error) < 0 ||
        (recursion && take_bool(recursion, "HostConfig.Mounts.BindOptions.NonRecursive", &non_recursive, error) < 0) ||
        (creation &&
         take_bool(creation, "HostConfig.Mounts.BindOptions.CreateMountpoint", &create_source, error) < 0)) {
        return -1;
    }
    mount->recursive = !non_recursive;
    mount->create_source = create_source;
    return 0;
}

static int apply_tmpfs_options(const json_t *options, Bulkhead__Mount *mount, struct bh_error *error)
{
    static const char *const known[] = {"SizeBytes", "Mode", "Options", NULL};
    int64_t size_bytes = 0;
    int64_t mode = 01777;
    if (!options || json_is_null(options)) {
        return 0;
    }
    const json_t *size = json_object_get(options, "SizeBytes");
    const json_t *bits = json_object_get(options, "Mode");
    if (refuse_others(options, "HostConfig.Mounts.TmpfsOptions", known, error) < 0 ||
        (size && take_int(size, "HostConfig.Mounts.TmpfsOptions.SizeBytes", 0, INT64_MAX, &size_bytes, error) < 0) ||
        (bits && take_int(bits, "HostConfig.Mounts.TmpfsOptions.Mode", 0, 07777, &mode, error) < 0)) {
        return -1;
    }
    mount->tmpfs_bytes = (uint64_t)size_bytes;
    mount->tmpfs_mode = mode ? (uint32_t)mode : 01777;
    const json_t *extra = json_object_get(options, "Options");
    for (size_t i = 0; i < json_array_size(extra); i++) {
        const json_t *words = json_array_get(extra, i);
        const char *option = json_string_value(json_array_get(words, 0));
        if (json_array_size(words) != 1 || !option) {
            return bh_error_set(error, BH_UNIMPLEMENTED,
                                "HostConfig.Mounts.TmpfsOptions.Options: only exec and noexec are supported");
        }
        if (apply_tmpfs_option(mount, option, error) < 0) {
            return -1;
        }
    }
    return 0;
}

static int read_bind_mount(struct create *create, const json_t *value, const char *target, struct bh_error *error)
{
    Bulkhead__Mount *mount;
    if (add_mount(create, BULKHEAD__MOUNT_KIND__MOUNT_KIND_BIND, target, &mount, error) < 0 ||
        set_source(mount, text_of(value, "Source"), error) < 0) {
        return -1;
    }
    mount->recursive = true;
    mount->read_only = json_is_true(json_object_get(value, "ReadOnly"));
    return apply_bind_options(json_object_get(value, "BindOptions"), mount, error);
}

static int read_tmpfs_mount(struct create *create, const json_t *value, const char *target, struct bh_error *error)
{
    Bulkhead__Mount *mount;
    if (*text_of(value, "Source")) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "invalid mount config for type \"tmpfs\": field Source must not be specified");
    }
    if (add_tmpfs(create, target, &mount, error) < 0) {
        return -1;
    }
    mount->read_only = json_is_true(json_object_get(value, "ReadOnly"));
    return apply_tmpfs_options(json_object_get(value, "TmpfsOptions"), mount, error);
}

/* The types of the fields every mount may have. */
static int check_mount_types(const json_t *value, struct bh_error *error)
{
    static const char *const strings[] = {"Type", "Source", "Target", "Consistency"};
    static const char *const known[] = {"Type",        "Source",       "Target",        "Consistency", "ReadOnly",
                                        "BindOptions", "TmpfsOptions", "VolumeOptions", NULL};
    static const char *const objects[] = {"BindOptions", "TmpfsOptions"};
    if (!json_is_object(value)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid JSON: HostConfig.Mounts must be an array of objects");
    }
    for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
        const json_t *item = json_object_get(value, strings[i]);
        if (item && !json_is_string(item) && !json_is_null(item)) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid JSON: HostConfig.Mounts.%s must be a string",
                                strings[i]);
        }
    }
    for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
        const json_t *item = json_object_get(value, objects[i]);
        if (item && !json_is_object(item) && !json_is_null(item)) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid JSON: HostConfig.Mounts.%s must be an object",
                                objects[i]);
        }
    }
    int ignored = 0;
    const json_t *read_only = json_object_get(value, "ReadOnly");
    if (read_only && take_bool(read_only, "HostConfig.Mounts.ReadOnly", &ignored, error) < 0) {
        return -1;
    }
    return refuse_others(value, "HostConfig.Mounts", known, error);
}

static int read_mount(struct create *create, const json_t *value, struct bh_error *error)
{
    if (check_mount_types(value, error) < 0) {
        return -1;
    }
    const char *type = text_of(value, "Type");
    const char *target = text_of(value, "Target");
    if (strcmp(type, "bind") == 0 || strcmp(type, "tmpfs") == 0) {
        bool bind = *type == 'b';
        const json_t *foreign = json_object_get(value, bind ? "TmpfsOptions" : "BindOptions");
        const json_t *volume = json_object_get(value, "VolumeOptions");
        if ((foreign && !json_is_default(foreign)) || (volume && !json_is_default(volume))) {
            return bh_error_set(error, BH_INVALID_ARGUMENT,
                                "invalid mount config for type \"%s\": it has another type's options", type);
        }
        return bind ? read_bind_mount(create, value, target, error) : read_tmpfs_mount(create, value, target, error);
    }
    if (*type == '\0' || strcmp(type, "volume") == 0) {
        return bh_error_set(error, BH_UNIMPLEMENTED, "HostConfig.Mounts: %s", no_volumes);
    }
    return bh_error_set(error, BH_UNIMPLEMENTED,
                        "HostConfig.Mounts: mount type \"%s\" is not supported: bind and tmpfs are", type);
}

int read_mounts(struct create *create, const json_t *value, const char *where, struct bh_error *error)
{
    if (json_is_null(value)) {
        return 0;
    }
    if (!json_is_array(value)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid JSON: %s must be an array", where);
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        if (read_mount(create, json_array_get(value, i), error) < 0) {
            return -1;
        }
    }
    return 0;
}
