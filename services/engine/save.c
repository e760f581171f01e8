/* SPDX-License-Identifier: Apache-2.0
 *
 * Save; see save.h. The archive is an OCI layout and a docker-archive at once, as Docker writes it since version 25,
 * and the same for the same images.
 *
 * The engine may write it, though it parses nothing: member names are digests, documents are made from types, and the
 * bytes of configs and layers are spliced from the store's descriptor into the client's pipe without being seen. What
 * has to be found out by looking (how a layer is compressed), or decompressed, is an extractor's worker's.
 */
#include "services/engine/save.h"

#include <errno.h>
#include <stdio.h>

#include "common/json_write.h"
#include "services/engine/events.h"
#include "services/engine/image_events.h"
#include "services/engine/layers.h"
#include "services/engine/save_documents.h"
#include "services/engine/save_members.h"
#include "services/engine/save_select.h"
#include "services/engine/streams.h"
#include "services/engine/tar_write.h"

struct save {
    struct job *job;
    int out;
    struct saved_members blobs;
    struct saved_document *documents; /* one an image of the selection */
    size_t n_documents;
};

static void save_end(struct save *save)
{
    for (size_t i = 0; i < save->n_documents; i++) {
        saved_document_clear(&save->documents[i]);
    }
    free(save->documents);
    saved_members_end(&save->blobs);
}
#define save_auto bh_cleanup(save_end)

