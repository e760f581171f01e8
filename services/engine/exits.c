/* SPDX-License-Identifier: Apache-2.0
 *
 * Watching monitors and recording exits; see exits.h.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "common/io.h"
#include "common/log.h"
#include "engine_monitor.pb-c.h"
#include "services/engine/adopt.h"
#include "services/engine/attachment.h"
#include "services/engine/channels.h"
#include "services/engine/containers.h"
#include "services/engine/database_restart.h"
#include "services/engine/events.h"
#include "services/engine/execs.h"
#include "services/engine/exits.h"
#include "services/engine/health.h"
#include "services/engine/policy.h"
#include "services/engine/reserve.h"
#include "services/engine/restart_policy.h"
#include "services/engine/restarts.h"
#include "services/engine/volumes.h"
#include "services/engine/waiters.h"

#define ORPHAN_PATIENCE_MS 10000
#define ORPHAN_LOOK_MS     20
#define NS_PER_SECOND      1000000000LL
#define NS_PER_MS          1000000LL

/* One monitor being watched: made by exits_watch(), handed to the loop, then to the job that deals with the end. */
struct watch {
    struct engine *engine;
    struct live *live; /* referenced */
    uint8_t id[ENGINE_ID_BYTES];
    uint32_t tenant_uid;
    int64_t started_at_ns; /* of the run that is watched */
    bool told;             /* the monitor said how it ended */
    struct exit_facts facts;
};

static void watch_free(struct watch *watch)
{
    live_put(watch->live);
    free(watch);
}

/* ---- what an exit means -------------------------------------------------------------------------- */

/* --rm. `state` is how it ended, whether or not the row could be told. */
static int remove_automatically(struct job *job, struct live *live, const uint8_t *id,
                                const struct container_state *state, struct bh_error *error)
{
    if (live_lock(live, job, error) < 0) {
        return -1;
    }
    live_locked lock = live;
    container_row_auto struct container_row row = {0};
    if (database_container(job->engine->database, id, &row, error) < 0) {
        return error->code == BH_NOT_FOUND ? 0 : -1;
    }
    if (live_is_running(live)) {
        return 0; /* it was started again meanwhile */
    }
    row.state = container_runs(&row.state) ? *state : row.state;
    return container_remove(job, &row, live, error);
}

/* Writes the end, unless somebody else has: then `row` is what the row says now. 1 written, 0 not. */
static int add_die(struct job *job, struct container_row *row, const struct engine_event *event, struct bh_error *error)
{
    /* Whether it is started again depends on what clients ask meanwhile: decided anew until neither has changed. */
    for (;;) {
        struct container_state ended = row->state;
        uint32_t wait_ms = 0;
        bool again = restart_wanted(row->request, &row->state, &wait_ms);
        ended.status = BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_EXITED;
        if (again) {
            ended.status = BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_RESTARTING;
            ended.restart_count++;
            ended.restart_wait_ms = wait_ms;
            ended.restart_at_ns = bh_wall_ns() + (int64_t)wait_ms * NS_PER_MS;
        }
        int written = database_set_ended(job->engine->database, row->id, &ended, event, error);
        if (written > 0 && again) {
            restarts_look_in(job->engine, wait_ms);
        }
        if (written != 0) {
            row->state = written > 0 ? ended : row->state;
            return written;
        }
        container_row_auto struct container_row now = {0};
        if (database_container(job->engine->database, row->id, &now, error) < 0) {
            row->state.status = BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_REMOVING;
            return error->code == BH_NOT_FOUND ? 0 : -1;
        }
        if (!container_runs(&now.state) || now.state.started_at_ns != row->state.started_at_ns) {
            row->state = now.state;
            return 0;
        }
        row->state.stop_asked = now.state.stop_asked;
    }
}

/* The row, and the event that tells of it, together. */
static int write_end(struct job *job, struct container_row *row, struct bh_error *error)
{
    char exit_code[16], seconds[24];
    const int64_t ran_ns = row->state.started_at_ns ? row->state.finished_at_ns - row->state.started_at_ns : 0;
    (void)snprintf(exit_code, sizeof exit_code, "%d", row->state.exit_code);
    (void)snprintf(seconds, sizeof seconds, "%lld", (long long)(ran_ns > 0 ? ran_ns / NS_PER_SECOND : 0));
    const struct engine_event_attribute attributes[] = {{"execDuration", seconds}, {"exitCode", exit_code}};
    struct engine_event event = EVENT_OF_CONTAINER(row, "die");
    event.attributes = attributes;
    event.n_attributes = sizeof attributes / sizeof attributes[0];
    return add_die(job, row, &event, error);
}

