/* SPDX-License-Identifier: Apache-2.0
 *
 * See image_events.h.
 */
#include "services/engine/image_events.h"

static void fill(struct image_event *event, uint32_t tenant_uid, const struct image_row *image, const char *action,
                 const char *actor, const char *name)
{
    event->name = (struct engine_event_attribute){"name", name};
    event->event = (struct engine_event){.tenant_uid = tenant_uid,
                                         .type = BULKHEAD__EVENT_TYPE__EVENT_TYPE_IMAGE,
                                         .action = action,
                                         .actor = actor,
                                         .labels = image ? image->config->labels : NULL,
                                         .n_labels = image ? image->config->n_labels : 0,
                                         .attributes = &event->name,
                                         .n_attributes = 1};
}

void image_event_fill(struct image_event *ret_event, uint32_t tenant_uid, const struct bh_digest *id,
                      const struct image_row *image, const char *action, const struct bh_reference *reference)
{
    const char *text = bh_digest_text(id, ret_event->actor);
    const char *name =
        reference ? bh_reference_familiar(reference, ret_event->name_text, sizeof ret_event->name_text) : text;
    fill(ret_event, tenant_uid, image, action, text, name);
}

void image_event_fill_reference(struct image_event *ret_event, const struct image_row *image, const char *action,
                                const struct bh_reference *reference)
{
    struct bh_reference bare = *reference;
    bare.tag[0] = '\0';
    bare.has_digest = false;
    fill(ret_event, image->tenant_uid, image, action,
         bh_reference_familiar(reference, ret_event->actor, sizeof ret_event->actor),
         bh_reference_familiar(&bare, ret_event->name_text, sizeof ret_event->name_text));
}
