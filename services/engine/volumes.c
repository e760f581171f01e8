/* SPDX-License-Identifier: Apache-2.0
 *
 * Volumes; see volumes.h.
 */
#include "services/engine/volumes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "common/io.h"
#include "common/log.h"
#include "services/engine/adopt.h"
#include "common/fields.h"
#include "services/engine/live.h"
#include "services/engine/policy.h"

#define LETTERS        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#define ANONYMOUS_MARK "com.docker.volume.anonymous" /* the label Docker gives those without a name */

/* ---- names --------------------------------------------------------------------------------------- */

static int check_name(const char *name, struct bh_error *error)
{
    size_t length = strlen(name);
    if (length == 1) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "create %s: volume name is too short, names should be at least two alphanumeric characters",
                            name);
    }
    if (strspn(name, LETTERS "_.-") != length || strspn(name, LETTERS) == 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "create %.300s: \"%.300s\" includes invalid characters for a local volume name, only "
                            "\"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you intended to pass a host directory, use "
                            "absolute path",
                            name, name);
    }
    return length <= VOLUME_NAME_BYTES_MAX
               ? 0
               : bh_error_set(error, BH_INVALID_ARGUMENT,
                              "create %.40s...: the volume name has %zu characters, at most %d", name, length,
                              VOLUME_NAME_BYTES_MAX);
}

/* A volume's operations come one after another, under a lock found by what names it, as a container's is by its id. */
static struct live *lock_of(struct job *job, uint32_t tenant_uid, const char *name, struct bh_error *error)
{
    char text[VOLUME_NAME_BYTES_MAX + 32];
    struct bh_digest key;
    int n = snprintf(text, sizeof text, "volume %u %s", tenant_uid, name);
    return bh_digest_of(text, (size_t)n, &key, error) < 0 ? NULL : live_get(job->engine->live, key.bytes, error);
}

const char *volume_mountpoint(const struct engine *engine, const struct volume_row *row, char *buffer)
{
    struct bh_digest id;
    char hex[BH_DIGEST_HEX_SIZE];
    memcpy(id.bytes, row->id, sizeof id.bytes);
    (void)snprintf(buffer, BH_PATH_BYTES_MAX + 1, "%s/volumes/%u/%s/_data", engine->context->config->state_path,
                   row->tenant_uid, bh_digest_hex(&id, hex));
    return buffer;
}

/* ---- making -------------------------------------------------------------------------------------- */

static int add_mark(Bulkhead__CreateVolume *details, struct bh_error *error)
{
    Bulkhead__KeyValue **larger = realloc(details->labels, (details->n_labels + 1) * sizeof *larger);
    if (!larger) {
        return bh_error_errno(error, ENOMEM, "label a volume");
    }
    details->labels = larger;
    Bulkhead__KeyValue *label = malloc(sizeof *label);
    if (!label) {
        return bh_error_errno(error, ENOMEM, "label a volume");
    }
    bulkhead__key_value__init(label);
    details->labels[details->n_labels++] = label;
    details->labels_set = true;
    return string_set(&label->key, ANONYMOUS_MARK, error);
}

static int prepare_row(struct job *job, const Bulkhead__CreateVolume *wish, struct volume_row *row,
                       struct bh_error *error)
{
    ProtobufCMessage *copy = NULL;
    *row = (struct volume_row){
        .tenant_uid = job->tenant_uid, .created_ns = bh_wall_ns(), .anonymous = wish->name[0] == '\0'};
    if (getrandom(row->id, sizeof row->id, 0) != (ssize_t)sizeof row->id) {
        return bh_error_errno(error, errno, "make a volume's id");
    }
    if (row->anonymous) {
        struct bh_digest id;
        memcpy(id.bytes, row->id, sizeof id.bytes);
        (void)bh_digest_hex(&id, row->name);
    } else {
        (void)snprintf(row->name, sizeof row->name, "%s", wish->name);
    }
    if (message_copy(&wish->base, &copy, error) < 0) {
        return -1;
    }
    row->details = (Bulkhead__CreateVolume *)copy;
    return row->anonymous ? add_mark(row->details, error) : 0;
}

/* Its files are there. What cannot be written down now is told by the next start. */
static void announce(struct job *job, const struct volume_row *row)
{
    const struct engine_event event = volume_event(row, "create");
    struct bh_error error = {0};
    if (database_announce_volume(job->engine->database, row, &event, &error) < 0) {
        bh_log_failure(BH_LOG_WARNING, &error, row->name);
    }
}

/* The row first: from then on its files are somebody's. */
static int make(struct job *job, const struct volume_row *row, struct bh_error *error)
{
    struct volume_plan plan;
    if (volume_options_read(row->details->options, row->details->n_options, &plan, error) < 0) {
        struct bh_error plain = *error;
        return bh_error_set(error, plain.code, "create %s: %.400s", row->name, plain.message);
    }
    if (database_add_volume(job->engine->database, row, error) < 0) {
        return -1;
    }
    if (policy_make_volume(job, row, &plan, error) < 0) {
        struct bh_error ignored;
        (void)database_delete_volume(job->engine->database, row->tenant_uid, row->name, NULL, &ignored);
        (void)policy_drop_volume(job, row, &ignored); /* the answer may have been lost, not the volume */
        return bh_error_wrap(error, "create %s", row->name);
    }
    announce(job, row);
    return 0;
}

