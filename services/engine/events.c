/* SPDX-License-Identifier: Apache-2.0
 *
 * Events; see events.h. A reader that waits is a request in a list. A new event marks its tenant's readers, and one job
 * looks into the journal for each that is marked: the thread that emitted goes on at once.
 */
#include "services/engine/events.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "common/limits.h"
#include "common/log.h"
#include "services/engine/database_events.h"
#include "services/engine/event_filters.h"

#define ATTRIBUTES_MAX 16

struct reader {
    struct reader *next;
    struct bh_request *request; /* its body has the filters */
    uint32_t tenant_uid;
    struct event_range range;
    bool due;  /* there may be something new */
    bool busy; /* the telling job has it; only that job frees it */
    bool gone; /* its client went away meanwhile */
};

struct events {
    struct engine *engine;
    pthread_mutex_t mutex;
    struct reader *readers;
    bool telling; /* a job is under way that tells readers */
};

int events_new(struct engine *engine, struct events **ret_events, struct bh_error *error)
{
    struct events *events = calloc(1, sizeof *events);
    if (!events) {
        return bh_error_errno(error, ENOMEM, "make the list of readers of events");
    }
    events->engine = engine;
    (void)pthread_mutex_init(&events->mutex, NULL);
    *ret_events = events;
    return 0;
}

static void reader_fail(struct reader *reader, enum bh_code code, const char *why)
{
    struct bh_error error;
    (void)bh_error_set(&error, code, "%s", why);
    (void)bh_request_fail(reader->request, &error);
    bh_request_unref(reader->request);
    free(reader);
}

void events_free(struct events *events)
{
    if (!events) {
        return;
    }
    struct reader *reader;
    while ((reader = events->readers)) {
        events->readers = reader->next;
        reader_fail(reader, BH_UNAVAILABLE, "the engine is stopping");
    }
    (void)pthread_mutex_destroy(&events->mutex);
    free(events);
}

/* ---- telling ------------------------------------------------------------------------------------ */

void events_emit(struct engine *engine, const struct engine_event *event)
{
    struct bh_error error = {0};
    if (database_add_event(engine->database, event, &error) < 0) {
        bh_log_failure(BH_LOG_WARNING, &error, event->action);
    }
}

static void emit_pairs(struct engine *engine, struct engine_event *event, const char *const *pairs)
{
    struct engine_event_attribute attributes[ATTRIBUTES_MAX];
    for (size_t i = 0; pairs && pairs[2 * i] && i < ATTRIBUTES_MAX; i++) {
        attributes[i] = (struct engine_event_attribute){.key = pairs[2 * i], .value = pairs[2 * i + 1]};
        event->n_attributes = i + 1;
    }
    event->attributes = attributes;
    events_emit(engine, event);
}

void events_emit_container(struct engine *engine, const struct container_row *row, const char *action,
                           const char *const *attributes)
{
    struct engine_event event = {.tenant_uid = row->tenant_uid,
                                 .type = BULKHEAD__EVENT_TYPE__EVENT_TYPE_CONTAINER,
                                 .action = action,
                                 .container = row};
    emit_pairs(engine, &event, attributes);
}

void events_emit_object(struct engine *engine, uint32_t tenant_uid, Bulkhead__EventType type, const char *action,
                        const char *actor, const char *const *attributes)
{
    struct engine_event event = {.tenant_uid = tenant_uid, .type = type, .action = action, .actor = actor};
    emit_pairs(engine, &event, attributes);
}

/* ---- reading ------------------------------------------------------------------------------------ */

struct batch {
    Bulkhead__Event *events[BH_EVENT_BATCH_MAX];
    size_t n_events;
    uint64_t place;
    bool more; /* the journal goes on behind it */
};

static void batch_end(struct batch *batch)
{
    for (size_t i = 0; i < batch->n_events; i++) {
        bulkhead__event__free_unpacked(batch->events[i], NULL);
    }
    batch->n_events = 0;
}
#define batch_auto bh_cleanup(batch_end)

