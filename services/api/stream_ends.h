/* SPDX-License-Identifier: Apache-2.0
 *
 * The pipes between an attached client and a container or exec: made here, one end kept, the other handed to the
 * engine.
 */
#pragma once

#include <stdbool.h>

#include "api.h"
#include "common/error.h"

/* The two ends of one stream: what we keep and what the container gets; /dev/null where the stream is not wanted. */
struct stream_ends {
    int ours, theirs;
};

/* `index` 0 is stdin, where the container reads. Our end does not wait. */
int stream_ends_make(const struct api *api, unsigned index, bool wanted, struct stream_ends *ret_ends,
                     struct bh_error *error);
void stream_ends_close(struct stream_ends *ends);
