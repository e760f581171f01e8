/* SPDX-License-Identifier: Apache-2.0
 *
 * See commit.h.
 */
#include "services/engine/commit.h"

#include <errno.h>
#include <string.h>

#include "common/io.h"
#include "common/limits.h"
#include "common/log.h"
#include "services/engine/containers.h"
#include "services/engine/copier.h"
#include "services/engine/exits.h"
#include "services/engine/garbage.h"
#include "services/engine/image_write.h"
#include "services/engine/policy.h"
#include "services/engine/resolve.h"

#define CREATED_BY_BYTES 1024

/* The diff ID of an archive without entries (1,024 zeros): such a layer is none. */
static const uint8_t nothing[BH_DIGEST_BYTES] = {0x5f, 0x70, 0xbf, 0x18, 0xa0, 0x86, 0x00, 0x70, 0x16, 0xe9, 0x48,
                                                 0xb0, 0x4a, 0xed, 0x3b, 0x82, 0x10, 0x3a, 0x36, 0xbe, 0xa4, 0x17,
                                                 0x55, 0xb6, 0xcd, 0xdf, 0xaf, 0x10, 0xac, 0xe3, 0xc6, 0xef};

/* ---- the layer ------------------------------------------------------------------------------------ */

static int pack_layer(struct job *job, struct copying *copying, struct holds *holds, struct new_layer *ret_layer,
                      struct bh_error *error)
{
    layer_intake_auto struct layer_intake intake = LAYER_INTAKE_NONE;
    Bulkhead__CopyUpper body = BULKHEAD__COPY_UPPER__INIT;
    COPIER_PACKET(packet, COPY_UPPER, copy_upper, &body);
    if (copying_open(job, BULKHEAD__COPIER_VIEW__COPIER_VIEW_UPPER, copying, error) < 0 ||
        layer_intake_begin(job, &intake, error) < 0 ||
        copier_ask(job, copying->copier, &packet, &intake.ingest.pipe, 1, BULKHEAD__COPIER_TO_ENGINE__BODY_DONE, NULL,
                   error) < 0) {
        return bh_error_wrap(error, "pack the container's files");
    }
    return layer_intake_finish(&intake, holds, ret_layer, error);
}

/* While its files are read nothing changes them, if the client so wishes. Shown as paused meanwhile, and thawed
 * whatever happens; should the engine die, it stays paused, as its row says. */
static int pack_paused(struct job *job, struct copying *copying, struct holds *holds, struct new_layer *ret_layer,
                       struct bh_error *error)
{
    struct engine *engine = job->engine;
    struct bh_error ignored = {0};
    job_shield(job);
    if (policy_freeze(job, &copying->row, true, error) < 0 ||
        exits_set_paused(engine, copying->live, &copying->row, true, error) < 0) {
        (void)policy_freeze(job, &copying->row, false, &ignored);
        return bh_error_wrap(error, "pause the container");
    }
    int result = pack_layer(job, copying, holds, ret_layer, error);
    if (policy_freeze(job, &copying->row, false, &ignored) < 0 ||
        exits_set_paused(engine, copying->live, &copying->row, false, &ignored) < 0) {
        bh_log_failure(BH_LOG_WARNING, &ignored, "a container stays paused after its commit");
    }
    return result;
}

/* ---- the image ------------------------------------------------------------------------------------ */

/* Docker's: the command that made the difference. */
static void describe_command(const struct container_row *row, char buffer[static CREATED_BY_BYTES])
{
    size_t used = 0;
    buffer[0] = '\0';
    const Bulkhead__Process *process = row->spec->process;
    for (size_t i = 0; process && i < process->n_args && used < CREATED_BY_BYTES - 1; i++) {
        size_t n = strnlen(process->args[i], CREATED_BY_BYTES - 2 - used);
        if (i > 0) {
            buffer[used++] = ' ';
            n = n < CREATED_BY_BYTES - 1 - used ? n : CREATED_BY_BYTES - 1 - used;
        }
        memcpy(buffer + used, process->args[i], n);
        used += n;
        buffer[used] = '\0';
    }
}

/* Everything one image is made of. Owns its lists. */
struct commit {
    const Bulkhead__CommitContainer *question;
    char name[BH_REFERENCE_BYTES_MAX + 1]; /* "" for none */
    struct image_row parent;
    struct image_layer *layers;
    ProtobufCBinaryData *diff_ids;
    Bulkhead__History **history;
};

static void commit_end(struct commit *commit)
{
    free(commit->layers);
    free(commit->diff_ids);
    free(commit->history);
    image_row_clear(&commit->parent);
}

