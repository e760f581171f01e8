/* SPDX-License-Identifier: Apache-2.0
 *
 * What can be done to a container that was started before, maybe by an executor that is gone: everything is read from
 * its folders and from the kernel.
 */
#pragma once

#include "executor.h"
#include "record.h"

/* A container's folders and what they say. */
struct running {
    char name[65];    /* the id in hex */
    int folder, logs; /* -1: never started */
    int pidfd;        /* -1: it does not run */
    struct record record;
};

struct running_state {
    bool running, has_exit, oom_killed;
    int32_t pid, exit_code;
    int64_t started_at_ns, finished_at_ns;
};

/* Opens what is there of a container. NOT_FOUND if it was never started, PERMISSION_DENIED if it is another tenant's.
 * Closed by running_close(), also after an error. */
int running_open(const struct executor *executor, const uint8_t id[static 32], uint32_t tenant_uid,
                 struct running *ret_running, struct bh_error *error);
/* The same, whoever's it is: for the executor's own look around. */
int running_open_any(const struct executor *executor, const uint8_t id[static 32], struct running *ret_running,
                     struct bh_error *error);
void running_close(struct running *running);

/* Whether it runs, and if not, how it ended by its monitor's record. */
void running_look(const struct running *running, struct running_state *ret_state);

/* SIGKILL also thaws it: a frozen container is killed like any other. */
int running_signal(const struct executor *executor, const struct running *running, int signal_number,
                   struct bh_error *error);
/* A new connection to its monitor. NOT_FOUND if there is none any more. */
int running_connect(const struct running *running, int *ret_fd, struct bh_error *error);
/* Its log files, newest first. Returns how many, at most `max`; -1 if there is none. */
int running_open_logs(const struct running *running, int *ret_fds, size_t max, struct bh_error *error);
int running_update(const struct executor *executor, const struct running *running,
                   const struct spec_resources *resources, struct bh_error *error);

/* Calls `each` with the id of every container there is a folder of. */
int running_list(const struct executor *executor, void (*each)(const uint8_t id[static 32], void *argument),
                 void *argument, struct bh_error *error);
