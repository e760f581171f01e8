/* SPDX-License-Identifier: Apache-2.0
 *
 * Unpacking what a container sent, below one folder of the user's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "copy_path.h"
#include "http_client.h"

struct copy_received {
    uint64_t bytes;   /* of the archive */
    uint64_t skipped; /* device nodes and sockets, which are told and not made */
};

/* Reads the archive from `connection` to its end. `base` is the last element of the path that was asked for. With
 * `keep_owners` files get the owner and the set-id bits that they have in the container. */
int copy_receive(struct http_connection *connection, const struct copy_plan *plan, const char *base, bool keep_owners,
                 struct copy_received *ret_received, struct bh_error *error);
