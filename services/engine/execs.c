/* SPDX-License-Identifier: Apache-2.0
 *
 * Execs; see execs.h. What a process may is its container's affair, and policy's; here is only what it runs and when.
 */
#include "services/engine/execs.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "common/exec_failure.h"
#include "common/io.h"
#include "common/log.h"
#include "engine_monitor.pb-c.h"
#include "services/engine/adopt.h"
#include "services/engine/attach.h"
#include "services/engine/containers.h"
#include "services/engine/events.h"
#include "services/engine/exec_end.h"
#include "services/engine/exec_process.h"
#include "common/fields.h"
#include "services/engine/links.h"
#include "services/engine/policy_exec.h"
#include "services/engine/resolve.h"
#include "services/engine/waiters.h"

#define EXIT_NOT_EXECUTABLE 126 /* also for everything else that keeps a program from running, as in Docker */
#define EXIT_NOT_FOUND      127

#define FORGET_EVERY_S   60
#define FORGET_AFTER_NS  (5LL * 60 * 1000000000) /* as Docker, whose clients ask for the exit code at once */
#define ACTION_BYTES_MAX 1024                    /* of a command in an event */

/* ---- finding ------------------------------------------------------------------------------------- */

/* Ids are whole: nobody types them. */
static int find_exec(struct job *job, const char *text, struct exec_row *ret_row, struct bh_error *error)
{
    uint8_t low[ENGINE_ID_BYTES], high[ENGINE_ID_BYTES];
    int found = strlen(text) == 2 * (size_t)ENGINE_ID_BYTES && resolve_prefix(text, low, high)
                    ? database_exec(job->engine->database, job->tenant_uid, low, ret_row, error)
                    : 0;
    return found == 1 ? 0 : found < 0 ? -1 : bh_error_set(error, BH_NOT_FOUND, "No such exec instance: %.64s", text);
}

static const char *hex_of(const uint8_t *id, char buffer[static BH_DIGEST_HEX_SIZE])
{
    struct bh_digest digest;
    memcpy(digest.bytes, id, sizeof digest.bytes);
    return bh_digest_hex(&digest, buffer);
}

/* `reference`: what the client calls it. */
static int check_container(const struct container_row *container, const char *reference, struct bh_error *error)
{
    char hex[BH_DIGEST_HEX_SIZE];
    if (container->state.status == BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_PAUSED) {
        return bh_error_set(error, BH_FAILED_PRECONDITION, "Container %s is paused, unpause the container before exec",
                            reference);
    }
    return container_runs(&container->state)
               ? 0
               : bh_error_set(error, BH_FAILED_PRECONDITION, "Container %s is not running", hex_of(container->id, hex));
}

/* "exec_start: sh -c true", as Docker's events say it. */
static void tell(struct job *job, const struct container_row *container, const struct exec_row *row, const char *what)
{
    char action[ACTION_BYTES_MAX], hex[BH_DIGEST_HEX_SIZE];
    int used = snprintf(action, sizeof action, "%s:", what);
    for (size_t i = 0; i < row->request->n_args && used > 0 && (size_t)used < sizeof action; i++) {
        used += snprintf(action + used, sizeof action - (size_t)used, " %s", row->request->args[i]);
    }
    events_emit_container(job->engine, container, action, (const char *[]){"execID", hex_of(row->id, hex), NULL});
}

/* ---- create -------------------------------------------------------------------------------------- */

static struct policy_exec name_of(const struct exec_row *row)
{
    return (struct policy_exec){.id = row->id, .container = row->container, .tenant_uid = row->tenant_uid};
}

static int make_process(struct job *job, const struct container_row *container, const struct exec_row *row,
                        bool attached, Bulkhead__Process **ret_process, struct bh_error *error)
{
    Bulkhead__Process *process = NULL;
    if (exec_process_make(row->request, container->spec, attached, &process, error) < 0) {
        return -1;
    }
    if (links_describe(job, container, process, error) < 0) {
        bulkhead__process__free_unpacked(process, NULL);
        return -1;
    }
    *ret_process = process;
    return 0;
}

int execs_add(struct job *job, const struct container_row *container, struct exec_row *row, struct bh_error *error)
{
    if (getrandom(row->id, sizeof row->id, 0) != (ssize_t)sizeof row->id) {
        return bh_error_errno(error, errno, "make an exec's id");
    }
    memcpy(row->container, container->id, sizeof row->container);
    row->tenant_uid = container->tenant_uid;
    row->created_ns = bh_wall_ns();
    Bulkhead__Process *process = NULL;
    if (make_process(job, container, row, true, &process, error) < 0) {
        return -1;
    }
    const struct policy_exec name = name_of(row);
    int judged = policy_judge_exec(job, &name, process, row->request->privileged, error);
    bulkhead__process__free_unpacked(process, NULL);
    if (judged < 0 || database_add_exec(job->engine->database, row, error) < 0) {
        return -1;
    }
    tell(job, container, row, "exec_create");
    return 0;
}

