/* SPDX-License-Identifier: Apache-2.0
 *
 * --mount, field by field: one table says which there are, what they take, and where they go in the API's element.
 */
#include "value_mount.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "csv.h"
#include "fields.h"
#include "values.h"

enum mount_kind { MOUNT_TEXT, MOUNT_TRUTH, MOUNT_BYTES, MOUNT_OCTAL, MOUNT_PAIR, MOUNT_RECURSION };

static const struct mount_key {
    const char *name;
    const char *type;  /* the one type that it belongs to; NULL: all */
    const char *group; /* "BindOptions"; NULL: the element itself */
    const char *field;
    enum mount_kind kind;
} keys[] = {
    {"type", NULL, NULL, "Type", MOUNT_TEXT},
    {"source", NULL, NULL, "Source", MOUNT_TEXT},
    {"src", NULL, NULL, "Source", MOUNT_TEXT},
    {"target", NULL, NULL, "Target", MOUNT_TEXT},
    {"destination", NULL, NULL, "Target", MOUNT_TEXT},
    {"dst", NULL, NULL, "Target", MOUNT_TEXT},
    {"readonly", NULL, NULL, "ReadOnly", MOUNT_TRUTH},
    {"ro", NULL, NULL, "ReadOnly", MOUNT_TRUTH},
    {"consistency", NULL, NULL, "Consistency", MOUNT_TEXT},
    {"bind-propagation", "bind", "BindOptions", "Propagation", MOUNT_TEXT},
    {"bind-nonrecursive", "bind", "BindOptions", "NonRecursive", MOUNT_TRUTH},
    {"bind-recursive", "bind", "BindOptions", NULL, MOUNT_RECURSION},
    {"volume-subpath", "volume", "VolumeOptions", "Subpath", MOUNT_TEXT},
    {"volume-nocopy", "volume", "VolumeOptions", "NoCopy", MOUNT_TRUTH},
    {"volume-label", "volume", "VolumeOptions", "Labels", MOUNT_PAIR},
    {"volume-driver", "volume", "VolumeOptions.DriverConfig", "Name", MOUNT_TEXT},
    {"volume-opt", "volume", "VolumeOptions.DriverConfig", "Options", MOUNT_PAIR},
    {"image-subpath", "image", "ImageOptions", "Subpath", MOUNT_TEXT},
    {"tmpfs-size", "tmpfs", "TmpfsOptions", "SizeBytes", MOUNT_BYTES},
    {"tmpfs-mode", "tmpfs", "TmpfsOptions", "Mode", MOUNT_OCTAL},
};
#define KEYS (sizeof(keys) / sizeof(*keys))

/* The object within `mount` that the key's field belongs to, made where it is missing. */
static json_t *group_of(json_t *mount, const char *path)
{
    while (mount && path) {
        char name[32];
        size_t length = strcspn(path, ".");
        (void)snprintf(name, sizeof(name), "%.*s", (int)length, path);
        json_t *group = json_object_get(mount, name);
        if (!group) {
            group = json_object();
            (void)json_object_set_new(mount, name, group);
        }
        mount = group;
        path = path[length] ? path + length + 1 : NULL;
    }
    return mount;
}

static int refuse_value(const struct mount_key *key, const char *value, const char *wanted, struct bh_error *error)
{
    return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid value for %s: %s: want %s", key->name, value ? value : "",
                        wanted);
}

static int set_recursion(json_t *group, const struct mount_key *key, const char *value, struct bh_error *error)
{
    static const struct {
        const char *word, *field;
    } words[] = {{"enabled", NULL},
                 {"disabled", "NonRecursive"},
                 {"writable", "ReadOnlyNonRecursive"},
                 {"readonly", "ReadOnlyForceRecursive"}};
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        if (strcmp(value, words[i].word) == 0) {
            return words[i].field ? field_set(group, words[i].field, json_true(), error) : 0;
        }
    }
    return refuse_value(key, value, "enabled, disabled, writable or readonly", error);
}

