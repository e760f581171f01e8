/* SPDX-License-Identifier: Apache-2.0
 *
 * A response that is one JSON object a line (pull, load, events, stats), and how its progress is shown.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "common/error.h"
#include "http_client.h"

/* The part of a line that has arrived. All zero is its beginning; json_lines_free() at the end. */
struct json_lines {
    char *bytes;
    size_t length, capacity;
};
void json_lines_free(struct json_lines *lines);

/* Reads what has arrived (waiting for something if nothing has) and hands over each object that is whole. *ret_end:
 * the stream is over. */
int json_lines_read(struct json_lines *lines, struct http_connection *connection,
                    int (*take)(void *argument, const json_t *message, struct bh_error *error), void *argument,
                    bool *ret_end, struct bh_error *error);

/* Reads the stream to its end and hands each object to `take`, which may end it by returning -1. */
int json_stream_read(struct http_connection *connection,
                     int (*take)(void *argument, const json_t *message, struct bh_error *error), void *argument,
                     struct bh_error *error);

/* Reads the stream to its end and shows it on `stream`: rows redrawn in place with a bar if that is a terminal, else a
 * line per change. `quiet` shows nothing. An error in the stream becomes `error`. */
int json_stream_show(struct http_connection *connection, FILE *stream, bool quiet, struct bh_error *error);
