/* SPDX-License-Identifier: Apache-2.0
 *
 * A response that is one JSON object a line (pull, load), and how its progress is shown.
 */
#pragma once

#include <jansson.h>
#include <stdio.h>

#include "common/error.h"
#include "http_client.h"

/* Reads the stream to its end and hands each object to `take`, which may end it by returning -1. */
int json_stream_read(struct http_connection *connection,
                     int (*take)(void *argument, const json_t *message, struct bh_error *error), void *argument,
                     struct bh_error *error);

/* Reads the stream to its end and shows it on `stream`: rows redrawn in place with a bar if that is a terminal, else a
 * line per change. `quiet` shows nothing. An error in the stream becomes `error`. */
int json_stream_show(struct http_connection *connection, FILE *stream, bool quiet, struct bh_error *error);
