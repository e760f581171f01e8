/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls: asking a peer and waiting for its answers; see channel.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "common/channel_internal.h"
#include "common/cleanup.h"
#include "common/io.h"
#include "common/log.h"

static void call_unref(struct bh_call *call)
{
    if (atomic_fetch_sub(&call->references, 1) != 1) {
        return;
    }
    struct bh_queued *queued;
    while ((queued = STAILQ_FIRST(&call->answers))) {
        STAILQ_REMOVE_HEAD(&call->answers, next);
        bh_message_free(queued->message);
        free(queued);
    }
    (void)pthread_cond_destroy(&call->arrived);
    bh_channel_unref(call->channel);
    free(call);
}

/* Takes the call off the channel's list; called with the lock held. */
static void unlist(struct bh_call *call)
{
    if (call->listed) {
        TAILQ_REMOVE(&call->channel->calls, call, next);
        call->channel->n_calls--;
        call->listed = false;
    }
}

static int call_new(struct bh_channel *channel, uint32_t deadline_ms, struct bh_call **ret_call, struct bh_error *error)
{
    struct bh_call *call = calloc(1, sizeof(*call));
    if (!call) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "no memory for a call on %s", channel->protocol->name);
    }
    atomic_init(&call->references, 1);
    call->channel = bh_channel_ref(channel);
    call->deadline_at_ms = bh_now_ms() + (deadline_ms ? deadline_ms : BH_DEADLINE_DEFAULT_MS);
    STAILQ_INIT(&call->answers);
    pthread_condattr_t clock;
    (void)pthread_condattr_init(&clock);
    (void)pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&call->arrived, &clock);
    (void)pthread_condattr_destroy(&clock);
    *ret_call = call;
    return 0;
}

/* Lists the call, then sends its request: the answer may come before send returns. */
static int call_send(struct bh_call *call, ProtobufCMessage *packet, const int *fds, size_t n_fds, uint32_t deadline_ms,
                     struct bh_error *error)
{
    struct bh_channel *channel = call->channel;
    (void)pthread_mutex_lock(&channel->lock);
    bool room = channel->n_calls < BH_CHANNEL_CALLS_MAX;
    if (room) {
        call->id = channel->next_id++;
        TAILQ_INSERT_TAIL(&channel->calls, call, next);
        channel->n_calls++;
        call->listed = true;
    }
    (void)pthread_mutex_unlock(&channel->lock);
    if (!room) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "too many calls at once on %s", channel->protocol->name);
    }

    const struct bh_message_header header = {.id = call->id, .deadline_ms = deadline_ms, .trace = bh_log_trace()};
    uint8_t *bytes = NULL;
    size_t n_bytes = 0;
    bh_autoclose int memfd = -1;
    int result = n_fds > BH_MESSAGE_FDS_MAX
                     ? bh_error_set(error, BH_INVALID_ARGUMENT, "%zu descriptors in one message", n_fds)
                     : bh_message_encode(channel->protocol->outgoing, packet, &header, &bytes, &n_bytes, &memfd, error);
    if (result == 0) {
        int all[BH_MESSAGE_FDS_MAX + 1];
        size_t n_all = 0;
        for (; n_all < n_fds; n_all++) {
            all[n_all] = fds[n_all];
        }
        if (memfd >= 0) {
            all[n_all++] = memfd;
        }
        result = bh_channel_send_bytes(channel, bytes, n_bytes, all, n_all, call->deadline_at_ms, error);
    }
    if (result < 0) {
        (void)pthread_mutex_lock(&channel->lock);
        bool untold = call->listed;
        unlist(call);
        (void)pthread_mutex_unlock(&channel->lock);
        result = untold ? -1 : 0; /* whoever hung up meanwhile has ended the call, and told so */
    }
    return result;
}

int bh_call_start(struct bh_channel *channel, ProtobufCMessage *packet, const int *fds, size_t n_fds,
                  uint32_t deadline_ms, struct bh_call **ret_call, struct bh_error *error)
{
    struct bh_call *call = NULL;
    if (call_new(channel, deadline_ms, &call, error) < 0) {
        return -1;
    }
    if (call_send(call, packet, fds, n_fds, deadline_ms, error) < 0) {
        call_unref(call);
        return -1;
    }
    *ret_call = call;
    return 0;
}

/* ---- answers arrive --------------------------------------------------------------------------- */

