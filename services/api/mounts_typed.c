/* SPDX-License-Identifier: Apache-2.0
 *
 * HostConfig.Mounts: binds, tmpfs and volumes, each with its own options. An option of another type, and every option
 * we do not know, is refused.
 */
#include <string.h>

#include "common/cleanup.h"
#include "common/limits.h"
#include "mounts.h"

#define WHERE "HostConfig.Mounts"

static int invalid(const char *type, const char *field, const char *what, struct bh_error *error)
{
    return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid mount config for type \"%s\": field %s must%s", type,
                        field, what);
}

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

/* A boolean that may be absent. */
static int take_flag(const json_t *object, const char *key, const char *where, int *ret_flag, struct bh_error *error)
{
    const json_t *value = json_object_get(object, key);
    *ret_flag = 0;
    return value && !json_is_null(value) ? take_bool(value, where, ret_flag, error) : 0;
}

/* ---- binds ------------------------------------------------------------------------------------- */

static int apply_bind_options(const json_t *options, Bulkhead__Mount *mount, struct bh_error *error)
{
    static const char *const known[] = {"Propagation",          "NonRecursive",           "CreateMountpoint",
                                        "ReadOnlyNonRecursive", "ReadOnlyForceRecursive", NULL};
    int non_recursive, create_source, top_read_only, force_recursive;
    if (!options || json_is_null(options)) {
        return 0;
    }
    if (refuse_others(options, WHERE ".BindOptions", known, error) < 0 ||
        take_flag(options, "NonRecursive", WHERE ".BindOptions.NonRecursive", &non_recursive, error) < 0 ||
        take_flag(options, "CreateMountpoint", WHERE ".BindOptions.CreateMountpoint", &create_source, error) < 0 ||
        take_flag(options, "ReadOnlyNonRecursive", WHERE ".BindOptions.ReadOnlyNonRecursive", &top_read_only, error) <
            0 ||
        take_flag(options, "ReadOnlyForceRecursive", WHERE ".BindOptions.ReadOnlyForceRecursive", &force_recursive,
                  error) < 0) {
        return -1;
    }
    const char *propagation = text_of(options, "Propagation");
    if (!mount_set_propagation(mount, propagation)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid propagation mode: %.64s", propagation);
    }
    if (top_read_only && !mount->read_only) {
        return invalid("bind", "ReadOnlyNonRecursive", " not be specified without ReadOnly", error);
    }
    if (force_recursive && (!mount->read_only || top_read_only || non_recursive)) {
        return invalid("bind", "ReadOnlyForceRecursive",
                       " not be specified without ReadOnly, nor with ReadOnlyNonRecursive or NonRecursive", error);
    }
    mount->recursive = !non_recursive;
    mount->create_source = create_source;
    mount->top_read_only = top_read_only;
    return mount_check_propagation(mount, WHERE ".BindOptions.Propagation", error);
}

static int read_bind(struct create *create, const json_t *value, const char *target, struct bh_error *error)
{
    Bulkhead__Mount *mount;
    const char *source = text_of(value, "Source");
    if (!*source) {
        return invalid("bind", "Source", " not be empty", error);
    }
    if (mount_add(create, BULKHEAD__MOUNT_KIND__MOUNT_KIND_BIND, target, &mount, error) < 0 ||
        mount_set_source(mount, source, error) < 0) {
        return -1;
    }
    mount->from_mounts = true;
    mount->recursive = true;
    mount->read_only = json_is_true(json_object_get(value, "ReadOnly"));
    return apply_bind_options(json_object_get(value, "BindOptions"), mount, error);
}

/* ---- tmpfs ------------------------------------------------------------------------------------- */

