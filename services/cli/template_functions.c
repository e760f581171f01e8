/* SPDX-License-Identifier: Apache-2.0
 *
 * The functions that templates may call, as one table: Docker's, and those that Go has.
 */
#include <ctype.h>
#include <string.h>

#include "fields.h"
#include "string_list.h"
#include "template.h"
#include "template_tree.h"

/* ---- Docker's functions ---------------------------------------------------------------------------- */

static json_t *call_json(json_t *const *arguments, size_t n_arguments, struct bh_error *error)
{
    (void)n_arguments;
    bh_autofree char *text = json_dumps(arguments[0], JSON_COMPACT | JSON_ENCODE_ANY);
    return text ? json_string(text) : template_refuse(error, "out of memory");
}

static json_t *call_join(json_t *const *arguments, size_t n_arguments, struct bh_error *error)
{
    (void)n_arguments;
    if (!json_is_array(arguments[0]) || !json_is_string(arguments[1])) {
        return template_refuse(error, "join wants a list and a separator");
    }
    char *text = NULL;
    size_t n_text = 0;
    FILE *stream = open_memstream(&text, &n_text);
    if (!stream) {
        return template_refuse(error, "out of memory");
    }
    for (size_t i = 0; i < json_array_size(arguments[0]); i++) {
        (void)fputs(i ? json_string_value(arguments[1]) : "", stream);
        template_print_value(json_array_get(arguments[0], i), stream);
    }
    return template_written(stream, &text, error);
}

static json_t *call_split(json_t *const *arguments, size_t n_arguments, struct bh_error *error)
{
    (void)n_arguments;
    const char *text = json_string_value(arguments[0]), *separator = json_string_value(arguments[1]);
    if (!text || !separator || !*separator) {
        return template_refuse(error, "split wants a string and a separator");
    }
    json_auto json_t *list = json_array();
    for (const char *end; list && (end = strstr(text, separator)) != NULL; text = end + strlen(separator)) {
        (void)json_array_append_new(list, json_stringn(text, (size_t)(end - text)));
    }
    return list && json_array_append_new(list, json_string(text)) == 0 ? bh_steal_pointer(&list)
                                                                       : template_refuse(error, "out of memory");
}

enum letter_case { CASE_LOWER, CASE_UPPER, CASE_TITLE };

static json_t *change_case(const json_t *value, enum letter_case wanted, struct bh_error *error)
{
    bh_autofree char *text = json_is_string(value) ? strdup(json_string_value(value)) : NULL;
    if (!text) {
        return template_refuse(error, "lower, upper and title want a string");
    }
    for (char *at = text; *at; at++) {
        bool first = at == text || isspace((unsigned char)at[-1]);
        if (wanted == CASE_LOWER) {
            *at = (char)tolower((unsigned char)*at);
        } else if (wanted == CASE_UPPER || first) {
            *at = (char)toupper((unsigned char)*at);
        }
    }
    return json_string(text);
}

static json_t *call_lower(json_t *const *arguments, size_t n_arguments, struct bh_error *error)
{
    (void)n_arguments;
    return change_case(arguments[0], CASE_LOWER, error);
}

static json_t *call_upper(json_t *const *arguments, size_t n_arguments, struct bh_error *error)
{
    (void)n_arguments;
    return change_case(arguments[0], CASE_UPPER, error);
}

static json_t *call_title(json_t *const *arguments, size_t n_arguments, struct bh_error *error)
{
    (void)n_arguments;
    return change_case(arguments[0], CASE_TITLE, error);
}

static json_t *call_pad(json_t *const *arguments, size_t n_arguments, struct bh_error *error)
{
    (void)n_arguments;
    json_int_t before = json_integer_value(arguments[1]), after = json_integer_value(arguments[2]);
    if (!json_is_string(arguments[0]) || before < 0 || after < 0 || before > 1000 || after > 1000) {
        return template_refuse(error, "pad wants a string and two numbers of spaces");
    }
    return json_sprintf("%*s%s%*s", (int)before, "", json_string_value(arguments[0]), (int)after, "");
}

