/* SPDX-License-Identifier: Apache-2.0
 *
 * Words for sizes and times. Pure, but for the local time zone. The thresholds are Docker's, so that tables read the
 * same.
 */
#include "human.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *scaled(uint64_t bytes, double step, int digits, const char *const *units, char *buffer)
{
    double size = (double)bytes;
    size_t unit = 0;
    while (size >= step && units[unit + 1]) {
        size /= step;
        unit++;
    }
    (void)snprintf(buffer, HUMAN_BYTES, "%.*g%s", digits, size, units[unit]);
    return buffer;
}

static const char *const decimal_units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB", NULL};

const char *human_size(uint64_t bytes, char buffer[static HUMAN_BYTES])
{
    return scaled(bytes, 1000.0, 3, decimal_units, buffer);
}

const char *human_size_precise(uint64_t bytes, char buffer[static HUMAN_BYTES])
{
    return scaled(bytes, 1000.0, 4, decimal_units, buffer);
}

const char *human_size_binary(uint64_t bytes, char buffer[static HUMAN_BYTES])
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", NULL};
    return scaled(bytes, 1024.0, 4, units, buffer);
}

const char *human_duration(int64_t seconds, char buffer[static HUMAN_BYTES])
{
    const int64_t minute = 60, hour = 60 * minute, day = 24 * hour;
    int64_t hours = (seconds + hour / 2) / hour;
    const char *word = NULL, *unit = NULL;
    int64_t count = 0;
    if (seconds < 1) {
        word = "Less than a second";
    } else if (seconds == 1) {
        word = "1 second";
    } else if (seconds < minute) {
        count = seconds, unit = "seconds";
    } else if (seconds < 2 * minute) {
        word = "About a minute";
    } else if (seconds < hour) {
        count = seconds / minute, unit = "minutes";
    } else if (hours == 1) {
        word = "About an hour";
    } else if (hours < 48) {
        count = hours, unit = "hours";
    } else if (hours < 24 * 7 * 2) {
        count = hours / 24, unit = "days";
    } else if (hours < 24 * 30 * 2) {
        count = hours / 24 / 7, unit = "weeks";
    } else if (hours < 24 * 365 * 2) {
        count = hours / 24 / 30, unit = "months";
    } else {
        count = seconds / day / 365, unit = "years";
    }
    if (word) {
        (void)snprintf(buffer, HUMAN_BYTES, "%s", word);
    } else {
        (void)snprintf(buffer, HUMAN_BYTES, "%lld %s", (long long)count, unit);
    }
    return buffer;
}

const char *human_local_time(int64_t seconds, char buffer[static HUMAN_BYTES])
{
    time_t moment = (time_t)seconds;
    struct tm local;
    buffer[0] = '\0';
    if (localtime_r(&moment, &local)) {
        (void)strftime(buffer, HUMAN_BYTES, "%Y-%m-%d %H:%M:%S %z %Z", &local);
    }
    return buffer;
}

/* Reads "Z" or "+hh:mm" as seconds east of Greenwich. *ret_given is false for an empty text. */
static int parse_zone(const char *text, int *ret_offset, int *ret_given)
{
    *ret_given = *text != '\0';
    *ret_offset = 0;
    if (!*text || strcmp(text, "Z") == 0 || strcmp(text, "z") == 0) {
        return 0;
    }
    int hours = 0, minutes = 0, used = 0;
    if ((*text != '+' && *text != '-') || sscanf(text + 1, "%2d:%2d%n", &hours, &minutes, &used) != 2 || used != 5 ||
        text[6] != '\0' || hours > 23 || minutes > 59 || hours < 0 || minutes < 0) {
        return -1;
    }
    *ret_offset = (hours * 60 + minutes) * (*text == '-' ? -60 : 60);
    return 0;
}

static int parse_fraction(const char **text, long *ret_nanoseconds)
{
    *ret_nanoseconds = 0;
    if (**text != '.') {
        return 0;
    }
    const char *digit = *text + 1;
    long value = 0, scale = 1000000000L;
    for (; isdigit((unsigned char)*digit) && scale > 1; digit++) {
        scale /= 10;
        value += (*digit - '0') * scale;
    }
    if (digit == *text + 1 || isdigit((unsigned char)*digit)) {
        return -1;
    }
    *text = digit;
    *ret_nanoseconds = value;
    return 0;
}

