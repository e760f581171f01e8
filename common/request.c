/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests being served: dispatch by table, answers, cancellation; see channel.h.
 */
#include <stdlib.h>

#include "common/channel_internal.h"
#include "common/cleanup.h"
#include "common/io.h"
#include "common/log.h"

static const struct bh_handler *find_handler(const struct bh_channel *channel, uint32_t kind)
{
    for (const struct bh_handler *row = channel->protocol->handlers; row->kind; row++) {
        if (row->kind == kind) {
            return row;
        }
    }
    return NULL;
}

/* What the table does not allow is refused before any handler sees it. */
static int check_against_table(const struct bh_channel *channel, const struct bh_handler *row,
                               const struct bh_message *message, struct bh_error *error)
{
    if (!row) {
        return bh_error_set(error, BH_UNIMPLEMENTED, "request %u is not served on %s", message->kind,
                            channel->protocol->name);
    }
    if (!(row->states & channel->state)) {
        return bh_error_set(error, BH_FAILED_PRECONDITION, "%s is not allowed in this state of %s", row->name,
                            channel->protocol->name);
    }
    if (message->n_fds < row->fds_min || message->n_fds > row->fds_max) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "%s came with %zu descriptors (wanted %u to %u)", row->name,
                            message->n_fds, row->fds_min, row->fds_max);
    }
    return 0;
}

void bh_request_dispatch(struct bh_channel *channel, struct bh_message *message)
{
    struct bh_request *request = calloc(1, sizeof(*request));
    if (!request) {
        bh_message_free(message); /* the caller's deadline tells it */
        return;
    }
    uint32_t wait_ms = message->deadline_ms ? message->deadline_ms : BH_DEADLINE_DEFAULT_MS;
    atomic_init(&request->references, 1);
    request->channel = bh_channel_ref(channel);
    request->message = message;
    request->deadline_at_ms = bh_now_ms() + wait_ms;
    (void)pthread_mutex_lock(&channel->lock);
    TAILQ_INSERT_TAIL(&channel->requests, request, next);
    request->listed = true;
    (void)pthread_mutex_unlock(&channel->lock);

    uint64_t outer_trace = bh_log_trace();
    bh_log_set_trace(message->trace);
    struct bh_error refusal;
    const struct bh_handler *row = find_handler(channel, message->kind);
    if (check_against_table(channel, row, message, &refusal) < 0) {
        (void)bh_request_fail(request, &refusal);
    } else {
        row->handle(request);
    }
    bh_log_set_trace(outer_trace);
    bh_request_unref(request);
}

const struct bh_message *bh_request_message(const struct bh_request *request)
{
    return request->message;
}

const void *bh_request_body(const struct bh_request *request)
{
    return bh_message_body(request->message);
}

int bh_request_take_fd(struct bh_request *request, size_t index)
{
    return bh_message_take_fd(request->message, index);
}

struct bh_channel *bh_request_channel(const struct bh_request *request)
{
    return request->channel;
}

void *bh_request_owner(const struct bh_request *request)
{
    return request->channel->owner;
}

uint64_t bh_request_trace(const struct bh_request *request)
{
    return request->message->trace;
}

uint64_t bh_request_deadline_at_ms(const struct bh_request *request)
{
    return request->deadline_at_ms;
}

bool bh_request_cancelled(const struct bh_request *request)
{
    return atomic_load(&request->cancelled) || bh_now_ms() >= request->deadline_at_ms;
}

/* ---- answers ---------------------------------------------------------------------------------- */

/* Marks a final answer; false if there was one before. */
static bool take_turn(struct bh_request *request, bool final)
{
    struct bh_channel *channel = request->channel;
    (void)pthread_mutex_lock(&channel->lock);
    bool first = !request->answered;
    if (final && first) {
        request->answered = true;
        if (request->listed) {
            TAILQ_REMOVE(&channel->requests, request, next);
            request->listed = false;
        }
    }
    (void)pthread_mutex_unlock(&channel->lock);
    return first;
}

static int answer(struct bh_request *request, ProtobufCMessage *packet, const struct bh_error *failure, bool more,
                  const int *fds, size_t n_fds)
{
    if (!take_turn(request, !more)) {
        return -1;
    }
    struct bh_channel *channel = request->channel;
    const ProtobufCMessageDescriptor *descriptor = channel->protocol->outgoing;
    const struct bh_message_header header = {
        .id = request->message->id, .trace = request->message->trace, .more = more};
    struct bh_error error;
    uint8_t *bytes = NULL;
    size_t n_bytes = 0;
    bh_autoclose int memfd = -1;
    int encoded = failure ? bh_message_encode_error(descriptor, failure, &header, &bytes, &n_bytes, &error)
                          : bh_message_encode(descriptor, packet, &header, &bytes, &n_bytes, &memfd, &error);
    if (encoded < 0 && (failure || bh_message_encode_error(descriptor, &error, &header, &bytes, &n_bytes, NULL) < 0)) {
        return -1;
    }
    int all[BH_MESSAGE_FDS_MAX + 1];
    size_t n_all = 0;
    for (; n_all < n_fds && n_all < BH_MESSAGE_FDS_MAX; n_all++) {
        all[n_all] = fds[n_all];
    }
    if (memfd >= 0) {
        all[n_all++] = memfd;
    }
    return bh_channel_send_bytes(channel, bytes, n_bytes, all, n_all, request->deadline_at_ms, &error);
}

