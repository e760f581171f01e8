/* SPDX-License-Identifier: Apache-2.0
 *
 * Deleting images one after another, and telling the client of each name and layer that went, by Docker's rules: a name
 * is untagged, and takes the image along if it was the last; an id takes all its names if they are of one repository,
 * or with force. Running containers keep their image; stopped ones, and several names, keep it unless forced.
 */
#pragma once

#include "services/engine/database.h"
#include "services/engine/jobs.h"

struct deletion {
    struct job *job;
    bool force;
    bool prune_parents;     /* nameless images it was made from go, too */
    struct image_row *rows; /* all the tenant's images, also those kept for containers: what layers are shared with */
    size_t n_rows;
    uint64_t reclaimed_bytes; /* content of the layers that no image of this tenant has any more */
};

int deletion_begin(struct job *job, struct deletion *deletion, struct bh_error *error);
void deletion_end(struct deletion *deletion);
#define deletion_auto bh_cleanup(deletion_end)

/* `reference` is a client's word, or a whole name or id. FAILED_PRECONDITION in Docker's words if it may not go; a name
 * may be gone all the same then, as with Docker. */
int deletion_run(struct deletion *deletion, const char *reference, struct bh_error *error);
