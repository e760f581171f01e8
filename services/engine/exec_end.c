/* SPDX-License-Identifier: Apache-2.0
 *
 * Watching the monitors of execs and recording their ends; see exec_end.h.
 */
#include "services/engine/exec_end.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/io.h"
#include "common/log.h"
#include "engine_monitor.pb-c.h"
#include "services/engine/adopt.h"
#include "services/engine/channels.h"
#include "services/engine/events.h"
#include "services/engine/exits.h"
#include "services/engine/health.h"
#include "services/engine/policy_exec.h"
#include "services/engine/waiters.h"

#define ORPHAN_PATIENCE_MS 10000
#define ORPHAN_LOOK_MS     20

/* One monitor being watched: handed to the loop, then to the job that deals with the end. */
struct watch {
    struct engine *engine;
    struct live *live;   /* referenced */
    struct exec_row row; /* without its request */
    bool told;           /* the monitor said how it ended */
    struct exec_facts facts;
};

static void watch_free(struct watch *watch)
{
    live_put(watch->live);
    free(watch->facts.output);
    free(watch);
}

static struct policy_exec name_of(const struct exec_row *row)
{
    return (struct policy_exec){.id = row->id, .container = row->container, .tenant_uid = row->tenant_uid};
}

static void tell(struct job *job, const struct exec_row *row, int32_t exit_code)
{
    container_row_auto struct container_row container = {0};
    struct bh_digest id;
    struct bh_error gone;
    char hex[BH_DIGEST_HEX_SIZE], code[16];
    memcpy(id.bytes, row->id, sizeof id.bytes);
    (void)snprintf(code, sizeof code, "%d", exit_code);
    if (database_container(job->engine->database, row->container, &container, &gone) == 0) {
        events_emit_container(job->engine, &container, "exec_die",
                              (const char *[]){"execID", bh_digest_hex(&id, hex), "exitCode", code, NULL});
    }
}

int exec_end_record(struct job *job, struct live *live, const struct exec_row *row, const struct exec_facts *facts,
                    struct bh_error *error)
{
    const struct policy_exec name = name_of(row);
    struct bh_error left = {0};
    int news = database_exec_ended(job->engine->database, row->id, facts->exit_code, facts->finished_at_ns, error);
    live_set_running(live, false);
    waiters_exited(job->engine->waiters, row->id, facts->exit_code, "");
    if (news < 0) {
        adoption_later(job->engine); /* the row learns of it when there is room again: the executor keeps its record */
        return -1;
    }
    if (news == 1) {
        tell(job, row, facts->exit_code);
    }
    if (policy_remove_exec(job, &name, &left) < 0 && left.code != BH_NOT_FOUND) {
        bh_log_failure(BH_LOG_WARNING, &left, "what is left of an exec stays until its container is removed");
    }
    if (row->probe) {
        health_probed(job, row, facts->exit_code, facts->finished_at_ns, facts->output, facts->n_output, facts->cut);
    }
    return 0;
}

static int record_code(struct job *job, struct live *live, const struct exec_row *row, int32_t exit_code,
                       int64_t finished_at_ns, struct bh_error *error)
{
    const struct exec_facts facts = {.exit_code = exit_code, .finished_at_ns = finished_at_ns};
    return exec_end_record(job, live, row, &facts, error);
}

/* Kills one that runs without a monitor, and waits until it is gone: what is left of it can be removed then. */
static void end_orphan(struct job *job, const struct policy_exec *name)
{
    struct policy_found found = {.running = true};
    struct bh_error gone;
    (void)policy_signal_exec(job, name, SIGKILL, &gone);
    for (int waited_ms = 0; found.running && waited_ms < ORPHAN_PATIENCE_MS; waited_ms += ORPHAN_LOOK_MS) {
        (void)poll(NULL, 0, ORPHAN_LOOK_MS);
        if (policy_inspect_exec(job, name, &found, &gone) < 0) {
            return;
        }
    }
}

