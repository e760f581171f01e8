/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside of health.c: the list of containers that are checked, and the jobs that check them. The list's functions are
 * called under its lock, and take it for granted.
 */
#pragma once

#include <event2/event.h>
#include <pthread.h>

#include "services/engine/health.h"
#include "services/engine/health_check.h"

#define HEALTH_NEVER UINT64_MAX
#define HEALTH_MS_NS 1000000

/* A running container with a check. */
struct checked {
    struct checked *next;
    uint8_t id[ENGINE_ID_BYTES];
    uint32_t tenant_uid;
    int64_t started_at_ns;
    enum health_on_failure on_failure;
    Bulkhead__Healthcheck *check;
    Bulkhead__Health *health;
    uint64_t due_ms; /* when it is checked next; HEALTH_NEVER while it is, or is paused */
    bool paused;
    /* the check under way */
    bool probing, timed_out;
    uint8_t exec[ENGINE_ID_BYTES];
    uint64_t deadline_ms;
    int64_t probe_started_ns;
};

struct health {
    struct engine *engine;
    pthread_mutex_t mutex;
    struct event *timer;
    struct checked *first;
};

/* What a job is about: a container, or one exec of it. */
struct errand {
    uint8_t container[ENGINE_ID_BYTES], exec[ENGINE_ID_BYTES];
    uint32_t tenant_uid;
};

/* ---- health_list.c ------------------------------------------------------------------------------------- */

void health_checked_free(struct checked *checked);
/* NULL: not checked. */
struct checked *health_find(struct health *health, const uint8_t *id);
/* Out of the list, for the caller to free. */
struct checked *health_take(struct health *health, const uint8_t *id);
/* Says when it is checked next, from now on. */
void health_schedule(struct checked *checked);
/* Sets the timer to whatever is due next. */
void health_arm(struct health *health);
/* The timer's callback, which takes the lock itself. */
void health_on_timer(evutil_socket_t fd, short what, void *argument);

/* ---- health_probe.c: jobs, with an errand as argument -------------------------------------------------------- */

int health_run_probe(struct job *job, struct bh_error *error);
/* It takes too long. Its end comes like any other. */
int health_end_probe(struct job *job, struct bh_error *error);
