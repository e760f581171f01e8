/* SPDX-License-Identifier: Apache-2.0
 *
 * Environment and label files, and single -e options.
 */
#include "env_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "common/io.h"
#include "common/limits.h"

#define ENV_FILE_BYTES_MAX (8 * BH_MIB)

/* A line without its leading white space; not empty, not a comment. */
static int parse_line(const char *path, size_t number, const char *line, size_t n_line,
                      char *(*look_up)(const char *name), struct strings *entries, struct bh_error *error)
{
    const char *equals = memchr(line, '=', n_line);
    size_t n_name = equals ? (size_t)(equals - line) : n_line;
    if (memchr(line, '\0', n_line)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "env file %s, line %zu: holds a NUL byte", path, number);
    }
    if (n_name == 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "env file %s, line %zu: no variable name on line '%.*s'", path,
                            number, (int)(n_line < 80 ? n_line : 80), line);
    }
    for (size_t i = 0; i < n_name; i++) {
        if (line[i] == ' ' || line[i] == '\t') {
            return bh_error_set(error, BH_INVALID_ARGUMENT,
                                "env file %s, line %zu: variable '%.*s' contains whitespaces", path, number,
                                (int)(n_name < 80 ? n_name : 80), line);
        }
    }
    if (equals || !look_up) {
        return strings_add_copy(entries, line, n_line, error);
    }
    bh_autofree char *name = strndup(line, n_name), *entry = NULL;
    const char *value = name ? look_up(name) : NULL;
    if (!value) {
        return 0;
    }
    if (strings_format(&entry, error, "%s=%s", name, value) < 0) {
        return -1;
    }
    return strings_add_copy(entries, entry, strlen(entry), error);
}

int env_file_parse(const char *path, const char *text, size_t n_bytes, char *(*look_up)(const char *name),
                   struct strings *entries, struct bh_error *error)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    const char *at = text, *end = text + n_bytes;
    if (n_bytes >= 3 && memcmp(text, byte_order_mark, 3) == 0) {
        at += 3;
    }
    for (size_t number = 1; at < end; number++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        const char *next = stop ? stop + 1 : end;
        stop = stop ? stop : end;
        if (stop > at && stop[-1] == '\r') {
            stop--;
        }
        while (at < stop && strchr(" \t\v\f\r", *at) && *at) {
            at++;
        }
        if (at < stop && *at != '#' && parse_line(path, number, at, (size_t)(stop - at), look_up, entries, error) < 0) {
            return -1;
        }
        at = next;
    }
    return 0;
}

int env_file_read(const char *path, char *(*look_up)(const char *name), struct strings *entries, struct bh_error *error)
{
    bh_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return bh_error_errno(error, errno, "open %s", path);
    }
    bh_autofree char *text = malloc(ENV_FILE_BYTES_MAX + 1); /* read in one go: it may be a pipe */
    size_t n_text = 0;
    if (!text) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "out of memory");
    }
    if (bh_read_full(fd, text, ENV_FILE_BYTES_MAX + 1, &n_text, path, error) < 0) {
        return -1;
    }
    if (n_text > ENV_FILE_BYTES_MAX) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "%s is larger than %llu bytes", path, ENV_FILE_BYTES_MAX);
    }
    return env_file_parse(path, text, n_text, look_up, entries, error);
}

int env_add(const char *text, struct strings *entries, struct bh_error *error)
{
    if (!*text || *text == '=') {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid environment variable: %s: want NAME=VALUE or NAME",
                            text);
    }
    if (strchr(text, '=')) {
        return strings_add_copy(entries, text, strlen(text), error);
    }
    const char *value = getenv(text);
    bh_autofree char *entry = NULL;
    if (!value) {
        return 0;
    }
    if (strings_format(&entry, error, "%s=%s", text, value) < 0) {
        return -1;
    }
    return strings_add_copy(entries, entry, strlen(entry), error);
}

int env_collect(const struct strings *files, const struct strings *options, struct strings *entries,
                struct bh_error *error)
{
    for (size_t i = 0; i < files->count; i++) {
        if (env_file_read(files->items[i], getenv, entries, error) < 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < options->count; i++) {
        if (env_add(options->items[i], entries, error) < 0) {
            return -1;
        }
    }
    return 0;
}
