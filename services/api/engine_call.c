/* SPDX-License-Identifier: Apache-2.0
 *
 * See engine_call.h.
 */
#include "engine_call.h"

#include <poll.h>

#include "common/io.h"

#define AGAIN_MS 20

/* While the engine is started again nobody is there to send to. Nothing was sent then, so that a call can wait. */
static int start_when_wired(struct request *request, Bulkhead__ApiToEngine *packet, const int *fds, size_t n_fds,
                            uint32_t deadline_ms, struct bh_call **ret_call, struct bh_error *error)
{
    uint64_t give_up_at_ms = bh_now_ms() + request->api->restart_ms;
    for (;;) {
        int result = bh_call_start(request->api->engine, &packet->base, fds, n_fds, deadline_ms, ret_call, error);
        if (result == 0 || error->code != BH_UNAVAILABLE || bh_now_ms() >= give_up_at_ms) {
            return result;
        }
        bh_error_clear(error);
        struct pollfd client = {.fd = request->connection->fd};
        if (poll(&client, 1, AGAIN_MS) > 0) {
            return bh_error_set(error, BH_CANCELLED, "the client is gone");
        }
    }
}

int engine_call_start(struct request *request, Bulkhead__ApiToEngine *packet, const int *fds, size_t n_fds,
                      uint32_t deadline_ms, struct engine_call *ret_call, struct bh_error *error)
{
    ret_call->api = request->api;
    ret_call->watching.fd = request->connection->fd;
    ret_call->watching.call = NULL;
    atomic_init(&ret_call->watching.gone, false);
    if (start_when_wired(request, packet, fds, n_fds, deadline_ms, &ret_call->watching.call, error) < 0) {
        return -1;
    }
    if (client_watch_add(request->api->watch, &ret_call->watching, error) < 0) {
        bh_call_free(ret_call->watching.call);
        ret_call->watching.call = NULL;
        return -1;
    }
    return 0;
}

int engine_call_next(struct engine_call *call, struct bh_message **ret_message, struct bh_error *error)
{
    return bh_call_next(call->watching.call, ret_message, error);
}

void engine_call_end(struct engine_call *call)
{
    if (call->watching.call) {
        client_watch_remove(call->api->watch, &call->watching);
        bh_call_free(call->watching.call);
        call->watching.call = NULL;
    }
}

int engine_ask(struct request *request, Bulkhead__ApiToEngine *packet, uint32_t deadline_ms, uint32_t reply_kind,
               struct bh_message **ret_message, struct bh_error *error)
{
    auto_engine_call call = {0};
    bh_automessage struct bh_message *message = NULL;
    if (engine_call_start(request, packet, NULL, 0, deadline_ms, &call, error) < 0 ||
        engine_call_next(&call, &message, error) < 0) {
        return -1;
    }
    if (message->more || (reply_kind && message->kind != reply_kind)) {
        return bh_error_set(error, BH_INTERNAL, "the engine answered with message %u where %u is right", message->kind,
                            reply_kind);
    }
    if (ret_message) {
        *ret_message = bh_steal_pointer(&message);
    }
    return 0;
}
