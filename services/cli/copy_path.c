/* SPDX-License-Identifier: Apache-2.0
 *
 * Rules of names. The archive's names come from a container and are hostile: what they become is decided here, and
 * nowhere else.
 */
#include "copy_path.h"

#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "string_list.h"

int copy_path_split(const char *argument, char **ret_container, const char **ret_path, struct bh_error *error)
{
    const char *colon = strchr(argument, ':');
    *ret_container = NULL;
    *ret_path = argument;
    if (*argument == '/' || *argument == '.' || !colon || colon == argument) {
        return 0;
    }
    *ret_path = colon + 1;
    return strings_format(ret_container, error, "%.*s", (int)(colon - argument), argument);
}

/* Takes "." and ".." away by the rules of text: "a//b/../c/" is "a/c". Nothing is ".". */
static char *clean(const char *path)
{
    bool rooted = *path == '/';
    char *cleaned = malloc(strlen(path) + 3);
    size_t n = 0;
    if (!cleaned) {
        return NULL;
    }
    if (rooted) {
        cleaned[n++] = '/';
    }
    size_t floor = n; /* what ".." cannot take away */
    while (*path) {
        size_t length = strcspn(path, "/");
        bool up = length == 2 && memcmp(path, "..", 2) == 0;
        if (up && n > floor) {
            while (n > floor && cleaned[n - 1] != '/') {
                n--;
            }
            n -= n > floor ? 1 : 0;
        } else if (length > 0 && !(length == 1 && *path == '.') && !(up && rooted)) {
            if (n > 0 && cleaned[n - 1] != '/') {
                cleaned[n++] = '/';
            }
            memcpy(cleaned + n, path, length);
            n += length;
            floor = up ? n : floor;
        }
        path += length;
        path += *path == '/';
    }
    if (n == 0) {
        cleaned[n++] = '.';
    }
    cleaned[n] = '\0';
    return cleaned;
}

/* True if the last element is ".". */
static bool ends_in_dot(const char *path)
{
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/') {
        length--;
    }
    return length > 0 && path[length - 1] == '.' && (length == 1 || path[length - 2] == '/');
}

bool copy_path_wants_folder(const char *path)
{
    size_t length = strlen(path);
    return (length > 0 && path[length - 1] == '/') || ends_in_dot(path);
}

int copy_path_parts(const char *path, char **ret_folder, char **ret_base, struct bh_error *error)
{
    bh_autofree char *cleaned = clean(path), *folder = NULL;
    if (!cleaned) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "out of memory");
    }
    if (ends_in_dot(path)) {
        if (strings_format(ret_base, error, ".") < 0) {
            return -1;
        }
        *ret_folder = bh_steal_pointer(&cleaned);
        return 0;
    }
    const char *slash = strrchr(cleaned, '/');
    const char *base = slash && slash[1] ? slash + 1 : cleaned;
    size_t n_folder = !slash ? 0 : slash == cleaned ? 1 : (size_t)(slash - cleaned);
    if (strings_format(&folder, error, "%.*s", n_folder ? (int)n_folder : 1, n_folder ? cleaned : ".") < 0 ||
        strings_format(ret_base, error, "%s", base) < 0) {
        return -1;
    }
    *ret_folder = bh_steal_pointer(&folder);
    return 0;
}

int copy_path_of_link(const char *link, const char *target, char **ret_path, struct bh_error *error)
{
    bh_autofree char *folder = NULL, *base = NULL;
    if (*target == '/') {
        return strings_format(ret_path, error, "%s", target);
    }
    return copy_path_parts(link, &folder, &base, error) < 0 ? -1
                                                            : strings_format(ret_path, error, "%s/%s", folder, target);
}

int copy_plan_make(const struct copy_end *source, const struct copy_end *target, struct copy_plan *ret_plan,
                   struct bh_error *error)
{
    bh_autofree char *folder = NULL, *base = NULL;
    if (target->exists && target->is_folder) {
        *ret_plan = (struct copy_plan){0};
        return strings_format(&ret_plan->folder, error, "%s", target->path);
    }
    if (target->exists && source->is_folder) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "cannot copy directory: \"%s\" is a file", target->path);
    }
    if (!source->is_folder && copy_path_wants_folder(target->path)) {
        return bh_error_set(error, BH_NOT_FOUND, "no such directory: \"%s\"", target->path);
    }
    /* the target is a file to replace, or a name to be taken */
    bh_autofree char *trimmed = strdup(target->path);
    for (size_t length = trimmed ? strlen(trimmed) : 0; length > 1 && ends_in_dot(trimmed);) {
        trimmed[--length] = '\0'; /* "new/." is made as "new" */
    }
    if (!trimmed) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "out of memory");
    }
    if (copy_path_parts(trimmed, &folder, &base, error) < 0) {
        return -1;
    }
    *ret_plan = (struct copy_plan){.folder = bh_steal_pointer(&folder), .name = bh_steal_pointer(&base)};
    return 0;
}

void copy_plan_free(struct copy_plan *plan)
{
    free(plan->folder);
    free(plan->name);
    *plan = (struct copy_plan){0};
}

/* Skips "/" and "./" in front. */
static const char *without_root(const char *entry)
{
    for (;;) {
        if (*entry == '/') {
            entry++;
        } else if (entry[0] == '.' && (entry[1] == '/' || entry[1] == '\0')) {
            entry++;
        } else {
            return entry;
        }
    }
}

static bool climbs(const char *entry)
{
    for (const char *at = entry; *at;) {
        size_t length = strcspn(at, "/");
        if (length == 2 && memcmp(at, "..", 2) == 0) {
            return true;
        }
        at += length;
        at += *at == '/';
    }
    return false;
}

int copy_plan_place(const struct copy_plan *plan, const char *base, const char *entry, char **ret_place,
                    struct bh_error *error)
{
    const char *rest = without_root(entry);
    bool whole = strcmp(base, ".") == 0 || strcmp(base, "/") == 0;
    if (*entry == '\0' || climbs(entry)) {
        return bh_error_set(error, BH_PERMISSION_DENIED,
                            "the archive has an entry \"%.200s\", which leads out of what was asked for", entry);
    }
    if (whole) {
        bool both = plan->name && *rest;
        return strings_format(ret_place, error, "%s%s%s", plan->name ? plan->name : "", both ? "/" : "", rest);
    }
    size_t length = strcspn(rest, "/");
    if (length != strlen(base) || strncmp(rest, base, length) != 0) {
        return bh_error_set(error, BH_PERMISSION_DENIED,
                            "the archive has an entry \"%.200s\", which is not \"%s\" that was asked for", entry, base);
    }
    return strings_format(ret_place, error, "%s%s", plan->name ? plan->name : base, rest + length);
}
