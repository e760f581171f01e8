/* SPDX-License-Identifier: Apache-2.0
 *
 * Protocols and workers; see channels.h.
 */
#include <poll.h>

#include "engine_copier.pb-c.h"
#include "engine_extractor.pb-c.h"
#include "engine_fetcher.pb-c.h"
#include "engine_monitor.pb-c.h"
#include "engine_policyd.pb-c.h"
#include "engine_store.pb-c.h"
#include "services/engine/channels.h"

const struct bh_protocol protocol_store = {
    .name = "engine_store",
    .incoming = &bulkhead__store_to_engine__descriptor,
    .outgoing = &bulkhead__engine_to_store__descriptor,
};
const struct bh_protocol protocol_fetcher = {
    .name = "engine_fetcher",
    .incoming = &bulkhead__fetcher_to_engine__descriptor,
    .outgoing = &bulkhead__engine_to_fetcher__descriptor,
};
const struct bh_protocol protocol_extractor = {
    .name = "engine_extractor",
    .incoming = &bulkhead__extractor_to_engine__descriptor,
    .outgoing = &bulkhead__engine_to_extractor__descriptor,
};
const struct bh_protocol protocol_policyd = {
    .name = "engine_policyd",
    .incoming = &bulkhead__policyd_to_engine__descriptor,
    .outgoing = &bulkhead__engine_to_policyd__descriptor,
};
const struct bh_protocol protocol_monitor = {
    .name = "engine_monitor",
    .incoming = &bulkhead__monitor_to_engine__descriptor,
    .outgoing = &bulkhead__engine_to_monitor__descriptor,
};

const struct bh_protocol protocol_copier = {
    .name = "engine_copier",
    .incoming = &bulkhead__copier_to_engine__descriptor,
    .outgoing = &bulkhead__engine_to_copier__descriptor,
};

#define SPAWN_TIMES    6
#define SPAWN_FIRST_MS 50

/* Puts the question once; a helper that is being restarted answers UNAVAILABLE. */
static int spawn(struct job *job, enum bh_role role, int worker_end, struct bh_error *error)
{
    struct bh_channel *channel = bh_service_peer(job->engine->context, role);
    Bulkhead__Spawn body = BULKHEAD__SPAWN__INIT;
    if (role == BH_ROLE_FETCHER) {
        Bulkhead__EngineToFetcher packet = BULKHEAD__ENGINE_TO_FETCHER__INIT;
        packet.body_case = BULKHEAD__ENGINE_TO_FETCHER__BODY_SPAWN;
        packet.spawn = &body;
        return job_ask(job, channel, &packet.base, &worker_end, 1, 0, BULKHEAD__FETCHER_TO_ENGINE__BODY_SPAWNED, NULL,
                       error);
    }
    Bulkhead__EngineToExtractor packet = BULKHEAD__ENGINE_TO_EXTRACTOR__INIT;
    packet.body_case = BULKHEAD__ENGINE_TO_EXTRACTOR__BODY_SPAWN;
    packet.spawn = &body;
    return job_ask(job, channel, &packet.base, &worker_end, 1, 0, BULKHEAD__EXTRACTOR_TO_ENGINE__BODY_SPAWNED, NULL,
                   error);
}

/* One attempt: a pair, a worker at its far end, a channel over the near one. */
static int open_once(struct job *job, enum bh_role role, struct bh_channel **ret_channel, struct bh_error *error)
{
    int ends[2];
    if (bh_channel_pair(ends, error) < 0) {
        return -1;
    }
    bh_autoclose int near = ends[0], far = ends[1];
    if (spawn(job, role, far, error) < 0) {
        return bh_error_wrap(error, "start a %s worker", bh_role_name(role));
    }
    worker_auto struct bh_channel *channel = NULL;
    if (bh_channel_new_on_loop(role == BH_ROLE_FETCHER ? &protocol_fetcher : &protocol_extractor,
                               job->engine->context->base, NULL, &channel, error) < 0 ||
        bh_channel_wire(channel, near, error) < 0) {
        return -1;
    }
    (void)bh_steal_fd(&near);
    *ret_channel = bh_steal_pointer(&channel);
    return 0;
}

int worker_open(struct job *job, enum bh_role role, struct bh_channel **ret_channel, struct bh_error *error)
{
    int pause_ms = SPAWN_FIRST_MS;
    for (int attempt = 1;; attempt++) {
        if (open_once(job, role, ret_channel, error) == 0) {
            return 0;
        }
        if (error->code != BH_UNAVAILABLE || attempt == SPAWN_TIMES || job_cancelled(job)) {
            return -1;
        }
        (void)poll(NULL, 0, pause_ms);
        pause_ms *= 2;
        bh_error_clear(error);
    }
}

void worker_close(struct bh_channel **channel)
{
    bh_channel_free(*channel);
    *channel = NULL;
}
