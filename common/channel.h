/* SPDX-License-Identifier: Apache-2.0
 *
 * Channels: one protobuf message a datagram over a SOCK_SEQPACKET socketpair, descriptors beside it.
 *
 * Every packet is a message whose field 1 is `Header header` and which has one `oneof body`; packets
 * that answer have `Error error = 2` in that oneof. A request carries an id that its sender chose; answers
 * repeat it. An answer with `header.more` is progress, one without is the last. A packet with
 * `header.cancel` and no body asks to give up a request.
 *
 * What arrives is refused unless it is canonical: it must unpack within a budget, re-pack to the very same
 * bytes (no unknown field, no repeated scalar, no string with NUL), name only known enum values and none that is
 * UNSPECIFIED, and bring as many descriptors as its row in the dispatch table wants. A peer that
 * breaks this gets an error, or its channel closed: it never kills us.
 *
 * Two ways to live on a channel: as a service (a const dispatch table, on the libevent loop) and as a
 * caller (bh_call_*, blocking, from any thread; or bh_call_async(), answered on the loop). A worker
 * without a loop uses bh_channel_serve() and bh_call_*() on a DIRECT channel.
 */
#pragma once

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "common/control.h"
#include "common/error.h"
#include "common/limits.h"

struct event_base;
struct bh_channel;

/* ---- messages -------------------------------------------------------------------------------- */

/* A received packet and the descriptors that came with it. Owned by whoever holds it. */
struct bh_message {
    ProtobufCMessage *packet; /* the unpacked top-level message, e.g. Bulkhead__EngineToStore */
    uint32_t kind;            /* field number of the body that is set; 0 for a cancel */
    uint64_t id;              /* header.id */
    uint32_t deadline_ms;     /* header.deadline_ms; 0 means BH_DEADLINE_DEFAULT_MS */
    uint64_t trace;           /* header.trace */
    bool more, cancel;
    int fds[BH_MESSAGE_FDS_MAX];
    size_t n_fds;
};

/* The message of the body that is set (what `kind` names), e.g. Bulkhead__BeginBlob *. Borrowed. */
const void *bh_message_body(const struct bh_message *message);
/* Takes descriptor `index` out of the message; the caller owns it. -1 if there is none. */
int bh_message_take_fd(struct bh_message *message, size_t index);
void bh_message_free(struct bh_message *message);
void bh_cleanup_message(struct bh_message **message);
#define bh_automessage bh_cleanup(bh_cleanup_message)

/* Decodes and checks one packet: what bh_channel does with every datagram, exported for fuzzing. Descriptors
 * are not touched. */
int bh_message_decode(const ProtobufCMessageDescriptor *descriptor, const void *bytes, size_t n_bytes,
                      struct bh_message **ret_message, struct bh_error *error);

/* ---- service side ---------------------------------------------------------------------------- */

/* A request being served. Counted: handlers may keep it (bh_request_ref) and answer later, from any thread. */
struct bh_request;

/* One row of a dispatch table. */
struct bh_handler {
    uint32_t kind;    /* field number in the oneof, from the generated *_BODY_* enum */
    const char *name; /* for logs and errors */
    uint32_t states;  /* mask of bh_channel states in which it is allowed; ~0u for all */
    uint8_t fds_min, fds_max;
    void (*handle)(struct bh_request *request);
};

/* The packets that may arrive and the table that serves them. `handlers` ends with kind 0. */
struct bh_protocol {
    const char *name;                           /* "engine_store" */
    const ProtobufCMessageDescriptor *incoming; /* what the peer sends us: requests or replies */
    const ProtobufCMessageDescriptor *outgoing; /* what we send */
    const struct bh_handler *handlers;          /* NULL on a channel where we only call */
};

const struct bh_message *bh_request_message(const struct bh_request *request);
const void *bh_request_body(const struct bh_request *request);    /* bh_message_body() of its message */
int bh_request_take_fd(struct bh_request *request, size_t index); /* the caller owns it; -1 if none */
struct bh_channel *bh_request_channel(const struct bh_request *request);
void *bh_request_owner(const struct bh_request *request); /* the channel's owner pointer */
uint64_t bh_request_trace(const struct bh_request *request);
uint64_t bh_request_deadline_at_ms(const struct bh_request *request); /* on bh_now_ms()'s clock */
/* True once the peer cancelled, its channel closed, or the deadline passed. Thread-safe. */
bool bh_request_cancelled(const struct bh_request *request);
/* Calls `notify` (on the loop, or at once if it is cancelled already) when that becomes true. One per request. */
void bh_request_on_cancel(struct bh_request *request, void (*notify)(struct bh_request *, void *), void *argument);

/* Answers. `packet` is a top-level outgoing message with its body set and header left NULL: the header is
 * filled in here. Descriptors are borrowed (the kernel duplicates them). After a final answer further ones
 * are dropped. Return -1 only if the peer cannot be reached, which handlers may ignore. */
