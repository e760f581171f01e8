/* SPDX-License-Identifier: Apache-2.0
 *
 * Splits a streamed response into its JSON objects.
 */
#include "json_stream.h"

#include <stdlib.h>
#include <string.h>

#include "common/limits.h"
#include "fields.h"

#define LINE_BYTES_MAX (1 * BH_MIB)

void json_lines_free(struct json_lines *lines)
{
    free(lines->bytes);
    *lines = (struct json_lines){0};
}

static int make_room(struct json_lines *lines, struct bh_error *error)
{
    if (lines->capacity - lines->length >= 4096) {
        return 0;
    }
    size_t capacity = lines->capacity + 65536;
    char *bytes = capacity > LINE_BYTES_MAX ? NULL : realloc(lines->bytes, capacity);
    if (!bytes) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "the engine sent a progress message of more than %llu bytes",
                            LINE_BYTES_MAX);
    }
    lines->bytes = bytes;
    lines->capacity = capacity;
    return 0;
}

/* Hands over every whole line that has arrived. */
static int take_lines(struct json_lines *lines,
                      int (*take)(void *argument, const json_t *message, struct bh_error *error), void *argument,
                      struct bh_error *error)
{
    char *line = lines->bytes, *end = lines->bytes + lines->length, *stop;
    while ((stop = memchr(line, '\n', (size_t)(end - line))) != NULL) {
        json_auto json_t *message = json_loadb(line, (size_t)(stop - line), 0, NULL);
        if (!message && stop - line > 1) {
            return bh_error_set(error, BH_INTERNAL, "the engine sent a progress message that is not JSON");
        }
        if (message && take(argument, message, error) < 0) {
            return -1;
        }
        line = stop + 1;
    }
    lines->length = (size_t)(end - line);
    memmove(lines->bytes, line, lines->length);
    return 0;
}

int json_lines_read(struct json_lines *lines, struct http_connection *connection,
                    int (*take)(void *argument, const json_t *message, struct bh_error *error), void *argument,
                    bool *ret_end, struct bh_error *error)
{
    size_t n_read = 0;
    if (make_room(lines, error) < 0 ||
        http_read(connection, lines->bytes + lines->length, lines->capacity - lines->length - 1, &n_read, error) < 0) {
        return -1;
    }
    lines->length += n_read;
    *ret_end = n_read == 0;
    if (n_read == 0 && lines->length > 0) {
        lines->bytes[lines->length++] = '\n'; /* the last line may lack its end */
    }
    return take_lines(lines, take, argument, error);
}

int json_stream_read(struct http_connection *connection,
                     int (*take)(void *argument, const json_t *message, struct bh_error *error), void *argument,
                     struct bh_error *error)
{
    bh_cleanup(json_lines_free) struct json_lines lines = {0};
    for (bool end = false; !end;) {
        if (json_lines_read(&lines, connection, take, argument, &end, error) < 0) {
            return -1;
        }
    }
    return 0;
}
