/* SPDX-License-Identifier: Apache-2.0
 *
 * Passing on: what was allowed goes to the executor (or to netd) as it was judged, and its answers come back as they
 * are, descriptors and all. The executor is believed about containers, and netd about links, but their answers must be
 * of the kind and with the descriptors that were asked for.
 */
#pragma once

#include "policyd.h"
#include "policyd_executor.pb-c.h"

/* What a good answer looks like, and what to do once it has come. */
struct relay_kind {
    enum bh_role peer;       /* BH_ROLE_NONE: the executor */
    uint32_t reply;          /* the final answer's field number */
    uint32_t passed_as;      /* its number on the engine's channel; 0: the same */
    uint32_t progress;       /* of answers with `more`; 0: none */
    size_t fds_min, fds_max; /* with the final answer */
    /* Each answer, before it goes back. `id` is the container's. May be NULL. */
    void (*on_answer)(struct policyd *policyd, const uint8_t id[static 32], const struct bh_message *answer);
    /* It failed (error) or will never be known (NULL). May be NULL. */
    void (*on_failure)(struct policyd *policyd, const uint8_t id[static 32]);
};

/* Sends `packet`, a whole one for the peer, with the request's descriptors; answers `request` whatever happens. A
 * cancel is passed on too. `id` may be NULL. */
void relay(struct policyd *policyd, struct bh_request *request, ProtobufCMessage *packet, const struct relay_kind *kind,
           const uint8_t *id);

/* Asks the executor for its containers, to know whose they are, and then calls `then` (which may be NULL) whether it
 * worked or not. */
void relay_learn(struct policyd *policyd, void (*then)(struct policyd *policyd, void *argument), void *argument);

/* What a ContainerFound teaches. */
void relay_learn_from(struct policyd *policyd, const struct bh_message *answer);
