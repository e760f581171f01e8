/* SPDX-License-Identifier: Apache-2.0
 *
 * Attach and resize; see attach.h.
 */
#include <stdio.h>

#include "common/log.h"
#include "engine_monitor.pb-c.h"
#include "services/engine/adopt.h"
#include "services/engine/attach.h"
#include "services/engine/channels.h"
#include "services/engine/containers.h"
#include "services/engine/events.h"
#include "services/engine/policy.h"
#include "services/engine/resolve.h"

/* Asks the monitor of a running container one thing, over the connection that watches it. */
static int ask_monitor(struct job *job, struct live *live, Bulkhead__EngineToMonitor *packet, const int *fds,
                       size_t n_fds, uint32_t wanted, struct bh_message **ret_answer, struct bh_error *error)
{
    struct bh_channel *monitor = live_borrow_monitor(live);
    if (!monitor) {
        return bh_error_set(error, BH_FAILED_PRECONDITION, "the container is not running");
    }
    int result = job_ask(job, monitor, &packet->base, fds, n_fds, 0, wanted, ret_answer, error);
    live_return_monitor(live);
    if (result < 0 && error->code == BH_UNAVAILABLE) {
        return bh_error_set(error, BH_FAILED_PRECONDITION, "the container is not running any more");
    }
    return result;
}

static int attach_streams(struct job *job, struct live *live, const int streams[static LIVE_STREAMS],
                          int64_t *ret_at_ns, struct bh_error *error)
{
    bh_automessage struct bh_message *answer = NULL;
    Bulkhead__AttachStreams body = BULKHEAD__ATTACH_STREAMS__INIT;
    Bulkhead__EngineToMonitor packet = BULKHEAD__ENGINE_TO_MONITOR__INIT;
    packet.body_case = BULKHEAD__ENGINE_TO_MONITOR__BODY_ATTACH_STREAMS;
    packet.attach_streams = &body;
    if (ask_monitor(job, live, &packet, streams, LIVE_STREAMS, BULKHEAD__MONITOR_TO_ENGINE__BODY_STREAMS_ATTACHED,
                    &answer, error) < 0) {
        return -1;
    }
    *ret_at_ns = ((const Bulkhead__StreamsAttached *)bh_message_body(answer))->at_ns;
    return 0;
}

void attach_latecomers(struct job *job, struct live *live)
{
    int streams[BH_ATTACHMENTS_MAX * LIVE_STREAMS];
    size_t n_clients = live_take_streams(live, streams);
    for (size_t i = 0; i < n_clients; i++) {
        struct bh_error error = {0};
        int64_t at_ns;
        if (attach_streams(job, live, &streams[i * LIVE_STREAMS], &at_ns, &error) < 0) {
            bh_log_failure(BH_LOG_WARNING, &error, "a client could not be attached");
        }
    }
    for (size_t i = 0; i < n_clients * LIVE_STREAMS; i++) {
        bh_close(&streams[i]);
    }
}

/* Keeps the streams for the start, or hands them over if the container runs (already, or since a moment ago). */
static int place_streams(struct job *job, const struct container_row *row, struct live *live, int64_t *ret_at_ns,
                         struct bh_error *error)
{
    int streams[LIVE_STREAMS];
    for (size_t i = 0; i < LIVE_STREAMS; i++) {
        streams[i] = bh_request_take_fd(job->request, i);
    }
    if (!container_runs(&row->state) && !live_is_running(live)) {
        return live_keep_streams(live, streams, error);
    }
    int result = attach_streams(job, live, streams, ret_at_ns, error);
    for (size_t i = 0; i < LIVE_STREAMS; i++) {
        bh_close(&streams[i]);
    }
    return result;
}

int attach_container(struct job *job, struct bh_error *error)
{
    const Bulkhead__AttachContainer *question = job_body(job);
    container_row_auto struct container_row row = {0};
    if (adoption_wait(job, error) < 0 || resolve_container(job, question->reference, &row, error) < 0) {
        return -1;
    }
    if (row.state.status == BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_PAUSED) {
        return bh_error_set(error, BH_FAILED_PRECONDITION,
                            "container %s is paused, unpause the container before attach", question->reference);
    }
    if (row.state.status == BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_RESTARTING) {
        return bh_error_set(error, BH_FAILED_PRECONDITION,
                            "container %s is restarting, wait until the container is running", question->reference);
    }
    live_auto struct live *live = live_get(job->engine->live, row.id, error);
    Bulkhead__Attached attached = BULKHEAD__ATTACHED__INIT;
    if (!live || place_streams(job, &row, live, &attached.at_ns, error) < 0) {
        return -1;
    }
    events_emit_container(job->engine, &row, "attach", NULL);
    Bulkhead__EngineToApi packet = BULKHEAD__ENGINE_TO_API__INIT;
    attached.tty = row.spec->process && row.spec->process->tty;
    packet.body_case = BULKHEAD__ENGINE_TO_API__BODY_ATTACHED;
    packet.attached = &attached;
    (void)job_reply(job, &packet);
    return 0;
}

int detach_container(struct job *job, struct bh_error *error)
{
    const Bulkhead__DetachContainer *question = job_body(job);
    container_row_auto struct container_row row = {0};
    if (resolve_container(job, question->reference, &row, error) < 0) {
        return -1;
    }
    events_emit_container(job->engine, &row, "detach", NULL);
    return job_reply_done(job);
}

int attach_resize(struct job *job, struct live *live, uint32_t rows, uint32_t columns, struct bh_error *error)
{
    Bulkhead__ResizeTerminal body = BULKHEAD__RESIZE_TERMINAL__INIT;
    Bulkhead__EngineToMonitor packet = BULKHEAD__ENGINE_TO_MONITOR__INIT;
    body.rows = rows;
    body.columns = columns;
    packet.body_case = BULKHEAD__ENGINE_TO_MONITOR__BODY_RESIZE_TERMINAL;
    packet.resize_terminal = &body;
    return ask_monitor(job, live, &packet, NULL, 0, BULKHEAD__MONITOR_TO_ENGINE__BODY_DONE, NULL, error);
}

int resize_container(struct job *job, struct bh_error *error)
{
    const Bulkhead__ResizeContainer *question = job_body(job);
    container_row_auto struct container_row row = {0};
    if (adoption_wait(job, error) < 0 || resolve_container(job, question->reference, &row, error) < 0) {
        return -1;
    }
    live_auto struct live *live = live_get(job->engine->live, row.id, error);
    if (!live || attach_resize(job, live, question->rows, question->columns, error) < 0) {
        return -1;
    }
    char height[16], width[16];
    (void)snprintf(height, sizeof height, "%u", question->rows);
    (void)snprintf(width, sizeof width, "%u", question->columns);
    events_emit_container(job->engine, &row, "resize", (const char *[]){"height", height, "width", width, NULL});
    return job_reply_done(job);
}
