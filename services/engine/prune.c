/* SPDX-License-Identifier: Apache-2.0
 *
 * See prune.h.
 */
#include "services/engine/prune.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/docker_when.h"
#include "common/io.h"
#include "common/log.h"
#include "services/engine/adopt.h"
#include "services/engine/containers.h"
#include "services/engine/copier.h"
#include "services/engine/events.h"
#include "services/engine/filters.h"

/* ---- filters ------------------------------------------------------------------------------------ */

int prune_filters_read(Bulkhead__Filter *const *filters, size_t n_filters, int64_t now_ns,
                       struct prune_filters *ret_filters, struct bh_error *error)
{
    static const char *const known[] = {"until", "label", "label!", NULL};
    const Bulkhead__Filter *until = filters_find(filters, n_filters, "until");
    *ret_filters = (struct prune_filters){.until_ns = INT64_MAX,
                                          .label = filters_find(filters, n_filters, "label"),
                                          .label_not = filters_find(filters, n_filters, "label!")};
    if (filters_check(filters, n_filters, known, error) < 0) {
        return -1;
    }
    if (until && until->n_values > 1) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "more than one until filter specified");
    }
    return until ? docker_when_parse("until", until->values[0], now_ns, &ret_filters->until_ns, error) : 0;
}

bool prune_filters_match(const struct prune_filters *filters, int64_t created_ns, Bulkhead__KeyValue *const *labels,
                         size_t n_labels)
{
    return created_ns <= filters->until_ns && filters_match_labels(filters->label, labels, n_labels) &&
           (!filters->label_not || !filters_match_labels(filters->label_not, labels, n_labels));
}

/* ---- containers --------------------------------------------------------------------------------- */

struct pruned {
    uint8_t (*ids)[ENGINE_ID_BYTES];
    size_t n_ids;
    uint64_t space_bytes;
};

static bool is_prunable(const struct prune_filters *filters, const struct container_row *row)
{
    return !container_is_active(&row->state) &&
           row->state.status != BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_REMOVING &&
           prune_filters_match(filters, row->created_ns, row->request->labels, row->request->n_labels);
}

/* What a container's own files take; one that cannot be measured is removed all the same, and not counted. */
static uint64_t measure(struct job *job, const struct container_row *row)
{
    struct bh_error error = {0};
    uint64_t n_bytes = 0;
    if (copier_measure(job, row, &n_bytes, &error) < 0) {
        bh_log_failure(BH_LOG_INFO, &error, row->name);
        return 0;
    }
    return n_bytes;
}

/* Looks again under the container's lock, and removes it. 1 if it did. */
static int prune_one(struct job *job, const struct prune_filters *filters, const uint8_t *id, uint64_t *ret_bytes,
                     struct bh_error *error)
{
    container_row_auto struct container_row row = {0};
    live_auto struct live *live = live_get(job->engine->live, id, error);
    if (!live || live_lock(live, job, error) < 0) {
        return -1;
    }
    live_locked lock = live;
    if (database_container(job->engine->database, id, &row, error) < 0) {
        return error->code == BH_NOT_FOUND ? 0 : -1;
    }
    if (!is_prunable(filters, &row)) {
        return 0; /* it was started meanwhile */
    }
    *ret_bytes = row.state.started_at_ns ? measure(job, &row) : 0;
    return container_remove(job, &row, live, error) < 0 ? -1 : 1;
}

static int prune_rows(struct job *job, const struct prune_filters *filters, const struct container_row *rows,
                      size_t n_rows, struct pruned *pruned, struct bh_error *error)
{
    for (size_t i = 0; i < n_rows; i++) {
        struct bh_error failure = {0};
        if (job_check(job, error) < 0) {
            return -1;
        }
        uint64_t n_bytes = 0;
        int removed = is_prunable(filters, &rows[i]) ? prune_one(job, filters, rows[i].id, &n_bytes, &failure) : 0;
        if (removed < 0) { /* as with Docker, one that cannot be removed does not keep the others */
            bh_log_failure(BH_LOG_WARNING, &failure, rows[i].name);
        } else if (removed > 0) {
            memcpy(pruned->ids[pruned->n_ids++], rows[i].id, ENGINE_ID_BYTES);
            pruned->space_bytes += n_bytes;
        }
    }
    return 0;
}

static int answer_pruned(struct job *job, struct pruned *pruned, struct bh_error *error)
{
    Bulkhead__ContainersPruned answer = BULKHEAD__CONTAINERS_PRUNED__INIT;
    Bulkhead__EngineToApi packet = BULKHEAD__ENGINE_TO_API__INIT;
    bh_autofree ProtobufCBinaryData *ids = calloc(pruned->n_ids + 1, sizeof *ids);
    char reclaimed[24];
    if (!ids) {
        return bh_error_errno(error, ENOMEM, "list the containers that were removed");
    }
    for (size_t i = 0; i < pruned->n_ids; i++) {
        ids[i] = (ProtobufCBinaryData){.len = ENGINE_ID_BYTES, .data = pruned->ids[i]};
    }
    (void)snprintf(reclaimed, sizeof reclaimed, "%llu", (unsigned long long)pruned->space_bytes);
    events_emit_object(job->engine, job->tenant_uid, BULKHEAD__EVENT_TYPE__EVENT_TYPE_CONTAINER, "prune", "",
                       (const char *[]){"reclaimed", reclaimed, NULL});
    answer.ids = ids;
    answer.n_ids = pruned->n_ids;
    answer.space_bytes = pruned->space_bytes;
    packet.body_case = BULKHEAD__ENGINE_TO_API__BODY_CONTAINERS_PRUNED;
    packet.containers_pruned = &answer;
    (void)job_reply(job, &packet);
    return 0;
}

int prune_containers(struct job *job, struct bh_error *error)
{
    const Bulkhead__PruneContainers *question = job_body(job);
    struct prune_filters filters;
    struct pruned pruned = {0};
    struct container_row *rows = NULL;
    size_t n_rows = 0;
    if (adoption_wait(job, error) < 0 ||
        prune_filters_read(question->filters, question->n_filters, bh_wall_ns(), &filters, error) < 0 ||
        database_containers(job->engine->database, job->tenant_uid, false, &rows, &n_rows, error) < 0) {
        return -1;
    }
    bh_autofree void *ids = calloc(n_rows + 1, sizeof *pruned.ids);
    pruned.ids = ids;
    int result = ids ? prune_rows(job, &filters, rows, n_rows, &pruned, error)
                     : bh_error_errno(error, ENOMEM, "list the containers to remove");
    container_rows_free(rows, n_rows);
    return result < 0 ? -1 : answer_pruned(job, &pruned, error);
}

int prune_nothing(struct job *job, struct bh_error *error)
{
    const Bulkhead__PruneNothing *question = job_body(job);
    if (question->type != BULKHEAD__EVENT_TYPE__EVENT_TYPE_NETWORK &&
        question->type != BULKHEAD__EVENT_TYPE__EVENT_TYPE_BUILDER) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "objects of type %d are not pruned by this", question->type);
    }
    events_emit_object(job->engine, job->tenant_uid, question->type, "prune", "",
                       (const char *[]){"reclaimed", "0", NULL});
    return job_reply_done(job);
}