int exec_end_look(struct job *job, struct live *live, const struct exec_row *row, struct bh_error *error)
{
    const struct policy_exec name = name_of(row);
    struct policy_found found = {0};
    for (int look = 0; look < 2; look++) { /* twice: a monitor that has just gone has left its record */
        int monitor = -1;
        if (policy_inspect_exec(job, &name, &found, error) < 0) {
            return error->code == BH_NOT_FOUND ? record_code(job, live, row, EXIT_UNKNOWN, bh_wall_ns(), error) : -1;
        }
        if (found.has_exit) {
            return record_code(job, live, row, found.exit_code, found.finished_at_ns, error);
        }
        if (policy_open_exec_monitor(job, &name, &monitor, error) == 0) {
            live_set_running(live, true);
            return exec_end_watch(job->engine, live, row, monitor, error);
        }
        if (error->code != BH_NOT_FOUND) {
            return -1;
        }
        bh_error_clear(error);
    }
    /* It runs, or not, without a monitor: nobody will ever learn its exit code, or read its output. */
    if (found.running) {
        end_orphan(job, &name);
    }
    return record_code(job, live, row, 128 + SIGKILL, bh_wall_ns(), error);
}

/* Runs as a job: the channel to the monitor is over. */
static int handle_end(struct job *job, struct bh_error *error)
{
    struct watch *watch = job->argument;
    job->tenant_uid = watch->row.tenant_uid;
    live_drop_monitor(watch->live);
    int result = watch->told ? exec_end_record(job, watch->live, &watch->row, &watch->facts, error)
                             : exec_end_look(job, watch->live, &watch->row, error);
    watch_free(watch);
    return result;
}

/* On the loop. */
static void on_answer(struct bh_message *message, const struct bh_error *error, void *argument)
{
    struct watch *watch = argument;
    struct bh_error failure;
    (void)error;
    if (message && message->kind == BULKHEAD__MONITOR_TO_ENGINE__BODY_CONTAINER_EXITED) {
        const Bulkhead__ContainerExited *exited = bh_message_body(message);
        watch->told = true;
        watch->facts = (struct exec_facts){
            .exit_code = exited->exit_code, .finished_at_ns = exited->finished_at_ns, .cut = exited->output_cut};
        if (exited->output.len > 0 && exited->output.len <= BH_KEPT_OUTPUT_MAX &&
            (watch->facts.output = malloc(exited->output.len))) {
            watch->facts.n_output = exited->output.len;
            memcpy(watch->facts.output, exited->output.data, exited->output.len);
        }
    }
    bh_message_free(message);
    if (jobs_start(watch->engine->jobs, handle_end, watch, &failure) < 0) {
        watch_free(watch); /* the engine is stopping: the next one looks at it again */
    }
}

int exec_end_watch(struct engine *engine, struct live *live, const struct exec_row *row, int monitor,
                   struct bh_error *error)
{
    bh_autoclose int fd = monitor;
    struct bh_channel *channel = NULL;
    struct watch *watch = calloc(1, sizeof *watch);
    if (!watch) {
        return bh_error_errno(error, ENOMEM, "watch an exec");
    }
    watch->engine = engine;
    watch->row = *row;
    watch->row.request = NULL;
    watch->live = live_get(engine->live, row->id, error);
    if (!watch->live) {
        free(watch);
        return -1;
    }
    if (bh_channel_new_on_loop(&protocol_monitor, engine->context->base, NULL, &channel, error) < 0 ||
        bh_channel_wire(channel, fd, error) < 0) {
        bh_channel_free(channel);
        watch_free(watch);
        return -1;
    }
    (void)bh_steal_fd(&fd);
    live_set_monitor(live, channel);
    Bulkhead__WatchExit body = BULKHEAD__WATCH_EXIT__INIT;
    Bulkhead__EngineToMonitor packet = BULKHEAD__ENGINE_TO_MONITOR__INIT;
    packet.body_case = BULKHEAD__ENGINE_TO_MONITOR__BODY_WATCH_EXIT;
    packet.watch_exit = &body;
    struct bh_error failure = {0};
    if (bh_call_async(channel, &packet.base, NULL, 0, UINT32_MAX, on_answer, watch, NULL, &failure) < 0) {
        on_answer(NULL, &failure, watch); /* it has ended already: found out like any other end */
    }
    return 0;
}
