/* SPDX-License-Identifier: Apache-2.0
 *
 * Import; see import.h. The tarball is spliced into the store unseen and kept as it came, if it is something that a
 * manifest can name (a plain tar, gzip, zstd); anything else is kept decompressed.
 */
#include "services/engine/import.h"

#include <errno.h>

#include "common/io.h"
#include "common/limits.h"
#include "services/engine/compression.h"
#include "services/engine/garbage.h"
#include "services/engine/image_write.h"
#include "services/engine/layers.h"
#include "services/engine/platform.h"
#include "services/engine/resolve.h"
#include "services/engine/streams.h"

static int take_tarball(struct job *job, int tarball, int word, struct holds *holds, struct new_layer *layer,
                        struct bh_error *error)
{
    layer_intake_auto struct layer_intake intake = LAYER_INTAKE_NONE;
    if (layer_intake_begin(job, &intake, error) < 0) {
        return -1;
    }
    int copied = stream_copy(job, tarball, intake.ingest.pipe, error);
    if (copied < 0 && error->sys_errno != EPIPE) {
        return -1;
    }
    if (copied == 0 && stream_check_whole(job, word, error) < 0) {
        return -1;
    }
    struct bh_error reason = {0};
    if (layer_intake_store(&intake, holds, layer, &reason) < 0) {
        *error = reason; /* why the store stopped reading, if it did */
        return -1;
    }
    return copied;
}

/* OCI has no media type for xz and bzip2: no registry would take such a layer, and umoci could not read it. */
static int decompress_layer(struct job *job, struct holds *holds, struct new_layer *layer, struct bh_error *error)
{
    prober_auto struct prober prober = {0};
    layer_intake_auto struct layer_intake intake = LAYER_INTAKE_NONE;
    bh_autoclose int blob = -1;
    uint64_t n_bytes;
    Bulkhead__Compression compression;
    if (store_open_blob(job, &layer->digest, &blob, &n_bytes, error) < 0 ||
        prober_ask(&prober, job, blob, &compression, error) < 0) {
        return -1;
    }
    if (compression != BULKHEAD__COMPRESSION__COMPRESSION_XZ &&
        compression != BULKHEAD__COMPRESSION__COMPRESSION_BZIP2) {
        return 0;
    }
    if (layer_intake_begin(job, &intake, error) < 0 ||
        decompress_into(job, blob, &intake.ingest.pipe, BH_BLOB_BYTES_MAX, error) < 0) {
        return -1;
    }
    return layer_intake_store(&intake, holds, layer, error);
}

/* What the image says of itself: the client's wishes, and what only we know. */
static int write_image(struct job *job, const Bulkhead__ImportImage *question, const char *name,
                       const struct new_layer *layer, struct holds *holds, struct bh_digest *ret_id,
                       struct bh_error *error)
{
    const Bulkhead__Platform *platform = question->platform ? question->platform : &platform_host;
    const struct image_layer stored = {.digest = layer->digest, .size_bytes = layer->content_bytes};
    ProtobufCBinaryData diff_id = {.len = BH_DIGEST_BYTES, .data = (uint8_t *)(uintptr_t)layer->diff_id.bytes};
    Bulkhead__ImageConfig config = *question->config; /* borrows its lists */
    Bulkhead__History entry = BULKHEAD__HISTORY__INIT, *history[] = {&entry};
    config.os = platform->os;
    config.architecture = platform->architecture;
    config.variant = platform->variant;
    config.created_ns = bh_wall_ns();
    config.comment = question->message;
    config.diff_ids = &diff_id;
    config.n_diff_ids = 1;
    entry.created_ns = config.created_ns;
    entry.comment = question->message;
    config.history = history;
    config.n_history = 1;
    const struct image_draft draft = {.config = &config,
                                      .layers = &stored,
                                      .n_layers = 1,
                                      .names = &name,
                                      .n_names = *name ? 1 : 0,
                                      .imported = true};
    return image_write(job, holds, &draft, ret_id, error);
}

static int import(struct job *job, int tarball, int word, struct bh_digest *ret_id, struct bh_error *error)
{
    const Bulkhead__ImportImage *question = job_body(job);
    holds_auto struct holds holds = {0};
    struct new_layer layer = {0};
    struct bh_reference reference;
    char name[BH_REFERENCE_BYTES_MAX + 1] = "";
    if (!question->config) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "an import without a config");
    }
    if (*question->reference && resolve_new_name(question->reference, &reference, name, error) < 0) {
        return -1;
    }
    if (*name && reference.has_digest) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "cannot import digest reference");
    }
    if (take_tarball(job, tarball, word, &holds, &layer, error) < 0) {
        return bh_error_wrap(error, "take in the tarball");
    }
    if (decompress_layer(job, &holds, &layer, error) < 0 ||
        layer_extract(job, &layer.digest, &layer.diff_id, &layer.content_bytes, error) < 0) {
        return bh_error_wrap(error, "unpack the tarball");
    }
    return write_image(job, question, name, &layer, &holds, ret_id, error);
}

int import_image(struct job *job, struct bh_error *error)
{
    bh_autoclose int tarball = bh_request_take_fd(job->request, 0), word = bh_request_take_fd(job->request, 1);
    struct bh_digest id;
    if (import(job, tarball, word, &id, error) < 0) {
        garbage_start(job->engine);
        return -1;
    }
    Bulkhead__ImageCreated created = BULKHEAD__IMAGE_CREATED__INIT;
    Bulkhead__EngineToApi packet = BULKHEAD__ENGINE_TO_API__INIT;
    created.id = (ProtobufCBinaryData){.len = BH_DIGEST_BYTES, .data = id.bytes};
    packet.body_case = BULKHEAD__ENGINE_TO_API__BODY_IMAGE_CREATED;
    packet.image_created = &created;
    (void)job_reply(job, &packet);
    return 0;
}
