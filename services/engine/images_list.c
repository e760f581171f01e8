/* SPDX-License-Identifier: Apache-2.0
 *
 * The list of images, with Docker's filters and its idea of which images are worth showing; see images.h.
 */
#include <stdlib.h>
#include <string.h>

#include "common/docker_when.h"
#include "common/io.h"
#include "services/engine/database.h"
#include "services/engine/filters.h"
#include "services/engine/image_chains.h"
#include "services/engine/image_summary.h"
#include "services/engine/images.h"
#include "services/engine/resolve.h"

static const char *const known_filters[] = {"reference", "dangling", "label", "before", "since", "until", NULL};

struct listing {
    struct job *job;
    const Bulkhead__ListImages *question;
    const Bulkhead__Filter *reference, *label;
    bool only_dangling, no_dangling;
    int64_t before_ns, since_ns, until_ns; /* by creation */
    struct image_row *rows;                /* all the tenant's images, newest first */
    size_t n_rows;
};

static const Bulkhead__Filter *find_filter(const struct listing *listing, const char *key)
{
    return filters_find(listing->question->filters, listing->question->n_filters, key);
}

/* The creation of the images that `before` or `since` names: all values are required, so the closest counts. */
static int find_times(struct listing *listing, const char *key, bool earliest, int64_t *time_ns, struct bh_error *error)
{
    const Bulkhead__Filter *filter = find_filter(listing, key);
    struct database *database = listing->job->engine->database;
    for (size_t i = 0; filter && i < filter->n_values; i++) {
        image_row_auto struct image_row row = {0};
        struct bh_digest id;
        char name[BH_REFERENCE_BYTES_MAX + 1];
        if (resolve_image(database, listing->job->tenant_uid, filter->values[i], &id, name, error) < 0 ||
            database_image(database, listing->job->tenant_uid, &id, &row, error) < 0) {
            return -1;
        }
        int64_t created_ns = row.config->created_ns;
        if (earliest ? created_ns < *time_ns : created_ns > *time_ns) {
            *time_ns = created_ns;
        }
    }
    return 0;
}

int images_until(const Bulkhead__Filter *filter, int64_t *until_ns, struct bh_error *error)
{
    for (size_t i = 0; filter && i < filter->n_values; i++) {
        int64_t ns;
        if (docker_when_parse("until", filter->values[i], bh_wall_ns(), &ns, error) < 0) {
            return -1;
        }
        *until_ns = ns < *until_ns ? ns : *until_ns;
    }
    return 0;
}

static int newest_first(const void *a, const void *b)
{
    const struct image_row *left = a, *right = b;
    if (left->config->created_ns != right->config->created_ns) {
        return left->config->created_ns < right->config->created_ns ? 1 : -1;
    }
    return memcmp(left->id.bytes, right->id.bytes, sizeof left->id.bytes);
}

static int listing_begin(struct listing *listing, struct bh_error *error)
{
    const Bulkhead__ListImages *question = listing->question;
    bool dangling = false;
    if (filters_check(question->filters, question->n_filters, known_filters, error) < 0) {
        return -1;
    }
    const Bulkhead__Filter *filter = find_filter(listing, "dangling");
    if (filter && filters_boolean(filter, &dangling, error) < 0) {
        return -1;
    }
    listing->reference = find_filter(listing, "reference");
    listing->label = find_filter(listing, "label");
    listing->only_dangling = filter && dangling;
    listing->no_dangling = filter && !dangling;
    if (find_times(listing, "before", true, &listing->before_ns, error) < 0 ||
        find_times(listing, "since", false, &listing->since_ns, error) < 0 ||
        images_until(find_filter(listing, "until"), &listing->until_ns, error) < 0 ||
        database_images(listing->job->engine->database, listing->job->tenant_uid, &listing->rows, &listing->n_rows,
                        error) < 0) {
        return -1;
    }
    if (listing->n_rows > 0) {
        qsort(listing->rows, listing->n_rows, sizeof *listing->rows, newest_first);
    }
    return 0;
}

bool image_has_children(const struct image_row *row, const struct image_row *rows, size_t n_rows)
{
    for (size_t i = 0; i < n_rows; i++) {
        if (rows[i].visible && rows[i].has_parent && bh_digest_equal(&rows[i].parent, &row->id)) {
            return true;
        }
    }
    return false;
}

/* Leaves only the names that the filter `reference` means. */
static void filter_names(const struct listing *listing, char **names, size_t *n_names)
{
    size_t kept = 0;
    for (size_t i = 0; i < *n_names; i++) {
        if (filters_match_reference(listing->reference, names[i])) {
            names[kept++] = names[i];
        } else {
            free(names[i]);
        }
    }
    *n_names = kept;
}

/* Docker's rule for images without any name: they are shown unless they are another's parent, or names were asked for.
 */
static bool is_wanted(const struct listing *listing, const struct image_row *row, const struct shown_names *names)
{
    int64_t created_ns = row->config->created_ns;
    if (created_ns >= listing->before_ns || created_ns <= listing->since_ns || created_ns > listing->until_ns ||
        !filters_match_labels(listing->label, row->config->labels, row->config->n_labels)) {
        return false;
    }
    if (names->n_tags > 0 || names->n_digests > 0) {
        return !listing->only_dangling || names->n_tags == 0;
    }
    return !listing->no_dangling && !listing->reference &&
           (listing->question->all || !image_has_children(row, listing->rows, listing->n_rows));
}

static int list_one(const struct listing *listing, struct image_row *row, struct bh_error *error)
{
    shown_names_auto struct shown_names names = {0};
    if (show_names(row, &names, error) < 0) {
        return -1;
    }
    filter_names(listing, names.tags, &names.n_tags);
    filter_names(listing, names.digests, &names.n_digests);
    if (is_wanted(listing, row, &names)) {
        Bulkhead__ImageSummary summary = summary_message(row, &names);
        Bulkhead__EngineToApi packet = BULKHEAD__ENGINE_TO_API__INIT;
        if (listing->question->shared_size) {
            summary.shared_bytes = image_chain_bytes(row, 0, image_chain_shared(row, listing->rows, listing->n_rows));
        }
        packet.body_case = BULKHEAD__ENGINE_TO_API__BODY_IMAGE_SUMMARY;
        packet.image_summary = &summary;
        (void)job_more(listing->job, &packet);
    }
    return 0;
}

static int list_all(const struct listing *listing, struct bh_error *error)
{
    Bulkhead__ImagesListed listed = BULKHEAD__IMAGES_LISTED__INIT;
    Bulkhead__EngineToApi packet = BULKHEAD__ENGINE_TO_API__INIT;
    for (size_t i = 0; i < listing->n_rows; i++) {
        struct image_row *row = &listing->rows[i];
        if (job_check(listing->job, error) < 0 || list_one(listing, row, error) < 0) {
            return -1;
        }
        if (listing->question->shared_size) { /* what none of those before it has counted */
            listed.layers_bytes += image_chain_bytes(row, image_chain_shared(row, listing->rows, i), row->n_layers);
        }
    }
    packet.body_case = BULKHEAD__ENGINE_TO_API__BODY_IMAGES_LISTED;
    packet.images_listed = &listed;
    return job_reply(listing->job, &packet);
}

int list_images(struct job *job, struct bh_error *error)
{
    struct listing listing = {
        .job = job, .question = job_body(job), .before_ns = INT64_MAX, .since_ns = INT64_MIN, .until_ns = INT64_MAX};
    int result = listing_begin(&listing, error);
    if (result == 0) {
        result = list_all(&listing, error);
    }
    image_rows_free(listing.rows, listing.n_rows);
    return result;
}
