/* SPDX-License-Identifier: Apache-2.0
 *
 * Maps of strings, in and out.
 */
#include "label_map.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fields.h"
#include "values.h"

int label_map_set(json_t *object, const char *key, const struct strings *pairs, struct bh_error *error)
{
    if (pairs->count == 0) {
        return 0;
    }
    json_t *map = json_object();
    if (field_set(object, key, map, error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < pairs->count; i++) {
        bh_autofree char *name = NULL;
        const char *value = NULL;
        value_pair(pairs->items[i], &name, &value);
        if (!name || field_set(map, name, json_string(value), error) < 0) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "\"%s\" is not valid UTF-8", pairs->items[i]);
        }
    }
    return 0;
}

static int by_text(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

json_t *label_map_joined(const json_t *labels)
{
    return label_map_joined_by(labels, ",");
}

json_t *label_map_joined_by(const json_t *labels, const char *separator)
{
    size_t count = json_object_size(labels), n_keys = 0, n_text = 0;
    bh_autofree const char **keys = calloc(count + 1, sizeof(*keys));
    char *text = NULL;
    FILE *stream = keys ? open_memstream(&text, &n_text) : NULL;
    const char *key;
    json_t *value;
    if (!stream) {
        return NULL;
    }
    json_object_foreach((json_t *)(uintptr_t)labels, key, value)
    {
        keys[n_keys++] = key;
    }
    qsort(keys, n_keys, sizeof(*keys), by_text);
    for (size_t i = 0; i < n_keys; i++) {
        value = json_object_get(labels, keys[i]);
        (void)fprintf(stream, "%s%s=%s", i ? separator : "", keys[i],
                      json_is_string(value) ? json_string_value(value) : "");
    }
    (void)fclose(stream);
    json_t *joined = json_string(text);
    free(text);
    return joined;
}
