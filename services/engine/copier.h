/* SPDX-License-Identifier: Apache-2.0
 *
 * Copiers: a process inside one container for one job on its files (engine_copier.proto). What it answers comes from
 * the container, typed and bounded. Blocking; for jobs.
 */
#pragma once

#include "common/channel.h"
#include "engine_copier.pb-c.h"
#include "services/engine/channels.h"
#include "services/engine/database.h"
#include "services/engine/live.h"

/* A container that stays as it is, running or not, while its files are worked on: its lock is held, so that nobody
 * starts or removes it. Ended with its scope. */
struct copying {
    struct container_row row; /* read under the lock */
    struct live *live;
    bool locked;
    struct bh_channel *copier;
};
void copying_end(struct copying *copying);
#define copying_auto bh_cleanup(copying_end)

/* Finds the container, without a copier yet. */
int copying_hold(struct job *job, const char *reference, struct copying *ret_copying, struct bh_error *error);
/* Finds the container and starts a copier for it. */
int copying_begin(struct job *job, const char *reference, Bulkhead__CopierView view, struct copying *ret_copying,
                  struct bh_error *error);
/* Starts one for a container that is held already; the copier before it is ended. */
int copying_open(struct job *job, Bulkhead__CopierView view, struct copying *copying, struct bh_error *error);

/* Puts one question with one answer. `fds` as bh_call(). The deadline is a job's. */
int copier_ask(struct job *job, struct bh_channel *copier, Bulkhead__EngineToCopier *packet, const int *fds,
               size_t n_fds, uint32_t reply_kind, struct bh_message **ret_message, struct bh_error *error);

/* How many bytes a container's own layer takes. The container is not held: it may do meanwhile what it likes. */
int copier_measure(struct job *job, const struct container_row *row, uint64_t *ret_bytes, struct bh_error *error);

#define COPIER_PACKET(name, KIND, slot, body)                                                                          \
    Bulkhead__EngineToCopier name = BULKHEAD__ENGINE_TO_COPIER__INIT;                                                  \
    name.body_case = BULKHEAD__ENGINE_TO_COPIER__BODY_##KIND;                                                          \
    name.slot = (body)
