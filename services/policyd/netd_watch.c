/* SPDX-License-Identifier: Apache-2.0
 *
 * Waiting for netd; see netd_watch.h.
 */
#include "netd_watch.h"

#include <errno.h>
#include <stdlib.h>

#include "engine_policyd.pb-c.h"
#include "policyd.h"

struct netd_waiter {
    LIST_ENTRY(netd_waiter) next;
    struct bh_request *request;
};

static void answer(struct bh_request *request, uint64_t generation)
{
    Bulkhead__NetdReady ready = BULKHEAD__NETD_READY__INIT;
    Bulkhead__PolicydToEngine packet = BULKHEAD__POLICYD_TO_ENGINE__INIT;
    ready.generation = generation;
    packet.body_case = BULKHEAD__POLICYD_TO_ENGINE__BODY_NETD_READY;
    packet.netd_ready = &ready;
    (void)bh_request_reply(request, &packet.base, NULL, 0);
}

static void forget(struct netd_waiter *waiter)
{
    LIST_REMOVE(waiter, next);
    bh_request_unref(waiter->request);
    free(waiter);
}

void netd_watch_started(struct netd_watch *watch)
{
    struct netd_waiter *waiter;
    watch->generation++;
    while ((waiter = LIST_FIRST(&watch->waiters)) != NULL) {
        answer(waiter->request, watch->generation);
        forget(waiter);
    }
}

static void on_cancel(struct bh_request *request, void *argument)
{
    struct bh_error error;
    (void)bh_error_set(&error, BH_CANCELLED, "given up before netd was started again");
    (void)bh_request_fail(request, &error);
    forget(argument);
}

void netd_watch_handle(struct bh_request *request)
{
    const struct bh_service_context *context = bh_request_owner(request);
    struct policyd *policyd = context->state;
    const Bulkhead__AwaitNetd *body = bh_request_body(request);
    struct netd_watch *watch = &policyd->netd;
    if (watch->generation > body->generation) {
        answer(request, watch->generation);
        return;
    }
    struct netd_waiter *waiter = calloc(1, sizeof(*waiter));
    if (!waiter) {
        struct bh_error error;
        (void)bh_error_errno(&error, ENOMEM, "wait for netd");
        (void)bh_request_fail(request, &error);
        return;
    }
    waiter->request = bh_request_ref(request);
    LIST_INSERT_HEAD(&watch->waiters, waiter, next);
    bh_request_on_cancel(request, on_cancel, waiter);
}
