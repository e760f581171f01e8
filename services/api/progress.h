/* SPDX-License-Identifier: Apache-2.0
 *
 * Docker's stream of JSON progress messages: what the engine reports, in the words and bars that Docker's clients
 * print.
 */
#pragma once

#include "engine_call.h"

/* One message, one line. */
void write_progress(struct json_writer *writer, const Bulkhead__Progress *progress);
/* {"errorDetail":{"message":…},"error":…} */
void write_progress_error(struct json_writer *writer, const struct bh_error *error);
/* "[==>      ]  1.5MB/3MB" */
const char *progress_bar(uint64_t current_bytes, uint64_t total_bytes, char *buffer, size_t buffer_bytes);

/* Streams the answers of a started job to the client until the last. If the job fails before its first answer, nothing
 * was sent and the error is the caller's (-1); later it goes into the stream (0). `quiet` leaves Progress out. */
int stream_progress(struct request *request, struct engine_call *call, bool quiet, struct bh_error *error);
