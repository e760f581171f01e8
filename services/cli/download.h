/* SPDX-License-Identifier: Apache-2.0
 *
 * An archive from the engine into a file or to standard output: for save, export and cp to "-".
 */
#pragma once

#include "engine.h"

/* GETs `path`. With `file` the bytes go to a new file beside it, which takes its name once it is whole; without it to
 * standard output, which must not be a terminal. */
int download(struct engine *engine, const char *path, const char *file, struct bh_error *error);

/* The rest of a stream to a descriptor. */
int download_rest(struct http_connection *connection, int fd, const char *what, struct bh_error *error);
