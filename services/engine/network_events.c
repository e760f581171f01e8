/* SPDX-License-Identifier: Apache-2.0
 *
 * See network_events.h.
 */
#include "services/engine/network_events.h"

#include <string.h>

static void write_hex(const uint8_t *id, char hex[static BH_DIGEST_HEX_SIZE])
{
    struct bh_digest digest;
    memcpy(digest.bytes, id, sizeof digest.bytes);
    (void)bh_digest_hex(&digest, hex);
}

const struct engine_event *network_event(struct network_event *event, const struct network_row *network,
                                         const char *action, const uint8_t *container)
{
    write_hex(network->id, event->network);
    event->event = (struct engine_event){.tenant_uid = network->tenant_uid,
                                         .type = BULKHEAD__EVENT_TYPE__EVENT_TYPE_NETWORK,
                                         .action = action,
                                         .actor = event->network,
                                         .attributes = event->attributes,
                                         .n_attributes = container ? 3 : 2};
    event->attributes[0] = (struct engine_event_attribute){"name", network->request->name};
    event->attributes[1] = (struct engine_event_attribute){"type", network->request->driver};
    if (container) {
        write_hex(container, event->container);
        event->attributes[2] = (struct engine_event_attribute){"container", event->container};
    }
    return &event->event;
}
