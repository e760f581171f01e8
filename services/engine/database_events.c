/* SPDX-License-Identifier: Apache-2.0
 *
 * The journal; see database_events.h. Times only grow within a journal, whatever the host's clock does, so that a
 * client that asks since the last event it saw misses none.
 */
#include "services/engine/database_events.h"

#include <string.h>

#include "common/io.h"
#include "services/engine/database_internal.h"

#define FORGET_EVERY 64 /* how often the journal is cut: a delete for each event would cost as much as the event */

struct journal_end {
    int64_t place, time_ns, total_bytes;
};

static int read_end(struct database *database, uint32_t tenant_uid, struct journal_end *ret_end, struct bh_error *error)
{
    sqlite3_stmt *statement = query_begin(database, QUERY_EVENT_NEWEST);
    (void)sqlite3_bind_int64(statement, 1, tenant_uid);
    int found = query_step(database, statement, error);
    *ret_end = (struct journal_end){0};
    if (found == 1) {
        *ret_end = (struct journal_end){.place = sqlite3_column_int64(statement, 0),
                                        .time_ns = sqlite3_column_int64(statement, 1),
                                        .total_bytes = sqlite3_column_int64(statement, 2)};
        (void)sqlite3_reset(statement);
    }
    return found < 0 ? -1 : 0;
}

static int forget_oldest(struct database *database, uint32_t tenant_uid, const struct journal_end *end,
                         struct bh_error *error)
{
    sqlite3_stmt *statement = query_begin(database, QUERY_EVENTS_FORGET);
    (void)sqlite3_bind_int64(statement, 1, tenant_uid);
    (void)sqlite3_bind_int64(statement, 2, end->place - BH_EVENTS_MAX);
    (void)sqlite3_bind_int64(statement, 3, end->total_bytes - (int64_t)BH_EVENTS_BYTES_MAX);
    return query_run(database, statement, error);
}

static int insert_record(struct database *database, uint32_t tenant_uid, Bulkhead__Event *record,
                         struct bh_error *error)
{
    struct journal_end end;
    if (read_end(database, tenant_uid, &end, error) < 0) {
        return -1;
    }
    const int64_t now_ns = bh_wall_ns();
    end.time_ns = now_ns > end.time_ns ? now_ns : end.time_ns + 1;
    end.place++;
    record->time_ns = end.time_ns;
    end.total_bytes += (int64_t)protobuf_c_message_get_packed_size(&record->base);
    sqlite3_stmt *statement = query_begin(database, QUERY_EVENT_ADD);
    (void)sqlite3_bind_int64(statement, 1, tenant_uid);
    (void)sqlite3_bind_int64(statement, 2, end.place);
    (void)sqlite3_bind_int64(statement, 3, end.time_ns);
    (void)sqlite3_bind_int64(statement, 4, end.total_bytes);
    if (bind_message(statement, 5, &record->base, error) < 0 || query_run(database, statement, error) < 0) {
        return -1;
    }
    return end.place % FORGET_EVERY == 0 ? forget_oldest(database, tenant_uid, &end, error) : 0;
}

int event_insert(struct database *database, const struct engine_event *event, struct bh_error *error)
{
    Bulkhead__Event *record = NULL;
    if (!event) {
        return 0;
    }
    if (event_record(event, &record, error) < 0) {
        return -1;
    }
    int result = insert_record(database, event->tenant_uid, record, error);
    bulkhead__event__free_unpacked(record, NULL);
    database->has_event = result == 0;
    database->event_tenant_uid = event->tenant_uid;
    return result;
}

int database_add_event(struct database *database, const struct engine_event *event, struct bh_error *error)
{
    database_locked lock = database_lock(database);
    if (transaction_begin(database, SURVIVES_PROCESS, error) < 0) {
        return -1;
    }
    if (event_insert(database, event, error) < 0 || transaction_commit(database, error) < 0) {
        transaction_abandon(database);
        return -1;
    }
    return 0;
}

int database_events(struct database *database, uint32_t tenant_uid, const struct event_range *range,
                    Bulkhead__Event *ret_events[static BH_EVENT_BATCH_MAX], size_t *ret_n_events, uint64_t *ret_place,
                    struct bh_error *error)
{
    database_locked lock = database_lock(database);
    size_t n_events = 0;
    uint64_t place = range->after;
    sqlite3_stmt *statement = query_begin(database, QUERY_EVENTS);
    (void)sqlite3_bind_int64(statement, 1, tenant_uid);
    (void)sqlite3_bind_int64(statement, 2, (int64_t)range->after);
    (void)sqlite3_bind_int64(statement, 3, range->since_ns);
    (void)sqlite3_bind_int64(statement, 4, range->until_ns);
    (void)sqlite3_bind_int(statement, 5, BH_EVENT_BATCH_MAX);
    int found;
    while ((found = query_step(database, statement, error)) == 1) {
        ProtobufCMessage *message = NULL;
        if (column_message(statement, 1, &bulkhead__event__descriptor, &message, error) < 0) {
            found = -1;
            break;
        }
        ret_events[n_events++] = (Bulkhead__Event *)message;
        place = (uint64_t)sqlite3_column_int64(statement, 0);
    }
    (void)sqlite3_reset(statement);
    if (found < 0) {
        while (n_events > 0) {
            bulkhead__event__free_unpacked(ret_events[--n_events], NULL);
        }
        return -1;
    }
    *ret_n_events = n_events;
    *ret_place = place;
    return 0;
}

int database_newest_event(struct database *database, uint32_t tenant_uid, uint64_t *ret_place, struct bh_error *error)
{
    database_locked lock = database_lock(database);
    struct journal_end end;
    if (read_end(database, tenant_uid, &end, error) < 0) {
        return -1;
    }
    *ret_place = (uint64_t)end.place;
    return 0;
}

void database_on_event(struct database *database, void (*notify)(uint32_t tenant_uid, void *argument), void *argument)
{
    database_locked lock = database_lock(database);
    database->on_event = notify;
    database->on_event_argument = argument;
}
