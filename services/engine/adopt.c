/* SPDX-License-Identifier: Apache-2.0
 *
 * Taking stock; see adopt.h.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "common/io.h"
#include "common/log.h"
#include "services/engine/adopt.h"
#include "services/engine/attachment.h"
#include "services/engine/containers.h"
#include "services/engine/execs.h"
#include "services/engine/events.h"
#include "services/engine/exits.h"
#include "services/engine/garbage.h"
#include "services/engine/health.h"
#include "services/engine/networks.h"
#include "services/engine/policy.h"
#include "services/engine/restarts.h"
#include "services/engine/volumes.h"

#define PATIENCE_MS   30000U
#define LOOK_AGAIN_MS 200
#define RETRY_MS      200
#define LATER_S       5

struct adoption {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool done;
    bool running, again;
};

int adoption_new(struct adoption **ret_adoption, struct bh_error *error)
{
    struct adoption *adoption = calloc(1, sizeof *adoption);
    if (!adoption) {
        return bh_error_errno(error, ENOMEM, "prepare the adoption of containers");
    }
    (void)pthread_mutex_init(&adoption->mutex, NULL);
    (void)pthread_cond_init(&adoption->changed, NULL);
    *ret_adoption = adoption;
    return 0;
}

void adoption_free(struct adoption *adoption)
{
    if (adoption) {
        (void)pthread_cond_destroy(&adoption->changed);
        (void)pthread_mutex_destroy(&adoption->mutex);
        free(adoption);
    }
}

int adoption_wait(struct job *job, struct bh_error *error)
{
    struct adoption *adoption = job->engine->adoption;
    const uint64_t until_ms = bh_now_ms() + PATIENCE_MS;
    int result = 0;
    (void)pthread_mutex_lock(&adoption->mutex);
    while (!adoption->done && (result = job_check(job, error)) == 0) {
        if (bh_now_ms() >= until_ms) {
            result =
                bh_error_set(error, BH_UNAVAILABLE, "the engine is still taking stock of its containers: try again");
            break;
        }
        struct timespec look; /* a cancelled job looks here for that by itself */
        (void)clock_gettime(CLOCK_REALTIME, &look);
        look.tv_nsec += LOOK_AGAIN_MS * 1000000L;
        look.tv_sec += look.tv_nsec / 1000000000L;
        look.tv_nsec %= 1000000000L;
        (void)pthread_cond_timedwait(&adoption->changed, &adoption->mutex, &look);
    }
    (void)pthread_mutex_unlock(&adoption->mutex);
    return result;
}

static const struct policy_found *find(const struct policy_found *found, size_t n_found, const uint8_t *id)
{
    for (size_t i = 0; i < n_found; i++) {
        if (memcmp(found[i].id, id, ENGINE_ID_BYTES) == 0) {
            return &found[i];
        }
    }
    return NULL;
}

/* Notes that a run of which no row tells has begun: its start was never acknowledged, but happened. */
static int note_start(struct job *job, struct container_row *row, int32_t pid, int64_t started_at_ns,
                      struct bh_error *error)
{
    const struct engine_event event = EVENT_OF_CONTAINER(row, "start");
    row->state = (struct container_state){.status = BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_RUNNING,
                                          .pid = pid,
                                          .started_at_ns = started_at_ns,
                                          .finished_at_ns = row->state.finished_at_ns,
                                          .restart_count = row->state.restart_count,
                                          .restart_wait_ms = row->state.restart_wait_ms,
                                          .stop_asked = row->state.stop_asked};
    return database_set_state(job->engine->database, row->id, &row->state, &event, error);
}

/* Connects to the monitor of a running container and notes that it runs. */
static int adopt_running(struct job *job, struct container_row *row, struct live *live,
                         const struct policy_found *found, int monitor, struct bh_error *error)
{
    bh_autoclose int fd = monitor;
    live_set_running(live, true);
    if (!container_runs(&row->state)) {
        if (note_start(job, row, found->pid, found->started_at_ns, error) < 0) {
            return -1;
        }
    } else {
        row->state.pid = found->pid;
        row->state.started_at_ns = found->started_at_ns;
        if (database_set_state(job->engine->database, row->id, &row->state, NULL, error) < 0) {
            return -1;
        }
    }
    bh_log_info("adopted container \"/%s\" (pid %d)", row->name, found->pid);
    health_resumed(job, row);
    return exits_watch(job->engine, live, row->id, row->tenant_uid, row->state.started_at_ns, bh_steal_fd(&fd), error);
}

/* A container of which the row says that it runs, or the executor does. 1: it has ended, *ret_facts says how. */
static int settle_running(struct job *job, struct live *live, struct container_row *row, struct exit_facts *ret_facts,
                          struct bh_error *error)
{
    struct policy_found now = {0};
    bh_autoclose int monitor = -1;
    const bool news = !container_runs(&row->state);
    int watchable = exits_look(job, row->id, row->tenant_uid, &now, &monitor, ret_facts, error);
    if (watchable == 1 && news && row->state.stop_asked == STOP_ASKED) {
        /* Its start was given up for lost, and its client told so; or it is just ending. */
        adoption_later(job->engine);
        return policy_signal(job, row->id, row->tenant_uid, SIGKILL, error) < 0 && error->code != BH_NOT_FOUND &&
                       error->code != BH_FAILED_PRECONDITION
                   ? -1
                   : 0;
    }
    if (watchable == 1) {
        return adopt_running(job, row, live, &now, bh_steal_fd(&monitor), error);
    }
    if (watchable < 0 || (news && !(now.has_exit && now.finished_at_ns > row->state.finished_at_ns))) {
        return watchable;
    }
    if (news && note_start(job, row, 0, now.started_at_ns, error) < 0) {
        return -1;
    }
    ret_facts->started_at_ns = row->state.started_at_ns;
    return 1;
}

