/* SPDX-License-Identifier: Apache-2.0
 *
 * Starting a container with links; see links.h. Two questions are under way at a time, and whatever comes first of
 *
 *   executor: NetworkOpened (more) -> netd: LinkContainer -> the byte -> executor: ContainerStarted
 *
 * or a failure or end of any of them, moves `struct start` on. The container's program waits for a byte in a pipe of
 * which only we have the writing end: it is closed as soon as anything fails, and by the kernel should we die, so that
 * the executor gives the start up. When both have answered, what netd has made of a start that failed is taken away,
 * and the engine hears the first thing that failed.
 */
#include "links.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "common/log.h"
#include "engine_policyd.pb-c.h"
#include "links_parts.h"
#include "policyd_executor.pb-c.h"
#include "policyd_netd.pb-c.h"

#define GRACE_MS 5000U /* for executor and netd to give up what the engine has given up */

struct start {
    struct policyd *policyd;
    struct bh_request *request;          /* keeps all that is borrowed below */
    const Bulkhead__ContainerSpec *spec; /* as the engine asked: its links are what is judged */
    int go;                              /* writing end of the pipe; -1 once the byte was written, or will never be */
    bool executor_works, netd_works;     /* questions under way */
    bool offered;                        /* netd was asked, once */
    bool linked;                         /* and has made the links */
    bool uncertain;                      /* the byte was written, and the executor was not heard of again */
    struct bh_message *started, *connected;
    struct bh_error failure; /* the first one; BH_OK: none */
};

static void advance(struct start *start);

static void fail(struct start *start, const struct bh_error *error)
{
    if (start->failure.code == BH_OK) {
        start->failure = *error;
    }
    bh_close(&start->go);
}

static uint32_t time_left_ms(const struct bh_request *request)
{
    uint64_t now = bh_now_ms(), end = bh_request_deadline_at_ms(request);
    return end > now ? (uint32_t)(end - now) : 1;
}

/* ---- netd -------------------------------------------------------------------------------------------------- */

static void on_linked(struct bh_message *message, const struct bh_error *error, void *argument)
{
    struct start *start = argument;
    bh_automessage struct bh_message *answer = message;
    struct bh_error failure = {0};
    bh_log_set_trace(bh_request_trace(start->request));
    start->netd_works = false;
    if (!answer) {
        fail(start, error);
    } else if (links_check_connected(answer, &failure) < 0) {
        fail(start, &failure);
        start->linked = true; /* it may have done something */
    } else {
        start->connected = bh_steal_pointer(&answer);
        start->linked = true;
        if (start->go >= 0 && write(start->go, "", 1) != 1) {
            (void)bh_error_errno(&failure, errno, "let a container run");
            fail(start, &failure);
        }
        start->uncertain = start->go >= 0;
        bh_close(&start->go);
    }
    advance(start);
    bh_log_set_trace(0);
}

static void on_unlinked(struct bh_message *message, const struct bh_error *error, void *argument)
{
    struct start *start = argument;
    bh_message_free(message);
    bh_log_set_trace(bh_request_trace(start->request));
    if (!message) {
        bh_log_failure(BH_LOG_WARNING, error, "links of a container that did not start may be left");
    }
    start->netd_works = false;
    advance(start);
    bh_log_set_trace(0);
}

/* Takes away what was made. If netd cannot be asked, it has died, and its successor learns of this container nothing.
 */
static void unlink_all(struct start *start)
{
    struct bh_error error;
    start->linked = false;
    start->netd_works =
        links_ask_unlink(start->policyd, &start->spec->id, start->spec->tenant_uid, on_unlinked, start, &error) == 0;
}

/* ---- the executor ------------------------------------------------------------------------------------------ */

static void on_opened(struct start *start, const struct bh_message *answer)
{
    struct bh_error error = {0};
    if (start->offered || links_check_opened(answer, start->spec->attachment, &error) < 0) {
        (void)bh_error_set(&error, BH_INTERNAL, "the executor offered what was not asked for");
        fail(start, &error);
        return;
    }
    start->offered = true;
    if (start->go < 0) {
        return; /* given up already */
    }
    if (links_ask_link(start->policyd, &start->spec->id, start->spec->tenant_uid, start->spec->attachment, answer,
                       time_left_ms(start->request), on_linked, start, &error) < 0) {
        fail(start, &error);
    } else {
        start->netd_works = true;
    }
}

