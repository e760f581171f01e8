/* SPDX-License-Identifier: Apache-2.0
 *
 * POST /images/load: the archive streams through a pipe to the engine, which hands it on to be stored and read
 * elsewhere. Not one of its bytes is looked at here.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "common/io.h"
#include "handlers.h"
#include "progress.h"

#define PUMP_BYTES (64U * 1024U)
#define PIPE_BYTES (1024 * 1024)

/* Client to pipe until the body ends. 0 also when the engine stopped reading: its answer says why. */
static int pump_body(struct request *request, int to, struct bh_error *error)
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
        if (bh_write_all(to, bytes, (size_t)n, "the archive's pipe", error) < 0) {
            return error->sys_errno == EPIPE ? 0 : -1;
        }
    }
}

int handle_images_load(struct request *request, struct bh_error *error)
{
    auto_engine_call call = {0};
    bool quiet = http_parameter_bool(&request->target, "quiet", false);
    int ends[2];
    if (!connection_has_body(request->connection)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "the request's body is empty: it must be an image archive");
    }
    if (pipe2(ends, O_CLOEXEC) < 0) {
        return bh_error_errno(error, errno, "make a pipe for the archive");
    }
    bh_autoclose int from = ends[0];
    bh_autoclose int to = ends[1];
    (void)fcntl(to, F_SETPIPE_SZ, PIPE_BYTES); /* only faster */
    Bulkhead__LoadImages question = BULKHEAD__LOAD_IMAGES__INIT;
    ENGINE_PACKET(packet, LOAD_IMAGES, load_images, &question);
    if (engine_call_start(request, &packet, &from, 1, BH_DEADLINE_JOB_MS, &call, error) < 0) {
        return -1;
    }
    bh_close(&from);
    if (pump_body(request, to, error) < 0) {
        return -1;
    }
    bh_close(&to);
    return stream_progress(request, &call, quiet, error);
}
