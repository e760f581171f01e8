/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls to the engine on behalf of one client: the thread blocks, and when the client hangs up the call is cancelled.
 * Answers come from the engine and are trusted as typed messages.
 */
#pragma once

#include "api_engine.pb-c.h"
#include "client_watch.h"
#include "common/cleanup.h"
#include "request.h"

#define ENGINE_FOR_EVER_MS 0xfffffff0U /* seven weeks: for waits that only the client ends */

struct engine_call {
    struct api *api;
    struct client_watching watching;
};

/* Waits for an engine that is being started again, up to ten seconds. */
int engine_call_start(struct request *request, Bulkhead__ApiToEngine *packet, const int *fds, size_t n_fds,
                      uint32_t deadline_ms, struct engine_call *ret_call, struct bh_error *error);
/* The next answer; -1 with CANCELLED once the client is gone. */
int engine_call_next(struct engine_call *call, struct bh_message **ret_message, struct bh_error *error);
void engine_call_end(struct engine_call *call);
#define auto_engine_call __attribute__((cleanup(engine_call_end))) struct engine_call

/* One question, one answer of `reply_kind` (another kind is INTERNAL; 0 accepts any). */
int engine_ask(struct request *request, Bulkhead__ApiToEngine *packet, uint32_t deadline_ms, uint32_t reply_kind,
               struct bh_message **ret_message, struct bh_error *error);

/* Starts the packet `name` with the request body `slot` set to `body`. */
#define ENGINE_PACKET(name, KIND, slot, body)                                                                          \
    Bulkhead__ApiToEngine name = BULKHEAD__API_TO_ENGINE__INIT;                                                        \
    name.body_case = BULKHEAD__API_TO_ENGINE__BODY_##KIND;                                                             \
    name.slot = (body)