/* A date with as much of the time as was given, in the local zone unless one is. */
static int parse_date(const char *text, int64_t *ret_seconds, long *ret_nanoseconds, int *ret_zone_given)
{
    static const char *const formats[] = {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H", "%Y-%m-%d"};
    for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
        struct tm when = {.tm_isdst = -1};
        const char *rest = strptime(text, formats[i], &when);
        int offset = 0;
        if (!rest || (i == 0 && parse_fraction(&rest, ret_nanoseconds) < 0) ||
            parse_zone(rest, &offset, ret_zone_given) < 0) {
            continue;
        }
        *ret_seconds = *ret_zone_given ? (int64_t)timegm(&when) - offset : (int64_t)mktime(&when);
        return 0;
    }
    return -1;
}

int human_parse_duration(const char *text, int64_t *ret_ns)
{
    static const struct {
        const char *name;
        double ns;
    } units[] = {{"ms", 1e6}, {"us", 1e3}, {"ns", 1}, {"h", 3600e9}, {"m", 60e9}, {"s", 1e9}};
    double total = 0;
    if (!*text) {
        return -1;
    }
    while (*text && strcmp(text, "0") != 0) {
        char *end = NULL;
        if (!isdigit((unsigned char)*text) && *text != '.') {
            return -1;
        }
        double value = strtod(text, &end);
        size_t unit = 0;
        while (unit < sizeof(units) / sizeof(*units) && strncmp(end, units[unit].name, strlen(units[unit].name)) != 0) {
            unit++;
        }
        if (end == text || unit == sizeof(units) / sizeof(*units)) {
            return -1;
        }
        total += value * units[unit].ns;
        text = end + strlen(units[unit].name);
    }
    if (total >= 9e18) {
        return -1;
    }
    *ret_ns = (int64_t)total;
    return 0;
}

int human_parse_moment(const char *text, int64_t now, char buffer[static HUMAN_BYTES], struct bh_error *error)
{
    int64_t seconds = 0, ns = 0;
    long nanoseconds = 0;
    int zone_given = 0;
    size_t n_digits = strspn(text, "0123456789");
    if (n_digits > 0 && n_digits < 16 && (text[n_digits] == '\0' || text[n_digits] == '.')) {
        const char *rest = text + n_digits;
        if (parse_fraction(&rest, &nanoseconds) == 0 && *rest == '\0') {
            (void)snprintf(buffer, HUMAN_BYTES, "%lld.%09ld", strtoll(text, NULL, 10), nanoseconds);
            return 0;
        }
    } else if (human_parse_duration(text, &ns) == 0) {
        seconds = now - ns / 1000000000;
        (void)snprintf(buffer, HUMAN_BYTES, "%lld.000000000", (long long)seconds);
        return 0;
    } else if (parse_date(text, &seconds, &nanoseconds, &zone_given) == 0) {
        (void)snprintf(buffer, HUMAN_BYTES, "%lld.%09ld", (long long)seconds, nanoseconds);
        return 0;
    }
    return bh_error_set(error, BH_INVALID_ARGUMENT,
                        "invalid time \"%s\": want seconds since 1970, a duration like 10m, or 2024-01-31T10:00:00Z",
                        text);
}

json_t *human_shorten(const char *text, size_t characters)
{
    size_t n_characters = 0, n_bytes = 0, n_cut = 0;
    char *copy = strdup(text);
    for (; copy && copy[n_bytes]; n_bytes++) {
        unsigned char byte = (unsigned char)copy[n_bytes];
        copy[n_bytes] = byte < 0x20 || byte == 0x7f ? ' ' : (char)byte;
        if ((byte & 0xc0) != 0x80 && ++n_characters == characters) {
            n_cut = n_bytes;
        }
    }
    json_t *shortened = !copy                        ? NULL
                        : n_characters <= characters ? json_string(copy)
                                                     : json_sprintf("%.*s…", (int)n_cut, copy);
    free(copy);
    return shortened;
}
