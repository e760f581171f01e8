/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes between a client's pipe and the store, spliced: this process never sees them. Ended by the client's going away.
 */
#pragma once

#include "services/engine/jobs.h"

/* Moves everything from one pipe to another, until the writer closes it. A reader that gave up is EPIPE in
 * error->sys_errno: its own answer has the reason. */
int stream_copy(struct job *job, int from, int to, struct bh_error *error);

/* A client's stream has ended: CANCELLED unless `word` brings the byte that says that nothing of it is missing. Waits
 * for the client to say it or to go. */
int stream_check_whole(struct job *job, int word, struct bh_error *error);

/* Writes `n_bytes` of a stored file, from its start, to a pipe. DATA_LOSS if it is shorter. */
int stream_file(struct job *job, int file, uint64_t n_bytes, int to, struct bh_error *error);
/* The same for bytes of our own. */
int stream_bytes(struct job *job, const void *bytes, size_t n_bytes, int to, struct bh_error *error);