/* Hands one message to its call; called with the lock held and one reference, releases both. */
static void hand_over(struct bh_call *call, struct bh_message *message)
{
    struct bh_channel *channel = call->channel;
    struct bh_error failure = {0};
    bool is_error = bh_message_is_error(message, &failure);
    bool final = is_error || !message->more;
    if (final) {
        unlist(call);
        call->finished = true;
    }
    if (call->notify) {
        (void)pthread_mutex_unlock(&channel->lock);
        uint64_t outer_trace = bh_log_trace();
        bh_log_set_trace(message->trace);
        if (is_error) {
            bh_message_free(message);
            call->notify(NULL, &failure, call->notify_argument);
        } else {
            call->notify(message, NULL, call->notify_argument);
        }
        bh_log_set_trace(outer_trace);
        if (final) {
            call_unref(call); /* the channel's own */
        }
        call_unref(call);
        return;
    }
    struct bh_queued *queued = is_error ? NULL : calloc(1, sizeof(*queued));
    if (queued) {
        queued->message = message;
        STAILQ_INSERT_TAIL(&call->answers, queued, next);
    } else {
        if (!is_error) {
            (void)bh_error_set(&failure, BH_RESOURCE_EXHAUSTED, "no memory for an answer");
            unlist(call);
            call->finished = true;
        }
        call->failure = failure;
        bh_message_free(message);
    }
    (void)pthread_cond_broadcast(&call->arrived);
    (void)pthread_mutex_unlock(&channel->lock);
    call_unref(call);
}

void bh_call_deliver(struct bh_channel *channel, struct bh_message *message)
{
    (void)pthread_mutex_lock(&channel->lock);
    struct bh_call *call;
    TAILQ_FOREACH(call, &channel->calls, next)
    {
        if (call->id == message->id) {
            atomic_fetch_add(&call->references, 1);
            hand_over(call, message);
            return;
        }
    }
    (void)pthread_mutex_unlock(&channel->lock);
    bh_message_free(message); /* an answer to a call that was given up */
}

/* Ends a call with an error; called with the lock held, releases it. */
static void fail_locked(struct bh_call *call, const struct bh_error *failure)
{
    struct bh_channel *channel = call->channel;
    unlist(call);
    call->finished = true;
    call->failure = *failure;
    bh_call_notify notify = call->notify;
    (void)pthread_cond_broadcast(&call->arrived);
    (void)pthread_mutex_unlock(&channel->lock);
    if (notify) {
        notify(NULL, failure, call->notify_argument);
        call_unref(call);
    }
}

void bh_call_fail_all(struct bh_channel *channel, const struct bh_error *failure)
{
    for (;;) {
        (void)pthread_mutex_lock(&channel->lock);
        struct bh_call *call = TAILQ_FIRST(&channel->calls);
        if (!call) {
            (void)pthread_mutex_unlock(&channel->lock);
            return;
        }
        fail_locked(call, failure);
    }
}

/* Tells the peer that nobody waits any more. */
static void send_cancel(struct bh_channel *channel, uint64_t id)
{
    const struct bh_message_header header = {.id = id, .cancel = true};
    uint8_t *bytes = NULL;
    size_t n_bytes = 0;
    int memfd = -1;
    if (bh_message_encode(channel->protocol->outgoing, NULL, &header, &bytes, &n_bytes, &memfd, NULL) == 0) {
        (void)bh_channel_send_bytes(channel, bytes, n_bytes, NULL, 0, bh_now_ms() + 1000, NULL);
    }
}

bool bh_call_expire_all(struct bh_channel *channel)
{
    uint64_t now = bh_now_ms();
    for (;;) {
        (void)pthread_mutex_lock(&channel->lock);
        struct bh_call *call, *expired = NULL;
        bool waiting = false;
        TAILQ_FOREACH(call, &channel->calls, next)
        {
            waiting = waiting || call->notify;
            if (call->notify && now >= call->deadline_at_ms) {
                expired = call;
                break;
            }
        }
        if (!expired) {
            (void)pthread_mutex_unlock(&channel->lock);
            return waiting;
        }
        struct bh_error failure;
        uint64_t id = expired->id;
        (void)bh_error_set(&failure, BH_DEADLINE_EXCEEDED, "no answer on %s in time", channel->protocol->name);
        fail_locked(expired, &failure);
        send_cancel(channel, id);
    }
}

/* ---- waiting ---------------------------------------------------------------------------------- */

/* LOOP mode: sleeps until something arrived; called with the lock held. */
static int wait_for_loop(struct bh_call *call, struct bh_error *error)
{
    struct timespec until = {.tv_sec = (time_t)(call->deadline_at_ms / 1000),
                             .tv_nsec = (long)(call->deadline_at_ms % 1000) * 1000000L};
    if (pthread_cond_timedwait(&call->arrived, &call->channel->lock, &until) == ETIMEDOUT &&
        STAILQ_EMPTY(&call->answers) && call->failure.code == BH_OK) {
        return bh_error_set(error, BH_DEADLINE_EXCEEDED, "no answer on %s in time", call->channel->protocol->name);
    }
    return 0;
}

