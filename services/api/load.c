/* SPDX-License-Identifier: Apache-2.0
 *
 * POST /images/load: the archive streams through a pipe to the engine, which hands it on to be stored and read
 * elsewhere. Not one of its bytes is looked at here.
 */
#include "body_pipe.h"
#include "handlers.h"
#include "progress.h"

int handle_images_load(struct request *request, struct bh_error *error)
{
    auto_engine_call call = {0};
    bool quiet = http_parameter_bool(&request->target, "quiet", false);
    auto_body_pipe pipe = BODY_PIPE_NONE;
    if (!connection_has_body(request->connection)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "the request's body is empty: it must be an image archive");
    }
    Bulkhead__LoadImages question = BULKHEAD__LOAD_IMAGES__INIT;
    ENGINE_PACKET(packet, LOAD_IMAGES, load_images, &question);
    if (body_pipe_open(&pipe, error) < 0 ||
        engine_call_start(request, &packet, pipe.theirs, BODY_PIPE_FDS, BH_DEADLINE_JOB_MS, &call, error) < 0 ||
        body_pipe_pump(request, &call, &pipe, error) < 0) {
        return -1;
    }
    return stream_progress(request, &call, quiet, error);
}
