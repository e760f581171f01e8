/* SPDX-License-Identifier: Apache-2.0
 *
 * See names.h.
 */
#include "names.h"

#include <stdio.h>
#include <string.h>

#define NAME_BYTES_MAX 255 /* one component, as Linux has it */

/* Appends the components of `path` to `text`, which has room; ".." takes one back. Returns -1 if that leads above the
 * beginning and `strict` says that this must not be. */
static int clean(const char *path, bool strict, char *text, size_t *length, struct bh_error *error)
{
    for (const char *at = path; *at;) {
        const char *end = strchrnul(at, '/');
        size_t n = (size_t)(end - at);
        if (n == 2 && at[0] == '.' && at[1] == '.') {
            if (*length == 0 && strict) {
                return bh_error_set(error, BH_INVALID_ARGUMENT, "\"%.200s\" leads out of where it is unpacked", path);
            }
            while (*length > 0 && text[--*length] != '/') {
            }
        } else if (n > NAME_BYTES_MAX) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "\"%.200s\" has a component of more than %d bytes", path,
                                NAME_BYTES_MAX);
        } else if (n > 0 && !(n == 1 && at[0] == '.')) {
            if (*length + n + 1 > BH_PATH_BYTES_MAX) {
                return bh_error_set(error, BH_INVALID_ARGUMENT, "\"%.200s...\" is longer than %d bytes", path,
                                    BH_PATH_BYTES_MAX);
            }
            text[(*length)++] = '/';
            memcpy(text + *length, at, n);
            *length += n;
        }
        at = *end ? end + 1 : end;
    }
    text[*length] = '\0';
    return 0;
}

int asked_path_parse(const char *path, struct asked_path *ret_path, struct bh_error *error)
{
    size_t length = 0, n = strlen(path);
    if (clean(path, false, ret_path->text, &length, error) < 0) {
        return -1;
    }
    bool dot = (n >= 2 && strcmp(path + n - 2, "/.") == 0) || strcmp(path, ".") == 0;
    const char *slash = strrchr(ret_path->text, '/');
    ret_path->follow = length > 0 && (dot || (n > 0 && path[n - 1] == '/'));
    (void)snprintf(ret_path->base, sizeof(ret_path->base), "%s", slash ? slash + 1 : "");
    (void)snprintf(ret_path->parent, sizeof(ret_path->parent), "%.*s",
                   slash && slash > ret_path->text ? (int)(slash - ret_path->text) : 1,
                   slash && slash > ret_path->text ? ret_path->text : "/");
    (void)snprintf(ret_path->name, sizeof(ret_path->name), "%s", dot ? "." : length ? ret_path->base : "/");
    if (length == 0) {
        (void)snprintf(ret_path->text, sizeof(ret_path->text), "/");
    }
    return 0;
}

int entry_name(const struct asked_path *asked, const char *below, bool is_folder, char *buffer, size_t buffer_bytes,
               struct bh_error *error)
{
    /* Of the root, whose name is a slash already, no entry begins with two. */
    bool of_root = strcmp(asked->name, "/") == 0;
    int n = snprintf(buffer, buffer_bytes, "%s%s%s%s", of_root ? "" : asked->name,
                     of_root && !*below ? ""
                     : *below           ? "/"
                                        : "",
                     below, is_folder ? "/" : "");
    return n < 0 || (size_t)n >= buffer_bytes
               ? bh_error_set(error, BH_RESOURCE_EXHAUSTED,
                              "a path in the container is longer than %zu bytes: \"%.200s...\"", buffer_bytes - 1,
                              below)
               : 0;
}

int unpacked_path(const char *name, char ret_path[static BH_PATH_BYTES_MAX + 1], struct bh_error *error)
{
    size_t length = 0;
    if (clean(name, true, ret_path, &length, error) < 0) {
        return -1;
    }
    memmove(ret_path, ret_path + (length > 0), length + (length == 0));
    return 0;
}

const char *split_path(const char *path, char ret_parent[static BH_PATH_BYTES_MAX + 1])
{
    const char *slash = strrchr(path, '/');
    (void)snprintf(ret_parent, BH_PATH_BYTES_MAX + 1, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
    return slash ? slash + 1 : path;
}
