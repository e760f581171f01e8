/* SPDX-License-Identifier: Apache-2.0
 *
 * Privileges; see privileges.h. Questions carry a number, so that an answer finds the job that asked.
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "common/io.h"
#include "services/engine/privileges.h"

#define PATIENCE_S 10
#define ROWS_MAX   1024

struct question {
    struct question *next;
    uint64_t number;
    int answer; /* -1 until it came */
};

struct privileges {
    pthread_mutex_t mutex;
    pthread_cond_t answered;
    struct question *questions;
    uint64_t next_number;
};

int privileges_new(struct privileges **ret_privileges, struct bh_error *error)
{
    struct privileges *privileges = calloc(1, sizeof *privileges);
    if (!privileges) {
        return bh_error_errno(error, ENOMEM, "prepare questions to the supervisor");
    }
    (void)pthread_mutex_init(&privileges->mutex, NULL);
    (void)pthread_cond_init(&privileges->answered, NULL);
    privileges->next_number = 1;
    *ret_privileges = privileges;
    return 0;
}

void privileges_free(struct privileges *privileges)
{
    if (privileges) {
        (void)pthread_cond_destroy(&privileges->answered);
        (void)pthread_mutex_destroy(&privileges->mutex);
        free(privileges);
    }
}

void privileges_answered(struct privileges *privileges, int fd, uint64_t value)
{
    bh_autoclose int answer = fd;
    (void)pthread_mutex_lock(&privileges->mutex);
    for (struct question *question = privileges->questions; question; question = question->next) {
        if (question->number == value && question->answer < 0) {
            question->answer = bh_steal_fd(&answer);
        }
    }
    (void)pthread_cond_broadcast(&privileges->answered);
    (void)pthread_mutex_unlock(&privileges->mutex);
}

/* Puts the question and waits for the answer's descriptor. */
static int ask(struct job *job, int *ret_fd, struct bh_error *error)
{
    struct privileges *privileges = job->engine->privileges;
    struct question question = {.answer = -1};
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    (void)pthread_mutex_lock(&privileges->mutex);
    question.number = privileges->next_number++;
    question.next = privileges->questions;
    privileges->questions = &question;
    const struct bh_control record = {.kind = BH_CONTROL_PRIVILEGES, .value = question.number};
    int result = bh_service_control(job->engine->context, &record, error);
    while (result == 0 && question.answer < 0) {
        if (pthread_cond_timedwait(&privileges->answered, &privileges->mutex, &until) == ETIMEDOUT) {
            result = bh_error_set(error, BH_DEADLINE_EXCEEDED, "the supervisor did not answer within %d seconds",
                                  PATIENCE_S);
        }
    }
    for (struct question **link = &privileges->questions; *link; link = &(*link)->next) {
        if (*link == &question) {
            *link = question.next;
            break;
        }
    }
    (void)pthread_mutex_unlock(&privileges->mutex);
    if (result < 0) {
        bh_close(&question.answer);
        return -1;
    }
    *ret_fd = question.answer;
    return 0;
}

static void tell(struct job *job, struct bh_privilege_row *row)
{
    Bulkhead__Privilege privilege = BULKHEAD__PRIVILEGE__INIT;
    Bulkhead__EngineToApi packet = BULKHEAD__ENGINE_TO_API__INIT;
    row->namespaces[BH_PRIVILEGE_TEXT - 1] = row->root[BH_PRIVILEGE_TEXT - 1] = row->peers[BH_PRIVILEGE_TEXT - 1] =
        '\0';
    privilege.role = (char *)(uintptr_t)bh_role_name((enum bh_role)row->role);
    privilege.tenant_uid = row->tenant_uid;
    privilege.pid = row->pid;
    privilege.uid = row->uid;
    privilege.gid = row->gid;
    privilege.seccomp = row->seccomp;
    privilege.seccomp_filters = row->seccomp_filters;
    privilege.no_new_privs = row->no_new_privs != 0;
    privilege.cap_inheritable = row->cap_inheritable;
    privilege.cap_permitted = row->cap_permitted;
    privilege.cap_effective = row->cap_effective;
    privilege.cap_bounding = row->cap_bounding;
    privilege.cap_ambient = row->cap_ambient;
    privilege.pss_bytes = row->pss_bytes;
    privilege.descriptors = row->n_fds;
    privilege.restarts = row->restarts;
    privilege.namespaces = row->namespaces;
    privilege.root = row->root;
    privilege.peers = row->peers;
    packet.body_case = BULKHEAD__ENGINE_TO_API__BODY_PRIVILEGE;
    packet.privilege = &privilege;
    (void)job_more(job, &packet);
}

int get_privileges(struct job *job, struct bh_error *error)
{
    bh_autoclose int fd = -1;
    bh_autofree void *bytes = NULL;
    size_t n_bytes = 0;
    if (job->tenant_uid != 0) {
        return bh_error_set(error, BH_PERMISSION_DENIED, "the table of privileges is the root tenant's: ask as root");
    }
    if (ask(job, &fd, error) < 0 ||
        bh_memfd_read(fd, ROWS_MAX * sizeof(struct bh_privilege_row), &bytes, &n_bytes, error) < 0) {
        return -1;
    }
    struct bh_privilege_row *rows = bytes;
    for (size_t i = 0; i < n_bytes / sizeof *rows; i++) {
        tell(job, &rows[i]);
    }
    return job_reply_done(job);
}
