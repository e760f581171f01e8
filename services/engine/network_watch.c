/* SPDX-License-Identifier: Apache-2.0
 *
 * See network_watch.h. One job waits for as long as the engine runs.
 */
#include "services/engine/network_watch.h"

#include <poll.h>

#include "common/log.h"
#include "services/engine/adopt.h"
#include "services/engine/attachment.h"
#include "services/engine/containers.h"
#include "services/engine/live.h"
#include "services/engine/networks.h"
#include "services/engine/policy_networks.h"

#define RETRY_MS 500

static int tell_networks(struct job *job, struct bh_error *error)
{
    struct network_row *rows = NULL;
    size_t n_rows = 0;
    if (database_networks(job->engine->database, 0, true, &rows, &n_rows, error) < 0) {
        return -1;
    }
    int result = 0;
    for (size_t i = 0; result == 0 && i < n_rows; i++) {
        struct bh_error failure = {0};
        if (!rows[i].made || network_make(job, &rows[i], &failure) == 0) {
            continue;
        }
        if (failure.code == BH_UNAVAILABLE || failure.code == BH_CANCELLED) {
            *error = failure;
            result = -1;
        } else { /* the others are there for all that */
            bh_log_failure(BH_LOG_ERROR, &failure, rows[i].request->name);
        }
    }
    network_rows_free(rows, n_rows);
    return result;
}

/* Under its lock: nobody links, unlinks or ends it meanwhile. */
static int tell_container(struct job *job, const uint8_t *id, struct bh_error *error)
{
    container_row_auto struct container_row row = {0};
    live_auto struct live *live = live_get(job->engine->live, id, error);
    if (!live || live_lock(live, job, error) < 0) {
        return -1;
    }
    live_locked lock = live;
    if (database_container(job->engine->database, id, &row, error) < 0) {
        return error->code == BH_NOT_FOUND ? 0 : -1;
    }
    if (!container_runs(&row.state) || attachment_renew(job, &row, error) == 0) {
        return 0;
    }
    return error->code == BH_NOT_FOUND || error->code == BH_FAILED_PRECONDITION ? 0 : -1; /* it has just ended */
}

static int tell_containers(struct job *job, struct bh_error *error)
{
    struct container_row *rows = NULL;
    size_t n_rows = 0;
    if (database_containers(job->engine->database, 0, true, &rows, &n_rows, error) < 0) {
        return -1;
    }
    int result = 0;
    for (size_t i = 0; result == 0 && i < n_rows; i++) {
        struct bh_error failure = {0};
        if (!container_runs(&rows[i].state) || tell_container(job, rows[i].id, &failure) == 0) {
            continue;
        }
        if (failure.code == BH_UNAVAILABLE || failure.code == BH_CANCELLED) {
            *error = failure;
            result = -1;
        } else {
            bh_log_failure(BH_LOG_ERROR, &failure, rows[i].name);
        }
    }
    container_rows_free(rows, n_rows);
    return result;
}

static int tell_all(struct job *job, struct bh_error *error)
{
    networks_forget_made(job->engine->networks);
    return tell_networks(job, error) < 0 || tell_containers(job, error) < 0 ? -1 : policy_settle_networks(job, error);
}

/* Runs as a job until the engine stops. */
static int watch(struct job *job, struct bh_error *error)
{
    uint64_t generation = 0;
    while (!job_cancelled(job)) {
        uint64_t now = 0;
        bh_error_clear(error);
        if (adoption_wait(job, error) == 0 && policy_await_netd(job, generation, &now, error) == 0 &&
            tell_all(job, error) == 0) {
            generation = now;
            continue;
        }
        if (job_cancelled(job)) {
            break;
        }
        if (error->code != BH_UNAVAILABLE) {
            bh_log_failure(BH_LOG_WARNING, error, "netd is told its networks later");
        }
        generation = 0; /* of a policyd that may be another one by now */
        (void)poll(NULL, 0, RETRY_MS);
    }
    return 0;
}

void network_watch_begin(struct engine *engine)
{
    struct bh_error error = {0};
    if (jobs_start(engine->jobs, watch, NULL, &error) < 0) {
        bh_log_failure(BH_LOG_ERROR, &error, "nobody will tell netd its networks");
    }
}
