/* SPDX-License-Identifier: Apache-2.0
 *
 * The JSON writer behind json_write.h.
 */
#include "common/json_write.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void json_writer_free(struct json_writer *writer)
{
    free(writer->bytes);
    *writer = (struct json_writer){0};
}

static void append(struct json_writer *writer, const char *bytes, size_t n_bytes)
{
    if (writer->failed || n_bytes == 0) {
        return;
    }
    if (n_bytes > writer->capacity - writer->n_bytes) {
        size_t capacity = (writer->capacity ? writer->capacity : 512);
        while (capacity - writer->n_bytes < n_bytes) {
            capacity *= 2;
        }
        char *larger = realloc(writer->bytes, capacity);
        if (!larger) {
            writer->failed = true;
            return;
        }
        writer->bytes = larger;
        writer->capacity = capacity;
    }
    memcpy(writer->bytes + writer->n_bytes, bytes, n_bytes);
    writer->n_bytes += n_bytes;
}

static void append_text(struct json_writer *writer, const char *text)
{
    append(writer, text, strlen(text));
}

/* The length of the well-formed UTF-8 sequence at `bytes` (RFC 3629: no overlong forms, no surrogates), or 0. */
static size_t utf8_length(const unsigned char *bytes, size_t n_bytes)
{
    unsigned char first = bytes[0];
    size_t length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
    if (length == 0 || length > n_bytes) {
        return 0;
    }
    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    if ((first == 0xe0 && bytes[1] < 0xa0) || (first == 0xed && bytes[1] > 0x9f) ||
        (first == 0xf0 && bytes[1] < 0x90) || (first == 0xf4 && bytes[1] > 0x8f)) {
        return 0;
    }
    return length;
}

static void append_escaped(struct json_writer *writer, unsigned char c)
{
    static const char named[] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    char text[8];
    if (c == '"' || c == '\\') {
        snprintf(text, sizeof(text), "\\%c", c);
    } else if (c < sizeof(named) && named[c]) {
        snprintf(text, sizeof(text), "\\%c", named[c]);
    } else {
        snprintf(text, sizeof(text), "\\u%04x", c);
    }
    append_text(writer, text);
}

static void append_string(struct json_writer *writer, const char *value, size_t n_bytes)
{
    const unsigned char *bytes = (const unsigned char *)value;
    size_t plain = 0; /* bytes[plain..i) need nothing done to them */
    append(writer, "\"", 1);
    for (size_t i = 0; i < n_bytes;) {
        size_t length = utf8_length(bytes + i, n_bytes - i);
        if (length > 0 && bytes[i] >= 0x20 && bytes[i] != '"' && bytes[i] != '\\' && bytes[i] != 0x7f) {
            i += length;
            continue;
        }
        append(writer, value + plain, i - plain);
        if (length == 0) {
            append_text(writer, "\xef\xbf\xbd");
        } else {
            append_escaped(writer, bytes[i]);
        }
        plain = ++i;
    }
    append(writer, value + plain, n_bytes - plain);
    append(writer, "\"", 1);
}

static void start_value(struct json_writer *writer, const char *key)
{
    if (writer->comma) {
        append(writer, ",", 1);
    }
    writer->comma = true;
    if (key) {
        append_string(writer, key, strlen(key));
        append(writer, ":", 1);
    }
}

static void open_with(struct json_writer *writer, const char *key, const char *bracket)
{
    start_value(writer, key);
    append(writer, bracket, 1);
    writer->comma = false;
}

static void close_with(struct json_writer *writer, const char *bracket)
{
    append(writer, bracket, 1);
    writer->comma = true;
}

void write_object(struct json_writer *writer, const char *key)
{
    open_with(writer, key, "{");
}

void write_object_end(struct json_writer *writer)
{
    close_with(writer, "}");
}

void write_array(struct json_writer *writer, const char *key)
{
    open_with(writer, key, "[");
}

void write_array_end(struct json_writer *writer)
{
    close_with(writer, "]");
}

void write_string_n(struct json_writer *writer, const char *key, const char *value, size_t n_bytes)
{
    start_value(writer, key);
    append_string(writer, value, n_bytes);
}

void write_string(struct json_writer *writer, const char *key, const char *value)
{
    write_string_n(writer, key, value ? value : "", value ? strlen(value) : 0);
}

void write_format(struct json_writer *writer, const char *key, const char *format, ...)
{
    va_list arguments;
    char *text = NULL;
    va_start(arguments, format);
    int n = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (n < 0) {
        writer->failed = true;
        return;
    }
    write_string_n(writer, key, text, (size_t)n);
    free(text);
}

void write_int(struct json_writer *writer, const char *key, int64_t value)
{
    char text[24];
    snprintf(text, sizeof(text), "%" PRId64, value);
    start_value(writer, key);
    append_text(writer, text);
}

void write_uint(struct json_writer *writer, const char *key, uint64_t value)
{
    char text[24];
    snprintf(text, sizeof(text), "%" PRIu64, value);
    start_value(writer, key);
    append_text(writer, text);
}

void write_bool(struct json_writer *writer, const char *key, bool value)
{
    start_value(writer, key);
    append_text(writer, value ? "true" : "false");
}

void write_null(struct json_writer *writer, const char *key)
{
    start_value(writer, key);
    append_text(writer, "null");
}

void write_strings(struct json_writer *writer, const char *key, char *const *values, size_t n_values,
                   bool null_if_empty)
{
    if (n_values == 0 && null_if_empty) {
        write_null(writer, key);
        return;
    }
    write_array(writer, key);
    for (size_t i = 0; i < n_values; i++) {
        write_string(writer, NULL, values[i]);
    }
    write_array_end(writer);
}

void write_words(struct json_writer *writer, const char *key, const char *const *words, size_t n_words)
{
    write_array(writer, key);
    for (size_t i = 0; i < n_words; i++) {
        write_string(writer, NULL, words[i]);
    }
    write_array_end(writer);
}

void write_raw(struct json_writer *writer, const char *bytes, size_t n_bytes)
{
    if (n_bytes > 0) {
        start_value(writer, NULL);
        append(writer, bytes, n_bytes);
    }
}

void write_line_end(struct json_writer *writer)
{
    append(writer, "\n", 1);
    writer->comma = false;
}
