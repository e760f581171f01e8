/* SPDX-License-Identifier: Apache-2.0
 *
 * A request's body on its way to the engine: through a pipe, and not one of its bytes is looked at here.
 */
#pragma once

#include "engine_call.h"

/* A pipe whose reading end goes to the engine. Both ends are the caller's. */
int body_pipe_open(int *ret_from, int *ret_to, struct bh_error *error);

/* Client to pipe until the body ends; closes *to. If the client goes away first, the call is ended before the pipe is,
 * so that what came is not taken for all there is. 0 also when the engine stopped reading: its answer says why. */
int body_pipe_pump(struct request *request, struct engine_call *call, int *to, struct bh_error *error);
