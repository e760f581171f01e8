/* SPDX-License-Identifier: Apache-2.0
 *
 * Volumes in the database: a name of one tenant each, and which containers have it. A container's uses are written with
 * its row and go with it; a volume that is used cannot be deleted, which SQLite itself sees to.
 */
#pragma once

#include "services/engine/database.h"

#define VOLUME_NAME_BYTES_MAX 255 /* a file name's */

struct volume_row {
    uint32_t tenant_uid;
    uint8_t id[ENGINE_ID_BYTES];
    char name[VOLUME_NAME_BYTES_MAX + 1];
    int64_t created_ns;
    bool anonymous;
    Bulkhead__CreateVolume *details; /* labels and options as they were asked for */
    uint32_t uses;                   /* containers */
    bool announced;                  /* events tell of it */
};
void volume_row_clear(struct volume_row *row);
void volume_rows_free(struct volume_row *rows, size_t n_rows);
#define volume_row_auto bh_cleanup(volume_row_clear)

/* ALREADY_EXISTS if the tenant has one of that name, RESOURCE_EXHAUSTED at BH_VOLUMES_MAX. Survives a power cut. */
int database_add_volume(struct database *database, const struct volume_row *row, struct bh_error *error);
/* Its files are there: it is announced, in one transaction with the event that says so. Once for each volume. */
int database_announce_volume(struct database *database, const struct volume_row *row, const struct engine_event *event,
                             struct bh_error *error);
/* 1 found, 0 not. */
int database_find_volume(struct database *database, uint32_t tenant_uid, const char *name, struct volume_row *ret_row,
                         struct bh_error *error);
/* A tenant's volumes by name, or (every_tenant) everybody's. */
int database_volumes(struct database *database, uint32_t tenant_uid, bool every_tenant, struct volume_row **ret_rows,
                     size_t *ret_n_rows, struct bh_error *error);
/* The ids of the containers that have it, one after another; the caller frees them. */
int database_volume_users(struct database *database, uint32_t tenant_uid, const char *name, uint8_t **ret_ids,
                          size_t *ret_n_ids, struct bh_error *error);
/* In one transaction with its event, if there is one. FAILED_PRECONDITION if a container has it, NOT_FOUND if it is
 * gone. */
int database_delete_volume(struct database *database, uint32_t tenant_uid, const char *name,
                           const struct engine_event *event, struct bh_error *error);