/* Drops what the client did not ask for. */
static void sift(struct batch *batch, const Bulkhead__ReadEvents *question)
{
    size_t kept = 0;
    for (size_t i = 0; i < batch->n_events; i++) {
        if (event_filters_match(question->filters, question->n_filters, batch->events[i])) {
            batch->events[kept++] = batch->events[i];
        } else {
            bulkhead__event__free_unpacked(batch->events[i], NULL);
        }
    }
    batch->n_events = kept;
}

/* The next events for a client, or none if the journal has no more. */
static int read_batch(struct engine *engine, uint32_t tenant_uid, const Bulkhead__ReadEvents *question,
                      const struct event_range *range, struct batch *batch, struct bh_error *error)
{
    struct event_range rest = *range;
    do {
        if (database_events(engine->database, tenant_uid, &rest, batch->events, &batch->n_events, &batch->place,
                            error) < 0) {
            return -1;
        }
        batch->more = batch->n_events == BH_EVENT_BATCH_MAX;
        rest.after = batch->place;
        sift(batch, question);
    } while (batch->n_events == 0 && batch->more);
    return 0;
}

static void answer(struct bh_request *request, struct batch *batch)
{
    Bulkhead__EventsRead read = BULKHEAD__EVENTS_READ__INIT;
    Bulkhead__EngineToApi packet = BULKHEAD__ENGINE_TO_API__INIT;
    read.events = batch->events;
    read.n_events = batch->n_events;
    read.place = batch->place;
    read.more = batch->more;
    packet.body_case = BULKHEAD__ENGINE_TO_API__BODY_EVENTS_READ;
    packet.events_read = &read;
    (void)bh_request_reply(request, &packet.base, NULL, 0);
}

/* The next reader to look after, marked busy. None: nobody is telling any more, under the same lock. */
static struct reader *next_due(struct events *events)
{
    (void)pthread_mutex_lock(&events->mutex);
    struct reader *reader = events->readers;
    while (reader && (!reader->due || reader->busy)) {
        reader = reader->next;
    }
    if (reader) {
        reader->due = false;
        reader->busy = true;
    } else {
        events->telling = false;
    }
    (void)pthread_mutex_unlock(&events->mutex);
    return reader;
}

/* Gives a busy reader back to the list, or (`done`, or its client went away) takes it off it for good. */
static void settle(struct events *events, struct reader *reader, bool done)
{
    (void)pthread_mutex_lock(&events->mutex);
    reader->busy = false;
    bool gone = reader->gone;
    for (struct reader **link = &events->readers; (done || gone) && *link; link = &(*link)->next) {
        if (*link == reader) {
            *link = reader->next;
            break;
        }
    }
    (void)pthread_mutex_unlock(&events->mutex);
    if (done) {
        bh_request_unref(reader->request);
        free(reader);
    } else if (gone) {
        reader_fail(reader, BH_CANCELLED, "nobody waits for these events any more");
    }
}

/* Runs as a job. */
static int tell(struct job *job, struct bh_error *error)
{
    struct events *events = job->engine->events;
    struct reader *reader;
    (void)error;
    while ((reader = next_due(events))) {
        batch_auto struct batch batch = {0};
        struct bh_error failure = {0};
        if (read_batch(job->engine, reader->tenant_uid, bh_request_body(reader->request), &reader->range, &batch,
                       &failure) < 0) {
            (void)bh_request_fail(reader->request, &failure);
            settle(events, reader, true);
            continue;
        }
        reader->range.after = batch.place;
        if (batch.n_events > 0) {
            answer(reader->request, &batch);
        }
        settle(events, reader, batch.n_events > 0);
    }
    return 0;
}

/* Called with the lock held. */
static void start_telling(struct events *events)
{
    struct bh_error error = {0};
    if (!events->telling) {
        events->telling = jobs_start(events->engine->jobs, tell, NULL, &error) == 0;
    }
}