static int set_truth(json_t *group, const struct mount_key *key, const char *value, struct bh_error *error)
{
    bool on = !value || strcmp(value, "true") == 0 || strcmp(value, "1") == 0;
    if (!on && strcmp(value, "false") != 0 && strcmp(value, "0") != 0) {
        return refuse_value(key, value, "true or false", error);
    }
    return field_set(group, key->field, json_boolean(on), error);
}

static int set_pair(json_t *group, const struct mount_key *key, const char *value, struct bh_error *error)
{
    bh_autofree char *name = NULL;
    const char *rest = NULL;
    json_t *map = group_of(group, key->field);
    value_pair(value, &name, &rest);
    return !name || !map ? bh_error_set(error, BH_RESOURCE_EXHAUSTED, "out of memory")
                         : field_set(map, name, json_string(rest), error);
}

static int set_field(json_t *mount, const struct mount_key *key, const char *value, struct bh_error *error)
{
    json_t *group = group_of(mount, key->group);
    int64_t bytes = 0;
    if (!value && key->kind != MOUNT_TRUTH) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid field '%s' must be a key=value pair", key->name);
    }
    switch (key->kind) {
    case MOUNT_TEXT:
        return field_set(group, key->field, json_string(value), error);
    case MOUNT_TRUTH:
        return set_truth(group, key, value, error);
    case MOUNT_PAIR:
        return set_pair(group, key, value, error);
    case MOUNT_RECURSION:
        return set_recursion(group, key, value, error);
    case MOUNT_OCTAL:
        return *value && strspn(value, "01234567") == strlen(value)
                   ? field_set(group, key->field, json_integer(strtol(value, NULL, 8)), error)
                   : refuse_value(key, value, "an octal number", error);
    case MOUNT_BYTES:
        return value_bytes(value, &bytes, error) < 0 ? -1 : field_set(group, key->field, json_integer(bytes), error);
    }
    return bh_error_set(error, BH_INTERNAL, "--mount has a key without a kind");
}

/* One "key=value" or bare "key". *ret_type collects which type's options were used. */
static int take(json_t *mount, char *word, const struct mount_key **ret_specific, struct bh_error *error)
{
    char *equals = strchr(word, '=');
    if (equals) {
        *equals = '\0';
    }
    for (size_t i = 0; i < KEYS; i++) {
        if (strcmp(keys[i].name, word) == 0) {
            *ret_specific = keys[i].type ? &keys[i] : *ret_specific;
            return set_field(mount, &keys[i], equals ? equals + 1 : NULL, error);
        }
    }
    return bh_error_set(error, BH_INVALID_ARGUMENT, "unexpected key '%s' in '%s%s%s'", word, word, equals ? "=" : "",
                        equals ? equals + 1 : "");
}

static int resolve_source(json_t *mount, const char *folder, struct bh_error *error)
{
    const char *source = field_text(mount, "Source");
    bh_autofree char *whole = NULL;
    if (source[0] != '.' || strcmp(field_text(mount, "Type"), "bind") != 0) {
        return 0;
    }
    return strings_format(&whole, error, "%s/%s", folder, source) < 0
               ? -1
               : field_set(mount, "Source", json_string(whole), error);
}

int value_mount(const char *text, const char *folder, json_t **ret_mount, struct bh_error *error)
{
    strings_auto struct strings words = {0};
    json_auto json_t *mount = json_pack("{s:s}", "Type", "volume");
    const struct mount_key *specific = NULL;
    if (!mount) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "out of memory");
    }
    if (csv_split(text, &words, error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < words.count; i++) {
        bh_autofree char *word = strdup(words.items[i]);
        if (!word || take(mount, word, &specific, error) < 0) {
            return bh_error_wrap(error, "invalid argument \"%s\" for \"--mount\" flag", text);
        }
    }
    if (!*field_text(mount, "Target")) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "invalid argument \"%s\" for \"--mount\" flag: target is required", text);
    }
    const char *type = field_text(mount, "Type");
    if (specific && strcmp(specific->type, type) != 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "invalid argument \"%s\" for \"--mount\" flag: cannot mix '%s' with mount type '%s'", text,
                            specific->name, type);
    }
    if (resolve_source(mount, folder, error) < 0) {
        return -1;
    }
    *ret_mount = bh_steal_pointer(&mount);
    return 0;
}
