/* SPDX-License-Identifier: Apache-2.0
 *
 * What the engine asks of policyd, the one door to the executor (engine_policyd.proto), as functions. Blocking; for
 * jobs.
 */
#pragma once

#include "common/digest.h"
#include "common/reference.h"
#include "engine_policyd.pb-c.h"
#include "services/engine/database.h"
#include "services/engine/database_volumes.h"
#include "services/engine/jobs.h"
#include "services/engine/volume_options.h"

int policy_admit_image(struct job *job, const char *reference, const struct bh_digest *manifest,
                       struct bh_error *error);
/* Of the tenant's images: what they take, and what they are to take beside it. See image_quota.h. */
int policy_admit_layers(struct job *job, uint64_t held_bytes, uint64_t more_bytes, struct bh_error *error);
/* May the tenant send the image `id` there? */
/* Before a registry is spoken to: by pulls and pushes, of which a tenant may have so many at once. */
int policy_admit_transfer(struct job *job, const struct bh_reference *reference, struct bh_error *error);
int policy_admit_push(struct job *job, const char *reference, const struct bh_digest *id, struct bh_error *error);
int policy_judge(struct job *job, Bulkhead__ContainerSpec *spec, struct bh_error *error);

/* Starts it with `n_clients` attached clients (3 descriptors each, borrowed). *ret_monitor is a connection to its
 * monitor. */
struct policy_started {
    int32_t pid;
    int64_t started_at_ns;
    int monitor;
    struct bh_message *answer; /* ContainerStarted: its ports; the caller's, may be NULL */
};
int policy_start(struct job *job, Bulkhead__ContainerSpec *spec, const int *streams, size_t n_clients,
                 struct policy_started *ret_started, struct bh_error *error);

/* Starts a copier for a container, on the far end of a job's channel (borrowed). */
int policy_open_copier(struct job *job, Bulkhead__ContainerSpec *spec, Bulkhead__CopierView view, int channel,
                       struct bh_error *error);

/* NOT_FOUND or FAILED_PRECONDITION: it has ended. */
int policy_signal(struct job *job, const uint8_t *id, uint32_t tenant_uid, uint32_t signal, struct bh_error *error);
int policy_freeze(struct job *job, const struct container_row *row, bool frozen, struct bh_error *error);
int policy_remove(struct job *job, const uint8_t *id, uint32_t tenant_uid, struct bh_error *error);
/* A new connection to its monitor. NOT_FOUND if it has ended. */
int policy_open_monitor(struct job *job, const uint8_t *id, uint32_t tenant_uid, int *ret_monitor,
                        struct bh_error *error);
/* Its log files, newest first: at most BH_MESSAGE_FDS_MAX, the caller's. NOT_FOUND if there is none. */
int policy_open_log(struct job *job, const struct container_row *row, int ret_files[static BH_MESSAGE_FDS_MAX],
                    size_t *ret_n_files, struct bh_error *error);

/* A volume's files: made if they are not there; removed if they are. */
int policy_make_volume(struct job *job, const struct volume_row *row, const struct volume_plan *plan,
                       struct bh_error *error);
/* Those of a container that is being created, with what its image has there: what is empty. */
int policy_fill_volumes(struct job *job, Bulkhead__ContainerSpec *spec, struct bh_error *error);
int policy_drop_volume(struct job *job, const struct volume_row *row, struct bh_error *error);
/* Bytes in use and the limit (0: none). */
int policy_measure_volume(struct job *job, const struct volume_row *row, uint64_t *ret_used, uint64_t *ret_limit,
                          struct bh_error *error);
/* All volumes on disk: their ids and tenants; the array is the caller's. */
struct policy_volume {
    uint8_t id[ENGINE_ID_BYTES];
    uint32_t tenant_uid;
};
int policy_list_volumes(struct job *job, struct policy_volume **ret_found, size_t *ret_n_found, struct bh_error *error);

/* What the executor knows of one container. */
struct policy_found {
    uint8_t id[ENGINE_ID_BYTES];
    uint32_t tenant_uid;
    bool running, has_exit, oom_killed;
    int32_t pid, exit_code;
    int64_t started_at_ns, finished_at_ns;
};
int policy_inspect(struct job *job, const uint8_t *id, uint32_t tenant_uid, struct policy_found *ret_found,
                   struct bh_error *error);
/* All of them; the array is the caller's. */
int policy_list(struct job *job, struct policy_found **ret_found, size_t *ret_n_found, struct bh_error *error);

int policy_verify_audit(struct job *job, uint64_t *ret_records, struct bh_digest *ret_head, struct bh_error *error);

/* ---- policy_measure.c ------------------------------------------------------------------------------ */

/* Sets the limits of a container that runs, all of them: of what is 0 in them none was asked for. */
int policy_update(struct job *job, const struct container_row *row, Bulkhead__Resources *resources,
                  struct bh_error *error);
/* StatsRead, with the descriptor that it says. FAILED_PRECONDITION: it has ended. */
int policy_read_stats(struct job *job, const uint8_t *id, uint32_t tenant_uid, struct bh_message **ret_message,
                      struct bh_error *error);
/* ProcessesListed, with its descriptor. */
int policy_list_processes(struct job *job, const uint8_t *id, uint32_t tenant_uid, struct bh_message **ret_message,
                          struct bh_error *error);
/* KernelDescribed. */
int policy_describe_kernel(struct job *job, struct bh_message **ret_message, struct bh_error *error);
