/* SPDX-License-Identifier: Apache-2.0
 *
 * Calendar arithmetic (the proleptic Gregorian calendar, after Howard Hinnant's "chrono-compatible date algorithms")
 * and Docker's ways to write times.
 */
#include "common/docker_time.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/io.h"

#define NS_PER_SECOND 1000000000LL

struct civil {
    int64_t year;
    unsigned month, day, hour, minute, second, nanosecond, weekday;
};

static struct civil civil_from_ns(int64_t ns)
{
    int64_t seconds = ns / NS_PER_SECOND;
    int64_t rest = ns % NS_PER_SECOND;
    if (rest < 0) {
        rest += NS_PER_SECOND;
        seconds--;
    }
    int64_t days = seconds / 86400;
    int64_t of_day = seconds % 86400;
    if (of_day < 0) {
        of_day += 86400;
        days--;
    }
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    unsigned day_of_era = (unsigned)(z - era * 146097);
    unsigned year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    unsigned shifted_month = (5 * day_of_year + 2) / 153;
    unsigned month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
    return (struct civil){
        .year = (int64_t)year_of_era + era * 400 + (month <= 2),
        .month = month,
        .day = day_of_year - (153 * shifted_month + 2) / 5 + 1,
        .hour = (unsigned)(of_day / 3600),
        .minute = (unsigned)(of_day / 60 % 60),
        .second = (unsigned)(of_day % 60),
        .nanosecond = (unsigned)rest,
        .weekday = (unsigned)(((days + 4) % 7 + 7) % 7),
    };
}

static int64_t days_from_civil(int64_t year, unsigned month, unsigned day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    unsigned year_of_era = (unsigned)(year - era * 400);
    unsigned day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    unsigned day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + (int64_t)day_of_era - 719468;
}

const char *docker_time_fixed(int64_t ns, char buffer[static DOCKER_TIME_SIZE])
{
    struct civil c = civil_from_ns(ns);
    snprintf(buffer, DOCKER_TIME_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u.%09uZ", (unsigned)c.year & 0xffff, c.month & 0xf,
             c.day & 0x1f, c.hour & 0x1f, c.minute & 0x3f, c.second & 0x3f, c.nanosecond);
    return buffer;
}

const char *docker_time(int64_t ns, char buffer[static DOCKER_TIME_SIZE])
{
    if (ns == 0) {
        return strcpy(buffer, "0001-01-01T00:00:00Z");
    }
    docker_time_fixed(ns, buffer);
    size_t length = strlen(buffer) - 1; /* without Z */
    while (buffer[length - 1] == '0') {
        length--;
    }
    length -= buffer[length - 1] == '.';
    buffer[length] = 'Z';
    buffer[length + 1] = '\0';
    return buffer;
}

/* Reads exactly `digits` digits; false if they are not there. */
static bool take_number(const char **cursor, const char *end, unsigned digits, unsigned *ret_number)
{
    unsigned number = 0;
    if ((size_t)(end - *cursor) < digits) {
        return false;
    }
    for (unsigned i = 0; i < digits; i++) {
        unsigned digit = (unsigned)(unsigned char)(*cursor)[i] - '0';
        if (digit > 9) {
            return false;
        }
        number = number * 10 + digit;
    }
    *cursor += digits;
    *ret_number = number;
    return true;
}

static bool take_character(const char **cursor, const char *end, const char *allowed)
{
    if (*cursor == end || **cursor == '\0' || !strchr(allowed, **cursor)) {
        return false;
    }
    (*cursor)++;
    return true;
}

/* ".123" in nanoseconds; absent is 0. */
static bool take_fraction(const char **cursor, const char *end, unsigned *ret_ns)
{
    *ret_ns = 0;
    if (*cursor == end || **cursor != '.') {
        return true;
    }
    (*cursor)++;
    unsigned digits = 0;
    for (; *cursor < end && isdigit((unsigned char)**cursor); (*cursor)++, digits++) {
        if (digits < 9) {
            *ret_ns = *ret_ns * 10 + (unsigned)(**cursor - '0');
        }
    }
    for (unsigned i = digits; i < 9; i++) {
        *ret_ns *= 10;
    }
    return digits > 0;
}

static bool take_offset(const char **cursor, const char *end, int64_t *ret_seconds)
{
    unsigned hours = 0;
    unsigned minutes = 0;
    *ret_seconds = 0;
    if (take_character(cursor, end, "Zz")) {
        return true;
    }
    bool west = *cursor < end && **cursor == '-';
    if (!take_character(cursor, end, "+-") || !take_number(cursor, end, 2, &hours) ||
        !take_character(cursor, end, ":") || !take_number(cursor, end, 2, &minutes) || hours > 23 || minutes > 59) {
        return false;
    }
    *ret_seconds = ((int64_t)hours * 60 + minutes) * (west ? -60 : 60);
    return true;
}

