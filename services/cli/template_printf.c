/* SPDX-License-Identifier: Apache-2.0
 *
 * Go's printf for templates: flags, width and precision, and what it prints where a verb does not fit.
 */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "template_tree.h"

#define WIDTH_MAX   1000 /* of a field: nobody's screen is wider */
#define TEXT_MAX    512  /* of a number's digits and point */
#define REAL_DIGITS 6

struct verb {
    bool left, plus, zero, sharp;
    int width, precision; /* -1: none */
    char letter;
};

/* Reads what follows a '%'. Returns where it ends, NULL where it has no letter. */
static const char *read_number(const char *at, int *ret_number)
{
    int number = 0;
    for (; isdigit((unsigned char)*at); at++) {
        number = number > WIDTH_MAX ? number : number * 10 + (*at - '0');
    }
    *ret_number = number < WIDTH_MAX ? number : WIDTH_MAX;
    return at;
}

static const char *read_verb(const char *at, struct verb *ret_verb)
{
    struct verb verb = {.width = -1, .precision = -1};
    for (; *at && strchr("-+0# ", *at); at++) {
        verb.left |= *at == '-';
        verb.plus |= *at == '+';
        verb.zero |= *at == '0';
        verb.sharp |= *at == '#';
    }
    if (isdigit((unsigned char)*at)) {
        at = read_number(at, &verb.width);
    }
    if (*at == '.') {
        at = read_number(at + 1, &verb.precision);
    }
    verb.letter = *at;
    *ret_verb = verb;
    return *at ? at + 1 : NULL;
}

static bool starts_character(char byte)
{
    return ((unsigned char)byte & 0xc0U) != 0x80U;
}

static int count_characters(const char *text)
{
    int count = 0;
    for (; *text; text++) {
        count += starts_character(*text);
    }
    return count;
}

/* Bytes of the first `most` characters. */
static size_t cut_at(const char *text, int most)
{
    size_t at = 0;
    while (text[at] && (most > 0 || !starts_character(text[at]))) {
        most -= starts_character(text[at]);
        at++;
    }
    return at;
}

static void write_padded(const struct verb *verb, const char *text, bool number, FILE *stream)
{
    int missing = verb->width - count_characters(text);
    bool zeros = verb->zero && !verb->left && number;
    if (zeros && (*text == '-' || *text == '+')) {
        (void)fputc(*text++, stream);
    }
    for (; !verb->left && missing > 0; missing--) {
        (void)fputc(zeros ? '0' : ' ', stream);
    }
    (void)fputs(text, stream);
    for (; missing > 0; missing--) {
        (void)fputc(' ', stream);
    }
}

static const char *type_of(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_STRING:
        return "string";
    case JSON_INTEGER:
        return "int";
    case JSON_REAL:
        return "float64";
    case JSON_TRUE:
    case JSON_FALSE:
        return "bool";
    default:
        return json_is_array(value) ? "[]interface {}" : "map[string]interface {}";
    }
}

/* "%!d(string=abc)" */
static void write_misfit(char letter, const json_t *value, FILE *stream)
{
    if (json_is_null(value)) {
        (void)fprintf(stream, "%%!%c(<nil>)", letter);
        return;
    }
    (void)fprintf(stream, "%%!%c(%s=", letter, type_of(value));
    template_print_value(value, stream);
    (void)fputc(')', stream);
}

/* What C's printf writes of a number without its sign; it has the same letters and precisions. */
static bool write_digits(const struct verb *verb, const json_t *value, char text[static TEXT_MAX])
{
    const char *prefix = verb->sharp ? "0x" : "";
    int precision = verb->precision < TEXT_MAX / 8 ? verb->precision : TEXT_MAX / 8;
    json_int_t number = json_integer_value(value);
    unsigned long long magnitude = number < 0 ? 0 - (unsigned long long)number : (unsigned long long)number;
    double real = fabs(json_real_value(value));
    if (json_is_integer(value) && verb->letter == 'd') {
        snprintf(text, TEXT_MAX, "%.*llu", precision, magnitude);
    } else if (json_is_integer(value) && verb->letter == 'x') {
        snprintf(text, TEXT_MAX, "%s%.*llx", prefix, precision, magnitude);
    } else if (json_is_integer(value) && verb->letter == 'X') {
        snprintf(text, TEXT_MAX, "%s%.*llX", verb->sharp ? "0X" : "", precision, magnitude);
    } else if (json_is_integer(value) && verb->letter == 'o') {
        snprintf(text, TEXT_MAX, "%s%.*llo", verb->sharp ? "0" : "", precision, magnitude);
    } else if (json_is_real(value) && verb->letter == 'f') {
        snprintf(text, TEXT_MAX, "%.*f", precision, real);
    } else if (json_is_real(value) && verb->letter == 'e') {
        snprintf(text, TEXT_MAX, "%.*e", precision, real);
    } else if (json_is_real(value) && verb->letter == 'g') {
        snprintf(text, TEXT_MAX, "%.*g", precision < 0 ? REAL_DIGITS : precision, real);
    } else {
        return false;
    }
    return true;
}

