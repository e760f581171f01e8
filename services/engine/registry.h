/* SPDX-License-Identifier: Apache-2.0
 *
 * What the engine asks of a fetcher worker: one registry, one repository, one tenant's credentials
 * (engine_fetcher.proto). Blocking; for jobs; several threads of a job may share one registry.
 */
#pragma once

#include "common/digest.h"
#include "services/engine/jobs.h"
#include "types.pb-c.h"

/* A worker that speaks to this registry. `credentials` may be NULL. Closed with worker_close(). */
int registry_open(struct job *job, const char *host, const char *repository, Bulkhead__Credentials *credentials,
                  struct bh_channel **ret_registry, struct bh_error *error);

/* Has a manifest written into `pipe` (borrowed). By `digest`, or (NULL) by tag. */
int registry_fetch_manifest(struct job *job, struct bh_channel *registry, const char *tag,
                            const struct bh_digest *digest, int pipe, Bulkhead__MediaType *ret_announced,
                            struct bh_error *error);

/* Has a blob written into `pipe` (borrowed) from `offset` on; `notify` (may be NULL) hears how far it is. */
int registry_fetch_blob(struct job *job, struct bh_channel *registry, const struct bh_digest *digest,
                        uint64_t size_bytes, uint64_t offset, int pipe,
                        void (*notify)(void *argument, uint64_t received_bytes), void *argument,
                        struct bh_error *error);

/* May these credentials read that blob? */
int registry_check_blob(struct job *job, struct bh_channel *registry, const struct bh_digest *digest,
                        struct bh_error *error);
