/* SPDX-License-Identifier: Apache-2.0
 *
 * Load; see load.h. The archive is spliced from the client's pipe into the store's, unseen; an extractor's worker says
 * what it holds, as ranges of the spool; each range becomes a blob under the digest the store computes.
 */
#include <errno.h>
#include <string.h>

#include "common/limits.h"
#include "common/log.h"
#include "engine_extractor.pb-c.h"
#include "services/engine/channels.h"
#include "services/engine/content.h"
#include "services/engine/database.h"
#include "services/engine/documents.h"
#include "services/engine/garbage.h"
#include "services/engine/holds.h"
#include "services/engine/image_events.h"
#include "services/engine/image_quota.h"
#include "services/engine/image_summary.h"
#include "services/engine/layers.h"
#include "services/engine/load.h"
#include "services/engine/policy.h"
#include "services/engine/resolve.h"
#include "services/engine/spool.h"
#include "services/engine/streams.h"

#define NAMES_MAX         64            /* of one image */
#define CONFIGS_BYTES_MAX (64 * BH_MIB) /* this process holds them until the last image is there */

struct load {
    struct job *job;
    uint64_t spool;
    struct holds holds;
    struct image_row *rows; /* ready, and nobody's yet: all of them appear at once, when the last one is */
    size_t n_rows;
    size_t config_bytes; /* of the rows */
};

/* ---- one image ------------------------------------------------------------------------------------ */

/* Stores a range of the spool as a blob, and holds it. */
static int store_member(struct load *load, const Bulkhead__ArchiveMember *member, struct bh_digest *ret_digest,
                        struct bh_error *error)
{
    struct bh_digest named;
    const struct store_blob blob = {.max_bytes = member->size_bytes > 0 ? member->size_bytes : 1, /* an empty layer */
                                    .spool = load->spool,
                                    .offset = member->offset,
                                    .range_bytes = member->size_bytes};
    store_ingest_auto struct store_ingest ingest = STORE_INGEST_NONE;
    uint64_t n_bytes;
    if (store_begin_blob(load->job, &blob, &ingest, error) < 0 ||
        store_finish_blob(&ingest, ret_digest, &n_bytes, error) < 0 ||
        holds_add(&load->holds, load->job, ret_digest, error) < 0) {
        return -1;
    }
    if (member->digest.len == 0) {
        return 0;
    }
    if (bh_digest_from_bytes(member->digest.data, member->digest.len, &named, error) < 0) {
        return -1;
    }
    return bh_digest_equal(&named, ret_digest)
               ? 0
               : bh_error_set(error, BH_DATA_LOSS, "a blob in the archive is not what its digest says");
}

static int store_member_unnamed(struct load *load, const Bulkhead__ArchiveMember *member, struct bh_digest *ret_digest,
                                struct bh_error *error)
{
    if (content_begin_unnamed(load->job, error) < 0) {
        return -1;
    }
    int result = store_member(load, member, ret_digest, error);
    content_end_unnamed(load->job->engine->content);
    return result;
}

static int load_layers(struct load *load, const Bulkhead__ArchiveImage *image, struct image_row *row,
                       struct bh_error *error)
{
    bh_autofree struct layer_task *tasks = calloc(image->n_layers + 1, sizeof *tasks);
    row->layers = calloc(image->n_layers + 1, sizeof *row->layers);
    if (!tasks || !row->layers) {
        return bh_error_errno(error, ENOMEM, "list the image's layers");
    }
    for (size_t i = 0; i < image->n_layers; i++) {
        tasks[i].source = (struct layer_source){.spool = load->spool, .offset = image->layers[i]->offset};
        tasks[i].size_bytes = image->layers[i]->size_bytes;
        memcpy(tasks[i].diff_id.bytes, row->config->diff_ids[i].data, BH_DIGEST_BYTES);
        if (store_member_unnamed(load, image->layers[i], &tasks[i].digest, error) < 0) {
            return -1;
        }
    }
    if (layers_ensure(load->job, tasks, image->n_layers, error) < 0) {
        return -1;
    }
    for (; row->n_layers < image->n_layers; row->n_layers++) {
        row->layers[row->n_layers] = (struct image_layer){.digest = tasks[row->n_layers].digest,
                                                          .size_bytes = tasks[row->n_layers].content_bytes};
    }
    return 0;
}

