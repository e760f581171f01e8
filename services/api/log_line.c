/* SPDX-License-Identifier: Apache-2.0
 *
 * See log_line.h. Fast because `logs` of a chatty container passes through here: runs without escapes are moved whole.
 */
#include "log_line.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/docker_time.h"
#include "log_format.h"

static int refuse(struct bh_error *error)
{
    return bh_error_set(error, BH_DATA_LOSS, "a line of the log is damaged");
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static int hex4(const char *text)
{
    int value = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(text[i]);
        if (digit < 0) {
            return -1;
        }
        value = value * 16 + digit;
    }
    return value;
}

/* A code point of the basic plane as UTF-8; the writer escapes nothing beyond it. */
static char *put_code_point(char *to, int code)
{
    if (code < 0x80) {
        *to++ = (char)code;
    } else if (code < 0x800) {
        *to++ = (char)(0xc0 | code >> 6);
        *to++ = (char)(0x80 | (code & 0x3f));
    } else {
        *to++ = (char)(0xe0 | code >> 12);
        *to++ = (char)(0x80 | (code >> 6 & 0x3f));
        *to++ = (char)(0x80 | (code & 0x3f));
    }
    return to;
}

/* Decodes from `*cursor` (behind the opening quote) to the closing quote, in place. The decoded text is never longer.
 */
static int decode_text(char **cursor, const char *end, struct log_line *line)
{
    static const char plain[] = "\"\\/bfnrt";
    static const char meant[] = "\"\\/\b\f\n\r\t";
    char *from = *cursor;
    char *to = from;
    line->text = to;
    for (;;) {
        const char *stop = from;
        while (stop < end && *stop != '"' && *stop != '\\') {
            stop++;
        }
        size_t run = (size_t)(stop - from);
        if (to != from) {
            memmove(to, from, run);
        }
        to += run;
        from += run;
        if (from == end) {
            return -1;
        }
        if (*from == '"') {
            line->n_text = (size_t)(to - line->text);
            *cursor = from + 1;
            return 0;
        }
        const char *known = end - from >= 2 && from[1] ? strchr(plain, from[1]) : NULL;
        if (known) {
            *to++ = meant[known - plain];
            from += 2;
            continue;
        }
        int code = end - from >= 6 && from[1] == 'u' ? hex4(from + 2) : -1;
        if (code < 0 || (code >= 0xd800 && code <= 0xdfff)) {
            return -1;
        }
        to = put_code_point(to, code);
        from += 6;
    }
}

static int expect(char **cursor, const char *end, const char *text)
{
    size_t length = strlen(text);
    if ((size_t)(end - *cursor) < length || memcmp(*cursor, text, length) != 0) {
        return -1;
    }
    *cursor += length;
    return 0;
}

int log_line_parse(char *bytes, size_t n_bytes, struct log_line *ret_line, struct bh_error *error)
{
    struct log_line line = {0};
    char *cursor = bytes;
    const char *end = bytes + n_bytes;
    if (expect(&cursor, end, "{\"log\":\"") < 0 || decode_text(&cursor, end, &line) < 0 ||
        expect(&cursor, end, ",\"stream\":\"std") < 0) {
        return refuse(error);
    }
    if (expect(&cursor, end, "out") == 0) {
        line.stream = 1;
    } else if (expect(&cursor, end, "err") == 0) {
        line.stream = 2;
    } else {
        return refuse(error);
    }
    if (expect(&cursor, end, "\",\"time\":\"") < 0) {
        return refuse(error);
    }
    const char *quote = memchr(cursor, '"', (size_t)(end - cursor));
    size_t n_time = quote ? (size_t)(quote - cursor) : 0;
    if (!quote || docker_time_parse(cursor, n_time, &line.time_ns, error) < 0) {
        return refuse(error);
    }
    cursor += n_time;
    if (expect(&cursor, end, "\"}") < 0 || cursor != end) {
        return refuse(error);
    }
    *ret_line = line;
    return 0;
}

/* ---- many of them in a file ------------------------------------------------------------------------ */

static size_t next(const char *bytes, size_t n_bytes, size_t searched)
{
    const char *stop = n_bytes > searched ? memchr(bytes + searched, '\n', n_bytes - searched) : NULL;
    return stop ? (size_t)(stop - bytes) + 1 : 0;
}

static int parse(char *bytes, size_t n_bytes, struct log_line *ret_line, struct bh_error *error)
{
    return log_line_parse(bytes, n_bytes - 1, ret_line, error);
}

/* Searches one file backwards for `*lines` line ends before its end. 1: found, *ret_offset is behind it. 0: it has
 * fewer, which were taken off `*lines`. */
static int search_back(int file, char *block, uint64_t *lines, off_t *ret_offset, struct bh_error *error)
{
    struct stat info;
    if (fstat(file, &info) < 0) {
        return bh_error_errno(error, errno, "look at the log");
    }
    off_t position = info.st_size;
    bool closed = false; /* the line end of the last whole line was passed; what follows it is still being written */
    while (position > 0) {
        size_t want = position < (off_t)LOG_BLOCK_BYTES ? (size_t)position : LOG_BLOCK_BYTES;
        ssize_t n = pread(file, block, want, position - (off_t)want);
        if (n != (ssize_t)want) {
            return bh_error_errno(error, n < 0 ? errno : EIO, "read the log");
        }
        for (size_t i = want; i-- > 0;) {
            if (block[i] != '\n') {
                continue;
            }
            if (closed && --*lines == 0) {
                *ret_offset = position - (off_t)want + (off_t)i + 1;
                return 1;
            }
            closed = true;
        }
        position -= (off_t)want;
    }
    *lines -= closed; /* the first line has no line end before it */
    *ret_offset = 0;
    return *lines == 0;
}

const struct log_format log_format_json = {.next = next, .parse = parse, .search_back = search_back};
