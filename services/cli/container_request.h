/* SPDX-License-Identifier: Apache-2.0
 *
 * From the command line of `run` and `create` to the body of POST /containers/create (Docker Engine API,
 * ContainerConfig and HostConfig).
 */
#pragma once

#include <jansson.h>

#include "container_options.h"

/* Which of the container's streams this client is attached to. */
struct container_attachment {
    bool stdin_on, stdout_on, stderr_on;
};

/* What -a, -i and -d ask for, by Docker's rules. */
int container_attachment_of(const struct container_options *options, struct container_attachment *ret_attachment,
                            struct bh_error *error);

/* `arguments` are the image, then the command. What the user did not say is left out: the engine has the defaults. */
int container_request_build(const struct container_options *options, const struct container_attachment *attachment,
                            const struct strings *arguments, json_t **ret_request, struct bh_error *error);
