/* SPDX-License-Identifier: Apache-2.0
 *
 * How Go's templates print values, and judge their truth.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "template_tree.h"

json_t *template_refuse(struct bh_error *error, const char *what)
{
    (void)bh_error_set(error, BH_INVALID_ARGUMENT, "template: %s", what);
    return NULL;
}

static void print_inner(const json_t *value, FILE *stream)
{
    if (json_is_null(value)) {
        (void)fputs("<nil>", stream);
    } else {
        template_print_value(value, stream);
    }
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void print_object(const json_t *object, FILE *stream)
{
    size_t count = json_object_size(object), at = 0;
    bh_autofree const char **keys = calloc(count + 1, sizeof(*keys));
    if (!keys) {
        return;
    }
    const char *key;
    json_t *element;
    json_object_foreach((json_t *)(uintptr_t)object, key, element)
    {
        keys[at++] = key;
    }
    qsort(keys, count, sizeof(*keys), compare_keys);
    (void)fputs("map[", stream);
    for (at = 0; at < count; at++) {
        (void)fprintf(stream, "%s%s:", at ? " " : "", keys[at]);
        print_inner(json_object_get(object, keys[at]), stream);
    }
    (void)fputc(']', stream);
}

void template_print_value(const json_t *value, FILE *stream)
{
    switch (json_typeof(value)) {
    case JSON_STRING:
        (void)fwrite(json_string_value(value), 1, json_string_length(value), stream);
        break;
    case JSON_INTEGER:
        (void)fprintf(stream, "%lld", (long long)json_integer_value(value));
        break;
    case JSON_REAL:
        (void)fprintf(stream, "%g", json_real_value(value));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        (void)fputs(json_is_true(value) ? "true" : "false", stream);
        break;
    case JSON_NULL:
        (void)fputs("<no value>", stream);
        break;
    case JSON_ARRAY:
        (void)fputc('[', stream);
        for (size_t i = 0; i < json_array_size(value); i++) {
            (void)fputs(i ? " " : "", stream);
            print_inner(json_array_get(value, i), stream);
        }
        (void)fputc(']', stream);
        break;
    case JSON_OBJECT:
        print_object(value, stream);
        break;
    }
}

bool template_truth(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_STRING:
        return json_string_length(value) > 0;
    case JSON_INTEGER:
        return json_integer_value(value) != 0;
    case JSON_REAL:
        return json_real_value(value) > 0 || json_real_value(value) < 0;
    case JSON_ARRAY:
        return json_array_size(value) > 0;
    case JSON_OBJECT:
        return json_object_size(value) > 0;
    default:
        return json_is_true(value);
    }
}

json_t *template_written(FILE *stream, char **text, struct bh_error *error)
{
    bool broken = ferror(stream) != 0;
    (void)fclose(stream);
    json_t *result = broken ? NULL : json_string_nocheck(*text);
    free(*text);
    return result ? result : template_refuse(error, "out of memory");
}
