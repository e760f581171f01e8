/* SPDX-License-Identifier: Apache-2.0
 *
 * See json.h.
 */
#include "json.h"

#include <string.h>

#include "common/io.h"
#include "bounds.h"

/* Deepest nesting of a text that may be no JSON at all: counted before a recursive parser sees it. */
static size_t nesting(const char *text, size_t n_bytes)
{
    size_t depth = 0, deepest = 0;
    bool in_string = false;
    for (size_t i = 0; i < n_bytes; i++) {
        char c = text[i];
        if (in_string) {
            i += c == '\\' ? 1 : 0;
            in_string = c != '"';
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            depth++;
            deepest = depth > deepest ? depth : deepest;
        } else if ((c == '}' || c == ']') && depth > 0) {
            depth--;
        }
    }
    return deepest;
}

int json_parse(const char *text, size_t n_bytes, const char *what, json_t **ret_json, struct bh_error *error)
{
    if (nesting(text, n_bytes) > BH_JSON_DEPTH_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "%s: nested more than %d deep", what, BH_JSON_DEPTH_MAX);
    }
    json_error_t failure;
    json_t *json = json_loadb(text, n_bytes, JSON_REJECT_DUPLICATES, &failure);
    if (json) {
        *ret_json = json;
        return 0;
    }
    if (json_error_code(&failure) == json_error_out_of_memory) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "%s: needs more memory than a worker may have", what);
    }
    return bh_error_set(error, BH_INVALID_ARGUMENT, "%s: no valid JSON: line %d, column %d: %s", what, failure.line,
                        failure.column, failure.text);
}

int json_read(int fd, size_t max_bytes, const char *what, json_t **ret_json, struct bh_error *error)
{
    bh_autofree char *text = NULL;
    size_t n_bytes;
    if (bh_read_file(fd, max_bytes, &text, &n_bytes, what, error) < 0) {
        return -1;
    }
    return json_parse(text, n_bytes, what, ret_json, error);
}

static const char *type_name(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "an array";
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
        return "an integer";
    case JSON_REAL:
        return "a real number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "a boolean";
    default:
        return "null";
    }
}

static int wrong_type(const json_t *value, const char *key, const char *path, const char *wanted,
                      struct bh_error *error)
{
    return bh_error_set(error, BH_INVALID_ARGUMENT, "%s: \"%s\" is %s, it must be %s", path, key, type_name(value),
                        wanted);
}

static json_t *member(json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);
    return json_is_null(value) ? NULL : value;
}

int json_member_object(json_t *object, const char *key, const char *path, json_t **ret_value, struct bh_error *error)
{
    *ret_value = member(object, key);
    return !*ret_value || json_is_object(*ret_value) ? 0 : wrong_type(*ret_value, key, path, "an object", error);
}

int json_member_array(json_t *object, const char *key, const char *path, json_t **ret_value, struct bh_error *error)
{
    *ret_value = member(object, key);
    return !*ret_value || json_is_array(*ret_value) ? 0 : wrong_type(*ret_value, key, path, "an array", error);
}

int json_member_string(json_t *object, const char *key, const char *path, const char **ret_value,
                       struct bh_error *error)
{
    json_t *value = member(object, key);
    *ret_value = json_string_value(value);
    return !value || *ret_value ? 0 : wrong_type(value, key, path, "a string", error);
}

int json_member_integer(json_t *object, const char *key, const char *path, int64_t *ret_value, bool *ret_present,
                        struct bh_error *error)
{
    json_t *value = member(object, key);
    *ret_value = json_integer_value(value);
    *ret_present = value;
    return !value || json_is_integer(value) ? 0 : wrong_type(value, key, path, "an integer", error);
}

int json_member_boolean(json_t *object, const char *key, const char *path, bool *ret_value, struct bh_error *error)
{
    json_t *value = member(object, key);
    *ret_value = json_is_true(value);
    return !value || json_is_boolean(value) ? 0 : wrong_type(value, key, path, "a boolean", error);
}

int json_element_object(json_t *array, size_t index, const char *path, json_t **ret_value, struct bh_error *error)
{
    *ret_value = json_array_get(array, index);
    return json_is_object(*ret_value)
               ? 0
               : bh_error_set(error, BH_INVALID_ARGUMENT, "%s: element %zu is %s, it must be an object", path, index,
                              type_name(*ret_value));
}

int json_element_string(json_t *array, size_t index, const char *path, const char **ret_value, struct bh_error *error)
{
    const json_t *value = json_array_get(array, index);
    *ret_value = json_string_value(value);
    return *ret_value ? 0
                      : bh_error_set(error, BH_INVALID_ARGUMENT, "%s: element %zu is %s, it must be a string", path,
                                     index, type_name(value));
}
