/* SPDX-License-Identifier: Apache-2.0
 *
 * One child process: its program, its control socket, its life. The set of all of them is the supervisor's whole state.
 */
#pragma once

#include <sys/queue.h>
#include <sys/types.h>

#include "common/control.h"
#include "folders.h"
#include "settings.h"

struct event;

struct helper {
    TAILQ_ENTRY(helper) next;
    enum bh_role role;
    uint32_t tenant_uid; /* api only */
    uint32_t uid;        /* what it becomes */
    pid_t pid;           /* 0: not running */
    int control;         /* our end of its descriptor 3; -1: not running */
    bool ready;
    bool was_ready; /* this one, or one before it */
    uint32_t restarts;
    uint64_t started_at_ms;
    uint64_t backoff_ms;
    struct event *readable; /* on `control` */
    struct event *retry;    /* timer for the next start */
    void *owner;            /* struct supervisor */
};

/* Forks and executes the helper's program with descriptors 0-3 alone and an empty environment (but for the sanitizers'
 * options); descriptor 2 is `log`, or ours if that is -1. On success pid and control are set. */
int helper_spawn(struct helper *helper, const struct settings *settings, int log, struct bh_error *error);

/* Hands over configuration and folders. */
int helper_introduce(struct helper *helper, const struct settings *settings, const struct folders *folders,
                     struct bh_error *error);

/* Sends one record; a helper that does not read its control socket is an error, never waited for. */
int helper_tell(const struct helper *helper, enum bh_control_kind kind, enum bh_role role, uint32_t tenant_uid,
                uint64_t value, int fd, struct bh_error *error);

/* Closes our end and forgets the process. */
void helper_forget(struct helper *helper);
