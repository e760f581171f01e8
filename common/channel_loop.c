/* SPDX-License-Identifier: Apache-2.0
 *
 * Channels on libevent's loop; see channel.h. Logs, since nobody else learns why a peer was dropped.
 */
#include <event2/event.h>
#include <stdlib.h>

#include "common/channel_internal.h"
#include "common/cleanup.h"
#include "common/io.h"
#include "common/log.h"

#define DATAGRAMS_PER_TURN 32 /* then others have their turn */
#define TIMER_MIN_MS       10
#define TIMER_MAX_MS       60000 /* a deadline that lies further away is looked at again by then */

struct loop_state {
    struct event_base *base;
    struct event *readable, *writable, *timer;
};

static void on_readable(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    struct bh_channel *channel = bh_channel_ref(argument);
    struct bh_error error;
    int result = 1;
    for (int i = 0; i < DATAGRAMS_PER_TURN && result == 1 && channel->fd >= 0; i++) {
        result = bh_channel_receive(channel, &error);
    }
    if (result < 0) {
        bh_log_failure(BH_LOG_ERROR, &error, "a peer broke the rules and is hung up on");
        bh_channel_hang_up(channel, "broke the rules");
    } else if (result == 2) {
        bh_channel_hang_up(channel, "ended");
    }
    bh_channel_unref(channel);
}

/* Any thread may ask to write while another one hangs up: the lock says whose the event is. */
static void want_write(struct bh_channel *channel)
{
    struct loop_state *state = channel->loop_state;
    (void)pthread_mutex_lock(&channel->lock);
    if (state->writable) {
        (void)event_add(state->writable, NULL);
    }
    (void)pthread_mutex_unlock(&channel->lock);
}

static void on_writable(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    if (bh_channel_flush(argument)) {
        want_write(argument);
    }
}

static void on_timer(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    struct bh_channel *channel = bh_channel_ref(argument);
    if (bh_channel_expire(channel)) {
        channel->loop->want_timer(channel);
    }
    bh_channel_unref(channel);
}

/* Freed outside of the lock: event_free() waits for a callback that runs. */
static void free_events(struct bh_channel *channel)
{
    struct loop_state *state = channel->loop_state;
    (void)pthread_mutex_lock(&channel->lock);
    struct event *readable = bh_steal_pointer(&state->readable);
    struct event *writable = bh_steal_pointer(&state->writable);
    (void)pthread_mutex_unlock(&channel->lock);
    if (readable) {
        event_free(readable);
    }
    if (writable) {
        event_free(writable);
    }
}

static int attach(struct bh_channel *channel, struct bh_error *error)
{
    struct loop_state *state = channel->loop_state;
    free_events(channel);
    struct event *readable = event_new(state->base, channel->fd, EV_READ | EV_PERSIST, on_readable, channel);
    struct event *writable = event_new(state->base, channel->fd, EV_WRITE, on_writable, channel);
    bool made = readable && writable;
    (void)pthread_mutex_lock(&channel->lock);
    state->readable = readable;
    state->writable = writable;
    bool added =
        made && event_add(readable, NULL) == 0; /* from here on the loop may hang up, which waits for the lock */
    (void)pthread_mutex_unlock(&channel->lock);
    if (!added) {
        free_events(channel);
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "put channel %s on the loop", channel->protocol->name);
    }
    return 0;
}

static void detach(struct bh_channel *channel)
{
    free_events(channel);
}

/* How long until the next deadline somebody on the loop waits for. */
static uint64_t next_deadline_in_ms(struct bh_channel *channel)
{
    const struct bh_call *call;
    const struct bh_request *request;
    uint64_t now = bh_now_ms(), next = now + TIMER_MAX_MS;
    (void)pthread_mutex_lock(&channel->lock);
    TAILQ_FOREACH(call, &channel->calls, next)
    {
        next = call->notify && call->deadline_at_ms < next ? call->deadline_at_ms : next;
    }
    TAILQ_FOREACH(request, &channel->requests, next)
    {
        bool waits = request->notify && !request->notified;
        next = waits && request->deadline_at_ms < next ? request->deadline_at_ms : next;
    }
    (void)pthread_mutex_unlock(&channel->lock);
    return next > now + TIMER_MIN_MS ? next - now : TIMER_MIN_MS;
}

/* Sleeps until the next deadline: a process whose peers are silent is never woken in between. */
static void want_timer(struct bh_channel *channel)
{
    struct loop_state *state = channel->loop_state;
    uint64_t wait_ms = next_deadline_in_ms(channel);
    const struct timeval pause = {.tv_sec = (time_t)(wait_ms / 1000), .tv_usec = (suseconds_t)(wait_ms % 1000 * 1000)};
    (void)evtimer_add(state->timer, &pause);
}

static void destroy(struct bh_channel *channel)
{
    struct loop_state *state = channel->loop_state;
    free_events(channel);
    event_free(state->timer);
    free(state);
}

static const struct bh_channel_loop loop_operations = {
    .attach = attach, .detach = detach, .want_write = want_write, .want_timer = want_timer, .destroy = destroy};

int bh_channel_new_on_loop(const struct bh_protocol *protocol, struct event_base *base, void *owner,
                           struct bh_channel **ret_channel, struct bh_error *error)
{
    struct bh_channel *channel = NULL;
    if (bh_channel_new(protocol, owner, &channel, error) < 0) {
        return -1;
    }
    struct loop_state *state = calloc(1, sizeof(*state));
    struct event *timer = state ? evtimer_new(base, on_timer, channel) : NULL;
    if (!timer) {
        free(state);
        bh_channel_free(channel);
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "no memory for channel %s", protocol->name);
    }
    state->base = base;
    state->timer = timer;
    channel->loop_state = state;
    channel->loop = &loop_operations;
    *ret_channel = channel;
    return 0;
}
