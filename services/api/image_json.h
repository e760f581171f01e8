/* SPDX-License-Identifier: Apache-2.0
 *
 * An image as lists of images show it: GET /images/json, and the images of GET /system/df.
 */
#pragma once

#include <stdbool.h>

#include "api_engine.pb-c.h"
#include "common/json_write.h"

/* Which of the fields that cost something are known; the others are -1, as Docker says it. */
struct image_summary_form {
    unsigned version; /* of the API: its minor */
    bool shared_size; /* the engine was asked for it */
    bool containers;  /* show how many use it */
};

void write_image_summary(struct json_writer *writer, const Bulkhead__ImageSummary *image,
                         const struct image_summary_form *form);
/* RepoTags and RepoDigests, in the form of that version of the API. */
void write_image_names(struct json_writer *writer, const Bulkhead__ImageSummary *image, unsigned version);
