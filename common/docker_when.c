/* SPDX-License-Identifier: Apache-2.0
 *
 * See docker_when.h.
 */
#include "common/docker_when.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/docker_time.h"

#define DATE_BYTES    10 /* 2006-01-02 */
#define MOMENT_LENGTH 64 /* far more than the longest that is right */

static const struct {
    const char *name;
    int64_t ns;
} units[] = {{"ns", 1},       {"us", 1000},        {"\xc2\xb5s", 1000},  {"\xce\xbcs", 1000},
             {"ms", 1000000}, {"s", 1000000000LL}, {"m", 60000000000LL}, {"h", 3600000000000LL}};

/* "1.5" of a unit, in nanoseconds; what is finer than that is dropped. */
static bool take_amount(const char **cursor, int64_t *ret_ns)
{
    int64_t whole = 0, fraction = 0, scale = 1;
    const char *start = *cursor;
    size_t digits = 0;
    for (; isdigit((unsigned char)**cursor); (*cursor)++, digits++) {
        if (__builtin_mul_overflow(whole, 10, &whole) || __builtin_add_overflow(whole, **cursor - '0', &whole)) {
            return false;
        }
    }
    if (**cursor == '.') {
        for ((*cursor)++; isdigit((unsigned char)**cursor); (*cursor)++, digits++) {
            if (scale < 1000000000LL) {
                fraction = fraction * 10 + (**cursor - '0');
                scale *= 10;
            }
        }
    }
    for (size_t i = 0; digits > 0 && *cursor > start && i < sizeof units / sizeof units[0]; i++) {
        size_t length = strlen(units[i].name);
        char after = strncmp(*cursor, units[i].name, length) == 0 ? (*cursor)[length] : 'x';
        if (after != '\0' && after != '.' && !isdigit((unsigned char)after)) {
            continue;
        }
        *cursor += length;
        int64_t part = units[i].ns >= scale ? fraction * (units[i].ns / scale) : fraction * units[i].ns / scale;
        return !__builtin_mul_overflow(whole, units[i].ns, ret_ns) && !__builtin_add_overflow(*ret_ns, part, ret_ns);
    }
    return false;
}

int docker_duration_parse(const char *text, int64_t *ret_ns, struct bh_error *error)
{
    const char *cursor = text;
    int64_t sum = 0;
    bool negative = *cursor == '-';
    cursor += *cursor == '-' || *cursor == '+';
    bool valid = *cursor != '\0';
    if (strcmp(cursor, "0") == 0) {
        *ret_ns = 0;
        return 0;
    }
    while (valid && *cursor) {
        int64_t amount;
        valid = take_amount(&cursor, &amount) && !__builtin_add_overflow(sum, amount, &sum);
    }
    if (!valid) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid duration \"%.64s\": it must be like 1h30m or 2.5s",
                            text);
    }
    *ret_ns = negative ? -sum : sum;
    return 0;
}

/* A time of which the end may be missing, made whole. */
static bool complete(const char *text, char whole[static MOMENT_LENGTH])
{
    static const char rest[] = "T00:00:00";
    size_t length = strlen(text);
    if (length < DATE_BYTES || length > MOMENT_LENGTH / 2) {
        return false;
    }
    size_t zone = DATE_BYTES + strcspn(text + DATE_BYTES, "Zz+-");
    const char *time_of_day = zone > DATE_BYTES ? text + DATE_BYTES : "";
    size_t n_time = zone - DATE_BYTES;
    if (n_time < strlen(rest) && n_time % strlen("T00") != 0) {
        return false; /* within a number */
    }
    const char *missing = n_time < strlen(rest) ? rest + n_time : "";
    (void)snprintf(whole, MOMENT_LENGTH, "%.*s%.*s%s%s", DATE_BYTES, text, (int)n_time, time_of_day, missing,
                   text[zone] ? text + zone : "Z");
    return true;
}

int docker_when_parse(const char *name, const char *text, int64_t now_ns, int64_t *ret_ns, struct bh_error *error)
{
    char whole[MOMENT_LENGTH];
    int64_t ago_ns;
    struct bh_error other;
    if (strcmp(text, "0") != 0 && docker_duration_parse(text, &ago_ns, &other) == 0) {
        return __builtin_sub_overflow(now_ns, ago_ns, ret_ns)
                   ? bh_error_set(error, BH_INVALID_ARGUMENT, "invalid value for \"%s\": \"%.64s\" is out of range",
                                  name, text)
                   : 0;
    }
    if (docker_time_parse_stamp(name, text, ret_ns, error) == 0 ||
        (complete(text, whole) && docker_time_parse(whole, strlen(whole), ret_ns, &other) == 0)) {
        bh_error_clear(error);
        return 0;
    }
    return bh_error_set(error, BH_INVALID_ARGUMENT,
                        "invalid value for \"%s\": \"%.64s\" must be seconds since 1970, a time like "
                        "2006-01-02T15:04:05Z, or how long ago, like 1h30m",
                        name, text);
}
