/* SPDX-License-Identifier: Apache-2.0
 *
 * ReadLogs; see logs.h. The engine reads no byte of a log.
 */
#include <poll.h>
#include <string.h>

#include "services/engine/adopt.h"
#include "services/engine/containers.h"
#include "services/engine/logs.h"
#include "services/engine/policy.h"
#include "services/engine/resolve.h"

#define NEW_LOG_PAUSE_MS 10
#define NEW_LOG_TRIES    100

static void close_all(int *fds, size_t n_fds)
{
    for (size_t i = 0; i < n_fds; i++) {
        bh_close(&fds[i]);
    }
}

/* A container that has just been started may run before its monitor has made the log: who follows is to hold it from
 * the beginning, since it may be removed as soon as it has ended. */
static int open_files(struct job *job, const struct container_row *row, bool following,
                      int files[static BH_MESSAGE_FDS_MAX], size_t *ret_n_files, struct bh_error *error)
{
    for (int tries = 0;; tries++) {
        *ret_n_files = 0;
        bh_error_clear(error);
        if (policy_open_log(job, row, files, ret_n_files, error) < 0 && error->code != BH_NOT_FOUND) {
            return -1;
        }
        if (*ret_n_files > 0 || !following || tries == NEW_LOG_TRIES) {
            return 0;
        }
        if (job_check(job, error) < 0) {
            return -1;
        }
        (void)poll(NULL, 0, NEW_LOG_PAUSE_MS);
    }
}

/* Opens the monitor before the files: what grows in between is told, not missed. */
static int open_all(struct job *job, const struct container_row *row, bool follow, int fds[static BH_MESSAGE_FDS_MAX],
                    size_t *ret_n_fds, bool *ret_following, struct bh_error *error)
{
    int files[BH_MESSAGE_FDS_MAX];
    size_t n_fds = 0, n_files = 0;
    if (follow && container_runs(&row->state)) {
        if (policy_open_monitor(job, row->id, row->tenant_uid, &fds[0], error) == 0) {
            n_fds = 1;
        } else if (error->code != BH_NOT_FOUND) {
            return -1;
        }
    }
    *ret_following = n_fds == 1;
    if (open_files(job, row, *ret_following, files, &n_files, error) < 0) {
        close_all(fds, n_fds);
        return -1;
    }
    for (size_t i = 0; i < n_files; i++) {
        if (n_fds < BH_MESSAGE_FDS_MAX) {
            fds[n_fds++] = files[i];
        } else {
            bh_close(&files[i]); /* the oldest of more than fit a message */
        }
    }
    *ret_n_fds = n_fds;
    return 0;
}

int read_logs(struct job *job, struct bh_error *error)
{
    const Bulkhead__ReadLogs *question = job_body(job);
    container_row_auto struct container_row row = {0};
    int fds[BH_MESSAGE_FDS_MAX];
    size_t n_fds = 0;
    bool following = false;
    if (adoption_wait(job, error) < 0 || resolve_container(job, question->reference, &row, error) < 0) {
        return -1;
    }
    if (row.spec->log->driver == BULKHEAD__LOG_DRIVER__LOG_DRIVER_NONE) {
        return bh_error_set(error, BH_UNIMPLEMENTED, "configured logging driver does not support reading");
    }
    if (open_all(job, &row, question->follow, fds, &n_fds, &following, error) < 0) {
        return -1;
    }
    Bulkhead__LogsOpened opened = BULKHEAD__LOGS_OPENED__INIT;
    Bulkhead__EngineToApi packet = BULKHEAD__ENGINE_TO_API__INIT;
    opened.tty = row.spec->process && row.spec->process->tty;
    opened.following = following;
    opened.files = (uint32_t)(n_fds - following);
    opened.driver = row.spec->log->driver;
    opened.attributes = row.spec->log->attributes;
    opened.n_attributes = row.spec->log->n_attributes;
    packet.body_case = BULKHEAD__ENGINE_TO_API__BODY_LOGS_OPENED;
    packet.logs_opened = &opened;
    (void)bh_request_reply(job->request, &packet.base, fds, n_fds);
    close_all(fds, n_fds);
    return 0;
}