static json_t *call_truncate(json_t *const *arguments, size_t n_arguments, struct bh_error *error)
{
    (void)n_arguments;
    const char *text = json_string_value(arguments[0]);
    json_int_t length = json_integer_value(arguments[1]);
    if (!text || length < 0) {
        return template_refuse(error, "truncate wants a string and a length");
    }
    json_t *cut = json_stringn(text, strnlen(text, (size_t)length));
    return cut ? cut : template_refuse(error, "truncate cuts a character in two");
}

static json_t *print_all(json_t *const *arguments, size_t n_arguments, const char *end, struct bh_error *error)
{
    char *text = NULL;
    size_t n_text = 0;
    FILE *stream = open_memstream(&text, &n_text);
    if (!stream) {
        return template_refuse(error, "out of memory");
    }
    for (size_t i = 0; i < n_arguments; i++) {
        (void)fputs(i && *end ? " " : "", stream);
        template_print_value(arguments[i], stream);
    }
    (void)fputs(end, stream);
    return template_written(stream, &text, error);
}

static json_t *call_print(json_t *const *arguments, size_t n_arguments, struct bh_error *error)
{
    return print_all(arguments, n_arguments, "", error);
}

static json_t *call_println(json_t *const *arguments, size_t n_arguments, struct bh_error *error)
{
    return print_all(arguments, n_arguments, "\n", error);
}

/* ---- Go's functions -------------------------------------------------------------------------------- */

static json_t *call_index(json_t *const *arguments, size_t n_arguments, struct bh_error *error)
{
    json_t *value = arguments[0];
    for (size_t i = 1; i < n_arguments; i++) {
        const json_t *key = arguments[i];
        if (json_is_object(value) && json_is_string(key)) {
            value = json_object_get(value, json_string_value(key));
        } else if (json_is_array(value) && json_is_integer(key)) {
            json_int_t at = json_integer_value(key);
            value = at >= 0 ? json_array_get(value, (size_t)at) : NULL;
            if (!value) {
                return template_refuse(error, "index out of range");
            }
        } else if (!json_is_null(value)) {
            return template_refuse(error, "index wants a map and a string, or a list and a number");
        }
        if (!value) {
            return json_string(""); /* Go's zero value of a map of strings */
        }
    }
    return json_incref(value);
}

static json_t *call_len(json_t *const *arguments, size_t n_arguments, struct bh_error *error)
{
    (void)n_arguments;
    switch (json_typeof(arguments[0])) {
    case JSON_STRING:
        return json_integer((json_int_t)json_string_length(arguments[0]));
    case JSON_ARRAY:
        return json_integer((json_int_t)json_array_size(arguments[0]));
    case JSON_OBJECT:
        return json_integer((json_int_t)json_object_size(arguments[0]));
    case JSON_NULL:
        return json_integer(0);
    default:
        return template_refuse(error, "len wants a string, list or map");
    }
}

/* -1, 0 or 1; values of different kinds cannot be compared. */
static int compare(const json_t *a, const json_t *b, int *ret_order)
{
    if (json_is_string(a) && json_is_string(b)) {
        int order = strcmp(json_string_value(a), json_string_value(b));
        *ret_order = (order > 0) - (order < 0);
        return 0;
    }
    if (json_is_number(a) && json_is_number(b)) {
        double left = json_number_value(a), right = json_number_value(b);
        *ret_order = (left > right) - (left < right);
        return 0;
    }
    *ret_order = json_equal(a, b) ? 0 : 1;
    return json_typeof(a) == json_typeof(b) || (json_is_boolean(a) && json_is_boolean(b)) ? 0 : -1;
}

static json_t *call_eq(json_t *const *arguments, size_t n_arguments, struct bh_error *error)
{
    int order = 1;
    for (size_t i = 1; i < n_arguments && order != 0; i++) {
        if (compare(arguments[0], arguments[i], &order) < 0) {
            return template_refuse(error, "incompatible types for comparison");
        }
    }
    return json_boolean(order == 0);
}

