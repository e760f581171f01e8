/* SPDX-License-Identifier: Apache-2.0
 *
 * How containers end. The engine holds one connection to the monitor of each running container; the monitor says when
 * it ended and how. A monitor that vanishes without a word is looked after: what the executor knows then counts.
 */
#pragma once

#include "services/engine/database.h"
#include "services/engine/jobs.h"
#include "services/engine/live.h"
#include "services/engine/policy.h"

/* What a container whose end nobody saw is said to have returned, as Docker does. */
#define EXIT_UNKNOWN 255

/* Takes a connection to the monitor of a running container (closed in any case) and waits on the loop for its end. */
int exits_watch(struct engine *engine, struct live *live, const uint8_t *id, uint32_t tenant_uid, int64_t started_at_ns,
                int monitor, struct bh_error *error);
/* The same for a run that may have ended already, without a connection: a job finds out. */
int exits_look_soon(struct engine *engine, const uint8_t *id, uint32_t tenant_uid, int64_t started_at_ns,
                    struct bh_error *error);

/* It has ended: writes that down, tells who waits, and removes it if it was to be (--rm). A container that is not said
 * to run is left alone. */
struct exit_facts {
    int32_t exit_code;
    bool oom_killed;
    int64_t finished_at_ns;
    int64_t started_at_ns; /* of which run; 0: of the one the row tells of */
    const char *problem;   /* "" if none */
};
int exits_record(struct job *job, struct live *live, const uint8_t *id, const struct exit_facts *facts,
                 struct bh_error *error);
/* The two halves of it. The first may be done under the container's lock, the second takes it. 1: it is to be removed.
 */
int exits_note(struct job *job, struct live *live, const uint8_t *id, const struct exit_facts *facts,
               struct container_state *ret_state, struct bh_error *error);
int exits_remove(struct job *job, struct live *live, const uint8_t *id, const struct container_state *state,
                 struct bh_error *error);

/* Finds out about a container that was said to run and is not watched. 1: its monitor answers (it runs, or is just
 * ending), *ret_monitor is a connection and *ret_found what the executor knows. 0: it has ended, *ret_facts says how.
 * One that runs without a monitor is ended: nobody would ever learn its exit code, or read its output. */
int exits_look(struct job *job, const uint8_t *id, uint32_t tenant_uid, struct policy_found *ret_found,
               int *ret_monitor, struct exit_facts *ret_facts, struct bh_error *error);

/* Writes down that it is paused, or runs again, unless it has ended meanwhile. */
int exits_set_paused(struct engine *engine, struct live *live, const struct container_row *row, bool paused,
                     struct bh_error *error);