/* The names an archive gives its image: whole references, each judged. One without a name is judged when a container is
 * made of it. */
static int admit_names(struct load *load, const Bulkhead__ArchiveImage *image, struct image_row *row,
                       struct bh_error *error)
{
    row->names = calloc(image->n_references + 1, sizeof *row->names);
    for (size_t i = 0; row->names && i < image->n_references; i++) {
        struct bh_reference reference;
        char name[BH_REFERENCE_BYTES_MAX + 1];
        if (resolve_new_name(image->references[i], &reference, name, error) < 0 ||
            policy_admit_image(load->job, name, &row->id, error) < 0) {
            return -1;
        }
        row->names[i] = strdup(name);
        if (!row->names[i]) {
            break;
        }
        row->n_names++;
    }
    return row->n_names == image->n_references ? 0 : bh_error_errno(error, ENOMEM, "name an image");
}

/* Brings one image's content in. */
static int take_image(struct load *load, const Bulkhead__ArchiveImage *image, struct image_row *row,
                      struct bh_error *error)
{
    if (!image->config || image->n_layers > BH_LAYERS_MAX || image->n_references > NAMES_MAX ||
        image->config->size_bytes > BH_CONFIG_BYTES_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "an image in the archive has %zu layers and %zu names: at most %d and %d", image->n_layers,
                            image->n_references, BH_LAYERS_MAX, NAMES_MAX);
    }
    load->config_bytes += image->config->size_bytes;
    if (load->config_bytes > CONFIGS_BYTES_MAX) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED,
                            "the configs of the archive's images have more than %llu bytes together: load them from "
                            "several archives",
                            CONFIGS_BYTES_MAX);
    }
    return store_member_unnamed(load, image->config, &row->id, error) < 0 ||
                   document_parse_config(load->job, &row->id, image->n_layers, &row->config, error) < 0 ||
                   admit_names(load, image, row, error) < 0 || load_layers(load, image, row, error) < 0
               ? -1
               : 0;
}

static int load_image(struct load *load, const Bulkhead__ArchiveImage *image, struct bh_error *error)
{
    image_row_auto struct image_row row = {.tenant_uid = load->job->tenant_uid};
    struct image_row *grown = reallocarray(load->rows, load->n_rows + 1, sizeof *grown);
    if (!grown) {
        return bh_error_errno(error, ENOMEM, "list the archive's images");
    }
    load->rows = grown;
    if (take_image(load, image, &row, error) < 0) {
        return bh_error_wrap(error, "image %zu of the archive%s%.200s", load->n_rows + 1,
                             image->n_references > 0 ? ", " : "", image->n_references > 0 ? image->references[0] : "");
    }
    grown[load->n_rows++] = row;
    row = (struct image_row){0};
    return 0;
}

static int tell_loaded(struct job *job, struct image_row *row, struct bh_error *error)
{
    shown_names_auto struct shown_names names = {0};
    Bulkhead__ImageLoaded loaded = BULKHEAD__IMAGE_LOADED__INIT;
    Bulkhead__EngineToApi packet = BULKHEAD__ENGINE_TO_API__INIT;
    if (show_names(row, &names, error) < 0) {
        return -1;
    }
    loaded.id = (ProtobufCBinaryData){.len = BH_DIGEST_BYTES, .data = row->id.bytes};
    loaded.references = names.tags;
    loaded.n_references = names.n_tags;
    packet.body_case = BULKHEAD__ENGINE_TO_API__BODY_IMAGE_LOADED;
    packet.image_loaded = &loaded;
    (void)job_more(job, &packet);
    return 0;
}

