/* SPDX-License-Identifier: Apache-2.0
 *
 * What clients ask about volumes: create, list, inspect, delete, prune; see volumes.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/io.h"
#include "services/engine/adopt.h"
#include "services/engine/events.h"
#include "services/engine/filters.h"
#include "services/engine/volumes.h"

static void describe(const struct job *job, const struct volume_row *row, char *mountpoint,
                     Bulkhead__VolumeDetails *ret_details)
{
    bulkhead__volume_details__init(ret_details);
    ret_details->name = (char *)(uintptr_t)row->name;
    ret_details->driver = (char *)(uintptr_t)VOLUME_DRIVER;
    ret_details->mountpoint = (char *)(uintptr_t)volume_mountpoint(job->engine, row, mountpoint);
    ret_details->created_ns = row->created_ns;
    ret_details->labels = row->details->labels;
    ret_details->n_labels = row->details->n_labels;
    ret_details->labels_set = row->details->labels_set;
    ret_details->options = row->details->options;
    ret_details->n_options = row->details->n_options;
    ret_details->options_set = row->details->options_set;
}

static int answer(struct job *job, const struct volume_row *row, Bulkhead__VolumeUsage *usage, bool more)
{
    char mountpoint[BH_PATH_BYTES_MAX + 1];
    Bulkhead__VolumeDetails details;
    Bulkhead__EngineToApi packet = BULKHEAD__ENGINE_TO_API__INIT;
    describe(job, row, mountpoint, &details);
    details.usage = usage;
    packet.body_case = BULKHEAD__ENGINE_TO_API__BODY_VOLUME_DETAILS;
    packet.volume_details = &details;
    (void)(more ? job_more(job, &packet) : job_reply(job, &packet));
    return 0;
}

/* Finds the tenant's volume, or says NOT_FOUND in Docker's words. */
static int find(struct job *job, const char *name, struct volume_row *ret_row, struct bh_error *error)
{
    int found = database_find_volume(job->engine->database, job->tenant_uid, name, ret_row, error);
    return found == 1 ? 0 : found < 0 ? -1 : bh_error_set(error, BH_NOT_FOUND, "get %.300s: no such volume", name);
}

int create_volume(struct job *job, struct bh_error *error)
{
    volume_row_auto struct volume_row row = {0};
    bool made;
    if (adoption_wait(job, error) < 0 || volume_get(job, job_body(job), &row, &made, error) < 0) {
        return -1;
    }
    return answer(job, &row, NULL, false);
}

int look_up_volume(struct job *job, struct bh_error *error)
{
    const Bulkhead__LookUpVolume *question = job_body(job);
    volume_row_auto struct volume_row row = {0};
    return adoption_wait(job, error) < 0 || find(job, question->name, &row, error) < 0 ? -1
                                                                                       : answer(job, &row, NULL, false);
}

/* ---- the list ------------------------------------------------------------------------------------ */

