/* SPDX-License-Identifier: Apache-2.0
 *
 * Docker's events: every feature says here what it has done, and clients read it. The journal in the database is the
 * only queue: a client asks for what came after the place it has read to, and waits if there is nothing; one
 * that does not ask costs nobody anything.
 */
#pragma once

#include "services/engine/event_record.h"
#include "services/engine/jobs.h"

struct container_row;
struct events;

int events_new(struct engine *engine, struct events **ret_events, struct bh_error *error);
/* The database is open: from now on new events wake who waits. */
void events_begin(struct engine *engine);
void events_free(struct events *events);

/* ---- telling ------------------------------------------------------------------------------------ */

/* Something happened to an object of a tenant: after it has, from any thread, with no lock of the database held. It
 * cannot fail for the caller: what happened stands, and an event that cannot be written down is logged. What changes a
 * row is not told by this, but written with the row (database.h). */
void events_emit(struct engine *engine, const struct engine_event *event);

/* The same for the usual objects. Attributes are pairs that end with NULL; where there are none, NULL:
 *
 *     events_emit_container(engine, &row, "rename", (const char *[]){"oldName", "/old", NULL});
 *     events_emit_object(engine, uid, VOLUME's type, "create", "data", (const char *[]){"driver", "local", NULL});
 */
void events_emit_container(struct engine *engine, const struct container_row *row, const char *action,
                           const char *const *attributes);
void events_emit_object(struct engine *engine, uint32_t tenant_uid, Bulkhead__EventType type, const char *action,
                        const char *actor, const char *const *attributes);

/* ---- reading ------------------------------------------------------------------------------------ */

/* Serves ReadEvents of api_engine.proto. */
int read_events(struct job *job, struct bh_error *error);
/* How many of a tenant's clients wait. */
unsigned events_readers(struct events *events, uint32_t tenant_uid);
/* On the loop: a reader's client has gone away. */
void events_drop(struct events *events, struct bh_request *request);
