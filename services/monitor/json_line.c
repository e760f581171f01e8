/* SPDX-License-Identifier: Apache-2.0
 *
 * The json-file line; see json_line.h. The loop over plain bytes is what a container's output passes through at full
 * speed, so it is a table look-up and one copy per run.
 */
#include "json_line.h"

#include <string.h>

static const char hex_digits[] = "0123456789abcdef";

/* 0: stands for itself. 1: ASCII that JSON (or Go's HTML-safe habit) escapes. 2: start of something in UTF-8. */
static const uint8_t byte_class[256] = {
    [0x00 ... 0x1f] = 1, ['"'] = 1, ['\\'] = 1, ['<'] = 1, ['>'] = 1, ['&'] = 1, [0x80 ... 0xff] = 2,
};

static char *append(char *at, const void *bytes, size_t n_bytes)
{
    memcpy(at, bytes, n_bytes);
    return at + n_bytes;
}

static char *append_escape(char *at, uint8_t byte)
{
    *at++ = '\\';
    switch (byte) {
    case '"':
    case '\\':
        *at++ = (char)byte;
        return at;
    case '\n':
        *at++ = 'n';
        return at;
    case '\r':
        *at++ = 'r';
        return at;
    case '\t':
        *at++ = 't';
        return at;
    default:
        at = append(at, "u00", 3);
        *at++ = hex_digits[byte >> 4];
        *at++ = hex_digits[byte & 15];
        return at;
    }
}

/* Length of the valid UTF-8 sequence at `text` (RFC 3629: no overlong form, no surrogate, at most U+10FFFF); 0 if none.
 */
static size_t sequence_length(const uint8_t *text, size_t n_text)
{
    uint8_t lead = text[0];
    size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || n_text < length) {
        return 0;
    }
    uint8_t lowest = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    uint8_t highest = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (text[1] < lowest || text[1] > highest) {
        return 0;
    }
    for (size_t i = 2; i < length; i++) {
        if ((text[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return length;
}

/* Writes what stands at `text`; *ret_used tells how many bytes it was. A byte that is no UTF-8 becomes U+FFFD. */
static char *append_sequence(char *at, const uint8_t *text, size_t n_text, size_t *ret_used)
{
    size_t length = sequence_length(text, n_text);
    if (length == 0) {
        *ret_used = 1;
        return append(at, "\\ufffd", 6);
    }
    *ret_used = length;
    if (length == 3 && text[0] == 0xe2 && text[1] == 0x80 &&
        (text[2] & 0xfe) == 0xa8) { /* line separators U+2028, U+2029 */
        return append(at, text[2] == 0xa8 ? "\\u2028" : "\\u2029", 6);
    }
    return append(at, text, length);
}

size_t monitor_json_line(char *buffer, const uint8_t *text, size_t n_text, bool newline, const char *stream,
                         const char *time, size_t n_time)
{
    char *at = append(buffer, "{\"log\":\"", 8);
    size_t i = 0;
    while (i < n_text) {
        size_t run = i;
        while (run < n_text && byte_class[text[run]] == 0) {
            run++;
        }
        at = append(at, text + i, run - i);
        i = run;
        if (i == n_text) {
            break;
        }
        size_t used = 1;
        at = byte_class[text[i]] == 1 ? append_escape(at, text[i]) : append_sequence(at, text + i, n_text - i, &used);
        i += used;
    }
    if (newline) {
        at = append(at, "\\n", 2);
    }
    at = append(at, "\",\"stream\":\"", 12);
    at = append(at, stream, strlen(stream));
    at = append(at, "\",\"time\":\"", 10);
    at = append(at, time, n_time);
    at = append(at, "\"}\n", 3);
    return (size_t)(at - buffer);
}

/* Writes `value` with `digits` digits and zeros in front. */
static char *append_number(char *at, uint64_t value, int digits)
{
    for (int i = digits - 1; i >= 0; i--) {
        at[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return at + digits;
}

size_t monitor_time_format(int64_t wall_ns, char buffer[static MONITOR_TIME_SIZE])
{
    uint64_t now = wall_ns > 0 ? (uint64_t)wall_ns : 0;
    uint64_t nanoseconds = now % 1000000000U;
    uint64_t seconds = now / 1000000000U;
    uint64_t second_of_day = seconds % 86400U;

    /* Days to a civil date, with years that begin in March (Hinnant, "chrono-compatible low-level date algorithms"):
     * gmtime_r() would read a time zone file, which a monitor cannot. */
    uint64_t days = seconds / 86400U + 719468U;
    uint64_t era = days / 146097U;
    uint64_t day_of_era = days % 146097U;
    uint64_t year_of_era = (day_of_era - day_of_era / 1460U + day_of_era / 36524U - day_of_era / 146096U) / 365U;
    uint64_t day_of_year = day_of_era - (365U * year_of_era + year_of_era / 4U - year_of_era / 100U);
    uint64_t month_from_march = (5U * day_of_year + 2U) / 153U;
    uint64_t day = day_of_year - (153U * month_from_march + 2U) / 5U + 1U;
    uint64_t month = month_from_march < 10 ? month_from_march + 3U : month_from_march - 9U;
    uint64_t year = year_of_era + era * 400U + (month <= 2 ? 1U : 0U);

    char *at = append_number(buffer, year, 4);
    *at++ = '-';
    at = append_number(at, month, 2);
    *at++ = '-';
    at = append_number(at, day, 2);
    *at++ = 'T';
    at = append_number(at, second_of_day / 3600U, 2);
    *at++ = ':';
    at = append_number(at, second_of_day / 60U % 60U, 2);
    *at++ = ':';
    at = append_number(at, second_of_day % 60U, 2);
    if (nanoseconds > 0) {
        *at++ = '.';
        at = append_number(at, nanoseconds, 9);
        while (at[-1] == '0') {
            at--;
        }
    }
    *at++ = 'Z';
    *at = '\0';
    return (size_t)(at - buffer);
}
