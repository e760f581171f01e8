/* SPDX-License-Identifier: Apache-2.0
 *
 * Passing on; see relay.h. Field numbers of answers are the same in ExecutorToPolicyd and
 * PolicydToEngine, and so are the messages; that is checked at compile time.
 */
#include "relay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/io.h"
#include "common/log.h"
#include "engine_policyd.pb-c.h"

#define SAME_NUMBER(name)                                                                                              \
    _Static_assert((int)BULKHEAD__EXECUTOR_TO_POLICYD__BODY_##name == (int)BULKHEAD__POLICYD_TO_ENGINE__BODY_##name,   \
                   "answers are passed on by their number")
SAME_NUMBER(DONE);
SAME_NUMBER(CONTAINER_STARTED);
SAME_NUMBER(CONTAINER_FOUND);
SAME_NUMBER(MONITOR_OPENED);
SAME_NUMBER(LOG_OPENED);
SAME_NUMBER(COPIER_OPENED);
SAME_NUMBER(EXEC_FOUND);
SAME_NUMBER(VOLUME_FOUND);
SAME_NUMBER(DISK_MEASURED);

struct relay {
    struct policyd *policyd;
    struct bh_request *request;
    const struct relay_kind *kind;
    uint64_t call_id;
    uint8_t id[32];
};

static struct bh_channel *channel_to(const struct policyd *policyd, const struct relay_kind *kind)
{
    return bh_service_peer(policyd->context, kind->peer ? kind->peer : BH_ROLE_EXECUTOR);
}

/* Only after the request was answered: from then on nobody cancels it. */
static void finish(struct relay *relay)
{
    bh_request_unref(relay->request);
    free(relay);
}

static void fail(struct relay *relay, const struct bh_error *error)
{
    if (relay->kind->on_failure) {
        relay->kind->on_failure(relay->policyd, relay->id);
    }
    (void)bh_request_fail(relay->request, error);
}

static bool fits(const struct relay_kind *kind, const struct bh_message *answer)
{
    if (answer->more) {
        return kind->progress != 0 && answer->kind == kind->progress && answer->n_fds == 0;
    }
    return answer->kind == kind->reply && answer->n_fds >= kind->fds_min && answer->n_fds <= kind->fds_max;
}

static void pass_back(struct relay *relay, const struct bh_message *answer)
{
    Bulkhead__PolicydToEngine packet = BULKHEAD__POLICYD_TO_ENGINE__INIT;
    bool renamed = !answer->more && relay->kind->passed_as;
    packet.body_case = (Bulkhead__PolicydToEngine__BodyCase)(renamed ? relay->kind->passed_as : answer->kind);
    /* Every member of the oneof is a pointer to the message of that number. */
    packet.done = (Bulkhead__Done *)(uintptr_t)bh_message_body(answer);
    (void)(answer->more ? bh_request_progress(relay->request, &packet.base, answer->fds, answer->n_fds)
                        : bh_request_reply(relay->request, &packet.base, answer->fds, answer->n_fds));
}

static void on_answer(struct bh_message *message, const struct bh_error *error, void *argument)
{
    struct relay *relay = argument;
    bh_automessage struct bh_message *answer = message;
    bh_log_set_trace(bh_request_trace(relay->request));
    if (!answer) {
        fail(relay, error);
        finish(relay);
    } else if (!fits(relay->kind, answer)) {
        struct bh_error failure;
        (void)bh_error_set(
            &failure, BH_INTERNAL, "%s answered with message %u and %zu descriptors, which is not what was asked for",
            relay->kind->peer ? bh_role_name(relay->kind->peer) : "the executor", answer->kind, answer->n_fds);
        bh_log_failure(BH_LOG_ERROR, &failure, "an answer was thrown away");
        if (answer->more) {
            bh_call_async_cancel(channel_to(relay->policyd, relay->kind), relay->call_id);
        }
        fail(relay, &failure);
        finish(relay);
    } else {
        if (relay->kind->on_answer) {
            relay->kind->on_answer(relay->policyd, relay->id, answer);
        }
        bool final = !answer->more;
        pass_back(relay, answer);
        if (final) {
            finish(relay);
        }
    }
    bh_log_set_trace(0);
}

