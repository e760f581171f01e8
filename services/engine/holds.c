/* SPDX-License-Identifier: Apache-2.0
 *
 * Digests held by one job; see holds.h.
 */
#include <errno.h>
#include <stdlib.h>

#include "services/engine/content.h"
#include "services/engine/holds.h"

int holds_add(struct holds *holds, struct job *job, const struct bh_digest *digest, struct bh_error *error)
{
    struct bh_digest *grown = reallocarray(holds->digests, holds->n_digests + 1, sizeof *grown);
    if (!grown) {
        return bh_error_errno(error, ENOMEM, "hold content");
    }
    holds->digests = grown;
    if (content_hold(job, digest, error) < 0) {
        return -1;
    }
    holds->content = job->engine->content;
    grown[holds->n_digests++] = *digest;
    return 0;
}

void holds_end(struct holds *holds)
{
    for (size_t i = 0; i < holds->n_digests; i++) {
        content_release(holds->content, &holds->digests[i]);
    }
    free(holds->digests);
    *holds = (struct holds){0};
}
