/* SPDX-License-Identifier: Apache-2.0
 *
 * See body_pipe.h.
 */
#include "body_pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"

#define PIPE_BYTES (1024 * 1024)

int large_pipe_open(int *ret_from, int *ret_to, struct bh_error *error)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) {
        return bh_error_errno(error, errno, "make a pipe");
    }
    (void)fcntl(ends[1], F_SETPIPE_SZ, PIPE_BYTES); /* only faster */
    *ret_from = ends[0];
    *ret_to = ends[1];
    return 0;
}

int body_pipe_open(struct body_pipe *pipe, struct bh_error *error)
{
    int ends[2];
    if (large_pipe_open(&pipe->theirs[0], &pipe->to, error) < 0) {
        return -1;
    }
    if (pipe2(ends, O_CLOEXEC) < 0) {
        return bh_error_errno(error, errno, "make a pipe");
    }
    pipe->theirs[1] = ends[0];
    pipe->word = ends[1];
    return 0;
}

void body_pipe_close(struct body_pipe *pipe)
{
    for (size_t i = 0; i < BODY_PIPE_FDS; i++) {
        bh_close(&pipe->theirs[i]);
    }
    bh_close(&pipe->to);
    bh_close(&pipe->word);
}

static int pump(struct request *request, int to, struct bh_error *error)
{
    ssize_t n;
    while ((n = connection_splice_body(request->connection, to, error)) > 0) {
    }
    return n < 0 && error->sys_errno != EPIPE ? -1 : 0;
}

int body_pipe_pump(struct request *request, struct engine_call *call, struct body_pipe *pipe, struct bh_error *error)
{
    static const char whole = 1;
    for (size_t i = 0; i < BODY_PIPE_FDS; i++) {
        bh_close(&pipe->theirs[i]); /* so that writing fails once the engine has closed its own */
    }
    int result = pump(request, pipe->to, error);
    if (result < 0) {
        engine_call_end(call);
    } else {
        (void)!write(pipe->word, &whole, sizeof(whole)); /* an engine that is gone needs no word */
    }
    body_pipe_close(pipe);
    return result;
}