int volume_get(struct job *job, const Bulkhead__CreateVolume *wish, struct volume_row *ret_row, bool *ret_made,
               struct bh_error *error)
{
    volume_row_auto struct volume_row row = {0};
    *ret_made = false;
    if (wish->driver[0] && strcmp(wish->driver, VOLUME_DRIVER) != 0) {
        return bh_error_set(error, BH_NOT_FOUND,
                            "create %s: error looking up volume plugin %s: plugin \"%s\" not found", wish->name,
                            wish->driver, wish->driver);
    }
    if ((wish->name[0] && check_name(wish->name, error) < 0) || prepare_row(job, wish, &row, error) < 0) {
        return -1;
    }
    live_auto struct live *live = lock_of(job, row.tenant_uid, row.name, error);
    if (!live || live_lock(live, job, error) < 0) {
        return -1;
    }
    live_locked lock = live;
    int found = database_find_volume(job->engine->database, row.tenant_uid, row.name, ret_row, error);
    if (found != 0) {
        return found < 0 ? -1 : 0;
    }
    if (make(job, &row, error) < 0) {
        return -1;
    }
    *ret_made = true;
    *ret_row = row;
    memset(&row, 0, sizeof row);
    return 0;
}

/* ---- removing ------------------------------------------------------------------------------------ */

int volume_remove(struct job *job, const struct volume_row *row, struct bh_error *error)
{
    live_auto struct live *live = lock_of(job, row->tenant_uid, row->name, error);
    if (!live || live_lock(live, job, error) < 0) {
        return -1;
    }
    live_locked lock = live;
    job_shield(job);
    const struct engine_event event = volume_event(row, "destroy");
    if (database_delete_volume(job->engine->database, row->tenant_uid, row->name, &event, error) < 0) {
        return -1;
    }
    struct bh_error failure = {0};
    if (policy_drop_volume(job, row, &failure) < 0) {
        bh_log_failure(BH_LOG_WARNING, &failure, "the files of a removed volume stay until the next start");
        adoption_later(job->engine);
    }
    return 0;
}

void volumes_after_container(struct job *job, const struct container_row *row)
{
    for (size_t i = 0; i < row->spec->n_mounts; i++) {
        const Bulkhead__Mount *mount = row->spec->mounts[i];
        volume_row_auto struct volume_row volume = {0};
        struct bh_error error = {0};
        if (!mount->anonymous || !mount->volume_name[0] ||
            database_find_volume(job->engine->database, row->tenant_uid, mount->volume_name, &volume, &error) != 1) {
            continue;
        }
        if (volume_remove(job, &volume, &error) < 0 && error.code != BH_FAILED_PRECONDITION) {
            bh_log_failure(BH_LOG_WARNING, &error, volume.name);
        }
    }
}

/* ---- the start ----------------------------------------------------------------------------------- */

static bool is_listed(const struct policy_volume *found, size_t n_found, const uint8_t *id)
{
    for (size_t i = 0; i < n_found; i++) {
        if (memcmp(found[i].id, id, ENGINE_ID_BYTES) == 0) {
            return true;
        }
    }
    return false;
}

static bool has_row(const struct volume_row *rows, size_t n_rows, const struct policy_volume *found)
{
    for (size_t i = 0; i < n_rows; i++) {
        if (rows[i].tenant_uid == found->tenant_uid && memcmp(rows[i].id, found->id, ENGINE_ID_BYTES) == 0) {
            return true;
        }
    }
    return false;
}

/* The engine or the executor died before its files were made; or somebody is just making them, under the lock. */
static void make_again(struct job *job, const struct volume_row *row)
{
    struct volume_plan plan;
    volume_row_auto struct volume_row now = {0};
    struct bh_error error = {0};
    live_auto struct live *live = lock_of(job, row->tenant_uid, row->name, &error);
    if (!live || live_lock(live, job, &error) < 0) {
        return;
    }
    live_locked lock = live;
    if (database_find_volume(job->engine->database, row->tenant_uid, row->name, &now, &error) != 1 ||
        memcmp(now.id, row->id, sizeof now.id) != 0) {
        return;
    }
    if (volume_options_read(row->details->options, row->details->n_options, &plan, &error) < 0 ||
        policy_make_volume(job, row, &plan, &error) < 0) {
        bh_log_failure(BH_LOG_WARNING, &error, row->name);
        return;
    }
    announce(job, row);
}

static void drop_stranger(struct job *job, const struct policy_volume *stranger)
{
    struct volume_row row = {.tenant_uid = stranger->tenant_uid};
    struct bh_digest id;
    struct bh_error error = {0};
    memcpy(row.id, stranger->id, sizeof row.id);
    memcpy(id.bytes, stranger->id, sizeof id.bytes);
    (void)bh_digest_hex(&id, row.name);
    if (policy_drop_volume(job, &row, &error) < 0) {
        bh_log_failure(BH_LOG_WARNING, &error, row.name);
    }
}

int volumes_reconcile(struct job *job, struct bh_error *error)
{
    bh_autofree struct policy_volume *found = NULL;
    struct volume_row *rows = NULL;
    size_t n_found = 0, n_rows = 0;
    /* The list of files first: a volume that is made meanwhile has its row before its files. */
    if (policy_list_volumes(job, &found, &n_found, error) < 0 ||
        database_volumes(job->engine->database, 0, true, &rows, &n_rows, error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < n_rows; i++) {
        if (!is_listed(found, n_found, rows[i].id)) {
            make_again(job, &rows[i]);
        } else if (!rows[i].announced) {
            announce(job, &rows[i]);
        }
    }
    for (size_t i = 0; i < n_found; i++) {
        if (!has_row(rows, n_rows, &found[i])) {
            drop_stranger(job, &found[i]);
        }
    }
    volume_rows_free(rows, n_rows);
    return 0;
}