int docker_time_parse(const char *text, size_t n_bytes, int64_t *ret_ns, struct bh_error *error)
{
    const char *cursor = text;
    const char *end = text + n_bytes;
    unsigned year, month, day, hour, minute, second, fraction;
    int64_t offset;
    if (!take_number(&cursor, end, 4, &year) || !take_character(&cursor, end, "-") ||
        !take_number(&cursor, end, 2, &month) || !take_character(&cursor, end, "-") ||
        !take_number(&cursor, end, 2, &day) || !take_character(&cursor, end, "Tt") ||
        !take_number(&cursor, end, 2, &hour) || !take_character(&cursor, end, ":") ||
        !take_number(&cursor, end, 2, &minute) || !take_character(&cursor, end, ":") ||
        !take_number(&cursor, end, 2, &second) || !take_fraction(&cursor, end, &fraction) ||
        !take_offset(&cursor, end, &offset) || cursor != end || month < 1 || month > 12 || day < 1 || day > 31 ||
        hour > 23 || minute > 59 || second > 60) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid time \"%.*s\": it must be like 2006-01-02T15:04:05Z",
                            (int)(n_bytes > 64 ? 64 : n_bytes), text);
    }
    int64_t seconds = days_from_civil(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset;
    int64_t ns;
    if (__builtin_mul_overflow(seconds, NS_PER_SECOND, &ns) || __builtin_add_overflow(ns, (int64_t)fraction, &ns)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "time \"%.*s\" is out of range", (int)n_bytes, text);
    }
    *ret_ns = ns;
    return 0;
}

int docker_time_parse_stamp(const char *name, const char *text, int64_t *ret_ns, struct bh_error *error)
{
    const char *end = text + strlen(text);
    if (memchr(text, 'T', (size_t)(end - text))) {
        return docker_time_parse(text, (size_t)(end - text), ret_ns, error);
    }
    const char *cursor = text;
    bool negative = take_character(&cursor, end, "-");
    int64_t ns = 0;
    unsigned fraction;
    const char *digits = cursor;
    bool overflow = false;
    for (; cursor < end && isdigit((unsigned char)*cursor); cursor++) {
        overflow = overflow || __builtin_mul_overflow(ns, 10, &ns) || __builtin_add_overflow(ns, *cursor - '0', &ns);
    }
    if (overflow || cursor == digits || !take_fraction(&cursor, end, &fraction) || cursor != end ||
        __builtin_mul_overflow(ns, NS_PER_SECOND, &ns) || __builtin_add_overflow(ns, (int64_t)fraction, &ns)) {
        return bh_error_set(
            error, BH_INVALID_ARGUMENT,
            "invalid value for \"%s\": \"%s\" must be seconds since 1970 or a time like 2006-01-02T15:04:05Z", name,
            text);
    }
    *ret_ns = negative ? -ns : ns;
    return 0;
}

const char *human_duration(int64_t seconds, char buffer[static HUMAN_DURATION_SIZE])
{
    long long minutes = seconds / 60;
    long long hours = (seconds + 1800) / 3600;
    if (seconds < 1) {
        snprintf(buffer, HUMAN_DURATION_SIZE, "Less than a second");
    } else if (seconds == 1) {
        snprintf(buffer, HUMAN_DURATION_SIZE, "1 second");
    } else if (seconds < 60) {
        snprintf(buffer, HUMAN_DURATION_SIZE, "%lld seconds", (long long)seconds);
    } else if (minutes == 1) {
        snprintf(buffer, HUMAN_DURATION_SIZE, "About a minute");
    } else if (minutes < 60) {
        snprintf(buffer, HUMAN_DURATION_SIZE, "%lld minutes", minutes);
    } else if (hours == 1) {
        snprintf(buffer, HUMAN_DURATION_SIZE, "About an hour");
    } else if (hours < 48) {
        snprintf(buffer, HUMAN_DURATION_SIZE, "%lld hours", hours);
    } else if (hours < 24 * 7 * 2) {
        snprintf(buffer, HUMAN_DURATION_SIZE, "%lld days", hours / 24);
    } else if (hours < 24 * 30 * 2) {
        snprintf(buffer, HUMAN_DURATION_SIZE, "%lld weeks", hours / 24 / 7);
    } else if (hours < 24 * 365 * 2) {
        snprintf(buffer, HUMAN_DURATION_SIZE, "%lld months", hours / 24 / 30);
    } else {
        snprintf(buffer, HUMAN_DURATION_SIZE, "%lld years", hours / 24 / 365);
    }
    return buffer;
}

const char *http_date(char buffer[static HTTP_DATE_SIZE])
{
    static const char *const weekdays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct civil c = civil_from_ns(bh_wall_ns());
    snprintf(buffer, HTTP_DATE_SIZE, "%s, %02u %s %04u %02u:%02u:%02u GMT", weekdays[c.weekday % 7], c.day & 0x1f,
             months[(c.month - 1) % 12], (unsigned)c.year & 0xffff, c.hour & 0x1f, c.minute & 0x3f, c.second & 0x3f);
    return buffer;
}
