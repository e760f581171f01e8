/* SPDX-License-Identifier: Apache-2.0
 *
 * Plays the engine for a real fetcher with a real dialer behind it, and holds the ends of its pipes. One stage, one
 * job.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/digest.h"
#include "engine_fetcher.pb-c.h"
#include "server.h"
#include "tests/component/harness.h"

struct stage {
    struct harness fetcher, dialer;
    char root[64];          /* what registry.py serves */
    struct bh_channel *job; /* of the worker */
    pid_t worker;
};

struct stage_options {
    const char *ca; /* a PEM file to put into certs.d/<ca_for>/ca.crt, or NULL */
    const char *ca_for;
    void (*configure)(Bulkhead__Config *config);
};

/* What a pipe brought, and the answer. */
struct fetched {
    int result; /* 0, or -1 and `error` */
    struct bh_error error;
    char text[1200]; /* the error as a user reads it */
    char *bytes;     /* to be freed */
    size_t n_bytes;
    int n_progress;
    uint64_t size_bytes; /* of the answer */
    Bulkhead__MediaType media_type;
    bool has_digest;
    uint64_t took_ms;
};

void stage_start(struct stage *stage, const struct stage_options *options);
void stage_stop(struct stage *stage);
/* Makes the folder that registry.py serves; stage_stop() removes it. */
void stage_make_root(struct stage *stage);
/* Adds `n_bytes` pseudo-random bytes as a blob, or a manifest `text` for repository:tag. */
struct bh_digest stage_add_blob(const struct stage *stage, size_t n_bytes);
struct bh_digest stage_add_manifest(const struct stage *stage, const char *repository, const char *tag,
                                    const char *text);

/* Spawns a worker (ending an earlier one) and opens the registry. */
int stage_open(struct stage *stage, const char *host, const char *repository, const Bulkhead__Credentials *credentials,
               struct bh_error *error);
void stage_spawn(struct stage *stage);

/* `tag` or `digest`, the other NULL. */
struct fetched stage_manifest(struct stage *stage, const char *tag, const struct bh_digest *digest);
struct fetched stage_blob(struct stage *stage, const struct bh_digest *digest, uint64_t size, uint64_t offset,
                          uint32_t deadline_ms);
int stage_check(struct stage *stage, const struct bh_digest *digest, uint64_t *ret_size, struct bh_error *error);
/* *ret_identity_token is to be freed. */
int stage_login(struct stage *stage, char **ret_identity_token, struct bh_error *error);
/* Starts a FetchBlob whose pipe's reading end and call are the caller's. */
void stage_blob_start(struct stage *stage, const struct bh_digest *digest, uint64_t size, struct bh_call **ret_call,
                      int *ret_pipe);
void fetched_free(struct fetched *fetched);
#define autofetched __attribute__((cleanup(fetched_free)))
