/* SPDX-License-Identifier: Apache-2.0
 *
 * Which images, under which names, `save` is to write: Docker's rules. A name with a tag is that image under that name;
 * a name without one is all its tags; an id, or a name with a digest, is an image without a name.
 */
#pragma once

#include "services/engine/database.h"
#include "services/engine/jobs.h"

/* One image once, with all the names that were asked for. */
struct saved_image {
    struct image_row row;
    const char **names; /* whole references with tags, out of row.names; in the order they were asked for */
    size_t n_names;
};

struct selection {
    struct saved_image *images; /* in the order they were first asked for */
    size_t n_images;
};
void selection_end(struct selection *selection);
#define selection_auto bh_cleanup(selection_end)

/* NOT_FOUND names the reference that means nothing to this tenant. */
int selection_add(struct selection *selection, struct job *job, const char *reference, struct bh_error *error);
