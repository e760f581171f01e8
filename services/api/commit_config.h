/* SPDX-License-Identifier: Apache-2.0
 *
 * The config of an image that is committed of a container: what the container has, what the client sent with the
 * request, and what its `changes` do to it, by Docker's rules. Pure.
 */
#pragma once

#include "api_engine.pb-c.h"
#include "common/error.h"
#include "http_target.h"

/* `body` is the client's own configuration, or NULL: then the container's is what the changes start from, and nothing
 * is to be completed. The result is freed with bulkhead__image_config__free_unpacked(). */
int commit_config_make(const Bulkhead__ContainerDetails *details, const Bulkhead__ContainerRequest *body,
                       const struct http_target *target, Bulkhead__ImageConfig **ret_config, struct bh_error *error);