int create_exec(struct job *job, struct bh_error *error)
{
    const Bulkhead__CreateExec *question = job_body(job);
    container_row_auto struct container_row container = {0};
    exec_row_auto struct exec_row row = {0};
    ProtobufCMessage *copy = NULL;
    if (!question->request || question->request->n_args == 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "No exec command specified");
    }
    if (adoption_wait(job, error) < 0 || resolve_container(job, question->reference, &container, error) < 0 ||
        check_container(&container, question->reference, error) < 0 ||
        message_copy(&question->request->base, &copy, error) < 0) {
        return -1;
    }
    row.request = (Bulkhead__ExecRequest *)copy;
    if (execs_add(job, &container, &row, error) < 0) {
        return -1;
    }
    Bulkhead__ExecCreated created = BULKHEAD__EXEC_CREATED__INIT;
    Bulkhead__EngineToApi packet = BULKHEAD__ENGINE_TO_API__INIT;
    created.id = (ProtobufCBinaryData){.len = sizeof row.id, .data = row.id};
    packet.body_case = BULKHEAD__ENGINE_TO_API__BODY_EXEC_CREATED;
    packet.exec_created = &created;
    (void)job_reply(job, &packet);
    return 0;
}

/* ---- start --------------------------------------------------------------------------------------- */

bool execs_program_failed(const struct bh_error *error)
{
    return error->n_context >= 2 && strcmp(error->context[0], BH_EXEC_FAILED_INNER) == 0 &&
           strcmp(error->context[1], BH_EXEC_FAILED_OUTER) == 0;
}

static int claim(struct job *job, struct exec_row *row, struct bh_error *error)
{
    char hex[BH_DIGEST_HEX_SIZE];
    if (row->status == BULKHEAD__EXEC_STATUS__EXEC_STATUS_ENDED) {
        return bh_error_set(error, BH_FAILED_PRECONDITION, "Error: Exec command %s has already run",
                            hex_of(row->id, hex));
    }
    int claimed = database_claim_exec(job->engine->database, row, error);
    return claimed == 0  ? bh_error_set(error, BH_FAILED_PRECONDITION, "Error: Exec command %s is already running",
                                        hex_of(row->id, hex))
           : claimed < 0 ? -1
                         : 0;
}

/* The answer to a start was lost: the executor knows whether it ran. 1 if exec_end_look() settles the rest. */
static bool was_started(struct job *job, const struct exec_row *row)
{
    const struct policy_exec name = name_of(row);
    struct policy_found found;
    struct bh_error unknown;
    return policy_inspect_exec(job, &name, &found, &unknown) == 0;
}

/* It did not start: its row says so. */
static void record_failure(struct job *job, const struct exec_row *row, const struct bh_error *failure)
{
    struct bh_error ignored;
    const bool missing = failure->code == BH_NOT_FOUND && execs_program_failed(failure);
    (void)database_exec_ended(job->engine->database, row->id, missing ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE,
                              bh_wall_ns(), &ignored);
    waiters_exited(job->engine->waiters, row->id, missing ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE, "");
}

int execs_start(struct job *job, const struct container_row *container, struct exec_row *row, const int *streams,
                struct bh_error *error)
{
    const struct policy_exec name = name_of(row);
    struct policy_started started = {.monitor = -1};
    Bulkhead__Process *process = NULL;
    live_auto struct live *live = live_get(job->engine->live, row->id, error);
    if (!live || live_lock(live, job, error) < 0) { /* or taking stock would find one that was never started */
        return -1;
    }
    live_locked lock = live;
    if (claim(job, row, error) < 0) {
        return -1;
    }
    job_shield(job);
    int result = make_process(job, container, row, streams != NULL, &process, error);
    if (result == 0) {
        result = policy_start_exec(job, &name, process, row->request->privileged, row->probe ? BH_KEPT_OUTPUT_MAX : 0,
                                   streams, streams != NULL, &started, error);
        bulkhead__process__free_unpacked(process, NULL);
    }
    if (result < 0 && (error->code == BH_UNAVAILABLE || error->code == BH_DEADLINE_EXCEEDED) && was_started(job, row)) {
        bh_error_clear(error);
        return exec_end_look(job, live, row, error);
    }
    if (result < 0) {
        record_failure(job, row, error);
        return -1;
    }
    bh_autoclose int monitor = started.monitor;
    row->pid = started.pid;
    live_set_running(live, true);
    int recorded = database_exec_runs(job->engine->database, row->id, started.pid, error);
    if (recorded < 0) {
        bh_log_failure(BH_LOG_WARNING, error, "the process id of an exec is not in its row");
        bh_error_clear(error);
    }
    tell(job, container, row, "exec_start");
    return exec_end_watch(job->engine, live, row, bh_steal_fd(&monitor), error);
}

