/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside of common/channel: what channel.c (sockets, dispatch), request.c (answers), call.c (questions) and
 * channel_loop.c (the event loop) share. Everything below `lock` is guarded by it; callbacks are never called with it
 * held.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>

#include "common/channel.h"
#include "common/message.h"

/* What LOOP mode adds; NULL in DIRECT mode. All may be called from any thread. */
struct bh_channel_loop {
    int (*attach)(struct bh_channel *channel, struct bh_error *error);
    void (*detach)(struct bh_channel *channel);
    void (*want_write)(struct bh_channel *channel);
    void (*want_timer)(struct bh_channel *channel);
    void (*destroy)(struct bh_channel *channel);
};

struct bh_outgoing {
    STAILQ_ENTRY(bh_outgoing) next;
    uint8_t *bytes;
    size_t n_bytes;
    int fds[BH_MESSAGE_FDS_MAX + 1];
    size_t n_fds;
};

struct bh_request {
    TAILQ_ENTRY(bh_request) next;
    atomic_uint references;
    struct bh_channel *channel;
    struct bh_message *message;
    uint64_t deadline_at_ms;
    atomic_bool cancelled;
    bool listed, answered, notified;
    void (*notify)(struct bh_request *, void *);
    void *notify_argument;
};

struct bh_queued {
    STAILQ_ENTRY(bh_queued) next;
    struct bh_message *message;
};

struct bh_call {
    TAILQ_ENTRY(bh_call) next;
    atomic_uint references;
    struct bh_channel *channel;
    uint64_t id;
    uint64_t deadline_at_ms;
    bool listed;   /* still waited for in channel->calls */
    bool finished; /* the final answer or an error arrived (or is queued) */
    STAILQ_HEAD(, bh_queued) answers;
    struct bh_error failure; /* code != BH_OK: told after the queued answers */
    pthread_cond_t arrived;
    bh_call_notify notify; /* async only */
    void *notify_argument;
};

struct bh_channel {
    atomic_uint references;
    const struct bh_protocol *protocol;
    void *owner;
    void (*on_close)(struct bh_channel *, void *);
    const struct bh_channel_loop *loop;
    void *loop_state;

    pthread_mutex_t lock;
    int fd;
    uint32_t state;
    uint64_t next_id;
    size_t n_calls, n_outgoing;
    TAILQ_HEAD(, bh_call) calls;
    TAILQ_HEAD(, bh_request) requests;
    STAILQ_HEAD(, bh_outgoing) outgoing;
};

struct bh_channel *bh_channel_ref(struct bh_channel *channel);
void bh_channel_unref(struct bh_channel *channel);

/* Sends bytes with borrowed descriptors; `deadline_at_ms` bounds the wait of a DIRECT channel. */
int bh_channel_send_bytes(struct bh_channel *channel, uint8_t *bytes /* taken */, size_t n_bytes, const int *fds,
                          size_t n_fds, uint64_t deadline_at_ms, struct bh_error *error);
/* Sends as much of the queue as the socket takes. Returns 1 if something is left. */
int bh_channel_flush(struct bh_channel *channel);
/* Reads and dispatches one datagram. 1: one was handled; 0: none there; 2: end of file; -1: the peer broke the rules.
 */
int bh_channel_receive(struct bh_channel *channel, struct bh_error *error);
/* The peer is gone: calls end UNAVAILABLE, requests are cancelled, the socket is closed, on_close told. */
void bh_channel_hang_up(struct bh_channel *channel, const char *why);
/* Looks for calls and requests whose deadline passed. Returns true if any is still waiting. */
bool bh_channel_expire(struct bh_channel *channel);

/* request.c */
void bh_request_dispatch(struct bh_channel *channel, struct bh_message *message /* taken */);
void bh_request_cancel_id(struct bh_channel *channel, uint64_t id);
void bh_request_cancel_all(struct bh_channel *channel);
bool bh_request_expire_all(struct bh_channel *channel);

/* call.c */
void bh_call_deliver(struct bh_channel *channel, struct bh_message *message /* taken */);
void bh_call_fail_all(struct bh_channel *channel, const struct bh_error *failure);
bool bh_call_expire_all(struct bh_channel *channel);
