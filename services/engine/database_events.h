/* SPDX-License-Identifier: Apache-2.0
 *
 * The journal of events in the database: for each tenant a numbered list, bounded by count and bytes (limits.h), the
 * oldest forgotten first. A place in it stays valid over restarts. Written with the durability of containers' rows, and
 * where it matters in one transaction with them.
 */
#pragma once

#include "services/engine/database.h"
#include "services/engine/event_record.h"

int database_add_event(struct database *database, const struct engine_event *event, struct bh_error *error);

/* A tenant's events after a place, in their order, at most BH_EVENT_BATCH_MAX: *ret_place is that of the last one
 * looked at. The array and what it points to are the caller's. */
struct event_range {
    uint64_t after;
    int64_t since_ns, until_ns; /* both included */
};
int database_events(struct database *database, uint32_t tenant_uid, const struct event_range *range,
                    Bulkhead__Event *ret_events[static BH_EVENT_BATCH_MAX], size_t *ret_n_events, uint64_t *ret_place,
                    struct bh_error *error);
/* The place of a tenant's newest event; 0 if it never had one. */
int database_newest_event(struct database *database, uint32_t tenant_uid, uint64_t *ret_place, struct bh_error *error);

/* Calls `notify` whenever a tenant has a new event, from the thread that added it and with the database locked: it must
 * not come back to the database. */
void database_on_event(struct database *database, void (*notify)(uint32_t tenant_uid, void *argument), void *argument);