static int reply_ran(struct job *job, const char *failure)
{
    Bulkhead__ExecRan ran = BULKHEAD__EXEC_RAN__INIT;
    Bulkhead__EngineToApi packet = BULKHEAD__ENGINE_TO_API__INIT;
    ran.failure = (char *)(uintptr_t)failure;
    packet.body_case = BULKHEAD__ENGINE_TO_API__BODY_EXEC_RAN;
    packet.exec_ran = &ran;
    return job_reply(job, &packet);
}

int run_exec(struct job *job, struct bh_error *error)
{
    const Bulkhead__RunExec *question = job_body(job);
    container_row_auto struct container_row container = {0};
    exec_row_auto struct exec_row row = {0};
    int streams[LIVE_STREAMS];
    char hex[BH_DIGEST_HEX_SIZE];
    const size_t n_fds = bh_request_message(job->request)->n_fds;
    const bool attached = n_fds == LIVE_STREAMS;
    if (n_fds != 0 && !attached) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "an exec is attached to by three streams, not %zu", n_fds);
    }
    if (adoption_wait(job, error) < 0 || find_exec(job, question->id, &row, error) < 0 ||
        database_container(job->engine->database, row.container, &container, error) < 0 ||
        check_container(&container, hex_of(container.id, hex), error) < 0) {
        return -1;
    }
    if (question->rows) {
        row.request->rows = question->rows;
        row.request->columns = question->columns;
    }
    for (size_t i = 0; attached && i < LIVE_STREAMS; i++) {
        streams[i] = bh_request_take_fd(job->request, i);
    }
    int result = execs_start(job, &container, &row, attached ? streams : NULL, error);
    for (size_t i = 0; attached && i < LIVE_STREAMS; i++) {
        bh_close(&streams[i]);
    }
    if (result < 0 && execs_program_failed(error)) {
        char text[BH_ERROR_MESSAGE_SIZE];
        (void)bh_error_format(error, text, sizeof text);
        bh_error_clear(error);
        return reply_ran(job, text);
    }
    return result < 0 ? -1 : reply_ran(job, "");
}

/* ---- while it runs ------------------------------------------------------------------------------- */

int look_up_exec(struct job *job, struct bh_error *error)
{
    const Bulkhead__LookUpExec *question = job_body(job);
    container_row_auto struct container_row container = {0};
    exec_row_auto struct exec_row row = {0};
    if (adoption_wait(job, error) < 0 || find_exec(job, question->id, &row, error) < 0 ||
        database_container(job->engine->database, row.container, &container, error) < 0) {
        return -1;
    }
    Bulkhead__ExecDetails details = BULKHEAD__EXEC_DETAILS__INIT;
    Bulkhead__EngineToApi packet = BULKHEAD__ENGINE_TO_API__INIT;
    details.id = (ProtobufCBinaryData){.len = sizeof row.id, .data = row.id};
    details.container_id = (ProtobufCBinaryData){.len = sizeof row.container, .data = row.container};
    details.request = row.request;
    details.user = row.request->user[0] ? row.request->user : container.spec->process->user;
    details.status = row.status;
    details.pid = row.pid;
    details.exit_code = row.exit_code;
    packet.body_case = BULKHEAD__ENGINE_TO_API__BODY_EXEC_DETAILS;
    packet.exec_details = &details;
    (void)job_reply(job, &packet);
    return 0;
}

int resize_exec(struct job *job, struct bh_error *error)
{
    const Bulkhead__ResizeExec *question = job_body(job);
    exec_row_auto struct exec_row row = {0};
    if (adoption_wait(job, error) < 0 || find_exec(job, question->id, &row, error) < 0) {
        return -1;
    }
    live_auto struct live *live = live_get(job->engine->live, row.id, error);
    if (!live) {
        return -1;
    }
    if (!live_has_monitor(live)) {
        return bh_error_set(error, BH_FAILED_PRECONDITION, "Exec command %.64s is not running", question->id);
    }
    return !row.request->tty || attach_resize(job, live, question->rows, question->columns, error) == 0
               ? job_reply_done(job)
               : -1;
}

int detach_exec(struct job *job, struct bh_error *error)
{
    const Bulkhead__DetachExec *question = job_body(job);
    exec_row_auto struct exec_row row = {0};
    container_row_auto struct container_row container = {0};
    char hex[BH_DIGEST_HEX_SIZE];
    if (find_exec(job, question->id, &row, error) < 0 ||
        database_container(job->engine->database, row.container, &container, error) < 0) {
        return -1;
    }
    events_emit_container(job->engine, &container, "exec_detach",
                          (const char *[]){"execID", hex_of(row.id, hex), NULL});
    return job_reply_done(job);
}

