/* SPDX-License-Identifier: Apache-2.0
 *
 * What the handlers of all features share; see answer.h.
 */
#include "answer.h"

#include <signal.h>

#include "policyd_executor.pb-c.h"

#define REPLY(name) BULKHEAD__EXECUTOR_TO_POLICYD__BODY_##name

struct executor *answer_executor(const struct bh_request *request)
{
    const struct bh_service_context *context = bh_request_owner(request);
    return context->state;
}

void answer_done(struct bh_request *request)
{
    Bulkhead__Done done = BULKHEAD__DONE__INIT;
    Bulkhead__ExecutorToPolicyd packet = BULKHEAD__EXECUTOR_TO_POLICYD__INIT;
    packet.body_case = REPLY(DONE);
    packet.done = &done;
    (void)bh_request_reply(request, &packet.base, NULL, 0);
}

void answer_result(struct bh_request *request, int result, const struct bh_error *error)
{
    if (result < 0) {
        (void)bh_request_fail(request, error);
    } else {
        answer_done(request);
    }
}

void answer_monitor(struct bh_request *request, int fd)
{
    Bulkhead__MonitorOpened opened = BULKHEAD__MONITOR_OPENED__INIT;
    Bulkhead__ExecutorToPolicyd packet = BULKHEAD__EXECUTOR_TO_POLICYD__INIT;
    packet.body_case = REPLY(MONITOR_OPENED);
    packet.monitor_opened = &opened;
    (void)bh_request_reply(request, &packet.base, &fd, 1);
}

int answer_check_signal(uint32_t number, struct bh_error *error)
{
    return number < 1 || number > (uint32_t)SIGRTMAX
               ? bh_error_set(error, BH_INVALID_ARGUMENT, "signal %u is none", number)
               : 0;
}