int bh_request_reply(struct bh_request *request, ProtobufCMessage *packet, const int *fds, size_t n_fds)
{
    return answer(request, packet, NULL, false, fds, n_fds);
}

int bh_request_progress(struct bh_request *request, ProtobufCMessage *packet, const int *fds, size_t n_fds)
{
    return answer(request, packet, NULL, true, fds, n_fds);
}

/* Work that noticed the deadline ends like work that was cancelled. Who asked may hear of it just before he looks at
 * his own clock, and must not take it for his own wish. */
int bh_request_fail(struct bh_request *request, const struct bh_error *error)
{
    struct bh_error late;
    if (error->code == BH_CANCELLED && bh_now_ms() >= request->deadline_at_ms) {
        (void)bh_error_set(&late, BH_DEADLINE_EXCEEDED, "no answer on %s in time", request->channel->protocol->name);
        error = &late;
    }
    return answer(request, NULL, error, false, NULL, 0);
}

struct bh_request *bh_request_ref(struct bh_request *request)
{
    atomic_fetch_add(&request->references, 1);
    return request;
}

void bh_request_unref(struct bh_request *request)
{
    if (!request || atomic_fetch_sub(&request->references, 1) != 1) {
        return;
    }
    struct bh_error failure;
    (void)bh_error_set(&failure, BH_INTERNAL, "request %u on %s was dropped without an answer", request->message->kind,
                       request->channel->protocol->name);
    (void)bh_request_fail(request, &failure); /* does nothing if it was answered */
    bh_message_free(request->message);
    bh_channel_unref(request->channel);
    free(request);
}

/* ---- cancellation ----------------------------------------------------------------------------- */

void bh_request_on_cancel(struct bh_request *request, void (*notify)(struct bh_request *, void *), void *argument)
{
    struct bh_channel *channel = request->channel;
    (void)pthread_mutex_lock(&channel->lock);
    request->notify = notify;
    request->notify_argument = argument;
    bool already = atomic_load(&request->cancelled) && !request->notified;
    request->notified = request->notified || already;
    (void)pthread_mutex_unlock(&channel->lock);
    if (already) {
        notify(request, argument);
    } else if (channel->loop) {
        channel->loop->want_timer(channel);
    }
}

/* Called with the lock held and a reference taken for it; releases both. */
static void cancel_locked(struct bh_channel *channel, struct bh_request *request)
{
    atomic_store(&request->cancelled, true);
    void (*notify)(struct bh_request *, void *) = request->notified ? NULL : request->notify;
    request->notified = request->notified || notify;
    (void)pthread_mutex_unlock(&channel->lock);
    if (notify) {
        notify(request, request->notify_argument);
    }
    bh_request_unref(request);
}

void bh_request_cancel_id(struct bh_channel *channel, uint64_t id)
{
    (void)pthread_mutex_lock(&channel->lock);
    struct bh_request *request;
    TAILQ_FOREACH(request, &channel->requests, next)
    {
        if (request->message->id == id) {
            cancel_locked(channel, bh_request_ref(request));
            return;
        }
    }
    (void)pthread_mutex_unlock(&channel->lock);
}

void bh_request_cancel_all(struct bh_channel *channel)
{
    for (;;) {
        (void)pthread_mutex_lock(&channel->lock);
        struct bh_request *request = TAILQ_FIRST(&channel->requests);
        if (!request) {
            (void)pthread_mutex_unlock(&channel->lock);
            return;
        }
        TAILQ_REMOVE(&channel->requests, request, next);
        request->listed = false;
        cancel_locked(channel, bh_request_ref(request));
    }
}

bool bh_request_expire_all(struct bh_channel *channel)
{
    uint64_t now = bh_now_ms();
    for (;;) {
        (void)pthread_mutex_lock(&channel->lock);
        struct bh_request *request, *expired = NULL;
        bool waiting = false;
        TAILQ_FOREACH(request, &channel->requests, next)
        {
            if (request->notify && !request->notified) {
                waiting = true;
                if (now >= request->deadline_at_ms) {
                    expired = request;
                    break;
                }
            }
        }
        if (!expired) {
            (void)pthread_mutex_unlock(&channel->lock);
            return waiting;
        }
        cancel_locked(channel, bh_request_ref(expired));
    }
}