/* Under the container's lock. 1: it has ended, and that is written down; it is to be removed if `ret_state` is set. */
static int settle(struct job *job, struct live *live, const uint8_t *id, const struct policy_found *listed,
                  struct container_state *ret_state, struct bh_error *error)
{
    container_row_auto struct container_row row = {0};
    struct exit_facts facts = {0};
    if (database_container(job->engine->database, id, &row, error) < 0) {
        return error->code == BH_NOT_FOUND ? 0 : -1;
    }
    if (live_has_monitor(live)) {
        return 0;
    }
    const bool half_removed = row.state.status == BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_REMOVING ||
                              row.state.status == BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_DEAD;
    const bool left_over = row.auto_remove && !live_is_kept_through_restart(live) &&
                           row.state.status == BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_EXITED;
    if (half_removed || left_over) {
        return container_remove(job, &row, live, error);
    }
    /* A start that was never acknowledged may have ended already: an end that is news counts. */
    if (!container_runs(&row.state) &&
        !(listed && (listed->running || (listed->has_exit && listed->finished_at_ns > row.state.finished_at_ns)))) {
        attachment_end(job, &row); /* somebody died between its end and that of its links */
        return 0;
    }
    int ended = settle_running(job, live, &row, &facts, error);
    return ended == 1 ? exits_note(job, live, id, &facts, ret_state, error) : ended;
}

static int adopt_one(struct job *job, const uint8_t *id, const struct policy_found *found, struct bh_error *error)
{
    struct container_state state = {0};
    int remove;
    live_auto struct live *live = live_get(job->engine->live, id, error);
    if (!live || live_lock(live, job, error) < 0) {
        return -1;
    }
    {
        live_locked lock = live;
        remove = settle(job, live, id, found, &state, error);
    }
    return remove > 0 ? exits_remove(job, live, id, &state, error) : remove;
}

/* What the executor has and no row knows. A stranger that runs is left alone: better a container too many than one
 * killed. */
static void remove_strangers(struct job *job, const struct policy_found *found, size_t n_found,
                             const struct container_row *rows, size_t n_rows)
{
    for (size_t i = 0; i < n_found; i++) {
        struct bh_error error = {0};
        bool known = false;
        for (size_t j = 0; j < n_rows && !known; j++) {
            known = memcmp(rows[j].id, found[i].id, ENGINE_ID_BYTES) == 0;
        }
        if (known) {
            continue;
        }
        if (found[i].running) {
            bh_log_warning("a container that no row knows runs as pid %d: it is left alone", found[i].pid);
        } else if (policy_remove(job, found[i].id, found[i].tenant_uid, &error) < 0) {
            bh_log_failure(BH_LOG_WARNING, &error, "what is left of an unknown container could not be removed");
        }
    }
}

/* One comparison. The list is taken before the rows: whatever it names had its row then. */
static int compare(struct job *job, struct bh_error *error)
{
    bh_autofree struct policy_found *found = NULL;
    struct container_row *rows = NULL;
    size_t n_found = 0, n_rows = 0;
    while (policy_list(job, &found, &n_found, error) < 0) {
        if (error->code != BH_UNAVAILABLE && error->code != BH_DEADLINE_EXCEEDED) {
            return -1;
        }
        if (job_check(job, error) < 0) {
            return -1;
        }
        (void)poll(NULL, 0, RETRY_MS); /* policyd and executor are starting, too */
    }
    if (database_containers(job->engine->database, 0, true, &rows, &n_rows, error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < n_rows; i++) {
        struct bh_error failure = {0};
        if (adopt_one(job, rows[i].id, find(found, n_found, rows[i].id), &failure) < 0) {
            bh_log_failure(BH_LOG_WARNING, &failure, rows[i].name);
            adoption_later(job->engine); /* a helper has just died, or the disk is full */
        }
    }
    remove_strangers(job, found, n_found, rows, n_rows);
    networks_forget_half_made(job);
    restarts_resume(job);
    container_rows_free(rows, n_rows);
    return execs_adopt(job, error) < 0 ? -1 : volumes_reconcile(job, error);
}

static int adopt(struct job *job, struct bh_error *error)
{
    struct adoption *adoption = job->engine->adoption;
    int result = compare(job, error);
    (void)pthread_mutex_lock(&adoption->mutex);
    adoption->done = true; /* even then: requests get their own errors from peers that do not work */
    adoption->running = false;
    bool again = adoption->again;
    adoption->again = false;
    (void)pthread_cond_broadcast(&adoption->changed);
    (void)pthread_mutex_unlock(&adoption->mutex);
    if (again) {
        adoption_start(job->engine);
    }
    garbage_start(job->engine);
    return result;
}

void adoption_start(struct engine *engine)
{
    struct adoption *adoption = engine->adoption;
    struct bh_error error = {0};
    (void)pthread_mutex_lock(&adoption->mutex);
    bool start = !adoption->running;
    adoption->running = true;
    adoption->again = !start;
    (void)pthread_mutex_unlock(&adoption->mutex);
    if (start && jobs_start(engine->jobs, adopt, NULL, &error) < 0) {
        bh_log_failure(BH_LOG_ERROR, &error, "containers cannot be adopted");
        (void)pthread_mutex_lock(&adoption->mutex);
        adoption->running = false;
        (void)pthread_mutex_unlock(&adoption->mutex);
    }
}

static void on_later(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    adoption_start(argument);
}

void adoption_later(struct engine *engine)
{
    const struct timeval later = {.tv_sec = LATER_S};
    (void)event_base_once(engine->context->base, -1, EV_TIMEOUT, on_later, engine, &later);
}
