/* SPDX-License-Identifier: Apache-2.0
 *
 * See pipe_stream.h.
 */
#include "pipe_stream.h"

#include "body_pipe.h"
#include "common/log.h"
#include "pipe_out.h"

/* What follows the head. A stream that is not ended properly tells the client that it is not whole. */
static int stream(struct request *request, struct engine_call *call, int from, struct bh_error *error)
{
    bh_automessage struct bh_message *last = NULL;
    if (pipe_out(request, from, error) < 0) {
        return -1;
    }
    if (engine_call_next(call, &last, error) < 0) {
        return -1;
    }
    (void)connection_stream_end(request->connection);
    return 0;
}

int pipe_stream(struct request *request, Bulkhead__ApiToEngine *packet, const char *content_type,
                struct bh_error *error)
{
    auto_engine_call call = {0};
    bh_autoclose int from = -1;
    bh_autoclose int to = -1;
    bh_automessage struct bh_message *first = NULL;
    if (large_pipe_open(&from, &to, error) < 0 ||
        engine_call_start(request, packet, &to, 1, BH_DEADLINE_JOB_MS, &call, error) < 0) {
        return -1;
    }
    bh_close(&to);
    if (engine_call_next(&call, &first, error) < 0) {
        return -1;
    }
    if (connection_stream_begin(request->connection, 200, content_type) == 0 &&
        stream(request, &call, from, error) < 0) {
        request->connection->close_after = true;
        bh_log_failure(BH_LOG_WARNING, error, "a stream to the client was broken off");
    }
    return 0;
}