/* The engine gave the request up, or its time is over: the peer is told, and nobody waits any more. */
static void on_cancel(struct bh_request *request, void *argument)
{
    (void)request;
    struct relay *relay = argument;
    struct bh_error error;
    (void)bh_error_set(&error, BH_CANCELLED, "given up before there was an answer");
    bh_call_async_cancel(channel_to(relay->policyd, relay->kind), relay->call_id);
    fail(relay, &error);
    bh_request_unref(relay->request);
    free(relay);
}

void relay(struct policyd *policyd, struct bh_request *request, ProtobufCMessage *packet, const struct relay_kind *kind,
           const uint8_t *id)
{
    struct bh_error error;
    struct relay *relay = calloc(1, sizeof(*relay));
    if (!relay) {
        (void)bh_error_errno(&error, ENOMEM, "pass a request on");
        (void)bh_request_fail(request, &error);
        return;
    }
    *relay = (struct relay){.policyd = policyd, .request = bh_request_ref(request), .kind = kind};
    if (id) {
        memcpy(relay->id, id, sizeof(relay->id));
    }
    const struct bh_message *message = bh_request_message(request);
    uint64_t now = bh_now_ms();
    uint64_t end = bh_request_deadline_at_ms(request);
    if (bh_call_async(channel_to(policyd, kind), packet, message->fds, message->n_fds,
                      end > now ? (uint32_t)(end - now) : 1, on_answer, relay, &relay->call_id, &error) < 0) {
        fail(relay, &error);
        finish(relay);
        return;
    }
    bh_request_on_cancel(request, on_cancel, relay);
}

/* ---- learning ------------------------------------------------------------------------------------ */

struct lesson {
    struct policyd *policyd;
    void (*then)(struct policyd *policyd, void *argument);
    void *argument;
    uint64_t trace;
};

void relay_learn_from(struct policyd *policyd, const struct bh_message *answer)
{
    if (answer->kind != BULKHEAD__EXECUTOR_TO_POLICYD__BODY_CONTAINER_FOUND) {
        return;
    }
    const Bulkhead__ContainerFound *found = bh_message_body(answer);
    if (!found->container || found->container->id.len != 32) {
        return;
    }
    struct known_container *container =
        known_add(&policyd->known, found->container->id.data, found->container->tenant_uid);
    if (container) {
        container->running = found->running;
    }
}

static void on_lesson(struct bh_message *message, const struct bh_error *error, void *argument)
{
    struct lesson *lesson = argument;
    bh_automessage struct bh_message *answer = message;
    if (answer && answer->more) {
        relay_learn_from(lesson->policyd, answer);
        return;
    }
    if (!answer && error) {
        bh_log_failure(BH_LOG_WARNING, error, "ask the executor for its containers");
    }
    bh_log_set_trace(lesson->trace);
    if (lesson->then) {
        lesson->then(lesson->policyd, lesson->argument);
    }
    bh_log_set_trace(0);
    free(lesson);
}

void relay_learn(struct policyd *policyd, void (*then)(struct policyd *policyd, void *argument), void *argument)
{
    Bulkhead__ListContainers list = BULKHEAD__LIST_CONTAINERS__INIT;
    Bulkhead__PolicydToExecutor packet = BULKHEAD__POLICYD_TO_EXECUTOR__INIT;
    packet.body_case = BULKHEAD__POLICYD_TO_EXECUTOR__BODY_LIST_CONTAINERS;
    packet.list_containers = &list;
    struct bh_error error;
    struct lesson *lesson = calloc(1, sizeof(*lesson));
    if (lesson) {
        *lesson = (struct lesson){.policyd = policyd, .then = then, .argument = argument, .trace = bh_log_trace()};
        if (bh_call_async(bh_service_peer(policyd->context, BH_ROLE_EXECUTOR), &packet.base, NULL, 0, 0, on_lesson,
                          lesson, NULL, &error) == 0) {
            return;
        }
        free(lesson);
    }
    if (then) {
        then(policyd, argument);
    }
}
