/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes JSON into one growing buffer, field after field, in the order Docker writes them. `key` is NULL inside arrays.
 * Text may hold any bytes: what is not UTF-8 becomes U+FFFD, as Go's encoder does. Running out of memory is remembered
 * in `failed` and looked at once, by whoever sends the result.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_writer {
    char *bytes;
    size_t n_bytes, capacity;
    bool failed, comma;
};

void json_writer_free(struct json_writer *writer);
#define auto_json_writer __attribute__((cleanup(json_writer_free))) struct json_writer

void write_object(struct json_writer *writer, const char *key);
void write_object_end(struct json_writer *writer);
void write_array(struct json_writer *writer, const char *key);
void write_array_end(struct json_writer *writer);
void write_string(struct json_writer *writer, const char *key, const char *value);
void write_string_n(struct json_writer *writer, const char *key, const char *value, size_t n_bytes);
void write_format(struct json_writer *writer, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void write_int(struct json_writer *writer, const char *key, int64_t value);
void write_uint(struct json_writer *writer, const char *key, uint64_t value);
void write_bool(struct json_writer *writer, const char *key, bool value);
void write_null(struct json_writer *writer, const char *key);
/* [] or null when empty, as `null_if_empty` says (Docker's own is not consistent, and clients look). */
void write_strings(struct json_writer *writer, const char *key, char *const *values, size_t n_values,
                   bool null_if_empty);
/* An array of our own words. */
void write_words(struct json_writer *writer, const char *key, const char *const *words, size_t n_words);
/* What another writer has written, between the brackets of this one. */
void write_raw(struct json_writer *writer, const char *bytes, size_t n_bytes);
/* A line end: Docker ends every JSON document with one. */
void write_line_end(struct json_writer *writer);
