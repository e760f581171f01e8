/* SPDX-License-Identifier: Apache-2.0
 *
 * Deleting images and names, by Docker's rules: a name of several is only untagged; the last name takes the image
 * along; an id takes all its names if there is one tag at most, or with force. An image that a running container uses
 * stays; one that a stopped container uses needs force.
 */
#include <stdio.h>
#include <string.h>

#include "services/engine/containers.h"
#include "services/engine/database.h"
#include "services/engine/events.h"
#include "services/engine/garbage.h"
#include "services/engine/images.h"
#include "services/engine/resolve.h"

#define SHORT_ID 12

static void tell_untagged(struct job *job, const struct image_row *row, const char *name)
{
    struct bh_reference reference;
    char familiar[BH_REFERENCE_BYTES_MAX + 1];
    struct bh_error ignored;
    Bulkhead__ImageDeleted deleted = BULKHEAD__IMAGE_DELETED__INIT;
    Bulkhead__EngineToApi packet = BULKHEAD__ENGINE_TO_API__INIT;
    events_emit_image(job->engine, job->tenant_uid, &row->id, row, "untag", NULL);
    if (bh_reference_parse(name, &reference, &ignored) < 0) {
        return;
    }
    (void)bh_reference_familiar(&reference, familiar, sizeof familiar);
    deleted.what_case = BULKHEAD__IMAGE_DELETED__WHAT_UNTAGGED;
    deleted.untagged = familiar;
    packet.body_case = BULKHEAD__ENGINE_TO_API__BODY_IMAGE_DELETED;
    packet.image_deleted = &deleted;
    (void)job_more(job, &packet);
}

static void tell_deleted(struct job *job, const struct bh_digest *id)
{
    Bulkhead__ImageDeleted deleted = BULKHEAD__IMAGE_DELETED__INIT;
    Bulkhead__EngineToApi packet = BULKHEAD__ENGINE_TO_API__INIT;
    deleted.what_case = BULKHEAD__IMAGE_DELETED__WHAT_DELETED;
    deleted.deleted = (ProtobufCBinaryData){.len = BH_DIGEST_BYTES, .data = (uint8_t *)(uintptr_t)id->bytes};
    packet.body_case = BULKHEAD__ENGINE_TO_API__BODY_IMAGE_DELETED;
    packet.image_deleted = &deleted;
    (void)job_more(job, &packet);
}

