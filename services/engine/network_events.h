/* SPDX-License-Identifier: Apache-2.0
 *
 * What Docker tells of networks in its events: create, destroy, connect, disconnect. Written in one transaction with
 * what happened.
 */
#pragma once

#include "common/digest.h"
#include "services/engine/database_networks.h"
#include "services/engine/event_record.h"

/* An event and what it points to. */
struct network_event {
    struct engine_event event;
    struct engine_event_attribute attributes[3];
    char network[BH_DIGEST_HEX_SIZE], container[BH_DIGEST_HEX_SIZE];
};
/* `container` is an id of ENGINE_ID_BYTES, or NULL where the event is about the network alone. Borrows the row. Returns
 * &event->event. */
const struct engine_event *network_event(struct network_event *event, const struct network_row *network,
                                         const char *action, const uint8_t *container);