static bool write_number(const struct verb *verb, const json_t *value, FILE *stream)
{
    char digits[TEXT_MAX], text[TEXT_MAX + 1];
    if (!write_digits(verb, value, digits)) {
        return false;
    }
    bool negative = json_is_integer(value) ? json_integer_value(value) < 0 : signbit(json_real_value(value)) != 0;
    snprintf(text, sizeof(text), "%s%s", negative ? "-" : verb->plus ? "+" : "", digits);
    write_padded(verb, text, true, stream);
    return true;
}

/* The text that a verb makes of a value that is no number of its kind. NULL: they do not fit, or no memory. */
static char *to_text(const struct verb *verb, const json_t *value)
{
    const char *string = json_string_value(value);
    char *text = NULL;
    size_t n_text = 0;
    FILE *stream = open_memstream(&text, &n_text);
    if (!stream) {
        return NULL;
    }
    bool fits = true;
    if (verb->letter == 'v' ||
        (verb->letter == 's' && !json_is_number(value) && !json_is_boolean(value) && !json_is_null(value)) ||
        (verb->letter == 't' && json_is_boolean(value))) {
        template_print_value(value, stream);
    } else if (verb->letter == 'q' && string) {
        (void)json_dumpf(value, stream, JSON_ENCODE_ANY | JSON_COMPACT);
    } else if ((verb->letter == 'x' || verb->letter == 'X') && string) {
        for (; *string; string++) {
            (void)fprintf(stream, verb->letter == 'x' ? "%02x" : "%02X", (unsigned)(unsigned char)*string);
        }
    } else {
        fits = false;
    }
    if (fclose(stream) != 0 || !fits) {
        free(text);
        return NULL;
    }
    if (verb->precision >= 0 && json_is_string(value)) {
        text[cut_at(text, verb->precision)] = 0;
    }
    return text;
}

static void write_value(const struct verb *verb, const json_t *value, FILE *stream)
{
    if (write_number(verb, value, stream)) {
        return;
    }
    bh_autofree char *text = to_text(verb, value);
    if (text) {
        write_padded(verb, text, json_is_number(value), stream);
    } else {
        write_misfit(verb->letter, value, stream);
    }
}

static void write_all(const char *format, json_t *const *arguments, size_t n_arguments, FILE *stream)
{
    size_t at = 1;
    while (*format) {
        struct verb verb;
        if (*format != '%') {
            (void)fputc(*format++, stream);
            continue;
        }
        format = read_verb(format + 1, &verb);
        if (!format) {
            (void)fputs("%!(NOVERB)", stream);
            return;
        }
        if (verb.letter == '%') {
            (void)fputc('%', stream);
        } else if (at >= n_arguments) {
            (void)fprintf(stream, "%%!%c(MISSING)", verb.letter);
        } else {
            write_value(&verb, arguments[at++], stream);
        }
    }
    for (size_t extra = at; extra < n_arguments; extra++) {
        (void)fputs(extra == at ? "%!(EXTRA " : ", ", stream);
        (void)fprintf(stream, "%s=", type_of(arguments[extra]));
        template_print_value(arguments[extra], stream);
    }
    (void)fputs(at < n_arguments ? ")" : "", stream);
}

json_t *template_printf(json_t *const *arguments, size_t n_arguments, struct bh_error *error)
{
    const char *format = json_string_value(arguments[0]);
    char *text = NULL;
    size_t n_text = 0;
    FILE *stream = format ? open_memstream(&text, &n_text) : NULL;
    if (!stream) {
        return template_refuse(error, "printf wants a format");
    }
    write_all(format, arguments, n_arguments, stream);
    return template_written(stream, &text, error);
}
