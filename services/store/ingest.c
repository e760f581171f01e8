/* SPDX-License-Identifier: Apache-2.0
 *
 * Ingests; see ingest.h.
 */
#include "ingest.h"

#include <stdlib.h>

#include "common/cleanup.h"
#include "common/log.h"

int ingest_new(struct store *store, enum ingest_kind kind, struct ingest **ret_ingest, struct bh_error *error)
{
    if (store->n_ingests >= STORE_INGESTS_MAX) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "%zu ingests are under way, at most %d may be",
                            store->n_ingests, STORE_INGESTS_MAX);
    }
    struct ingest *ingest = calloc(1, sizeof(*ingest));
    if (!ingest) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "no memory for an ingest");
    }
    ingest->store = store;
    ingest->id = ++store->last_ingest;
    ingest->kind = kind;
    ingest->name = LAYOUT_NOWHERE;
    ingest->record_name = LAYOUT_NOWHERE;
    ingest->image = -1;
    ingest->record = -1;
    TAILQ_INSERT_TAIL(&store->ingests, ingest, next);
    store->n_ingests++;
    *ret_ingest = ingest;
    return 0;
}

struct ingest *ingest_find(struct store *store, uint64_t id, enum ingest_kind kind)
{
    struct ingest *ingest;
    TAILQ_FOREACH(ingest, &store->ingests, next)
    {
        if (ingest->id == id) {
            return kind == 0 || ingest->kind == kind ? ingest : NULL;
        }
    }
    return NULL;
}

static void on_cancel(struct bh_request *request, void *argument)
{
    (void)request;
    struct ingest *ingest = argument;
    struct bh_error error;
    (void)bh_error_set(&error, BH_CANCELLED, "ingest %llu was cancelled or took too long",
                       (unsigned long long)ingest->id);
    ingest_fail(ingest, &error, true);
}

void ingest_wait(struct ingest *ingest, struct bh_request *request)
{
    ingest->request = bh_request_ref(request);
    bh_request_on_cancel(request, on_cancel, ingest);
}

void ingest_answer(struct ingest *ingest, ProtobufCMessage *packet)
{
    if (ingest->request) {
        (void)bh_request_reply(ingest->request, packet, NULL, 0);
        bh_request_unref(ingest->request);
        ingest->request = NULL;
    }
}

void ingest_end(struct ingest *ingest, bool keep)
{
    struct store *store = ingest->store;
    TAILQ_REMOVE(&store->ingests, ingest, next);
    store->n_ingests--;
    job_free(ingest->job);
    if (ingest->retry) {
        event_free(ingest->retry);
    }
    if (!(keep && ingest->partial)) {
        layout_discard(&ingest->name);
    }
    layout_discard(&ingest->record_name);
    bh_close(&ingest->image);
    bh_close(&ingest->record);
    struct bh_error error;
    if (ingest->request &&
        bh_error_set(&error, BH_CANCELLED, "ingest %llu was aborted", (unsigned long long)ingest->id) < 0) {
        (void)bh_request_fail(ingest->request, &error);
        bh_request_unref(ingest->request);
    }
    free(ingest);
}

void ingest_fail(struct ingest *ingest, const struct bh_error *error, bool keep)
{
    struct bh_request *request = bh_steal_pointer(&ingest->request);
    ingest_end(ingest, keep); /* first: an answer is only given when everything is gone */
    if (request) {
        uint64_t outer_trace = bh_log_trace();
        bh_log_set_trace(bh_request_trace(request));
        bh_log_failure(BH_LOG_WARNING, error, "an ingest failed");
        (void)bh_request_fail(request, error);
        bh_request_unref(request);
        bh_log_set_trace(outer_trace);
    }
}

void ingest_end_all(struct store *store)
{
    struct ingest *ingest;
    while ((ingest = TAILQ_FIRST(&store->ingests))) {
        ingest_end(ingest, true);
    }
}
