/* SPDX-License-Identifier: Apache-2.0
 *
 * See deletion_names.h.
 */
#include "services/engine/deletion_names.h"

#include <string.h>

static bool has_digest(const char *name)
{
    return strchr(name, '@') != NULL;
}

/* What stands before the tag or digest. */
static size_t repository_length(const char *name)
{
    const char *at = strchr(name, '@');
    const char *slash = strrchr(name, '/');
    const char *colon = strrchr(name, ':');
    if (at) {
        return (size_t)(at - name);
    }
    return colon && (!slash || colon > slash) ? (size_t)(colon - name) : strlen(name);
}

static bool same_repository(const char *a, const char *b)
{
    size_t length = repository_length(a);
    return repository_length(b) == length && strncmp(a, b, length) == 0;
}

bool names_are_single(char *const *names, size_t n_names)
{
    size_t tags = 0;
    for (size_t i = 0; i < n_names; i++) {
        if (!same_repository(names[0], names[i])) {
            return false;
        }
        tags += !has_digest(names[i]);
    }
    return tags <= 1;
}

bool names_go_together(char *const *names, size_t n_names, const char *name, const char *other)
{
    if (strcmp(name, other) == 0) {
        return true;
    }
    if (has_digest(name) || !has_digest(other) || !same_repository(name, other)) {
        return false;
    }
    for (size_t i = 0; i < n_names; i++) {
        if (!has_digest(names[i]) && strcmp(names[i], name) != 0 && same_repository(names[i], name)) {
            return false;
        }
    }
    return true;
}
