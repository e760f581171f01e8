/* SPDX-License-Identifier: Apache-2.0
 *
 * Packing a file or folder of the user's for a container.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "http_client.h"

/* Writes the archive of `path` to `connection` as chunks, with its end; the topmost entry is called `name`. With
 * `follow` a symbolic link at `path` itself is followed. *ret_bytes counts the archive. If the engine stops reading,
 * that is no error here: its answer tells why. */
int copy_send(struct http_connection *connection, const char *path, const char *name, bool follow, uint64_t *ret_bytes,
              struct bh_error *error);
