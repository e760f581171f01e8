/* SPDX-License-Identifier: Apache-2.0
 *
 * The protocols of the channels on which the engine asks, and the job channel of one fetcher or extractor worker.
 */
#pragma once

#include "common/channel.h"
#include "common/cleanup.h"
#include "services/engine/jobs.h"

extern const struct bh_protocol protocol_store;
extern const struct bh_protocol protocol_fetcher;
extern const struct bh_protocol protocol_extractor;
extern const struct bh_protocol protocol_policyd;
extern const struct bh_protocol protocol_monitor;
extern const struct bh_protocol protocol_copier;

/* Has a fresh worker forked by BH_ROLE_FETCHER or BH_ROLE_EXTRACTOR and gives the channel to it. Freeing the channel
 * ends the worker. */
int worker_open(struct job *job, enum bh_role role, struct bh_channel **ret_channel, struct bh_error *error);
void worker_close(struct bh_channel **channel);
#define worker_auto bh_cleanup(worker_close)
