/* SPDX-License-Identifier: Apache-2.0
 *
 * An answer's body on its way from the engine to the client: through a pipe, unseen and unbuffered.
 */
#pragma once

#include "engine_call.h"

/* Starts `packet` with the writing end of a new pipe and streams what is written there, once the engine's first answer
 * (more) said that there will be something. -1: nothing was sent, and the error is the caller's to answer; a failure
 * later breaks the stream off, so that the client cannot take it for whole. */
int pipe_stream(struct request *request, Bulkhead__ApiToEngine *packet, const char *content_type,
                struct bh_error *error);
