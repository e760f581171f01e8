/* SPDX-License-Identifier: Apache-2.0
 *
 * The strict helpers behind json_read.h, on clients' bytes.
 */
#include "json_read.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/limits.h"

int out_of_memory(struct bh_error *error)
{
    return bh_error_errno(error, ENOMEM, "read the request");
}

/* jansson recurses once a level, on a thread's small stack: nesting is bounded before it sees the text. */
static int check_depth(const char *text, size_t n_bytes, const char *what, struct bh_error *error)
{
    unsigned depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < n_bytes; i++) {
        char c = text[i];
        if (quoted) {
            i += c == '\\';
            quoted = c != '"';
        } else if (c == '"') {
            quoted = true;
        } else if ((c == '{' || c == '[') && ++depth > BH_JSON_DEPTH_MAX) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid JSON in %s: nested deeper than %d levels", what,
                                BH_JSON_DEPTH_MAX);
        } else if ((c == '}' || c == ']') && depth > 0) {
            depth--;
        }
    }
    return 0;
}

int json_parse_object(const char *text, size_t n_bytes, const char *what, json_t **ret_object, struct bh_error *error)
{
    json_error_t problem;
    if (check_depth(text, n_bytes, what, error) < 0) {
        return -1;
    }
    json_t *value = json_loadb(text, n_bytes, JSON_REJECT_DUPLICATES, &problem);
    if (!value) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid JSON in %s: %s", what, problem.text);
    }
    if (!json_is_object(value)) {
        json_decref(value);
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid JSON in %s: an object is expected", what);
    }
    *ret_object = value;
    return 0;
}

bool json_is_default(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_NULL:
    case JSON_FALSE:
        return true;
    case JSON_INTEGER:
        return json_integer_value(value) == 0;
    case JSON_STRING:
        return json_string_length(value) == 0;
    case JSON_ARRAY:
        for (size_t i = 0; i < json_array_size(value); i++) {
            if (!json_is_default(json_array_get(value, i))) {
                return false;
            }
        }
        return true;
    case JSON_OBJECT: {
        /* The iterator API wants a pointer to non-const; nothing is changed. */
        union {
            const json_t *constant;
            json_t *plain;
        } object = {.constant = value};
        for (void *i = json_object_iter(object.plain); i; i = json_object_iter_next(object.plain, i)) {
            if (!json_is_default(json_object_iter_value(i))) {
                return false;
            }
        }
        return true;
    }
    default:
        return false;
    }
}

/* A key that is `field` in another case; NULL: none. */
static const char *find_other_case(json_t *object, const char *field)
{
    for (void *i = json_object_iter(object); i; i = json_object_iter_next(object, i)) {
        const char *key = json_object_iter_key(i);
        if (strcasecmp(key, field) == 0 && strcmp(key, field) != 0) {
            return key;
        }
    }
    return NULL;
}

int json_settle_field(const json_t *object, const char *field, struct bh_error *error)
{
    union {
        const json_t *constant;
        json_t *plain;
    } settled = {.constant = object};
    for (const char *key; (key = find_other_case(settled.plain, field));) {
        if (json_object_get(object, field)) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid JSON: duplicate field: \"%s\" is \"%.64s\", too",
                                field, key);
        }
        if (json_object_set(settled.plain, field, json_object_get(object, key)) < 0 ||
            json_object_del(settled.plain, key) < 0) {
            return out_of_memory(error);
        }
    }
    return 0;
}

int json_settle_fields(const json_t *object, const char *const *fields, struct bh_error *error)
{
    for (; *fields; fields++) {
        if (json_settle_field(object, *fields, error) < 0) {
            return -1;
        }
    }
    return 0;
}

bool json_is_clients_own(const char *name)
{
    return islower((unsigned char)*name) || *name == '_';
}

bool json_is_empty(const json_t *value)
{
    return json_is_object(value)  ? json_object_size(value) == 0
           : json_is_array(value) ? json_array_size(value) == 0
                                  : json_is_default(value);
}

static int wrong_type(struct bh_error *error, const char *field, const char *right)
{
    return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid JSON: %s must be %s", field, right);
}

static int copy_string(const json_t *value, const char *field, char **slot, struct bh_error *error)
{
    if (!json_is_string(value)) {
        return wrong_type(error, field, "a string");
    }
    char *copy = strdup(json_string_value(value));
    if (!copy) {
        return out_of_memory(error);
    }
    *slot = copy;
    return 0;
}

int take_string(const json_t *value, const char *field, char **slot, struct bh_error *error)
{
    if (json_is_null(value)) {
        return 0;
    }
    char *before = *slot; /* a default that was set first */
    if (copy_string(value, field, slot, error) < 0) {
        return -1;
    }
    if (before && before != (char *)(uintptr_t)protobuf_c_empty_string) {
        free(before);
    }
    return 0;
}

int take_bool(const json_t *value, const char *field, int *slot, struct bh_error *error)
{
    if (json_is_null(value)) {
        return 0;
    }
    if (!json_is_boolean(value)) {
        return wrong_type(error, field, "true or false");
    }
    *slot = json_is_true(value);
    return 0;
}