static json_t *call_not(json_t *const *arguments, size_t n_arguments, struct bh_error *error)
{
    (void)n_arguments;
    (void)error;
    return json_boolean(!template_truth(arguments[0]));
}

static json_t *call_ne(json_t *const *arguments, size_t n_arguments, struct bh_error *error)
{
    json_auto json_t *equal = call_eq(arguments, n_arguments, error);
    return equal ? json_boolean(!json_is_true(equal)) : NULL;
}

static json_t *in_order(json_t *const *arguments, int first, int second, struct bh_error *error)
{
    int order = 0;
    if (compare(arguments[0], arguments[1], &order) < 0) {
        return template_refuse(error, "incompatible types for comparison");
    }
    return json_boolean(order == first || order == second);
}

static json_t *call_lt(json_t *const *arguments, size_t n_arguments, struct bh_error *error)
{
    (void)n_arguments;
    return in_order(arguments, -1, -1, error);
}

static json_t *call_le(json_t *const *arguments, size_t n_arguments, struct bh_error *error)
{
    (void)n_arguments;
    return in_order(arguments, -1, 0, error);
}

static json_t *call_gt(json_t *const *arguments, size_t n_arguments, struct bh_error *error)
{
    (void)n_arguments;
    return in_order(arguments, 1, 1, error);
}

static json_t *call_ge(json_t *const *arguments, size_t n_arguments, struct bh_error *error)
{
    (void)n_arguments;
    return in_order(arguments, 1, 0, error);
}

/* The first argument whose truth is `wanted`, or the last. */
static json_t *first_that_is(bool wanted, json_t *const *arguments, size_t n_arguments)
{
    size_t at = 0;
    while (at + 1 < n_arguments && template_truth(arguments[at]) != wanted) {
        at++;
    }
    return json_incref(arguments[at]);
}

static json_t *call_and(json_t *const *arguments, size_t n_arguments, struct bh_error *error)
{
    (void)error;
    return first_that_is(false, arguments, n_arguments);
}

static json_t *call_or(json_t *const *arguments, size_t n_arguments, struct bh_error *error)
{
    (void)error;
    return first_that_is(true, arguments, n_arguments);
}

static const struct template_function functions[] = {
    {"json", 1, 1, call_json},
    {"join", 2, 2, call_join},
    {"split", 2, 2, call_split},
    {"lower", 1, 1, call_lower},
    {"upper", 1, 1, call_upper},
    {"title", 1, 1, call_title},
    {"pad", 3, 3, call_pad},
    {"truncate", 2, 2, call_truncate},
    {"print", 0, TEMPLATE_ARGUMENTS_MAX, call_print},
    {"println", 0, TEMPLATE_ARGUMENTS_MAX, call_println},
    {"printf", 1, TEMPLATE_ARGUMENTS_MAX, template_printf},
    {"index", 1, TEMPLATE_ARGUMENTS_MAX, call_index},
    {"len", 1, 1, call_len},
    {"eq", 2, TEMPLATE_ARGUMENTS_MAX, call_eq},
    {"ne", 2, 2, call_ne},
    {"lt", 2, 2, call_lt},
    {"le", 2, 2, call_le},
    {"gt", 2, 2, call_gt},
    {"ge", 2, 2, call_ge},
    {"and", 1, TEMPLATE_ARGUMENTS_MAX, call_and},
    {"or", 1, TEMPLATE_ARGUMENTS_MAX, call_or},
    {"not", 1, 1, call_not},
};

const struct template_function *template_function_find(const char *name, size_t n_name)
{
    for (size_t i = 0; i < sizeof(functions) / sizeof(*functions); i++) {
        if (strlen(functions[i].name) == n_name && strncmp(functions[i].name, name, n_name) == 0) {
            return &functions[i];
        }
    }
    return NULL;
}
