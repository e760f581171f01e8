/* SPDX-License-Identifier: Apache-2.0
 *
 * Prune; see images.h. What it says was reclaimed is the content of layers that no image of this tenant has any more:
 * whether another tenant still keeps them on the disk is none of this one's business.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "services/engine/deletion.h"
#include "services/engine/events.h"
#include "services/engine/filters.h"
#include "services/engine/images.h"

static const char *const known_filters[] = {"dangling", "until", "label", "label!", NULL};

struct pruning {
    bool dangling_only;
    int64_t until_ns;
    const Bulkhead__Filter *label, *not_label;
};

static int pruning_begin(const Bulkhead__PruneImages *question, struct pruning *pruning, struct bh_error *error)
{
    *pruning = (struct pruning){.dangling_only = true, .until_ns = INT64_MAX};
    if (filters_check(question->filters, question->n_filters, known_filters, error) < 0) {
        return -1;
    }
    const Bulkhead__Filter *dangling = filters_find(question->filters, question->n_filters, "dangling");
    pruning->label = filters_find(question->filters, question->n_filters, "label");
    pruning->not_label = filters_find(question->filters, question->n_filters, "label!");
    return (dangling && filters_boolean(dangling, &pruning->dangling_only, error) < 0) ||
                   images_until(filters_find(question->filters, question->n_filters, "until"), &pruning->until_ns,
                                error) < 0
               ? -1
               : 0;
}

static bool has_tag(const struct image_row *row)
{
    for (size_t i = 0; i < row->n_names; i++) {
        if (!strchr(row->names[i], '@')) {
            return true;
        }
    }
    return false;
}

static bool is_wanted(const struct pruning *pruning, const struct deletion *deletion, const struct image_row *row)
{
    Bulkhead__KeyValue *const *labels = row->config->labels;
    size_t n_labels = row->config->n_labels;
    return row->visible && !(pruning->dangling_only && has_tag(row)) && row->config->created_ns <= pruning->until_ns &&
           !(row->n_names == 0 && image_has_children(row, deletion->rows, deletion->n_rows)) &&
           filters_match_labels(pruning->label, labels, n_labels) &&
           !(pruning->not_label && filters_match_labels(pruning->not_label, labels, n_labels));
}

/* One image, name by name. What is in use stays, and is no failure. */
static int prune_one(struct deletion *deletion, const struct image_row *row, struct bh_error *error)
{
    char id[BH_DIGEST_TEXT_SIZE];
    size_t n_words = row->n_names > 0 ? row->n_names : 1;
    for (size_t i = 0; i < n_words; i++) {
        const char *word = row->n_names > 0 ? row->names[i] : bh_digest_text(&row->id, id);
        if (deletion_run(deletion, word, error) < 0 && error->code != BH_FAILED_PRECONDITION &&
            error->code != BH_NOT_FOUND) {
            return -1;
        }
    }
    return 0;
}

static int prune(struct job *job, struct deletion *deletion, const struct pruning *pruning, struct bh_error *error)
{
    struct image_row *rows = NULL; /* deleting changes the deletion's own list */
    size_t n_rows = 0;
    int result = database_images(job->engine->database, job->tenant_uid, &rows, &n_rows, error);
    for (size_t i = 0; result == 0 && i < n_rows; i++) {
        if (is_wanted(pruning, deletion, &rows[i])) {
            result = prune_one(deletion, &rows[i], error);
        }
    }
    image_rows_free(rows, n_rows);
    return result;
}

int prune_images(struct job *job, struct bh_error *error)
{
    deletion_auto struct deletion deletion = {0};
    struct pruning pruning;
    char reclaimed[24];
    if (pruning_begin(job_body(job), &pruning, error) < 0 || deletion_begin(job, &deletion, error) < 0) {
        return -1;
    }
    deletion.prune_parents = true;
    if (prune(job, &deletion, &pruning, error) < 0) {
        return -1;
    }
    Bulkhead__ImagesPruned pruned = BULKHEAD__IMAGES_PRUNED__INIT;
    Bulkhead__EngineToApi packet = BULKHEAD__ENGINE_TO_API__INIT;
    pruned.reclaimed_bytes = deletion.reclaimed_bytes;
    (void)snprintf(reclaimed, sizeof reclaimed, "%" PRIu64, deletion.reclaimed_bytes);
    events_emit_object(job->engine, job->tenant_uid, BULKHEAD__EVENT_TYPE__EVENT_TYPE_IMAGE, "prune", "",
                       (const char *[]){"reclaimed", reclaimed, NULL});
    packet.body_case = BULKHEAD__ENGINE_TO_API__BODY_IMAGES_PRUNED;
    packet.images_pruned = &pruned;
    return job_reply(job, &packet);
}
