/* SPDX-License-Identifier: Apache-2.0
 *
 * Inspect and tag images; see images.h.
 */
#include "common/io.h"
#include "services/engine/database.h"
#include "services/engine/image_events.h"
#include "services/engine/image_summary.h"
#include "services/engine/images.h"
#include "services/engine/resolve.h"

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

int tag_image(struct job *job, struct bh_error *error)
{
    const Bulkhead__TagImage *question = job_body(job);
    struct bh_digest id;
    struct bh_reference target;
    char name[BH_REFERENCE_BYTES_MAX + 1];
    if (resolve_image(job->engine->database, job->tenant_uid, question->source, &id, name, error) < 0 ||
        resolve_new_name(question->target, &target, name, error) < 0) {
        return -1;
    }
    if (target.has_digest) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "refusing to create a tag with a digest reference");
    }
    struct image_event event;
    image_row_auto struct image_row row = {0};
    if (database_image(job->engine->database, job->tenant_uid, &id, &row, error) < 0) {
        return -1;
    }
    image_event_fill(&event, job->tenant_uid, &id, &row, "tag", &target);
    if (database_set_name(job->engine->database, job->tenant_uid, name, &id, bh_wall_ns(), &event.event, error) < 0) {
        return -1;
    }
    return job_reply_done(job);
}
