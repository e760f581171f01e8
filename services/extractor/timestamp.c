/* SPDX-License-Identifier: Apache-2.0
 *
 * See timestamp.h; the grammar is RFC 3339, section 5.6.
 */
#include "timestamp.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

static bool digits(const char **at, int n, int64_t *ret_value)
{
    *ret_value = 0;
    for (; n > 0; n--, (*at)++) {
        if (!isdigit((unsigned char)**at)) {
            return false;
        }
        *ret_value = *ret_value * 10 + (**at - '0');
    }
    return true;
}

static bool character(const char **at, const char *allowed)
{
    if (!**at || !strchr(allowed, **at)) {
        return false;
    }
    (*at)++;
    return true;
}

/* Days from 1970-01-01 to a date of the Gregorian calendar (Howard Hinnant's days_from_civil). */
static int64_t days(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static bool fraction(const char **at, int64_t *ret_ns)
{
    *ret_ns = 0;
    if (**at != '.') {
        return true;
    }
    (*at)++;
    if (!isdigit((unsigned char)**at)) {
        return false;
    }
    for (int64_t unit = 100000000; isdigit((unsigned char)**at); (*at)++, unit /= 10) {
        *ret_ns += unit * (**at - '0');
    }
    return true;
}

static bool zone(const char **at, int64_t *ret_seconds)
{
    *ret_seconds = 0;
    if (character(at, "Zz")) {
        return true;
    }
    int sign = **at == '-' ? -1 : 1;
    int64_t hours, minutes;
    if (!character(at, "+-") || !digits(at, 2, &hours) || !character(at, ":") || !digits(at, 2, &minutes)) {
        return false;
    }
    *ret_seconds = sign * (hours * 3600 + minutes * 60);
    return hours < 24 && minutes < 60;
}

int timestamp_parse(const char *text, int64_t *ret_ns, struct bh_error *error)
{
    const char *at = text;
    int64_t year, month, day, hour, minute, second, nanoseconds, offset;
    bool valid = digits(&at, 4, &year) && character(&at, "-") && digits(&at, 2, &month) && character(&at, "-") &&
                 digits(&at, 2, &day) && character(&at, "Tt ") && digits(&at, 2, &hour) && character(&at, ":") &&
                 digits(&at, 2, &minute) && character(&at, ":") && digits(&at, 2, &second) &&
                 fraction(&at, &nanoseconds) && zone(&at, &offset) && *at == '\0';
    if (!valid || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "time \"%.64s\" must be written as in \"2014-12-11T10:09:08.7Z\" (RFC 3339)", text);
    }
    int64_t seconds = days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset;
    int64_t ns;
    if (__builtin_mul_overflow(seconds, (int64_t)1000000000, &ns) || __builtin_add_overflow(ns, nanoseconds, &ns)) {
        ns = 0;
    }
    *ret_ns = ns;
    return 0;
}