/* Lists an image's blobs and writes its manifest. */
static int add_image(struct save *save, const struct saved_image *image, struct bh_error *error)
{
    const struct image_row *row = &image->row;
    struct saved_document *document = &save->documents[save->n_documents++];
    bh_autofree struct manifest_blob *layers = calloc(row->n_layers + 1, sizeof *layers);
    struct manifest_blob config;
    document->image = image;
    if (!layers) {
        return bh_error_errno(error, ENOMEM, "list an image's layers");
    }
    if (row->n_layers != row->config->n_diff_ids) {
        return bh_error_set(error, BH_DATA_LOSS, "an image of %zu layers has a config of %zu", row->n_layers,
                            row->config->n_diff_ids);
    }
    if (saved_members_add_config(&save->blobs, &row->id, &config, error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < row->n_layers; i++) {
        struct bh_digest diff_id;
        const ProtobufCBinaryData *bytes = &row->config->diff_ids[i];
        if (bh_digest_from_bytes(bytes->data, bytes->len, &diff_id, error) < 0 ||
            saved_members_add_layer(&save->blobs, &row->layers[i].digest, &diff_id, &layers[i], error) < 0) {
            return -1;
        }
        document->layers[i] = layers[i].digest;
    }
    return manifest_json_write(&config, layers, row->n_layers, &document->manifest, &document->manifest_bytes, error) <
                       0 ||
                   saved_members_add_bytes(&save->blobs, document->manifest, document->manifest_bytes,
                                           &document->manifest_digest, error) < 0
               ? -1
               : 0;
}

/* ---- the archive ------------------------------------------------------------------------------------ */

static int write_header(struct save *save, const char *name, enum tar_kind kind, uint64_t n_bytes,
                        struct bh_error *error)
{
    char block[TAR_BLOCK_BYTES];
    tar_header(name, kind, n_bytes, block);
    return stream_bytes(save->job, block, sizeof block, save->out, error);
}

static int write_padding(struct save *save, uint64_t n_bytes, struct bh_error *error)
{
    static const char zeros[TAR_BLOCK_BYTES];
    return stream_bytes(save->job, zeros, tar_padding(n_bytes), save->out, error);
}

static int write_file(struct save *save, const char *name, const char *bytes, uint64_t n_bytes, struct bh_error *error)
{
    return write_header(save, name, TAR_FILE, n_bytes, error) < 0 ||
                   stream_bytes(save->job, bytes, (size_t)n_bytes, save->out, error) < 0 ||
                   write_padding(save, n_bytes, error) < 0
               ? -1
               : 0;
}

static int write_member(struct save *save, const struct saved_member *member, struct bh_error *error)
{
    char hex[BH_DIGEST_HEX_SIZE], name[TAR_NAME_BYTES_MAX];
    bh_autoclose int content = -1;
    (void)snprintf(name, sizeof name, "blobs/sha256/%s", bh_digest_hex(&member->digest, hex));
    if (member->bytes) {
        return write_file(save, name, member->bytes, member->n_bytes, error);
    }
    if (saved_member_open(&save->blobs, member, &content, error) < 0 ||
        write_header(save, name, TAR_FILE, member->n_bytes, error) < 0 ||
        stream_file(save->job, content, member->n_bytes, save->out, error) < 0) {
        return -1;
    }
    return write_padding(save, member->n_bytes, error);
}

/* One of the documents at the archive's root. */
static int write_document(struct save *save, const char *name,
                          int (*write)(const struct saved_document *documents, size_t n_documents,
                                       struct json_writer *writer, struct bh_error *error),
                          struct bh_error *error)
{
    struct json_writer writer = {0};
    int result = write(save->documents, save->n_documents, &writer, error);
    if (result == 0) {
        result = writer.failed ? bh_error_errno(error, ENOMEM, "write %s", name)
                               : write_file(save, name, writer.bytes, writer.n_bytes, error);
    }
    json_writer_free(&writer);
    return result;
}

static int write_archive(struct save *save, struct bh_error *error)
{
    static const char end[TAR_END_BYTES];
    const struct saved_members *blobs = &save->blobs;
    saved_members_sort(&save->blobs);
    if (write_header(save, "blobs/", TAR_FOLDER, 0, error) < 0 ||
        write_header(save, "blobs/sha256/", TAR_FOLDER, 0, error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < blobs->n_members; i++) {
        bool again = i > 0 && bh_digest_equal(&blobs->members[i].digest, &blobs->members[i - 1].digest);
        if (!again && write_member(save, &blobs->members[i], error) < 0) {
            return -1;
        }
    }
    return write_document(save, "index.json", write_index_document, error) < 0 ||
                   write_document(save, "manifest.json", write_manifest_document, error) < 0 ||
                   write_document(save, "oci-layout", write_layout_document, error) < 0 ||
                   write_document(save, "repositories", write_repositories_document, error) < 0 ||
                   stream_bytes(save->job, end, sizeof end, save->out, error) < 0
               ? -1
               : 0;
}

static int save(struct save *save, struct bh_error *error)
{
    const Bulkhead__SaveImages *question = job_body(save->job);
    selection_auto struct selection selection = {0};
    for (size_t i = 0; i < question->n_references; i++) {
        if (selection_add(&selection, save->job, question->references[i], error) < 0) {
            return -1;
        }
    }
    save->documents = calloc(selection.n_images + 1, sizeof *save->documents);
    if (!save->documents) {
        return bh_error_errno(error, ENOMEM, "list the images to save");
    }
    for (size_t i = 0; i < selection.n_images; i++) {
        if (add_image(save, &selection.images[i], error) < 0) {
            return bh_error_wrap(error, "prepare the archive");
        }
    }
    /* All that can be wrong with the question was found: the client may be told that an archive follows. */
    progress_text(save->job, BULKHEAD__PROGRESS_KIND__PROGRESS_KIND_STATUS, "", "");
    if (write_archive(save, error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < selection.n_images; i++) {
        const struct image_row *row = &selection.images[i].row;
        struct image_event event;
        image_event_fill(&event, save->job->tenant_uid, &row->id, row, "save", NULL);
        events_emit(save->job->engine, &event.event);
    }
    return 0;
}

int save_images(struct job *job, struct bh_error *error)
{
    bh_autoclose int out = bh_request_take_fd(job->request, 0);
    save_auto struct save state = {.job = job, .out = out, .blobs = {.job = job}};
    if (save(&state, error) < 0) {
        return -1;
    }
    bh_close(&out); /* the archive's end, before the answer */
    return job_reply_done(job);
}
