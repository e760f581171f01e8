/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests about execs: decode, call exec.c, answer.
 */
#include "exec_requests.h"

#include "answer.h"
#include "common/cleanup.h"
#include "exec.h"
#include "policyd_executor.pb-c.h"
#include "running.h"

#define REPLY(name) BULKHEAD__EXECUTOR_TO_POLICYD__BODY_##name

void exec_handle_start(struct bh_request *request)
{
    struct bh_error error = {0};
    if (start_exec(answer_executor(request), request, bh_request_body(request), &error) < 0) {
        (void)bh_request_fail(request, &error);
    }
}

void exec_handle_open_monitor(struct bh_request *request)
{
    const Bulkhead__OpenExecMonitor *message = bh_request_body(request);
    struct running running;
    struct bh_error error = {0};
    bh_autoclose int fd = -1;
    if (exec_open(answer_executor(request), message->exec, &running, &error) < 0 ||
        running_connect(&running, &fd, &error) < 0) {
        (void)bh_request_fail(request, &error);
    } else {
        answer_monitor(request, fd);
    }
    running_close(&running);
}

void exec_handle_signal(struct bh_request *request)
{
    const Bulkhead__SignalExec *message = bh_request_body(request);
    struct running running = {.folder = -1, .logs = -1, .pidfd = -1};
    struct bh_error error = {0};
    int result = answer_check_signal(message->signal, &error);
    if (result == 0 && (result = exec_open(answer_executor(request), message->exec, &running, &error)) == 0) {
        result = running_signal(answer_executor(request), &running, (int)message->signal, &error);
    }
    running_close(&running);
    answer_result(request, result, &error);
}

void exec_handle_inspect(struct bh_request *request)
{
    const Bulkhead__InspectExec *message = bh_request_body(request);
    struct running running;
    struct running_state state;
    struct bh_error error = {0};
    if (exec_open(answer_executor(request), message->exec, &running, &error) < 0) {
        (void)bh_request_fail(request, &error);
    } else {
        Bulkhead__ExecFound found = BULKHEAD__EXEC_FOUND__INIT;
        Bulkhead__ExecutorToPolicyd packet = BULKHEAD__EXECUTOR_TO_POLICYD__INIT;
        running_look(&running, &state);
        found.running = state.running;
        found.pid = state.pid;
        found.started_at_ns = state.started_at_ns;
        found.has_exit = state.has_exit;
        found.exit_code = state.exit_code;
        found.finished_at_ns = state.finished_at_ns;
        packet.body_case = REPLY(EXEC_FOUND);
        packet.exec_found = &found;
        (void)bh_request_reply(request, &packet.base, NULL, 0);
    }
    running_close(&running);
}

void exec_handle_remove(struct bh_request *request)
{
    const Bulkhead__RemoveExec *message = bh_request_body(request);
    struct bh_error error = {0};
    int result = exec_remove(answer_executor(request), message->exec, &error);
    answer_result(request, result, &error);
}
