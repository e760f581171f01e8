/* SPDX-License-Identifier: Apache-2.0
 *
 * List, inspect and tag images; see images.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/io.h"
#include "services/engine/database.h"
#include "services/engine/events.h"
#include "services/engine/filters.h"
#include "services/engine/images.h"
#include "services/engine/resolve.h"

static const char *const known_filters[] = {"reference", "dangling", "label", "before", "since", "until", NULL};

/* ---- summaries ----------------------------------------------------------------------------------- */

/* An image's names as clients see them. */
struct shown_names {
    char **tags, **digests;
    size_t n_tags, n_digests;
};

static void shown_names_end(struct shown_names *names)
{
    for (size_t i = 0; i < names->n_tags; i++) {
        free(names->tags[i]);
    }
    for (size_t i = 0; i < names->n_digests; i++) {
        free(names->digests[i]);
    }
    free(names->tags);
    free(names->digests);
}
#define shown_names_auto bh_cleanup(shown_names_end)

static int show_names(const struct image_row *row, struct shown_names *ret_names, struct bh_error *error)
{
    ret_names->tags = calloc(row->n_names + 1, sizeof *ret_names->tags);
    ret_names->digests = calloc(row->n_names + 1, sizeof *ret_names->digests);
    for (size_t i = 0; ret_names->tags && ret_names->digests && i < row->n_names; i++) {
        struct bh_reference reference;
        char familiar[BH_REFERENCE_BYTES_MAX + 1];
        if (bh_reference_parse(row->names[i], &reference, error) < 0) {
            return -1;
        }
        char *copy = strdup(bh_reference_familiar(&reference, familiar, sizeof familiar));
        if (!copy) {
            return bh_error_errno(error, ENOMEM, "name an image");
        }
        if (reference.has_digest) {
            ret_names->digests[ret_names->n_digests++] = copy;
        } else {
            ret_names->tags[ret_names->n_tags++] = copy;
        }
    }
    return ret_names->tags && ret_names->digests ? 0 : bh_error_errno(error, ENOMEM, "name an image");
}

static Bulkhead__ImageSummary summary_message(struct image_row *row, struct shown_names *names)
{
    Bulkhead__ImageSummary summary = BULKHEAD__IMAGE_SUMMARY__INIT;
    summary.id = (ProtobufCBinaryData){.len = BH_DIGEST_BYTES, .data = row->id.bytes};
    summary.tags = names->tags;
    summary.n_tags = names->n_tags;
    summary.digests = names->digests;
    summary.n_digests = names->n_digests;
    summary.created_ns = row->config->created_ns;
    summary.labels = row->config->labels;
    summary.n_labels = row->config->n_labels;
    summary.containers = row->containers;
    for (size_t i = 0; i < row->n_layers; i++) {
        summary.size_bytes += row->layers[i].size_bytes;
    }
    return summary;
}

/* ---- the list ------------------------------------------------------------------------------------ */

struct listing {
    const Bulkhead__Filter *reference, *label;
    bool only_dangling, only_named;
    int64_t before_ns, since_ns; /* by creation */
};

/* The creation of the image that `before` or `since` names. */
static int find_time(struct job *job, const Bulkhead__Filter *filter, int64_t *ret_ns, struct bh_error *error)
{
    image_row_auto struct image_row row = {0};
    struct bh_digest id;
    char name[BH_REFERENCE_BYTES_MAX + 1];
    if (!filter) {
        return 0;
    }
    if (resolve_image(job->engine->database, job->tenant_uid, filter->values[0], &id, name, error) < 0 ||
        database_image(job->engine->database, job->tenant_uid, &id, &row, error) < 0) {
        return -1;
    }
    *ret_ns = row.config->created_ns;
    return 0;
}