/* Reads the row of a run that has ended. 1 read, 0 it is gone. */
static int read_ended(struct job *job, const uint8_t *id, struct container_row *row, bool *ret_full,
                      struct bh_error *error)
{
    int read = database_container(job->engine->database, id, row, error);
    *ret_full = read < 0 && error->code == BH_RESOURCE_EXHAUSTED;
    if (*ret_full) { /* even reading takes room, for the database's index */
        reserve_release();
        bh_error_clear(error);
        read = database_container(job->engine->database, id, row, error);
    }
    return read == 0 ? 1 : error->code == BH_NOT_FOUND ? 0 : -1;
}

/* 1 written, 0 somebody else has. */
static int write_end_with_reserve(struct job *job, struct container_row *row, bool *ret_full, struct bh_error *error)
{
    int written = write_end(job, row, error);
    if (written < 0) { /* the container itself may have filled the disk: what is kept free for this moment is used */
        bh_log_failure(BH_LOG_WARNING, error, "an exit is recorded with the help of the reserve");
        *ret_full = true;
        reserve_release();
        bh_error_clear(error);
        written = write_end(job, row, error);
    }
    return written;
}

/* A container without a pid namespace of its own does not end with its first process. */
static void end_left_behind(struct job *job, const struct container_row *row)
{
    struct bh_error ended; /* as it should */
    if (row->spec->host_pid || strncmp(row->request->pid_mode, "container:", sizeof "container:" - 1) == 0) {
        (void)policy_signal(job, row->id, row->tenant_uid, SIGKILL, &ended);
    }
}

int exits_note(struct job *job, struct live *live, const uint8_t *id, const struct exit_facts *facts,
               struct container_state *ret_state, struct bh_error *error)
{
    container_row_auto struct container_row row = {0};
    bool full = false;
    int read = read_ended(job, id, &row, &full, error);
    if (read <= 0) {
        live_set_running(live, false);
        return read;
    }
    if (facts->started_at_ns != 0 && facts->started_at_ns != row.state.started_at_ns) {
        return 0; /* an earlier run, of which somebody else has told */
    }
    row.state.pid = 0;
    row.state.exit_code = facts->exit_code;
    row.state.oom_killed = facts->oom_killed;
    row.state.finished_at_ns = facts->finished_at_ns;
    (void)snprintf(row.state.error, sizeof row.state.error, "%s", facts->problem);
    if (facts->oom_killed && container_runs(&row.state)) {
        events_emit_container(job->engine, &row, "oom", NULL);
    }
    if (container_runs(&row.state)) {
        end_left_behind(job, &row);
    }
    live_wait_signals(live);
    int written = write_end_with_reserve(job, &row, &full, error);
    if (written < 0) {
        adoption_later(job->engine); /* not even then: the row learns of it when there is room again */
    }
    if (written != 0) {
        attachment_end(job, &row);
        volumes_emit_mounts(job->engine, &row, false);
    }
    if (written != 0 || !container_runs(&row.state)) {
        live_set_running(live, false);
    }
    if (written != 0) {
        execs_container_ended(job, &row);
        health_ended(job->engine, id);
        waiters_exited(job->engine->waiters, id, facts->exit_code, facts->problem);
    }
    if (full) {
        reserve_take();
    }
    *ret_state = row.state;
    return written != 0 && row.auto_remove && !live_is_kept_through_restart(live) ? 1 : written < 0 ? -1 : 0;
}

int exits_remove(struct job *job, struct live *live, const uint8_t *id, const struct container_state *state,
                 struct bh_error *error)
{
    bh_error_clear(error);
    if (remove_automatically(job, live, id, state, error) < 0) {
        adoption_later(job->engine);
        return -1;
    }
    return 0;
}

int exits_record(struct job *job, struct live *live, const uint8_t *id, const struct exit_facts *facts,
                 struct bh_error *error)
{
    struct container_state state;
    int remove = exits_note(job, live, id, facts, &state, error);
    return remove > 0 ? exits_remove(job, live, id, &state, error) : remove;
}

int exits_set_paused(struct engine *engine, struct live *live, const struct container_row *row, bool paused,
                     struct bh_error *error)
{
    const Bulkhead__ContainerStatus status = paused ? BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_PAUSED
                                                    : BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_RUNNING;
    const struct engine_event event = EVENT_OF_CONTAINER(row, paused ? "pause" : "unpause");
    return live_is_running(live) ? database_set_running_status(engine->database, row->id, status, &event, error) : 0;
}

/* ---- what the monitor says ----------------------------------------------------------------------- */

