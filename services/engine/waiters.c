/* SPDX-License-Identifier: Apache-2.0
 *
 * Who waits for which container to end; see waiters.h.
 */
#include <errno.h>
#include <string.h>

#include "services/engine/adopt.h"
#include "services/engine/containers.h"
#include "services/engine/database.h"
#include "services/engine/resolve.h"
#include "services/engine/waiters.h"

struct waiter {
    struct waiter *next;
    struct bh_request *request;
    uint8_t id[ENGINE_ID_BYTES];
    Bulkhead__WaitCondition condition;
};

struct waiters {
    pthread_mutex_t mutex;
    struct waiter *first;
};

int waiters_new(struct waiters **ret_waiters, struct bh_error *error)
{
    struct waiters *waiters = calloc(1, sizeof *waiters);
    if (!waiters) {
        return bh_error_errno(error, ENOMEM, "make the list of waiting clients");
    }
    (void)pthread_mutex_init(&waiters->mutex, NULL);
    *ret_waiters = waiters;
    return 0;
}

static void answer(struct waiter *waiter, int32_t exit_code, const char *problem)
{
    Bulkhead__Waited waited = BULKHEAD__WAITED__INIT;
    Bulkhead__EngineToApi packet = BULKHEAD__ENGINE_TO_API__INIT;
    waited.exit_code = exit_code;
    waited.error = (char *)(uintptr_t)problem;
    packet.body_case = BULKHEAD__ENGINE_TO_API__BODY_WAITED;
    packet.waited = &waited;
    (void)bh_request_reply(waiter->request, &packet.base, NULL, 0);
    bh_request_unref(waiter->request);
    free(waiter);
}

void waiters_free(struct waiters *waiters)
{
    if (!waiters) {
        return;
    }
    struct waiter *waiter;
    while ((waiter = waiters->first)) {
        struct bh_error error;
        (void)bh_error_set(&error, BH_UNAVAILABLE, "the engine is stopping");
        waiters->first = waiter->next;
        (void)bh_request_fail(waiter->request, &error);
        bh_request_unref(waiter->request);
        free(waiter);
    }
    (void)pthread_mutex_destroy(&waiters->mutex);
    free(waiters);
}

int waiters_add(struct waiters *waiters, struct bh_request *request, const uint8_t *id,
                Bulkhead__WaitCondition condition, struct bh_error *error)
{
    struct waiter *waiter = calloc(1, sizeof *waiter);
    if (!waiter) {
        return bh_error_errno(error, ENOMEM, "wait for a container");
    }
    Bulkhead__WaitStarted started = BULKHEAD__WAIT_STARTED__INIT;
    Bulkhead__EngineToApi packet = BULKHEAD__ENGINE_TO_API__INIT;
    packet.body_case = BULKHEAD__ENGINE_TO_API__BODY_WAIT_STARTED;
    packet.wait_started = &started;
    memcpy(waiter->id, id, sizeof waiter->id);
    waiter->request = bh_request_ref(request);
    waiter->condition = condition;
    (void)pthread_mutex_lock(&waiters->mutex);
    waiter->next = waiters->first;
    waiters->first = waiter;
    (void)bh_request_progress(request, &packet.base, NULL, 0);
    (void)pthread_mutex_unlock(&waiters->mutex);
    return 0;
}

/* Takes a request's entry off the list, if it is still there. */
static struct waiter *take(struct waiters *waiters, const struct bh_request *request)
{
    struct waiter *taken = NULL;
    (void)pthread_mutex_lock(&waiters->mutex);
    for (struct waiter **link = &waiters->first; *link; link = &(*link)->next) {
        if ((*link)->request == request) {
            taken = *link;
            *link = taken->next;
            break;
        }
    }
    (void)pthread_mutex_unlock(&waiters->mutex);
    return taken;
}

void waiters_answer(struct waiters *waiters, const struct bh_request *request, int32_t exit_code, const char *problem)
{
    struct waiter *waiter = take(waiters, request);
    if (waiter) {
        answer(waiter, exit_code, problem);
    }
}

/* Answers everybody who waits for this container, or (not `removed`) all but those who wait for its removal. */
static void answer_all(struct waiters *waiters, const uint8_t *id, bool removed, int32_t exit_code, const char *problem)
{
    struct waiter *due = NULL;
    (void)pthread_mutex_lock(&waiters->mutex);
    for (struct waiter **link = &waiters->first; *link;) {
        struct waiter *waiter = *link;
        if (memcmp(waiter->id, id, sizeof waiter->id) == 0 &&
            (removed || waiter->condition != BULKHEAD__WAIT_CONDITION__WAIT_CONDITION_REMOVED)) {
            *link = waiter->next;
            waiter->next = due;
            due = waiter;
        } else {
            link = &waiter->next;
        }
    }
    (void)pthread_mutex_unlock(&waiters->mutex);
    while (due) {
        struct waiter *waiter = due;
        due = waiter->next;
        answer(waiter, exit_code, problem);
    }
}

void waiters_exited(struct waiters *waiters, const uint8_t *id, int32_t exit_code, const char *problem)
{
    answer_all(waiters, id, false, exit_code, problem);
}

void waiters_removed(struct waiters *waiters, const uint8_t *id, int32_t exit_code, const char *problem)
{
    answer_all(waiters, id, true, exit_code, problem);
}

void waiters_drop(struct waiters *waiters, struct bh_request *request)
{
    struct waiter *waiter = take(waiters, request);
    if (waiter) {
        struct bh_error error;
        (void)bh_error_set(&error, BH_CANCELLED, "nobody waits for this container any more");
        (void)bh_request_fail(request, &error);
        bh_request_unref(waiter->request);
        free(waiter);
    }
}

int wait_container(struct job *job, struct bh_error *error)
{
    const Bulkhead__WaitContainer *question = job_body(job);
    struct waiters *waiters = job->engine->waiters;
    container_row_auto struct container_row row = {0}, now = {0};
    if (adoption_wait(job, error) < 0 || resolve_container(job, question->reference, &row, error) < 0 ||
        waiters_add(waiters, job->request, row.id, question->condition, error) < 0) {
        return -1;
    }
    /* What ended before we were listed is told from the row; what ends from here on finds us in the list. */
    struct bh_error gone = {0};
    bool exists = database_container(job->engine->database, row.id, &now, &gone) == 0;
    const struct container_state *state = exists ? &now.state : &row.state;
    bool runs = exists && container_is_active(state);
    bool due = !exists || (question->condition == BULKHEAD__WAIT_CONDITION__WAIT_CONDITION_NOT_RUNNING && !runs);
    if (due || job_cancelled(job)) {
        waiters_answer(waiters, job->request, state->exit_code, state->error);
    }
    return 0;
}