/* DIRECT mode: reads the socket itself; called with the lock held, which it lets go meanwhile. */
static int wait_directly(struct bh_call *call, struct bh_error *error)
{
    uint64_t now = bh_now_ms();
    if (now >= call->deadline_at_ms) {
        return bh_error_set(error, BH_DEADLINE_EXCEEDED, "no answer on %s in time", call->channel->protocol->name);
    }
    uint64_t left = call->deadline_at_ms - now;
    (void)pthread_mutex_unlock(&call->channel->lock);
    int result = bh_channel_poll(call->channel, left > 60000 ? 60000 : (int)left, error);
    (void)pthread_mutex_lock(&call->channel->lock);
    return result < 0 ? -1 : 0;
}

int bh_call_next(struct bh_call *call, struct bh_message **ret_message, struct bh_error *error)
{
    struct bh_channel *channel = call->channel;
    int result = 0;
    (void)pthread_mutex_lock(&channel->lock);
    while (result == 0 && STAILQ_EMPTY(&call->answers)) {
        if (call->failure.code != BH_OK) {
            if (error) {
                *error = call->failure;
            }
            result = -1;
        } else if (call->finished) {
            result = bh_error_set(error, BH_INTERNAL, "waited on %s after the final answer", channel->protocol->name);
        } else {
            result = channel->loop ? wait_for_loop(call, error) : wait_directly(call, error);
        }
    }
    if (result == 0) {
        struct bh_queued *queued = STAILQ_FIRST(&call->answers);
        STAILQ_REMOVE_HEAD(&call->answers, next);
        *ret_message = queued->message;
        free(queued);
    }
    (void)pthread_mutex_unlock(&channel->lock);
    return result;
}

void bh_call_cancel(struct bh_call *call)
{
    struct bh_channel *channel = call->channel;
    (void)pthread_mutex_lock(&channel->lock);
    bool open = call->listed;
    if (!call->finished) {
        (void)bh_error_set(&call->failure, BH_CANCELLED, "the call on %s was cancelled", channel->protocol->name);
        call->finished = true;
    }
    unlist(call);
    (void)pthread_cond_broadcast(&call->arrived);
    (void)pthread_mutex_unlock(&channel->lock);
    if (open) {
        send_cancel(channel, call->id);
    }
}

void bh_call_free(struct bh_call *call)
{
    if (call) {
        bh_call_cancel(call); /* nothing is sent if the final answer came */
        call_unref(call);
    }
}

void bh_cleanup_call(struct bh_call **call)
{
    bh_call_free(*call);
}

int bh_call(struct bh_channel *channel, ProtobufCMessage *packet, const int *fds, size_t n_fds, uint32_t deadline_ms,
            uint32_t reply_kind, struct bh_message **ret_message, struct bh_error *error)
{
    bh_autocall struct bh_call *call = NULL;
    bh_automessage struct bh_message *message = NULL;
    if (bh_call_start(channel, packet, fds, n_fds, deadline_ms, &call, error) < 0 ||
        bh_call_next(call, &message, error) < 0) {
        return -1;
    }
    if (message->kind != reply_kind) {
        return bh_error_set(error, BH_INTERNAL, "answer %u on %s where %u was expected", message->kind,
                            channel->protocol->name, reply_kind);
    }
    if (ret_message) {
        *ret_message = bh_steal_pointer(&message);
    }
    return 0;
}

int bh_call_async(struct bh_channel *channel, ProtobufCMessage *packet, const int *fds, size_t n_fds,
                  uint32_t deadline_ms, bh_call_notify notify, void *argument, uint64_t *ret_id, struct bh_error *error)
{
    struct bh_call *call = NULL;
    if (call_new(channel, deadline_ms, &call, error) < 0) {
        return -1;
    }
    call->notify = notify;
    call->notify_argument = argument;
    /* Ours while sending, of the call and of the channel: once it is sent, the answer may come, and with it the end of
     * both. */
    atomic_fetch_add(&call->references, 1);
    (void)bh_channel_ref(channel);
    if (call_send(call, packet, fds, n_fds, deadline_ms, error) < 0) {
        call_unref(call);
        call_unref(call);
        bh_channel_unref(channel);
        return -1;
    }
    if (ret_id) {
        *ret_id = call->id;
    }
    call_unref(call);
    if (channel->loop) {
        channel->loop->want_timer(channel);
    }
    bh_channel_unref(channel);
    return 0;
}

void bh_call_async_cancel(struct bh_channel *channel, uint64_t id)
{
    (void)pthread_mutex_lock(&channel->lock);
    struct bh_call *call;
    TAILQ_FOREACH(call, &channel->calls, next)
    {
        if (call->id == id && call->notify) {
            unlist(call);
            (void)pthread_mutex_unlock(&channel->lock);
            send_cancel(channel, id);
            call_unref(call);
            return;
        }
    }
    (void)pthread_mutex_unlock(&channel->lock);
}
