/* SPDX-License-Identifier: Apache-2.0
 *
 * New images; see image_write.h. The config's JSON is written here from types, and read back by an extractor's worker:
 * what the database remembers of the image is what every other reader of these bytes will see.
 */
#include "services/engine/image_write.h"

#include "common/cleanup.h"
#include "common/io.h"
#include "common/limits.h"
#include "services/engine/config_json.h"
#include "services/engine/content.h"
#include "services/engine/documents.h"
#include "services/engine/image_events.h"
#include "services/engine/image_quota.h"
#include "services/engine/layers.h"
#include "services/engine/policy.h"

/* ---- a layer -------------------------------------------------------------------------------------- */

int layer_intake_begin(struct job *job, struct layer_intake *intake, struct bh_error *error)
{
    const struct store_blob blob = {.max_bytes = BH_BLOB_BYTES_MAX};
    intake->job = job;
    return store_begin_blob(job, &blob, &intake->ingest, error);
}

/* The blob gets its name when the pipe ends: from then on garbage collection could find it, until we hold it. */
int layer_intake_store(struct layer_intake *intake, struct holds *holds, struct new_layer *layer,
                       struct bh_error *error)
{
    struct job *job = intake->job;
    if (content_begin_unnamed(job, error) < 0) {
        return -1;
    }
    bh_close(&intake->ingest.pipe);
    int result = store_finish_blob(&intake->ingest, &layer->digest, &layer->size_bytes, error);
    if (result == 0) {
        result = holds_add(holds, job, &layer->digest, error);
    }
    content_end_unnamed(job->engine->content);
    return result;
}

int layer_intake_finish(struct layer_intake *intake, struct holds *holds, struct new_layer *ret_layer,
                        struct bh_error *error)
{
    struct new_layer layer = {0};
    if (layer_intake_store(intake, holds, &layer, error) < 0 ||
        layer_extract(intake->job, &layer.digest, &layer.diff_id, &layer.content_bytes, error) < 0) {
        return -1;
    }
    *ret_layer = layer;
    return 0;
}

/* ---- the image ------------------------------------------------------------------------------------ */

/* Stores the config's bytes under their digest, unless they are there. */
static int store_config(struct job *job, const char *bytes, size_t n_bytes, const struct bh_digest *digest,
                        struct bh_error *error)
{
    struct store_content content;
    struct bh_digest stored;
    uint64_t stored_bytes;
    store_ingest_auto struct store_ingest ingest = STORE_INGEST_NONE;
    const struct store_blob blob = {.digest = digest, .size_bytes = n_bytes};
    if (store_stat(job, digest, &content, error) < 0) {
        return -1;
    }
    if (content.blob) {
        return 0;
    }
    if (store_begin_blob(job, &blob, &ingest, error) < 0) {
        return -1;
    }
    uint64_t kept = ingest.resume_offset < n_bytes ? ingest.resume_offset : n_bytes;
    int written = bh_write_all(ingest.pipe, bytes + kept, n_bytes - kept, "the store's pipe", error);
    bh_close(&ingest.pipe);
    struct bh_error reason = {0};
    if (store_finish_blob(&ingest, &stored, &stored_bytes, &reason) < 0) {
        *error = reason; /* why the pipe broke, if it did */
        return -1;
    }
    return written;
}

static int write_config(struct job *job, struct holds *holds, const struct image_draft *draft, struct image_row *row,
                        struct bh_error *error)
{
    bh_autofree char *bytes = NULL;
    size_t n_bytes;
    if (config_json_write(draft->config, &bytes, &n_bytes, error) < 0 ||
        bh_digest_of(bytes, n_bytes, &row->id, error) < 0 || holds_add(holds, job, &row->id, error) < 0 ||
        content_claim(job, &row->id, error) < 0) {
        return -1;
    }
    int result = store_config(job, bytes, n_bytes, &row->id, error);
    content_unclaim(job->engine->content, &row->id);
    return result < 0 ? -1 : document_parse_config(job, &row->id, draft->n_layers, &row->config, error);
}

/* Makes the image appear, with what Docker tells then: each name, and how the image came about. */
static int show(struct job *job, const struct image_draft *draft, const struct image_row *row, struct bh_error *error)
{
    bh_autofree struct image_event *events = calloc(draft->n_names + 1, sizeof *events);
    bh_autofree const struct engine_event **list = calloc(draft->n_names + 1, sizeof *list);
    char id[BH_DIGEST_TEXT_SIZE];
    size_t n_events = 0;
    if (!events || !list) {
        return bh_error_errno(error, ENOMEM, "list the image's names");
    }
    for (; n_events < draft->n_names; n_events++) {
        struct bh_reference reference;
        if (bh_reference_parse(draft->names[n_events], &reference, error) < 0) {
            return -1;
        }
        image_event_fill(&events[n_events], row->tenant_uid, &row->id, row, "tag", &reference);
        list[n_events] = &events[n_events].event;
    }
    const struct engine_event_attribute of_commit[] = {{"comment", draft->comment},
                                                       {"imageID", bh_digest_text(&row->id, id)},
                                                       {"imageRef", n_events > 0 ? events[0].name_text : ""}};
    struct engine_event commit;
    if (draft->imported) {
        image_event_fill(&events[n_events], row->tenant_uid, &row->id, row, "import", NULL);
        list[n_events] = &events[n_events].event;
        n_events++;
    } else if (draft->committed) {
        commit = EVENT_OF_CONTAINER(draft->committed, "commit");
        commit.attributes = of_commit;
        commit.n_attributes = 3;
        list[n_events++] = &commit;
    }
    return database_add_image(job->engine->database, row, draft->names, draft->n_names, bh_wall_ns(), list, n_events,
                              NULL, error);
}

int image_write(struct job *job, struct holds *holds, const struct image_draft *draft, struct bh_digest *ret_id,
                struct bh_error *error)
{
    image_row_auto struct image_row row = {.tenant_uid = job->tenant_uid};
    if (draft->n_layers > BH_LAYERS_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "the image would have %zu layers, at most %d are possible",
                            draft->n_layers, BH_LAYERS_MAX);
    }
    row.layers = calloc(draft->n_layers + 1, sizeof *row.layers);
    if (!row.layers) {
        return bh_error_errno(error, ENOMEM, "list the image's layers");
    }
    for (; row.n_layers < draft->n_layers; row.n_layers++) {
        row.layers[row.n_layers] = draft->layers[row.n_layers];
    }
    if (write_config(job, holds, draft, &row, error) < 0) {
        return bh_error_wrap(error, "write the image's config");
    }
    for (size_t i = 0; i < draft->n_names; i++) {
        if (policy_admit_image(job, draft->names[i], &row.id, error) < 0) {
            return -1;
        }
    }
    if (draft->parent) {
        row.has_parent = true;
        row.parent = *draft->parent;
    }
    if (image_quota_admit(job, row.layers, row.n_layers, error) < 0 || job_check(job, error) < 0 ||
        show(job, draft, &row, error) < 0) {
        return -1;
    }
    *ret_id = row.id;
    return 0;
}