int list_volumes(struct job *job, struct bh_error *error)
{
    static const char *const known[] = {"dangling", "driver", "label", "name", NULL};
    const Bulkhead__ListVolumes *question = job_body(job);
    const Bulkhead__Filter *dangling = filters_find(question->filters, question->n_filters, "dangling");
    const Bulkhead__Filter *driver = filters_find(question->filters, question->n_filters, "driver");
    const Bulkhead__Filter *label = filters_find(question->filters, question->n_filters, "label");
    const Bulkhead__Filter *name = filters_find(question->filters, question->n_filters, "name");
    struct volume_row *rows = NULL;
    size_t n_rows = 0;
    bool unused = false;
    if (adoption_wait(job, error) < 0 || filters_check(question->filters, question->n_filters, known, error) < 0 ||
        (dangling && filters_boolean(dangling, &unused, error) < 0) ||
        database_volumes(job->engine->database, job->tenant_uid, false, &rows, &n_rows, error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < n_rows; i++) {
        const struct volume_row *row = &rows[i];
        if ((!dangling || unused == (row->uses == 0)) && filters_match_exactly(driver, VOLUME_DRIVER) &&
            filters_match_labels(label, row->details->labels, row->details->n_labels) &&
            filters_match_name(name, row->name)) {
            Bulkhead__VolumeUsage usage = BULKHEAD__VOLUME_USAGE__INIT;
            usage.size_bytes = question->usage ? volume_size(job, row) : 0;
            usage.containers = row->uses;
            (void)answer(job, row, question->usage ? &usage : NULL, true);
        }
    }
    volume_rows_free(rows, n_rows);
    return job_reply_done(job);
}

/* ---- delete -------------------------------------------------------------------------------------- */

/* "remove X: volume is in use - [id, id]" */
static int refuse_used(struct job *job, const struct volume_row *row, struct bh_error *error)
{
    char text[BH_ERROR_MESSAGE_SIZE];
    bh_autofree uint8_t *ids = NULL;
    size_t n_ids = 0, used = 0;
    if (database_volume_users(job->engine->database, row->tenant_uid, row->name, &ids, &n_ids, error) < 0) {
        return -1;
    }
    text[0] = '\0';
    for (size_t i = 0; i < n_ids && used + BH_DIGEST_HEX_SIZE + 2 < sizeof text / 2; i++) {
        struct bh_digest id;
        char hex[BH_DIGEST_HEX_SIZE];
        memcpy(id.bytes, ids + i * ENGINE_ID_BYTES, sizeof id.bytes);
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", i ? ", " : "", bh_digest_hex(&id, hex));
    }
    return bh_error_set(error, BH_FAILED_PRECONDITION, "remove %s: volume is in use - [%s]", row->name, text);
}

int delete_volume(struct job *job, struct bh_error *error)
{
    const Bulkhead__DeleteVolume *question = job_body(job);
    volume_row_auto struct volume_row row = {0};
    int result = adoption_wait(job, error);
    if (result == 0 && (result = find(job, question->name, &row, error)) == 0) {
        result = volume_remove(job, &row, error);
    }
    if (result < 0 && error->code == BH_FAILED_PRECONDITION) {
        return refuse_used(job, &row, error);
    }
    return result < 0 && !(error->code == BH_NOT_FOUND && question->force) ? -1 : job_reply_done(job);
}

/* ---- prune --------------------------------------------------------------------------------------- */

/* "label!": none of the values may be there. */
static bool has_any_label(const Bulkhead__Filter *filter, const struct volume_row *row)
{
    for (size_t i = 0; filter && i < filter->n_values; i++) {
        Bulkhead__Filter one = *filter;
        one.values = &filter->values[i];
        one.n_values = 1;
        if (filters_match_labels(&one, row->details->labels, row->details->n_labels)) {
            return true;
        }
    }
    return false;
}

/* Removes what fits; *ret_names borrows from the rows. */
static int prune(struct job *job, struct volume_row *rows, size_t n_rows, char **ret_names, size_t *ret_n_names,
                 uint64_t *ret_bytes, struct bh_error *error)
{
    const Bulkhead__PruneVolumes *question = job_body(job);
    const Bulkhead__Filter *label = filters_find(question->filters, question->n_filters, "label");
    const Bulkhead__Filter *no_label = filters_find(question->filters, question->n_filters, "label!");
    for (size_t i = 0; i < n_rows; i++) {
        const struct volume_row *row = &rows[i];
        if (row->uses > 0 || (!question->all && !row->anonymous) || has_any_label(no_label, row) ||
            !filters_match_labels(label, row->details->labels, row->details->n_labels)) {
            continue;
        }
        struct bh_error failure = {0};
        int64_t size = volume_size(job, row);
        if (volume_remove(job, row, &failure) == 0) {
            *ret_bytes += size > 0 ? (uint64_t)size : 0;
            ret_names[(*ret_n_names)++] = rows[i].name;
        } else if (failure.code != BH_FAILED_PRECONDITION && failure.code != BH_NOT_FOUND) {
            *error = failure; /* others have taken or removed it meanwhile: no error of ours */
            return -1;
        }
    }
    return 0;
}

int prune_volumes(struct job *job, struct bh_error *error)
{
    static const char *const known[] = {"label", "label!", NULL};
    const Bulkhead__PruneVolumes *question = job_body(job);
    struct volume_row *rows = NULL;
    size_t n_rows = 0, n_names = 0;
    if (adoption_wait(job, error) < 0 || filters_check(question->filters, question->n_filters, known, error) < 0 ||
        database_volumes(job->engine->database, job->tenant_uid, false, &rows, &n_rows, error) < 0) {
        return -1;
    }
    bh_autofree char **names = calloc(n_rows + 1, sizeof *names);
    uint64_t bytes = 0;
    int result = names ? prune(job, rows, n_rows, names, &n_names, &bytes, error)
                       : bh_error_errno(error, ENOMEM, "list %zu volumes", n_rows);
    if (result == 0) {
        Bulkhead__VolumesPruned pruned = BULKHEAD__VOLUMES_PRUNED__INIT;
        Bulkhead__EngineToApi packet = BULKHEAD__ENGINE_TO_API__INIT;
        pruned.names = names;
        pruned.n_names = n_names;
        pruned.reclaimed_bytes = bytes;
        char text[24];
        (void)snprintf(text, sizeof text, "%llu", (unsigned long long)bytes);
        events_emit_object(job->engine, job->tenant_uid, BULKHEAD__EVENT_TYPE__EVENT_TYPE_VOLUME, "prune", "",
                           (const char *[]){"reclaimed", text, NULL});
        packet.body_case = BULKHEAD__ENGINE_TO_API__BODY_VOLUMES_PRUNED;
        packet.volumes_pruned = &pruned;
        (void)job_reply(job, &packet);
    }
    volume_rows_free(rows, n_rows);
    return result;
}
