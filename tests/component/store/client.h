/* SPDX-License-Identifier: Apache-2.0
 *
 * The engine's side of the store's channel, for tests: one function for each thing the engine may ask. Failures of the
 * test's own means end the test; failures of the store come back as codes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/channel.h"
#include "common/digest.h"
#include "engine_store.pb-c.h"
#include "harness.h"

/* A store that runs, with its channel. Zero it before the first client_start(). */
struct client {
    struct harness harness;
    struct bh_channel *channel;
    struct bh_error error; /* of the last thing that failed */
};

/* An ingest that was begun. */
struct ingesting {
    struct bh_call *call; /* the final answer is still to come; NULL for a layer */
    uint64_t id, resume_offset;
    int fds[2]; /* as IngestStarted says; -1 where none */
};

void client_start(struct client *client);
void client_stop(struct client *client);
/* Kills the store at once; client_start() then starts another one on the same folders. */
void client_kill(struct client *client);
/* Hands the store a new channel, as the supervisor does when the engine was restarted. */
void client_rewire(struct client *client);

/* A BeginBlob from a pipe; change it as needed. `digest` NULL: not known. */
Bulkhead__BeginBlob client_blob(struct bh_digest *digest, uint64_t size_bytes, bool tee);
/* 0, or the code of the error. */
enum bh_code client_begin_blob(struct client *client, Bulkhead__BeginBlob *message, struct ingesting *ret_ingesting);
enum bh_code client_begin_spool(struct client *client, uint64_t max_bytes, struct ingesting *ret_ingesting);
enum bh_code client_begin_layer(struct client *client, const struct bh_digest *blob, struct ingesting *ret_ingesting);

/* Waits for the final answer of a blob or spool, frees the ingesting. */
enum bh_code client_finish_blob(struct client *client, struct ingesting *ingesting, struct bh_digest *ret_digest,
                                uint64_t *ret_bytes);
enum bh_code client_finish_spool(struct client *client, struct ingesting *ingesting, uint64_t *ret_bytes);
enum bh_code client_seal(struct client *client, uint64_t ingest, const struct bh_digest *diff_id,
                         Bulkhead__LayerSealed *ret_sealed);

/* Begins, writes, closes and finishes a whole blob. */
enum bh_code client_store_blob(struct client *client, const void *bytes, size_t n_bytes, struct bh_digest *ret_digest);

enum bh_code client_abort(struct client *client, uint64_t ingest);
enum bh_code client_delete(struct client *client, const struct bh_digest *digest);
enum bh_code client_open_blob(struct client *client, const struct bh_digest *digest, int *ret_fd, uint64_t *ret_bytes);
enum bh_code client_open_spool(struct client *client, uint64_t spool, int *ret_fd, uint64_t *ret_bytes);
/* `diff_id` of *ret_stat is not set; *ret_diff_id is. */
enum bh_code client_stat(struct client *client, const struct bh_digest *digest, Bulkhead__ContentStat *ret_stat,
                         struct bh_digest *ret_diff_id);
/* How many entries ListContent gives. */
enum bh_code client_list(struct client *client, size_t *ret_entries);

/* ---- looking at the store's folders from outside ---- */

/* How many files lie in one of the store's folders ("blobs"). */
size_t client_count(const struct client *client, const char *folder);
/* True if blobs/, layers/ or another folder has a file of that digest, and its content is this. */
bool client_file_is(const struct client *client, const char *folder, const struct bh_digest *digest, const void *bytes,
                    size_t n_bytes);
/* Waits until no worker (of a store that was killed) holds the beginning of this blob any more. */
void client_await_partial(const struct client *client, const struct bh_digest *digest);
/* Nothing half-made is left anywhere. */
bool client_is_clean(const struct client *client);

/* ---- bytes ---- */

/* Bytes that do not repeat, the same for the same seed. The caller frees. */
uint8_t *make_bytes(size_t n_bytes, uint64_t seed);
struct bh_digest digest_of(const void *bytes, size_t n_bytes);
/* Writes all of it in a thread of its own and closes `fd`; join with wait_for(). A reader that goes away is no error.
 */
struct mover;
struct mover *write_in_thread(int fd, const void *bytes, size_t n_bytes);
/* Reads `fd` to its end in a thread of its own and closes it. */
struct mover *read_in_thread(int fd, size_t max_bytes);
/* Joins; *ret_bytes (may be NULL) is what was read, and the caller's. Returns how many bytes were moved. */
size_t wait_for(struct mover *mover, uint8_t **ret_bytes);