/* An event was added: from its thread, with the database locked. */
static void on_event(uint32_t tenant_uid, void *argument)
{
    struct events *events = argument;
    bool any = false;
    (void)pthread_mutex_lock(&events->mutex);
    for (struct reader *reader = events->readers; reader; reader = reader->next) {
        if (reader->tenant_uid == tenant_uid) {
            reader->due = true;
            any = true;
        }
    }
    if (any) {
        start_telling(events);
    }
    (void)pthread_mutex_unlock(&events->mutex);
}

void events_begin(struct engine *engine)
{
    database_on_event(engine->database, on_event, engine->events);
}

void events_drop(struct events *events, struct bh_request *request)
{
    struct reader *dropped = NULL;
    (void)pthread_mutex_lock(&events->mutex);
    for (struct reader **link = &events->readers; *link; link = &(*link)->next) {
        if ((*link)->request == request) {
            (*link)->gone = true;
            if (!(*link)->busy) {
                dropped = *link;
                *link = dropped->next;
            }
            break;
        }
    }
    (void)pthread_mutex_unlock(&events->mutex);
    if (dropped) {
        reader_fail(dropped, BH_CANCELLED, "nobody waits for these events any more");
    }
}

/* Called with the lock held. */
static unsigned count_readers(const struct events *events, uint32_t tenant_uid)
{
    unsigned n_readers = 0;
    for (const struct reader *reader = events->readers; reader; reader = reader->next) {
        n_readers += reader->tenant_uid == tenant_uid;
    }
    return n_readers;
}

unsigned events_readers(struct events *events, uint32_t tenant_uid)
{
    (void)pthread_mutex_lock(&events->mutex);
    unsigned n_readers = count_readers(events, tenant_uid);
    (void)pthread_mutex_unlock(&events->mutex);
    return n_readers;
}

/* Lists the request as a reader that is due: what was added before it was listed is found by the first look. */
static int wait_for_events(struct job *job, const struct event_range *range, struct bh_error *error)
{
    struct events *events = job->engine->events;
    struct reader *reader = calloc(1, sizeof *reader);
    if (!reader) {
        return bh_error_errno(error, ENOMEM, "wait for events");
    }
    *reader = (struct reader){
        .request = bh_request_ref(job->request), .tenant_uid = job->tenant_uid, .range = *range, .due = true};
    (void)pthread_mutex_lock(&events->mutex);
    bool room = count_readers(events, job->tenant_uid) < BH_EVENT_READERS_MAX;
    if (room) {
        reader->next = events->readers;
        events->readers = reader;
        start_telling(events);
    }
    (void)pthread_mutex_unlock(&events->mutex);
    if (!room) {
        bh_request_unref(reader->request);
        free(reader);
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "at most %d clients of one user can wait for events",
                            BH_EVENT_READERS_MAX);
    }
    if (job_cancelled(job)) { /* it went away before it was listed */
        events_drop(events, job->request);
    }
    return 0;
}

int read_events(struct job *job, struct bh_error *error)
{
    const Bulkhead__ReadEvents *question = job_body(job);
    batch_auto struct batch batch = {0};
    struct event_range range = {.after = question->after,
                                .since_ns = question->since_ns,
                                .until_ns = question->until_ns_presence_case ==
                                                    BULKHEAD__READ_EVENTS__UNTIL_NS_PRESENCE_UNTIL_NS
                                                ? question->until_ns
                                                : INT64_MAX};
    if (event_filters_check(question->filters, question->n_filters, error) < 0) {
        return -1;
    }
    if (question->from_now) {
        if (database_newest_event(job->engine->database, job->tenant_uid, &batch.place, error) < 0) {
            return -1;
        }
    } else if (question->wait) {
        uint64_t newest;
        if (database_newest_event(job->engine->database, job->tenant_uid, &newest, error) < 0) {
            return -1;
        }
        range.after = range.after < newest ? range.after : newest; /* a power cut may have taken the journal's end */
        return wait_for_events(job, &range, error);
    } else if (read_batch(job->engine, job->tenant_uid, question, &range, &batch, error) < 0) {
        return -1;
    }
    answer(job->request, &batch);
    return 0;
}