static int commit_begin(struct job *job, const struct container_row *row, struct holds *holds, struct commit *commit,
                        struct bh_error *error)
{
    struct bh_reference reference;
    if (*commit->question->reference &&
        resolve_new_name(commit->question->reference, &reference, commit->name, error) < 0) {
        return -1;
    }
    if (*commit->name && reference.has_digest) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "refusing to create a tag with a digest reference");
    }
    if (database_image(job->engine->database, job->tenant_uid, &row->image, &commit->parent, error) < 0) {
        return -1;
    }
    size_t n = commit->parent.n_layers + 1;
    commit->layers = calloc(n, sizeof *commit->layers);
    commit->diff_ids = calloc(n, sizeof *commit->diff_ids);
    commit->history = calloc(commit->parent.config->n_history + 1, sizeof *commit->history);
    if (!commit->layers || !commit->diff_ids || !commit->history) {
        return bh_error_errno(error, ENOMEM, "commit a container");
    }
    for (size_t i = 0; i < commit->parent.n_layers; i++) {
        commit->layers[i] = commit->parent.layers[i];
        commit->diff_ids[i] = commit->parent.config->diff_ids[i];
        if (holds_add(holds, job, &commit->layers[i].digest, error) < 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < commit->parent.config->n_history; i++) {
        commit->history[i] = commit->parent.config->history[i];
    }
    return 0;
}

static int write_image(struct job *job, const struct container_row *row, struct commit *commit,
                       const struct new_layer *layer, struct holds *holds, struct bh_digest *ret_id,
                       struct bh_error *error)
{
    const Bulkhead__ImageConfig *parent = commit->parent.config;
    bool empty = memcmp(layer->diff_id.bytes, nothing, sizeof nothing) == 0;
    size_t n_layers = commit->parent.n_layers;
    char created_by[CREATED_BY_BYTES];
    const char *name = commit->name;
    Bulkhead__ImageConfig config = *commit->question->config; /* borrows its lists */
    Bulkhead__History entry = BULKHEAD__HISTORY__INIT;
    if (!empty) {
        commit->layers[n_layers] = (struct image_layer){.digest = layer->digest, .size_bytes = layer->content_bytes};
        commit->diff_ids[n_layers++] =
            (ProtobufCBinaryData){.len = BH_DIGEST_BYTES, .data = (uint8_t *)(uintptr_t)layer->diff_id.bytes};
    }
    describe_command(row, created_by);
    config.os = parent->os;
    config.architecture = parent->architecture;
    config.variant = parent->variant;
    config.created_ns = entry.created_ns = bh_wall_ns();
    config.author = entry.author = commit->question->author;
    config.comment = entry.comment = commit->question->comment;
    entry.created_by = created_by;
    entry.empty_layer = empty;
    commit->history[parent->n_history] = &entry;
    config.history = commit->history;
    config.n_history = parent->n_history + 1;
    config.diff_ids = commit->diff_ids;
    config.n_diff_ids = n_layers;
    const struct image_draft draft = {.config = &config,
                                      .layers = commit->layers,
                                      .n_layers = n_layers,
                                      .names = &name,
                                      .n_names = *name ? 1 : 0,
                                      .parent = &row->image,
                                      .committed = row,
                                      .comment = commit->question->comment};
    return image_write(job, holds, &draft, ret_id, error);
}

static int commit_copying(struct job *job, struct copying *copying, struct bh_digest *ret_id, struct bh_error *error)
{
    __attribute__((cleanup(commit_end))) struct commit commit = {.question = job_body(job)};
    holds_auto struct holds holds = {0};
    struct new_layer layer = {0};
    const struct container_row *row = &copying->row;
    if (!commit.question->config) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "a commit without a config");
    }
    if (commit_begin(job, row, &holds, &commit, error) < 0) {
        return -1;
    }
    bool pauses = commit.question->pause && row->state.status == BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_RUNNING;
    if ((pauses ? pack_paused(job, copying, &holds, &layer, error) : pack_layer(job, copying, &holds, &layer, error)) <
            0 ||
        write_image(job, row, &commit, &layer, &holds, ret_id, error) < 0) {
        return -1;
    }
    return 0;
}

int commit_container(struct job *job, struct bh_error *error)
{
    const Bulkhead__CommitContainer *question = job_body(job);
    copying_auto struct copying copying = {0};
    struct bh_digest id;
    if (copying_hold(job, question->container, &copying, error) < 0) {
        return -1;
    }
    if (commit_copying(job, &copying, &id, error) < 0) {
        garbage_start(job->engine);
        return -1;
    }
    Bulkhead__ImageCommitted committed = BULKHEAD__IMAGE_COMMITTED__INIT;
    Bulkhead__EngineToApi packet = BULKHEAD__ENGINE_TO_API__INIT;
    committed.id = (ProtobufCBinaryData){.len = BH_DIGEST_BYTES, .data = id.bytes};
    packet.body_case = BULKHEAD__ENGINE_TO_API__BODY_IMAGE_COMMITTED;
    packet.image_committed = &committed;
    (void)job_reply(job, &packet);
    return 0;
}