/* `until`: seconds since 1970, or RFC 3339 in UTC. */
static int parse_until(const Bulkhead__Filter *filter, int64_t *ret_ns, struct bh_error *error)
{
    if (!filter) {
        return 0;
    }
    char *end = NULL;
    struct tm parts = {0};
    errno = 0;
    long long seconds = strtoll(filter->values[0], &end, 10);
    if (end && *end == '-') {
        const char *rest = strptime(filter->values[0], "%Y-%m-%dT%H:%M:%S", &parts);
        seconds = rest ? (long long)timegm(&parts) : -1;
        end = NULL;
    }
    int64_t ns;
    if (errno != 0 || seconds < 0 || (end && *end && *end != '.') ||
        __builtin_mul_overflow(seconds, 1000000000LL, &ns)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid filter 'until=%s': it is seconds since 1970 or a time",
                            filter->values[0]);
    }
    *ret_ns = ns < *ret_ns ? ns : *ret_ns;
    return 0;
}

static int listing_begin(struct job *job, const Bulkhead__ListImages *question, struct listing *listing,
                         struct bh_error *error)
{
    bool dangling = false;
    if (filters_check(question->filters, question->n_filters, known_filters, error) < 0) {
        return -1;
    }
    const Bulkhead__Filter *filter = filters_find(question->filters, question->n_filters, "dangling");
    if (filter && filters_boolean(filter, &dangling, error) < 0) {
        return -1;
    }
    *listing = (struct listing){.reference = filters_find(question->filters, question->n_filters, "reference"),
                                .label = filters_find(question->filters, question->n_filters, "label"),
                                .only_dangling = filter && dangling,
                                .only_named = filter && !dangling,
                                .before_ns = INT64_MAX,
                                .since_ns = INT64_MIN};
    return find_time(job, filters_find(question->filters, question->n_filters, "before"), &listing->before_ns, error) <
                       0 ||
                   find_time(job, filters_find(question->filters, question->n_filters, "since"), &listing->since_ns,
                             error) < 0 ||
                   parse_until(filters_find(question->filters, question->n_filters, "until"), &listing->before_ns,
                               error) < 0
               ? -1
               : 0;
}

static bool matches(const struct listing *listing, const struct image_row *row, const struct shown_names *names)
{
    bool by_name = !listing->reference;
    for (size_t i = 0; i < names->n_tags && !by_name; i++) {
        by_name = filters_match_reference(listing->reference, names->tags[i]);
    }
    for (size_t i = 0; i < names->n_digests && !by_name; i++) {
        by_name = filters_match_reference(listing->reference, names->digests[i]);
    }
    return by_name && (!listing->only_dangling || names->n_tags == 0) && (!listing->only_named || names->n_tags > 0) &&
           row->config->created_ns < listing->before_ns && row->config->created_ns > listing->since_ns &&
           filters_match_labels(listing->label, row->config->labels, row->config->n_labels);
}

static int newest_first(const void *a, const void *b)
{
    const struct image_row *left = a, *right = b;
    if (left->config->created_ns != right->config->created_ns) {
        return left->config->created_ns < right->config->created_ns ? 1 : -1;
    }
    return memcmp(left->id.bytes, right->id.bytes, sizeof left->id.bytes);
}

static int list_one(struct job *job, const struct listing *listing, struct image_row *row, struct bh_error *error)
{
    shown_names_auto struct shown_names names = {0};
    if (show_names(row, &names, error) < 0) {
        return -1;
    }
    if (matches(listing, row, &names)) {
        Bulkhead__ImageSummary summary = summary_message(row, &names);
        Bulkhead__EngineToApi packet = BULKHEAD__ENGINE_TO_API__INIT;
        packet.body_case = BULKHEAD__ENGINE_TO_API__BODY_IMAGE_SUMMARY;
        packet.image_summary = &summary;
        (void)job_more(job, &packet);
    }
    return 0;
}

