/* SPDX-License-Identifier: Apache-2.0
 *
 * Building request paths.
 */
#include "query.h"

#include <string.h>

static int out_of_memory(struct bh_error *error)
{
    return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "out of memory");
}

int query_path(char **ret_path, const char *before, const char *name, const char *after, struct bh_error *error)
{
    bh_autofree char *escaped = engine_escape(name);
    if (!escaped) {
        return out_of_memory(error);
    }
    if (!*escaped) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid name: it is empty");
    }
    return strings_format(ret_path, error, "%s%s%s", before, escaped, after);
}

int query_add(char **path, const char *key, const char *value, struct bh_error *error)
{
    if (!value) {
        return 0;
    }
    bh_autofree char *escaped = engine_escape(value), *longer = NULL;
    if (!escaped) {
        return out_of_memory(error);
    }
    if (strings_format(&longer, error, "%s%c%s=%s", *path, strchr(*path, '?') ? '&' : '?', key, escaped) < 0) {
        return -1;
    }
    free(*path);
    *path = bh_steal_pointer(&longer);
    return 0;
}

int query_add_flag(char **path, const char *key, bool on, struct bh_error *error)
{
    return query_add(path, key, on ? "1" : NULL, error);
}

int query_add_list(char **path, const char *key, const struct strings *values, struct bh_error *error)
{
    for (size_t i = 0; i < values->count; i++) {
        if (query_add(path, key, values->items[i], error) < 0) {
            return -1;
        }
    }
    return 0;
}

int query_ask(struct engine *engine, const char *method, const char *before, const char *name, const char *after,
              json_t **ret_answer, struct bh_error *error)
{
    bh_autofree char *path = NULL;
    return query_path(&path, before, name, after, error) < 0
               ? -1
               : engine_ask(engine, method, path, NULL, ret_answer, error);
}

int query_container(struct engine *engine, const char *name, json_t **ret_details, struct bh_error *error)
{
    return query_ask(engine, "GET", "/containers/", name, "/json", ret_details, error);
}
