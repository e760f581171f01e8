/* SPDX-License-Identifier: Apache-2.0
 *
 * See body_pipe.h.
 */
#include "body_pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/io.h"

#define PUMP_BYTES (64U * 1024U)
#define PIPE_BYTES (1024 * 1024)

int body_pipe_open(int *ret_from, int *ret_to, struct bh_error *error)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) {
        return bh_error_errno(error, errno, "make a pipe for the request's body");
    }
    (void)fcntl(ends[1], F_SETPIPE_SZ, PIPE_BYTES); /* only faster */
    *ret_from = ends[0];
    *ret_to = ends[1];
    return 0;
}

static int pump(struct request *request, int to, struct bh_error *error)
{
    bh_autofree char *bytes = malloc(PUMP_BYTES);
    if (!bytes) {
        return out_of_memory(error);
    }
    for (;;) {
        ssize_t n = connection_read_body(request->connection, bytes, PUMP_BYTES, error);
        if (n <= 0) {
            return (int)n;
        }
        if (bh_write_all(to, bytes, (size_t)n, "the body's pipe", error) < 0) {
            return error->sys_errno == EPIPE ? 0 : -1;
        }
    }
}

int body_pipe_pump(struct request *request, struct engine_call *call, int *to, struct bh_error *error)
{
    int result = pump(request, *to, error);
    if (result < 0) {
        engine_call_end(call);
    }
    bh_close(to);
    return result;
}
