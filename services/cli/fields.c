/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading and writing fields of JSON objects.
 */
#include "fields.h"

#include <string.h>

json_t *field_at(const json_t *object, const char *path)
{
    char key[128];
    const char *dot;
    while ((dot = strchr(path, '.')) != NULL && (size_t)(dot - path) < sizeof(key)) {
        memcpy(key, path, (size_t)(dot - path));
        key[dot - path] = '\0';
        object = json_object_get(object, key);
        path = dot + 1;
    }
    return json_object_get(object, path);
}

const char *field_text(const json_t *object, const char *path)
{
    const char *text = json_string_value(field_at(object, path));
    return text ? text : "";
}

int64_t field_integer(const json_t *object, const char *path)
{
    return json_integer_value(field_at(object, path));
}

bool field_truth(const json_t *object, const char *path)
{
    return json_is_true(field_at(object, path));
}

int field_set(json_t *object, const char *key, json_t *value, struct bh_error *error)
{
    if (!value || json_object_set_new(object, key, value) < 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "%s is not valid UTF-8", key);
    }
    return 0;
}

int field_append(json_t *array, json_t *value, struct bh_error *error)
{
    if (!value || json_array_append_new(array, value) < 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "a value is not valid UTF-8");
    }
    return 0;
}

int field_set_text(json_t *object, const char *key, const char *text, struct bh_error *error)
{
    return text ? field_set(object, key, json_string(text), error) : 0;
}

int field_set_flag(json_t *object, const char *key, bool on, struct bh_error *error)
{
    return on ? field_set(object, key, json_true(), error) : 0;
}

int field_set_integer(json_t *object, const char *key, bool given, int64_t value, struct bh_error *error)
{
    return given ? field_set(object, key, json_integer(value), error) : 0;
}

int field_set_list(json_t *object, const char *key, const struct strings *list, struct bh_error *error)
{
    if (list->count == 0) {
        return 0;
    }
    json_t *array = json_array();
    if (field_set(object, key, array, error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < list->count; i++) {
        if (field_append(array, json_string(list->items[i]), error) < 0) {
            return -1;
        }
    }
    return 0;
}