int bh_request_reply(struct bh_request *request, ProtobufCMessage *packet, const int *fds, size_t n_fds);
int bh_request_progress(struct bh_request *request, ProtobufCMessage *packet, const int *fds, size_t n_fds);
int bh_request_fail(struct bh_request *request, const struct bh_error *error);

struct bh_request *bh_request_ref(struct bh_request *request);
/* The last unref of an unanswered request answers it with INTERNAL: no caller ever waits for nothing. */
void bh_request_unref(struct bh_request *request);

/* ---- a channel's life ------------------------------------------------------------------------- */

/* Makes a DIRECT channel without a socket (calls answer UNAVAILABLE until bh_channel_wire()): no loop, one thread;
 * bh_channel_serve(), bh_channel_poll() and bh_call_next() read the socket themselves. `protocol` is borrowed for its
 * life, `owner` is handed to handlers. */
int bh_channel_new(const struct bh_protocol *protocol, void *owner, struct bh_channel **ret_channel,
                   struct bh_error *error);

/* The same in LOOP mode: read by the event loop; calls block other threads than the loop's, or are async. (In a file of
 * its own, so that programs without a loop do not link libevent.) */
int bh_channel_new_on_loop(const struct bh_protocol *protocol, struct event_base *base, void *owner,
                           struct bh_channel **ret_channel, struct bh_error *error);

/* Gives the channel a (new) socket, which it owns from now on. Calls in flight on an old one end UNAVAILABLE. */
int bh_channel_wire(struct bh_channel *channel, int fd, struct bh_error *error);
bool bh_channel_is_wired(const struct bh_channel *channel);

/* What dispatch tables compare `states` with: one bit, 1u at first. */
void bh_channel_set_state(struct bh_channel *channel, uint32_t state);
/* Called on the loop when the peer hangs up or breaks the rules. */
void bh_channel_on_close(struct bh_channel *channel, void (*notify)(struct bh_channel *, void *owner));
void bh_channel_free(struct bh_channel *channel);

/* DIRECT mode: serves requests one after another until the peer hangs up (returns 0) or breaks the rules (-1). */
int bh_channel_serve(struct bh_channel *channel, struct bh_error *error);
/* DIRECT mode: reads and serves what has arrived, waiting at most `timeout_ms` (-1: for ever) for the first.
 * Returns 1 if something was served, 0 on timeout, 2 at end of file, -1 on error. For workers with a loop of their own.
 */
int bh_channel_poll(struct bh_channel *channel, int timeout_ms, struct bh_error *error);
/* The socket, to wait on. Borrowed. */
int bh_channel_fd(const struct bh_channel *channel);

/* ---- calling side ------------------------------------------------------------------------------ */

struct bh_call;

/* Sends a request. `packet` as in bh_request_reply(). `deadline_ms` 0 means BH_DEADLINE_DEFAULT_MS. The trace is this
 * thread's bh_log_trace(). */
int bh_call_start(struct bh_channel *channel, ProtobufCMessage *packet, const int *fds, size_t n_fds,
                  uint32_t deadline_ms, struct bh_call **ret_call, struct bh_error *error);
/* Waits for the next answer. 0: *ret_message holds it (`more` tells whether others follow). -1: the peer's own
 * error, DEADLINE_EXCEEDED, UNAVAILABLE (the peer died) or CANCELLED. Not for the loop's own thread in LOOP mode. */
int bh_call_next(struct bh_call *call, struct bh_message **ret_message, struct bh_error *error);
/* Wakes a bh_call_next() of another thread with CANCELLED and tells the peer. */
void bh_call_cancel(struct bh_call *call);
/* Cancels at the peer if no final answer came. */
void bh_call_free(struct bh_call *call);
void bh_cleanup_call(struct bh_call **call);
#define bh_autocall bh_cleanup(bh_cleanup_call)

/* Start, wait for the one final answer, free. An answer of another kind than `reply_kind` is INTERNAL. */
int bh_call(struct bh_channel *channel, ProtobufCMessage *packet, const int *fds, size_t n_fds, uint32_t deadline_ms,
            uint32_t reply_kind, struct bh_message **ret_message, struct bh_error *error);

/* Answers on the loop: `notify` gets each message (which it then owns) or, last, an error. Returns -1 (and
 * never calls `notify`) if the request could not be sent. *ret_id, if wanted, is for bh_call_async_cancel(). */
typedef void (*bh_call_notify)(struct bh_message *message, const struct bh_error *error, void *argument);
int bh_call_async(struct bh_channel *channel, ProtobufCMessage *packet, const int *fds, size_t n_fds,
                  uint32_t deadline_ms, bh_call_notify notify, void *argument, uint64_t *ret_id,
                  struct bh_error *error);
void bh_call_async_cancel(struct bh_channel *channel, uint64_t id);

/* A connected SOCK_SEQPACKET pair, CLOEXEC, with buffers that fit BH_MESSAGE_BYTES_MAX. */
int bh_channel_pair(int ret_ends[2], struct bh_error *error);