static void on_executor(struct bh_message *message, const struct bh_error *error, void *argument)
{
    struct start *start = argument;
    bh_automessage struct bh_message *answer = message;
    bh_log_set_trace(bh_request_trace(start->request));
    if (answer && answer->more) {
        on_opened(start, answer);
        bh_log_set_trace(0);
        return;
    }
    start->executor_works = false;
    if (!answer) {
        start->uncertain = start->uncertain && (error->code == BH_UNAVAILABLE || error->code == BH_DEADLINE_EXCEEDED);
        fail(start, error);
    } else if (answer->kind == BULKHEAD__EXECUTOR_TO_POLICYD__BODY_CONTAINER_STARTED && answer->n_fds == 1 &&
               start->connected) {
        start->started = bh_steal_pointer(&answer);
    } else {
        struct bh_error failure;
        (void)bh_error_set(&failure, BH_INTERNAL,
                           "the executor answered with message %u and %zu descriptors, which is not what was asked for",
                           answer->kind, answer->n_fds);
        bh_log_failure(BH_LOG_ERROR, &failure, "an answer was thrown away");
        start->uncertain = false;
        fail(start, &failure);
    }
    advance(start);
    bh_log_set_trace(0);
}

/* ---- the end ----------------------------------------------------------------------------------------------- */

static void start_free(struct start *start)
{
    bh_close(&start->go);
    bh_message_free(start->started);
    bh_message_free(start->connected);
    bh_request_unref(start->request);
    free(start);
}

static void start_cleanup(struct start **start)
{
    if (*start) {
        start_free(*start);
    }
}

static void answer_started(const struct start *start)
{
    const Bulkhead__ContainerConnected *connected = bh_message_body(start->connected);
    Bulkhead__ContainerStarted started = *(const Bulkhead__ContainerStarted *)bh_message_body(start->started);
    started.ports = connected->ports;
    started.n_ports = connected->n_ports;
    Bulkhead__PolicydToEngine packet = BULKHEAD__POLICYD_TO_ENGINE__INIT;
    packet.body_case = BULKHEAD__POLICYD_TO_ENGINE__BODY_CONTAINER_STARTED;
    packet.container_started = &started;
    (void)bh_request_reply(start->request, &packet.base, start->started->fds, start->started->n_fds);
}

/* Once nobody works on it any more: it runs, or nothing is left of it. A container that may run or not keeps its links;
 * the engine, which finds out, takes them away. */
static void advance(struct start *start)
{
    if (start->executor_works || start->netd_works) {
        return;
    }
    if (!start->started && start->linked && !start->uncertain) {
        unlink_all(start);
        if (start->netd_works) {
            return;
        }
    }
    struct known_container *known = known_find(&start->policyd->known, start->spec->id.data);
    if (known) {
        known->starting = false;
        known->running = known->running || start->started;
    }
    if (start->started) {
        answer_started(start);
    } else {
        (void)bh_request_fail(start->request, &start->failure);
    }
    start_free(start);
}

/* The engine gave up, or its time is over. What runs by then runs; else the pipe's end is the end of it. */
static void on_cancel(struct bh_request *request, void *argument)
{
    (void)request;
    struct bh_error error;
    (void)bh_error_set(&error, BH_CANCELLED, "given up before the container was started");
    fail(argument, &error);
}

/* ---- the beginning ----------------------------------------------------------------------------------------- */

static int ask_executor(struct start *start, const Bulkhead__StartContainer *body, int waiting, struct bh_error *error)
{
    const struct bh_message *asked = bh_request_message(start->request);
    int fds[BH_MESSAGE_FDS_MAX];
    size_t n = 0;
    for (; n < asked->n_fds; n++) {
        fds[n] = asked->fds[n];
    }
    fds[n++] = waiting; /* admission.c has counted the others */
    Bulkhead__StartContainer copy = *body;
    Bulkhead__PolicydToExecutor packet = BULKHEAD__POLICYD_TO_EXECUTOR__INIT;
    packet.body_case = BULKHEAD__POLICYD_TO_EXECUTOR__BODY_START_CONTAINER;
    packet.start_container = &copy;
    return bh_call_async(bh_service_peer(start->policyd->context, BH_ROLE_EXECUTOR), &packet.base, fds, n,
                         time_left_ms(start->request) + GRACE_MS, on_executor, start, NULL, error);
}

void links_start(struct policyd *policyd, struct bh_request *request, const Bulkhead__StartContainer *body)
{
    const Bulkhead__StartContainer *asked = bh_request_body(request);
    struct bh_error error;
    int ends[2];
    bh_cleanup(start_cleanup) struct start *start = calloc(1, sizeof(*start));
    if (!start || pipe2(ends, O_CLOEXEC) < 0) {
        (void)bh_error_errno(&error, start ? errno : ENOMEM, "prepare a start");
        free(bh_steal_pointer(&start));
        (void)bh_request_fail(request, &error);
        return;
    }
    bh_autoclose int waiting = ends[0];
    *start = (struct start){.policyd = policyd, .request = bh_request_ref(request), .spec = asked->spec, .go = ends[1]};
    if (ask_executor(start, body, waiting, &error) < 0) {
        struct known_container *known = known_find(&policyd->known, asked->spec->id.data);
        if (known) {
            known->starting = false;
        }
        (void)bh_request_fail(request, &error);
        return;
    }
    start->executor_works = true;
    bh_request_on_cancel(request, on_cancel, bh_steal_pointer(&start));
}