int take_int(const json_t *value, const char *field, int64_t min, int64_t max, int64_t *slot, struct bh_error *error)
{
    if (json_is_null(value)) {
        return 0;
    }
    if (!json_is_integer(value)) {
        return wrong_type(error, field, "a whole number");
    }
    int64_t number = json_integer_value(value);
    if (number < min || number > max) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "%s is %lld: it must be from %lld to %lld", field,
                            (long long)number, (long long)min, (long long)max);
    }
    *slot = number;
    return 0;
}

int take_strings(const json_t *value, const char *field, size_t *n_slot, char ***slot, struct bh_error *error)
{
    if (json_is_null(value)) {
        return 0;
    }
    if (!json_is_array(value)) {
        return wrong_type(error, field, "an array of strings");
    }
    size_t size = json_array_size(value);
    if (size == 0) {
        return 0;
    }
    *slot = calloc(size, sizeof(char *));
    if (!*slot) {
        return out_of_memory(error);
    }
    for (size_t i = 0; i < size; i++) {
        if (copy_string(json_array_get(value, i), field, &(*slot)[i], error) < 0) {
            return -1;
        }
        (*n_slot)++; /* only what was copied is counted, so that the message can be freed at any time */
    }
    return 0;
}

int take_words(const json_t *value, const char *field, size_t *n_slot, char ***slot, struct bh_error *error)
{
    if (!json_is_string(value)) {
        return take_strings(value, field, n_slot, slot, error);
    }
    *slot = calloc(1, sizeof(char *));
    if (!*slot) {
        return out_of_memory(error);
    }
    if (copy_string(value, field, &(*slot)[0], error) < 0) {
        return -1;
    }
    *n_slot = 1;
    return 0;
}

/* The one place where jansson's non-const iteration of an object is wrapped. */
static int each_pair(const json_t *value, int (*visit)(const char *key, const json_t *item, void *argument),
                     void *argument)
{
    union {
        const json_t *constant;
        json_t *plain;
    } object = {.constant = value};
    for (void *i = json_object_iter(object.plain); i; i = json_object_iter_next(object.plain, i)) {
        if (visit(json_object_iter_key(i), json_object_iter_value(i), argument) < 0) {
            return -1;
        }
    }
    return 0;
}

struct map_reading {
    const char *field;
    size_t *n_slot;
    Bulkhead__KeyValue **pairs;
    char **keys;
    struct bh_error *error;
};

static int read_pair(const char *key, const json_t *item, void *argument)
{
    struct map_reading *reading = argument;
    Bulkhead__KeyValue *pair = malloc(sizeof(*pair));
    if (!pair) {
        return out_of_memory(reading->error);
    }
    bulkhead__key_value__init(pair);
    reading->pairs[(*reading->n_slot)++] = pair;
    pair->key = strdup(key);
    if (!pair->key) {
        pair->key = (char *)(uintptr_t)protobuf_c_empty_string;
        return out_of_memory(reading->error);
    }
    return take_string(item, reading->field, &pair->value, reading->error);
}

int take_map(const json_t *value, const char *field, size_t *n_slot, Bulkhead__KeyValue ***slot, struct bh_error *error)
{
    if (json_is_null(value)) {
        return 0;
    }
    if (!json_is_object(value)) {
        return wrong_type(error, field, "an object of strings");
    }
    if (json_object_size(value) == 0) {
        return 0;
    }
    *slot = calloc(json_object_size(value), sizeof(**slot));
    if (!*slot) {
        return out_of_memory(error);
    }
    struct map_reading reading = {.field = field, .n_slot = n_slot, .pairs = *slot, .error = error};
    return each_pair(value, read_pair, &reading);
}

static int read_key(const char *key, const json_t *item, void *argument)
{
    struct map_reading *reading = argument;
    if (!json_is_null(item) && (!json_is_object(item) || json_object_size(item) != 0)) {
        return wrong_type(reading->error, reading->field, "an object of empty objects");
    }
    char *copy = strdup(key);
    if (!copy) {
        return out_of_memory(reading->error);
    }
    reading->keys[(*reading->n_slot)++] = copy;
    return 0;
}

int take_keys(const json_t *value, const char *field, size_t *n_slot, char ***slot, struct bh_error *error)
{
    if (json_is_null(value)) {
        return 0;
    }
    if (!json_is_object(value)) {
        return wrong_type(error, field, "an object");
    }
    if (json_object_size(value) == 0) {
        return 0;
    }
    *slot = calloc(json_object_size(value), sizeof(**slot));
    if (!*slot) {
        return out_of_memory(error);
    }
    struct map_reading reading = {.field = field, .n_slot = n_slot, .keys = *slot, .error = error};
    return each_pair(value, read_key, &reading);
}

int take_console_size(const json_t *value, const char *field, uint32_t *ret_rows, uint32_t *ret_columns,
                      struct bh_error *error)
{
    int64_t rows = 0, columns = 0;
    if (json_is_null(value)) {
        return 0;
    }
    if (!json_is_array(value) || json_array_size(value) != 2) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid JSON: %s must be [height, width]", field);
    }
    if (take_int(json_array_get(value, 0), field, 0, UINT16_MAX, &rows, error) < 0 ||
        take_int(json_array_get(value, 1), field, 0, UINT16_MAX, &columns, error) < 0) {
        return -1;
    }
    *ret_rows = (uint32_t)rows;
    *ret_columns = (uint32_t)columns;
    return 0;
}
