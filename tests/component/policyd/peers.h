/* SPDX-License-Identifier: Apache-2.0
 *
 * A real policyd between the test's own executor, netd and engine, all in one thread: what a peer is asked waits until
 * the test answers it, in whatever order the test likes.
 */
#pragma once

#include "../harness.h"
#include "container.pb-c.h"
#include "engine_policyd.pb-c.h"
#include "network.pb-c.h"
#include "policyd_executor.pb-c.h"
#include "policyd_netd.pb-c.h"

struct peers {
    struct harness harness; /* first: it owns the channels */
    struct bh_request *asked[BH_ROLE_COUNT];
    uint8_t listed_network[32]; /* what netd's list tells; tenant 0: nothing */
    uint32_t listed_tenant;
};

void peers_open(struct peers *peers);
void peers_close(struct peers *peers);

/* Waits until the peer is asked something of that kind. The request stays `peers`' until it is answered. */
struct bh_request *peers_await(struct peers *peers, enum bh_role role, uint32_t kind);
/* Whether a peer is asked nothing more: policyd is asked to ask it something else, and that comes first. */
void peers_expect_nothing(struct peers *peers);

/* Answers what a peer was asked last. */
void peers_fail(struct peers *peers, enum bh_role role, enum bh_code code, const char *message);
void peers_reply(struct peers *peers, enum bh_role role, ProtobufCMessage *packet, size_t n_fds);
void peers_reply_done(struct peers *peers, enum bh_role role);
/* The executor's NetworkOpened, before its answer or as that. */
void peers_open_network(struct peers *peers, size_t n_fds, bool final);
void peers_reply_started(struct peers *peers);
/* netd's ContainerConnected with one port, taken as `host_port`. */
void peers_reply_connected(struct peers *peers, uint32_t host_port);

/* A peer dies. */
void peers_hang_up(struct peers *peers, enum bh_role role);
/* And is started again. */
void peers_rewire(struct peers *peers, enum bh_role role);

/* One call of the engine's. */
struct bh_call *peers_call(struct peers *peers, Bulkhead__EngineToPolicyd *packet, uint32_t deadline_ms);
/* Waits for its answer and frees it. 0 if that is of `kind`; else -1 with the error. */
int peers_finish(struct peers *peers, struct bh_call *call, uint32_t kind, struct bh_message **ret_answer,
                 struct bh_error *error);