int list_images(struct job *job, struct bh_error *error)
{
    struct listing listing;
    struct image_row *rows = NULL;
    size_t n_rows = 0;
    if (listing_begin(job, job_body(job), &listing, error) < 0 ||
        database_images(job->engine->database, job->tenant_uid, &rows, &n_rows, error) < 0) {
        return -1;
    }
    if (n_rows > 0) {
        qsort(rows, n_rows, sizeof *rows, newest_first);
    }
    int result = 0;
    for (size_t i = 0; result == 0 && i < n_rows; i++) {
        result = list_one(job, &listing, &rows[i], error);
    }
    image_rows_free(rows, n_rows);
    return result < 0 ? -1 : job_reply_done(job);
}

/* ---- inspect and tag ------------------------------------------------------------------------------ */

static void tell_details(struct job *job, struct image_row *row, struct shown_names *names)
{
    Bulkhead__ImageSummary summary = summary_message(row, names);
    Bulkhead__ImageDetails details = BULKHEAD__IMAGE_DETAILS__INIT;
    Bulkhead__EngineToApi packet = BULKHEAD__ENGINE_TO_API__INIT;
    Bulkhead__ImageLayer layers[BH_LAYERS_MAX], *pointers[BH_LAYERS_MAX];
    for (size_t i = 0; i < row->n_layers && i < BH_LAYERS_MAX; i++) {
        bulkhead__image_layer__init(&layers[i]);
        layers[i].digest = (ProtobufCBinaryData){.len = BH_DIGEST_BYTES, .data = row->layers[i].digest.bytes};
        layers[i].size_bytes = row->layers[i].size_bytes;
        pointers[i] = &layers[i];
        details.n_layers = i + 1;
    }
    details.summary = &summary;
    details.config = row->config;
    details.manifest_digest = (ProtobufCBinaryData){.len = BH_DIGEST_BYTES, .data = row->manifest.bytes};
    details.last_tag_ns = row->last_tag_ns;
    details.layers = pointers;
    packet.body_case = BULKHEAD__ENGINE_TO_API__BODY_IMAGE_DETAILS;
    packet.image_details = &details;
    (void)job_reply(job, &packet);
}

int inspect_image(struct job *job, struct bh_error *error)
{
    const Bulkhead__InspectImage *question = job_body(job);
    image_row_auto struct image_row row = {0};
    shown_names_auto struct shown_names names = {0};
    struct bh_digest id;
    char name[BH_REFERENCE_BYTES_MAX + 1];
    if (resolve_image(job->engine->database, job->tenant_uid, question->reference, &id, name, error) < 0 ||
        database_image(job->engine->database, job->tenant_uid, &id, &row, error) < 0 ||
        show_names(&row, &names, error) < 0) {
        return -1;
    }
    tell_details(job, &row, &names);
    return 0;
}

static void tell_tagged(struct job *job, const struct bh_digest *id, const struct bh_reference *target)
{
    image_row_auto struct image_row row = {0};
    struct bh_error ignored;
    char familiar[BH_REFERENCE_BYTES_MAX + 1];
    int known = database_image(job->engine->database, job->tenant_uid, id, &row, &ignored);
    events_emit_image(job->engine, job->tenant_uid, id, known == 0 ? &row : NULL, "tag",
                      bh_reference_familiar(target, familiar, sizeof familiar));
}

int tag_image(struct job *job, struct bh_error *error)
{
    const Bulkhead__TagImage *question = job_body(job);
    struct bh_digest id;
    struct bh_reference target;
    char name[BH_REFERENCE_BYTES_MAX + 1];
    if (resolve_image(job->engine->database, job->tenant_uid, question->source, &id, name, error) < 0 ||
        resolve_reference(question->target, &target, name, error) < 0) {
        return -1;
    }
    if (target.has_digest) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "refusing to create a tag with a digest reference");
    }
    if (database_set_name(job->engine->database, job->tenant_uid, name, &id, bh_wall_ns(), error) < 0) {
        return -1;
    }
    tell_tagged(job, &id, &target);
    return job_reply_done(job);
}