/* Options: [["noexec"],["uid","1000"]] */
static int apply_tmpfs_words(const json_t *words, Bulkhead__Mount *mount, struct bh_error *error)
{
    char option[128];
    const char *name = json_string_value(json_array_get(words, 0));
    const char *value = json_string_value(json_array_get(words, 1));
    size_t n = json_array_size(words);
    if (!name || n > 2 || (n == 2 && !value) || strlen(name) + (value ? strlen(value) : 0) + 2 > sizeof(option)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            WHERE ".TmpfsOptions.Options must be lists of one or two strings");
    }
    (void)snprintf(option, sizeof(option), "%s%s%s", name, value ? "=" : "", value ? value : "");
    return tmpfs_apply_option(mount, option, error);
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
    const json_t *extra = json_object_get(options, "Options");
    if (refuse_others(options, WHERE ".TmpfsOptions", known, error) < 0 ||
        (size && take_int(size, WHERE ".TmpfsOptions.SizeBytes", 0, INT64_MAX, &size_bytes, error) < 0) ||
        (bits && take_int(bits, WHERE ".TmpfsOptions.Mode", 0, 07777, &mode, error) < 0)) {
        return -1;
    }
    mount->tmpfs_bytes = (uint64_t)size_bytes;
    mount->tmpfs_mode = mode ? (uint32_t)mode : 01777;
    if (extra && !json_is_null(extra) && !json_is_array(extra)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "invalid JSON: " WHERE ".TmpfsOptions.Options must be an array");
    }
    for (size_t i = 0; i < json_array_size(extra); i++) {
        if (apply_tmpfs_words(json_array_get(extra, i), mount, error) < 0) {
            return -1;
        }
    }
    return 0;
}

static int read_typed_tmpfs(struct create *create, const json_t *value, const char *target, struct bh_error *error)
{
    Bulkhead__Mount *mount;
    if (*text_of(value, "Source")) {
        return invalid("tmpfs", "Source", " not be specified", error);
    }
    if (tmpfs_add(create, target, &mount, error) < 0) {
        return -1;
    }
    mount->from_mounts = true;
    mount->read_only = json_is_true(json_object_get(value, "ReadOnly"));
    return apply_tmpfs_options(json_object_get(value, "TmpfsOptions"), mount, error);
}

/* ---- volumes ----------------------------------------------------------------------------------- */

static int apply_driver(const json_t *driver, Bulkhead__Mount *mount, struct bh_error *error)
{
    static const char *const known[] = {"Name", "Options", NULL};
    if (!driver || json_is_null(driver)) {
        return 0;
    }
    if (!json_is_object(driver)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "invalid JSON: " WHERE ".VolumeOptions.DriverConfig must be an object");
    }
    const json_t *name = json_object_get(driver, "Name");
    const json_t *options = json_object_get(driver, "Options");
    return refuse_others(driver, WHERE ".VolumeOptions.DriverConfig", known, error) < 0 ||
                   (name &&
                    take_string(name, WHERE ".VolumeOptions.DriverConfig.Name", &mount->volume_driver, error) < 0) ||
                   (options && take_map(options, WHERE ".VolumeOptions.DriverConfig.Options", &mount->n_volume_options,
                                        &mount->volume_options, error) < 0)
               ? -1
               : 0;
}

static int apply_volume_options(const json_t *options, Bulkhead__Mount *mount, struct bh_error *error)
{
    static const char *const known[] = {"NoCopy", "Labels", "DriverConfig", "Subpath", NULL};
    int no_copy = 0;
    if (!options || json_is_null(options)) {
        return 0;
    }
    const json_t *labels = json_object_get(options, "Labels");
    const json_t *subpath = json_object_get(options, "Subpath");
    if (refuse_others(options, WHERE ".VolumeOptions", known, error) < 0 ||
        take_flag(options, "NoCopy", WHERE ".VolumeOptions.NoCopy", &no_copy, error) < 0 ||
        (labels &&
         take_map(labels, WHERE ".VolumeOptions.Labels", &mount->n_volume_labels, &mount->volume_labels, error) < 0) ||
        (subpath && take_string(subpath, WHERE ".VolumeOptions.Subpath", &mount->subpath, error) < 0) ||
        apply_driver(json_object_get(options, "DriverConfig"), mount, error) < 0) {
        return -1;
    }
    mount->no_copy = no_copy;
    char rooted[BH_PATH_BYTES_MAX + 2] = "/", clean[BH_PATH_BYTES_MAX + 2];
    if (*mount->subpath && (strlen(mount->subpath) > BH_PATH_BYTES_MAX - 1 || *mount->subpath == '/' ||
                            !memccpy(rooted + 1, mount->subpath, '\0', sizeof(rooted) - 1) ||
                            clean_path(rooted, clean, sizeof(clean)) < 0 || strcmp(clean, "/") == 0)) {
        return bh_error_set(
            error, BH_INVALID_ARGUMENT,
            "invalid mount config for type \"volume\": invalid subpath %.200s: it must be a relative path "
            "in the volume, without \"..\"",
            mount->subpath);
    }
    return *mount->subpath ? set_string(&mount->subpath, clean + 1, error) : 0;
}

