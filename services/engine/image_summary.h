/* SPDX-License-Identifier: Apache-2.0
 *
 * An image's row as the message that lists and details tell it in.
 */
#pragma once

#include "services/engine/database.h"

/* An image's names as clients see them: familiar ones. */
struct shown_names {
    char **tags, **digests;
    size_t n_tags, n_digests;
};
void shown_names_end(struct shown_names *names);
#define shown_names_auto bh_cleanup(shown_names_end)

int show_names(const struct image_row *row, struct shown_names *ret_names, struct bh_error *error);

/* Borrows from both. */
Bulkhead__ImageSummary summary_message(struct image_row *row, struct shown_names *names);