/* Kills a container that runs without a monitor, and waits until it is gone. */
static int end_orphan(struct job *job, const uint8_t *id, uint32_t tenant_uid, struct exit_facts *ret_facts,
                      struct bh_error *error)
{
    struct policy_found found = {.running = true};
    if (policy_signal(job, id, tenant_uid, SIGKILL, error) < 0 && error->code != BH_NOT_FOUND &&
        error->code != BH_FAILED_PRECONDITION) {
        return -1;
    }
    for (int waited_ms = 0; found.running && waited_ms < ORPHAN_PATIENCE_MS; waited_ms += ORPHAN_LOOK_MS) {
        bh_error_clear(error);
        if (policy_inspect(job, id, tenant_uid, &found, error) < 0) {
            found.running = false;
        } else if (found.running) {
            (void)poll(NULL, 0, ORPHAN_LOOK_MS);
        }
    }
    *ret_facts = (struct exit_facts){.exit_code = 128 + SIGKILL,
                                     .finished_at_ns = bh_wall_ns(),
                                     .problem = "the container's monitor died, so the container was ended"};
    return 0;
}

int exits_look(struct job *job, const uint8_t *id, uint32_t tenant_uid, struct policy_found *ret_found,
               int *ret_monitor, struct exit_facts *ret_facts, struct bh_error *error)
{
    *ret_facts = (struct exit_facts){.exit_code = EXIT_UNKNOWN,
                                     .finished_at_ns = bh_wall_ns(),
                                     .problem = "the container's end was seen by nobody: its exit code is not known"};
    /* Twice: a monitor that has gone between the two questions has left its record, if it could. */
    for (int look = 0; look < 2; look++) {
        if (policy_inspect(job, id, tenant_uid, ret_found, error) < 0) {
            return error->code == BH_NOT_FOUND ? 0 : -1;
        }
        if (ret_found->has_exit) {
            *ret_facts = (struct exit_facts){.exit_code = ret_found->exit_code,
                                             .oom_killed = ret_found->oom_killed,
                                             .finished_at_ns = ret_found->finished_at_ns,
                                             .problem = ""};
            return 0;
        }
        if (policy_open_monitor(job, id, tenant_uid, ret_monitor, error) == 0) {
            return 1;
        }
        if (error->code != BH_NOT_FOUND) {
            return -1;
        }
        bh_error_clear(error);
    }
    return ret_found->running ? end_orphan(job, id, tenant_uid, ret_facts, error) : 0;
}

/* Runs as a job: the channel to the monitor is over. If it said nothing, its container may have ended with a record,
 * run on, or have vanished. */
static int handle_end(struct job *job, struct bh_error *error)
{
    struct watch *watch = job->argument;
    struct policy_found found;
    int monitor = -1;
    job->tenant_uid = watch->tenant_uid;
    live_drop_monitor(watch->live);
    int watchable =
        watch->told ? 0 : exits_look(job, watch->id, watch->tenant_uid, &found, &monitor, &watch->facts, error);
    int result = watchable;
    if (watchable == 1) {
        result =
            exits_watch(job->engine, watch->live, watch->id, watch->tenant_uid, watch->started_at_ns, monitor, error);
    } else if (watchable == 0) {
        watch->facts.started_at_ns = watch->started_at_ns;
        result = exits_record(job, watch->live, watch->id, &watch->facts, error);
    }
    if (result < 0) {
        adoption_later(job->engine); /* nobody watches it now */
    }
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
        watch->facts = (struct exit_facts){.exit_code = exited->exit_code,
                                           .oom_killed = exited->oom_killed,
                                           .finished_at_ns = exited->finished_at_ns,
                                           .problem = ""};
    }
    bh_message_free(message);
    if (jobs_start(watch->engine->jobs, handle_end, watch, &failure) < 0) {
        watch_free(watch); /* the engine is stopping: the next one adopts the container */
    }
}

static struct watch *watch_new(struct engine *engine, const uint8_t *id, uint32_t tenant_uid, int64_t started_at_ns,
                               struct bh_error *error)
{
    struct watch *watch = calloc(1, sizeof *watch);
    if (!watch) {
        (void)bh_error_errno(error, ENOMEM, "watch a container");
        return NULL;
    }
    watch->engine = engine;
    watch->tenant_uid = tenant_uid;
    watch->started_at_ns = started_at_ns;
    memcpy(watch->id, id, sizeof watch->id);
    watch->live = live_get(engine->live, id, error);
    if (!watch->live) {
        free(watch);
        return NULL;
    }
    return watch;
}

int exits_look_soon(struct engine *engine, const uint8_t *id, uint32_t tenant_uid, int64_t started_at_ns,
                    struct bh_error *error)
{
    struct watch *watch = watch_new(engine, id, tenant_uid, started_at_ns, error);
    if (!watch || jobs_start(engine->jobs, handle_end, watch, error) == 0) {
        return watch ? 0 : -1;
    }
    watch_free(watch);
    return -1;
}

int exits_watch(struct engine *engine, struct live *live, const uint8_t *id, uint32_t tenant_uid, int64_t started_at_ns,
                int monitor, struct bh_error *error)
{
    bh_autoclose int fd = monitor;
    struct bh_channel *channel = NULL;
    struct watch *watch = watch_new(engine, id, tenant_uid, started_at_ns, error);
    if (!watch) {
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
