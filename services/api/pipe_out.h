/* SPDX-License-Identifier: Apache-2.0
 *
 * What comes out of a pipe as the body of an answer that has begun to stream: spliced, so that not one of its bytes is
 * looked at or copied here. Called for archives of containers and of images.
 */
#pragma once

#include "request.h"

/* Pipe to client until the pipe's end; the stream's own end is the caller's to say. CANCELLED once the client is gone.
 */
int pipe_out(struct request *request, int from, struct bh_error *error);