static int read_volume(struct create *create, const json_t *value, const char *target, struct bh_error *error)
{
    Bulkhead__Mount *mount;
    const char *name = text_of(value, "Source");
    const bool read_only = json_is_true(json_object_get(value, "ReadOnly"));
    if (!*name && read_only) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "invalid mount config for type \"volume\": must not set ReadOnly mode when using anonymous "
                            "volumes");
    }
    if (mount_add(create, BULKHEAD__MOUNT_KIND__MOUNT_KIND_VOLUME, target, &mount, error) < 0 ||
        set_string(&mount->volume_name, name, error) < 0) {
        return -1;
    }
    mount->from_mounts = true;
    mount->read_only = read_only;
    return apply_volume_options(json_object_get(value, "VolumeOptions"), mount, error);
}

/* ---- all of them ------------------------------------------------------------------------------- */

static const struct kind {
    const char *type, *options; /* the options it may have */
    int (*read)(struct create *create, const json_t *value, const char *target, struct bh_error *error);
} kinds[] = {
    {"bind", "BindOptions", read_bind},
    {"tmpfs", "TmpfsOptions", read_typed_tmpfs},
    {"volume", "VolumeOptions", read_volume},
};

/* The types of the fields every mount may have. */
static int check_types(const json_t *value, struct bh_error *error)
{
    static const char *const strings[] = {"Type", "Source", "Target", "Consistency"};
    static const char *const known[] = {"Type",        "Source",       "Target",        "Consistency", "ReadOnly",
                                        "BindOptions", "TmpfsOptions", "VolumeOptions", NULL};
    int ignored = 0;
    if (!json_is_object(value)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid JSON: " WHERE " must be an array of objects");
    }
    for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
        const json_t *item = json_object_get(value, strings[i]);
        if (item && !json_is_string(item) && !json_is_null(item)) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid JSON: " WHERE ".%s must be a string", strings[i]);
        }
    }
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        const json_t *item = json_object_get(value, kinds[i].options);
        if (item && !json_is_object(item) && !json_is_null(item)) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid JSON: " WHERE ".%s must be an object",
                                kinds[i].options);
        }
    }
    return take_flag(value, "ReadOnly", WHERE ".ReadOnly", &ignored, error) < 0
               ? -1
               : refuse_others(value, WHERE, known, error);
}

static const struct kind *find_kind(const char *type)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kinds[i].type, type) == 0) {
            return &kinds[i];
        }
    }
    return NULL;
}

static int read_mount(struct create *create, const json_t *value, struct bh_error *error)
{
    static const char *const refused[] = {"image", "npipe", "cluster"};
    if (check_types(value, error) < 0) {
        return -1;
    }
    const char *type = *text_of(value, "Type") ? text_of(value, "Type") : "volume";
    const struct kind *kind = find_kind(type);
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        if (strcmp(type, refused[i]) == 0) {
            return bh_error_set(error, BH_UNIMPLEMENTED,
                                WHERE ": mount type \"%s\" is not supported: bind, tmpfs and volume are", type);
        }
    }
    if (!kind) {
        return bh_error_set(
            error, BH_INVALID_ARGUMENT,
            "invalid mount config for type \"%.64s\": mount type unknown: bind, tmpfs and volume are known", type);
    }
    if (!*text_of(value, "Target")) {
        return invalid(type, "Target", " not be empty", error);
    }
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        const json_t *foreign = json_object_get(value, kinds[i].options);
        if (&kinds[i] != kind && foreign && !json_is_default(foreign)) {
            return invalid(type, kinds[i].options, " not be specified", error);
        }
    }
    return kind->read(create, value, text_of(value, "Target"), error);
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