/* A container of the image, a running one first. 1 found, 0 none. */
static int find_user(struct job *job, const struct bh_digest *image, uint8_t ret_id[static ENGINE_ID_BYTES],
                     bool *ret_runs, struct bh_error *error)
{
    struct container_row *rows = NULL;
    size_t n_rows = 0;
    int found = 0;
    *ret_runs = false;
    if (database_containers(job->engine->database, job->tenant_uid, false, &rows, &n_rows, error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < n_rows && !*ret_runs; i++) {
        if (bh_digest_equal(&rows[i].image, image)) {
            found = 1;
            *ret_runs = container_is_active(&rows[i].state);
            memcpy(ret_id, rows[i].id, ENGINE_ID_BYTES);
        }
    }
    container_rows_free(rows, n_rows);
    return found;
}

static void short_hex(const uint8_t *bytes, char ret_hex[static BH_DIGEST_HEX_SIZE])
{
    struct bh_digest digest;
    memcpy(digest.bytes, bytes, sizeof digest.bytes);
    (void)bh_digest_hex(&digest, ret_hex);
    ret_hex[SHORT_ID] = '\0';
}

/* Refuses if a container needs the image as it is. `by_name`: the client's word was a name. */
static int check_users(struct job *job, const Bulkhead__DeleteImage *question, const struct image_row *row,
                       bool by_name, struct bh_error *error)
{
    uint8_t user[ENGINE_ID_BYTES];
    char container[BH_DIGEST_HEX_SIZE], image[BH_DIGEST_HEX_SIZE];
    bool runs;
    int used = find_user(job, &row->id, user, &runs, error);
    if (used <= 0 || (question->force && !runs)) {
        return used < 0 ? -1 : 0;
    }
    short_hex(user, container);
    short_hex(row->id.bytes, image);
    if (by_name && !question->force) {
        return bh_error_set(
            error, BH_FAILED_PRECONDITION,
            "conflict: unable to remove repository reference \"%s\" (must force) - container %s is using its "
            "referenced image %s",
            question->reference, container, image);
    }
    return bh_error_set(error, BH_FAILED_PRECONDITION,
                        "conflict: unable to delete %s (%s) - image is being used by %s container %s", image,
                        runs ? "cannot be forced" : "must be forced", runs ? "running" : "stopped", container);
}

/* The repository of a whole reference: what stands before the tag or digest. */
static size_t repository_length(const char *name)
{
    const char *at = strchr(name, '@');
    const char *slash = strrchr(name, '/');
    const char *colon = strrchr(name, ':');
    if (at) {
        return (size_t)(at - name);
    }
    return colon && (!slash || colon > slash) ? (size_t)(colon - name) : strlen(name);
}

/* At most one tag, and digests of the same repository. */
static bool has_one_name(const struct image_row *row)
{
    size_t tags = 0;
    for (size_t i = 0; i < row->n_names; i++) {
        size_t length = repository_length(row->names[0]);
        if (repository_length(row->names[i]) != length || strncmp(row->names[i], row->names[0], length) != 0) {
            return false;
        }
        tags += strchr(row->names[i], '@') == NULL;
    }
    return tags <= 1;
}

/* Is `name` the last tag of the image? Digest names of the same repository go with it. */
static bool is_last_name(const struct image_row *row, const char *name)
{
    size_t length = repository_length(name);
    for (size_t i = 0; i < row->n_names; i++) {
        const char *other = row->names[i];
        bool same_repository = repository_length(other) == length && strncmp(other, name, length) == 0;
        if (strcmp(other, name) != 0 && !(strchr(other, '@') && same_repository)) {
            return false;
        }
    }
    return true;
}

static int delete_whole(struct job *job, const struct image_row *row, struct bh_error *error)
{
    if (database_hide_image(job->engine->database, job->tenant_uid, &row->id, error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < row->n_names; i++) {
        tell_untagged(job, row, row->names[i]);
    }
    events_emit_image(job->engine, job->tenant_uid, &row->id, NULL, "delete", NULL);
    tell_deleted(job, &row->id);
    garbage_start(job->engine);
    return 0;
}

int delete_image(struct job *job, struct bh_error *error)
{
    const Bulkhead__DeleteImage *question = job_body(job);
    image_row_auto struct image_row row = {0};
    struct bh_digest id;
    char name[BH_REFERENCE_BYTES_MAX + 1], image[BH_DIGEST_HEX_SIZE];
    if (resolve_image(job->engine->database, job->tenant_uid, question->reference, &id, name, error) < 0 ||
        database_image(job->engine->database, job->tenant_uid, &id, &row, error) < 0) {
        return -1;
    }
    bool by_name = name[0] != '\0';
    if (by_name && !is_last_name(&row, name)) {
        if (database_drop_name(job->engine->database, job->tenant_uid, name, error) < 0) {
            return -1;
        }
        tell_untagged(job, &row, name);
        return job_reply_done(job);
    }
    if (!by_name && !question->force && !has_one_name(&row)) {
        short_hex(row.id.bytes, image);
        return bh_error_set(
            error, BH_FAILED_PRECONDITION,
            "conflict: unable to delete %s (must be forced) - image is referenced in multiple repositories", image);
    }
    if (check_users(job, question, &row, by_name, error) < 0 || delete_whole(job, &row, error) < 0) {
        return -1;
    }
    return job_reply_done(job);
}