/* Everything is here: the images appear, all of them or none. */
static int show_images(struct load *load, struct bh_error *error)
{
    struct job *job = load->job;
    bh_autofree struct image_event *events = calloc(load->n_rows + 1, sizeof *events);
    bh_autofree const struct engine_event **list = calloc(load->n_rows + 1, sizeof *list);
    if (!events || !list) {
        return bh_error_errno(error, ENOMEM, "list the loaded images");
    }
    for (size_t i = 0; i < load->n_rows; i++) {
        image_event_fill(&events[i], job->tenant_uid, &load->rows[i].id, &load->rows[i], "load", NULL);
        list[i] = &events[i].event;
    }
    if (image_quota_admit_rows(job, load->rows, load->n_rows, error) < 0 || job_check(job, error) < 0 ||
        database_add_images(job->engine->database, load->rows, load->n_rows, list, load->n_rows, error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < load->n_rows; i++) {
        if (tell_loaded(load->job, &load->rows[i], error) < 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- the archive ---------------------------------------------------------------------------------- */

/* Has a worker list the images of the spool and loads each. *ret_compressed: it has to be decompressed first. */
static int scan(struct load *load, bool *ret_compressed, struct bh_error *error)
{
    struct job *job = load->job;
    bh_autoclose int spool = -1;
    worker_auto struct bh_channel *worker = NULL;
    Bulkhead__ScanArchive body = BULKHEAD__SCAN_ARCHIVE__INIT;
    Bulkhead__EngineToExtractor packet = BULKHEAD__ENGINE_TO_EXTRACTOR__INIT;
    packet.body_case = BULKHEAD__ENGINE_TO_EXTRACTOR__BODY_SCAN_ARCHIVE;
    packet.scan_archive = &body;
    if (store_open_spool(job, load->spool, &spool, error) < 0 ||
        worker_open(job, BH_ROLE_EXTRACTOR, &worker, error) < 0) {
        return -1;
    }
    job_call_auto struct job_call call = {0};
    if (job_call_start(job, worker, &packet.base, &spool, 1, BH_DEADLINE_JOB_MS, &call, error) < 0) {
        return -1;
    }
    for (;;) {
        bh_automessage struct bh_message *message = NULL;
        if (job_call_next(&call, &message, error) < 0) {
            return -1;
        }
        switch (message->kind) {
        case BULKHEAD__EXTRACTOR_TO_ENGINE__BODY_ARCHIVE_IMAGE:
            if (load_image(load, bh_message_body(message), error) < 0) {
                return -1;
            }
            break;
        case BULKHEAD__EXTRACTOR_TO_ENGINE__BODY_ARCHIVE_COMPRESSED:
            *ret_compressed = true;
            return 0;
        case BULKHEAD__EXTRACTOR_TO_ENGINE__BODY_ARCHIVE_SCANNED:
            return load->n_rows > 0 ? 0 : bh_error_set(error, BH_INVALID_ARGUMENT, "the archive holds no image");
        default:
            return bh_error_set(error, BH_INTERNAL, "an extractor answered %u to an archive", message->kind);
        }
    }
}

static int load_archive(struct load *load, int archive, int word, struct bh_error *error)
{
    spool_auto struct spool outer = SPOOL_NONE, inner = SPOOL_NONE;
    bh_autoclose int source = -1;
    bool compressed = false;
    if (spool_take(load->job, archive, &outer, error) < 0 || stream_check_whole(load->job, word, error) < 0) {
        return -1;
    }
    load->spool = outer.id;
    if (scan(load, &compressed, error) < 0) {
        return -1;
    }
    if (!compressed) {
        return 0;
    }
    if (store_open_spool(load->job, outer.id, &source, error) < 0 ||
        spool_decompress(load->job, source, &inner, error) < 0) {
        return -1;
    }
    load->spool = inner.id;
    compressed = false;
    if (scan(load, &compressed, error) < 0) {
        return -1;
    }
    return compressed ? bh_error_set(error, BH_INVALID_ARGUMENT, "the archive is compressed more than once") : 0;
}

int load_images(struct job *job, struct bh_error *error)
{
    bh_autoclose int archive = bh_request_take_fd(job->request, 0), word = bh_request_take_fd(job->request, 1);
    struct load load = {.job = job};
    int result = load_archive(&load, archive, word, error);
    if (result == 0) {
        result = show_images(&load, error);
    }
    image_rows_free(load.rows, load.n_rows);
    holds_end(&load.holds);
    if (result < 0) {
        garbage_start(job->engine);
        return -1;
    }
    return job_reply_done(job);
}
