/* SPDX-License-Identifier: Apache-2.0
 *
 * Creating a container from a command line: what `create` does, and `run` first.
 */
#pragma once

#include "cli.h"
#include "container_request.h"

/* Creates it, pulling the image as --pull says. Prints the engine's warnings. *ret_id is the new container's id, owned
 * by the caller. */
int container_create(struct cli *cli, const struct container_options *options,
                     const struct container_attachment *attachment, const struct strings *arguments, char **ret_id,
                     struct bh_error *error);
