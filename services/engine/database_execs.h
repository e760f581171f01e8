/* SPDX-License-Identifier: Apache-2.0
 *
 * Execs and health in the database. Rows end with their container's. Written as containers are: a commit survives the
 * death of every process.
 */
#pragma once

#include "services/engine/database.h"

/* One exec. Owns what it points to. */
struct exec_row {
    uint8_t id[ENGINE_ID_BYTES];
    uint8_t container[ENGINE_ID_BYTES];
    uint32_t tenant_uid;
    Bulkhead__ExecStatus status;
    int64_t created_ns, finished_at_ns;
    int32_t pid, exit_code;
    bool probe; /* the engine's own, a health check */
    Bulkhead__ExecRequest *request;
};
void exec_row_clear(struct exec_row *row);
void exec_rows_free(struct exec_row *rows, size_t n_rows);
#define exec_row_auto bh_cleanup(exec_row_clear)

/* Adds one that is created. NOT_FOUND if its container is gone, RESOURCE_EXHAUSTED at BH_EXECS_CONTAINER_MAX that have
 * not ended (those that have make room). */
int database_add_exec(struct database *database, const struct exec_row *row, struct bh_error *error);
/* A tenant's own. 1 found, 0 not. */
int database_exec(struct database *database, uint32_t tenant_uid, const uint8_t *id, struct exec_row *ret_row,
                  struct bh_error *error);
/* Those of a container that have not ended, oldest first. */
int database_execs(struct database *database, const uint8_t *container, struct exec_row **ret_rows, size_t *ret_n_rows,
                   struct bh_error *error);
/* Everybody's that run. */
int database_running_execs(struct database *database, struct exec_row **ret_rows, size_t *ret_n_rows,
                           struct bh_error *error);
/* From created to running, once: 1, or 0 if it was started already. RESOURCE_EXHAUSTED at BH_EXECS_TENANT_MAX. */
int database_claim_exec(struct database *database, const struct exec_row *row, struct bh_error *error);
int database_exec_runs(struct database *database, const uint8_t *id, int32_t pid, struct bh_error *error);
/* 1, or 0 if that was known, or the row is gone. */
int database_exec_ended(struct database *database, const uint8_t *id, int32_t exit_code, int64_t finished_at_ns,
                        struct bh_error *error);
int database_delete_exec(struct database *database, const uint8_t *id, struct bh_error *error);
/* Forgets those of a container that were created and never started. */
int database_drop_created_execs(struct database *database, const uint8_t *container, struct bh_error *error);
/* Forgets those that ended before. */
int database_forget_execs(struct database *database, int64_t before_ns, struct bh_error *error);

/* 1 found, 0 not. Freed with bulkhead__health__free_unpacked(). */
int database_health(struct database *database, const uint8_t *container, Bulkhead__Health **ret_health,
                    struct bh_error *error);
int database_set_health(struct database *database, const uint8_t *container, const Bulkhead__Health *health,
                        struct bh_error *error);
