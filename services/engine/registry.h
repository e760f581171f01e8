/* SPDX-License-Identifier: Apache-2.0
 *
 * What the engine asks of a fetcher worker: one registry, one repository, one tenant's credentials
 * (engine_fetcher.proto). Blocking; for jobs; several threads of a job may share one registry.
 */
#pragma once

#include "common/digest.h"
#include "common/limits.h"
#include "engine_fetcher.pb-c.h"
#include "services/engine/jobs.h"
#include "types.pb-c.h"

/* A worker that speaks to this registry. `credentials` may be NULL. Closed with worker_close(). */
int registry_open(struct job *job, const char *host, const char *repository, Bulkhead__Credentials *credentials,
                  struct bh_channel **ret_registry, struct bh_error *error);

/* The same for pushing; blobs may be mounted from `also_pull`. */
int registry_open_push(struct job *job, const char *host, const char *repository, char **also_pull, size_t n_also_pull,
                       Bulkhead__Credentials *credentials, struct bh_channel **ret_registry, struct bh_error *error);

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

/* A blob to be pushed. */
struct registry_push {
    struct bh_digest digest;
    uint64_t size_bytes;
    int fd; /* borrowed; -1: only if it is there or can be mounted */
    char **mount_from;
    size_t n_mount_from;
    void (*notify)(void *argument, uint64_t sent_bytes); /* may be NULL */
    void *argument;
};
/* Sees that the repository has it. `mounted_from` gets the repository's name where it was mounted, else "". */
int registry_push_blob(struct job *job, struct bh_channel *registry, const struct registry_push *push,
                       Bulkhead__PushOutcome *ret_outcome, char mounted_from[static BH_REPOSITORY_BYTES_MAX + 1],
                       struct bh_error *error);

/* Puts a manifest (fd borrowed) under a tag. */
int registry_push_manifest(struct job *job, struct bh_channel *registry, const char *tag,
                           Bulkhead__MediaType media_type, int fd, uint64_t size_bytes, struct bh_error *error);

/* All tags of the repository, bounded. Ended with its scope. */
struct registry_tags {
    char **tags;
    size_t n_tags;
};
void registry_tags_end(struct registry_tags *tags);
#define registry_tags_auto bh_cleanup(registry_tags_end)
int registry_list_tags(struct job *job, struct bh_channel *registry, struct registry_tags *tags,
                       struct bh_error *error);
