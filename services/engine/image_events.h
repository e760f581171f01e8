/* SPDX-License-Identifier: Apache-2.0
 *
 * What Docker tells of images in its events, ready to be written with the change itself (database.h) or after it
 * (events_emit()). Pure.
 */
#pragma once

#include "common/digest.h"
#include "common/reference.h"
#include "services/engine/database.h"
#include "services/engine/event_record.h"

/* An event and the texts it points to: filled in where it stays. */
struct image_event {
    struct engine_event event;
    struct engine_event_attribute name;
    char actor[BH_REFERENCE_BYTES_MAX + 1], name_text[BH_REFERENCE_BYTES_MAX + 1];
};

/* The attribute `name` is the reference, or the id if that is NULL. Labels are told if `image` is given. */
void image_event_fill(struct image_event *ret_event, uint32_t tenant_uid, const struct bh_digest *id,
                      const struct image_row *image, const char *action, const struct bh_reference *reference);
/* Pulls and pushes name the reference that was asked for, not the image. */
void image_event_fill_reference(struct image_event *ret_event, const struct image_row *image, const char *action,
                                const struct bh_reference *reference);
