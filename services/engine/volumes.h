/* SPDX-License-Identifier: Apache-2.0
 *
 * Volumes: names of one tenant for files that outlive containers. A volume's row comes before its files and goes before
 * them; what a death in between leaves is put right at the next start (volumes_reconcile).
 */
#pragma once

#include "services/engine/event_record.h"
#include "services/engine/database_volumes.h"
#include "services/engine/jobs.h"
#include "services/engine/volume_options.h"

#define VOLUME_DRIVER "local"

int create_volume(struct job *job, struct bh_error *error);
int list_volumes(struct job *job, struct bh_error *error);
int look_up_volume(struct job *job, struct bh_error *error);
int delete_volume(struct job *job, struct bh_error *error);
int prune_volumes(struct job *job, struct bh_error *error);

/* The tenant's volume of that name, made if there is none; a wish without a name makes an anonymous one. *ret_made says
 * whether it is new. */
int volume_get(struct job *job, const Bulkhead__CreateVolume *wish, struct volume_row *ret_row, bool *ret_made,
               struct bh_error *error);
/* Removes one that no container has: FAILED_PRECONDITION if one has, NOT_FOUND if it is gone. */
int volume_remove(struct job *job, const struct volume_row *row, struct bh_error *error);
/* The container is gone for good: so are the anonymous volumes that were made for it, unless others have them too. */
void volumes_after_container(struct job *job, const struct container_row *row);
/* Events: "create" and "destroy" of a volume; "mount" and "unmount" of all that a container has. */
struct engine_event volume_event(const struct volume_row *row, const char *action);
void volumes_emit_mounts(struct engine *engine, const struct container_row *row, bool mounted);
/* Where root finds its files: "<state>/volumes/<uid>/<id>/_data". `buffer` holds BH_PATH_BYTES_MAX + 1. */
const char *volume_mountpoint(const struct engine *engine, const struct volume_row *row, char *buffer);
/* What a tenant's volumes hold, for `system df`: by name; -1 bytes where it could not be measured. The caller frees it
 * with volume_usages_free(). */
struct volume_usage {
    struct volume_row row; /* with `uses`, its containers */
    int64_t size_bytes;
};
int volume_usages(struct job *job, struct volume_usage **ret_usages, size_t *ret_n_usages, struct bh_error *error);
void volume_usages_free(struct volume_usage *usages, size_t n_usages);
/* One volume's. -1 if it could not be measured. */
int64_t volume_size(struct job *job, const struct volume_row *row);
/* At the start: files that no row names go, and rows without files get them. */
int volumes_reconcile(struct job *job, struct bh_error *error);