int wait_exec(struct job *job, struct bh_error *error)
{
    const Bulkhead__WaitExec *question = job_body(job);
    struct waiters *waiters = job->engine->waiters;
    exec_row_auto struct exec_row row = {0}, now = {0};
    if (adoption_wait(job, error) < 0 || find_exec(job, question->id, &row, error) < 0 ||
        waiters_add(waiters, job->request, row.id, BULKHEAD__WAIT_CONDITION__WAIT_CONDITION_NOT_RUNNING, error) < 0) {
        return -1;
    }
    /* What ended before we were listed is told from the row; what ends from here on finds us in the list. */
    struct bh_error gone = {0};
    const bool exists = database_exec(job->engine->database, row.tenant_uid, row.id, &now, &gone) == 1;
    if (!exists || now.status != BULKHEAD__EXEC_STATUS__EXEC_STATUS_RUNNING || job_cancelled(job)) {
        waiters_answer(waiters, job->request, now.exit_code, "");
    }
    return 0;
}

/* ---- with their container, and later -------------------------------------------------------------- */

void execs_container_ended(struct job *job, const struct container_row *container)
{
    struct exec_row *rows = NULL;
    size_t n_rows = 0;
    struct bh_error error = {0};
    if (database_drop_created_execs(job->engine->database, container->id, &error) < 0) {
        bh_log_failure(BH_LOG_WARNING, &error, "execs that were never started stay until their container goes");
        bh_error_clear(&error);
    }
    if (!container->spec->host_pid) {
        return; /* the kernel ends whatever is in a PID namespace without its first process */
    }
    if (database_execs(job->engine->database, container->id, &rows, &n_rows, &error) < 0) {
        bh_log_failure(BH_LOG_WARNING, &error, "the execs of a container that ended may still run");
        return;
    }
    for (size_t i = 0; i < n_rows; i++) {
        const struct policy_exec name = name_of(&rows[i]);
        if (rows[i].status == BULKHEAD__EXEC_STATUS__EXEC_STATUS_RUNNING &&
            policy_signal_exec(job, &name, SIGKILL, &error) < 0 && error.code != BH_NOT_FOUND &&
            error.code != BH_FAILED_PRECONDITION) {
            bh_log_failure(BH_LOG_WARNING, &error, "an exec of a container that ended may still run");
        }
    }
    exec_rows_free(rows, n_rows);
}

/* A health check of an engine that is gone: nobody holds the other end of its output. */
static void end_probe(struct job *job, const struct exec_row *row)
{
    const struct policy_exec name = name_of(row);
    struct bh_error gone;
    (void)policy_signal_exec(job, &name, SIGKILL, &gone);
}

static int adopt_one(struct job *job, const struct exec_row *row, struct bh_error *error)
{
    exec_row_auto struct exec_row now = {0};
    live_auto struct live *live = live_get(job->engine->live, row->id, error);
    if (!live || live_lock(live, job, error) < 0) {
        return -1;
    }
    live_locked lock = live;
    int found = database_exec(job->engine->database, row->tenant_uid, row->id, &now, error);
    if (found != 1 || now.status != BULKHEAD__EXEC_STATUS__EXEC_STATUS_RUNNING || live_has_monitor(live) ||
        live_is_running(live)) {
        return found < 0 ? -1 : 0;
    }
    if (row->probe) {
        end_probe(job, row);
    }
    return exec_end_look(job, live, row, error);
}

int execs_adopt(struct job *job, struct bh_error *error)
{
    struct exec_row *rows = NULL;
    size_t n_rows = 0;
    if (database_running_execs(job->engine->database, &rows, &n_rows, error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < n_rows; i++) {
        struct bh_error failure = {0};
        if (adopt_one(job, &rows[i], &failure) < 0) {
            bh_log_failure(BH_LOG_WARNING, &failure, "an exec could not be adopted");
        }
    }
    exec_rows_free(rows, n_rows);
    return 0;
}

static int forget(struct job *job, struct bh_error *error)
{
    return database_forget_execs(job->engine->database, bh_wall_ns() - FORGET_AFTER_NS, error);
}

static void on_forget(evutil_socket_t fd, short what, void *argument)
{
    struct engine *engine = argument;
    struct bh_error error;
    (void)fd;
    (void)what;
    if (jobs_start(engine->jobs, forget, NULL, &error) == 0) { /* else the engine is stopping */
        execs_begin(engine);
    }
}

void execs_begin(struct engine *engine)
{
    const struct timeval later = {.tv_sec = FORGET_EVERY_S};
    (void)event_base_once(engine->context->base, -1, EV_TIMEOUT, on_forget, engine, &later);
}
