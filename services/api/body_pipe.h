/* SPDX-License-Identifier: Apache-2.0
 *
 * A request's body on its way to the engine: through a pipe, and not one of its bytes is looked at here. A second pipe
 * carries one byte once the body has come whole: a pipe that merely ends may have lost its client.
 */
#pragma once

#include "engine_call.h"

#define BODY_PIPE_FDS 2

struct body_pipe {
    int theirs[BODY_PIPE_FDS]; /* what the engine gets: the body and the word, to read */
    int to, word;              /* ours */
};
#define BODY_PIPE_NONE                                                                                                 \
    {                                                                                                                  \
        {-1, -1}, -1, -1                                                                                               \
    }

int body_pipe_open(struct body_pipe *pipe, struct bh_error *error);
void body_pipe_close(struct body_pipe *pipe);
#define auto_body_pipe __attribute__((cleanup(body_pipe_close))) struct body_pipe

/* Client to pipe until the body ends; closes all of the pipe, the engine's ends first. If the client goes away the call
 * is ended, and the word is never said. 0 also when the engine stopped reading: its answer says why. */
int body_pipe_pump(struct request *request, struct engine_call *call, struct body_pipe *pipe, struct bh_error *error);

/* A plain pipe with much room; both ends are the caller's. */
int large_pipe_open(int *ret_from, int *ret_to, struct bh_error *error);
