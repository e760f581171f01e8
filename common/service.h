/* SPDX-License-Identifier: Apache-2.0
 *
 * The skeleton of every helper. main() hands one `struct bh_service` to bh_service_run(), which owns the order of
 * things: take what the supervisor hands over at descriptor 3 -> init -> enter the sandbox -> wire the peers ->
 * start -> say READY -> loop. No service writes its own privilege drop, signal set-up or loop.
 */
#pragma once

#include <event2/event.h>
#include <stdint.h>

#include "common/channel.h"
#include "common/control.h"
#include "common/error.h"
#include "common/sandbox.h"
#include "config.pb-c.h"

struct bh_service_context;

/* A peer this service has a channel to. */
struct bh_peer {
    enum bh_role role;
    const struct bh_protocol *protocol;
    bool many; /* one channel per tenant (engine's side of api): see on_peer */
};

struct bh_service {
    const struct bh_sandbox *sandbox;
    const struct bh_peer *peers; /* ends with BH_ROLE_NONE */

    /* Before the sandbox, still with root's rights: only what cannot be done later. May be NULL. */
    int (*init)(struct bh_service_context *context, struct bh_error *error);
    /* Inside the sandbox, channels wired: open the database, start threads... May be NULL. */
    int (*start)(struct bh_service_context *context, struct bh_error *error);
    /* A channel to a `many` peer came up; *ret_owner becomes its owner pointer. Its end is told by on_peer_gone. */
    int (*on_peer)(struct bh_service_context *context, enum bh_role role, uint32_t tenant_uid,
                   struct bh_channel *channel, struct bh_error *error);
    void (*on_peer_gone)(struct bh_service_context *context, struct bh_channel *channel);
    /* A `once per role` channel was wired again after its peer was restarted. May be NULL. */
    void (*on_rewired)(struct bh_service_context *context, enum bh_role role);
    /* CLIENT: the service owns `fd`. */
    void (*on_client)(struct bh_service_context *context, int fd, uint32_t tenant_uid, uint64_t pid);
    void (*on_reload)(struct bh_service_context *context);
    /* PRIVILEGES answered; the service owns `fd`. */
    void (*on_privileges)(struct bh_service_context *context, int fd, uint64_t value);
    void (*stop)(struct bh_service_context *context);
};

struct bh_service_context {
    const struct bh_service *service;
    struct event_base *base;
    const Bulkhead__Config *config;
    uint32_t tenant_uid;          /* api: whose it is (from CONFIG's record); else 0 */
    bool replaces;                /* one of this role served before, and died */
    int folders[BH_FOLDER_COUNT]; /* -1 where none; still open inside the sandbox */
    void *state;                  /* the service's own; every channel's owner pointer is this context */
};

/* The channel to a peer that exists once. Never NULL for a role in `peers`. */
struct bh_channel *bh_service_peer(const struct bh_service_context *context, enum bh_role role);

/* Sends a record to the supervisor (engine: PRIVILEGES). */
int bh_service_control(struct bh_service_context *context, const struct bh_control *record, struct bh_error *error);

/* Ends the loop; the process exits 0. */
void bh_service_quit(struct bh_service_context *context);

/* Runs the service until STOP or the supervisor's end of descriptor 3 closes; returns the exit status. Understands one
 * argument,
 * `--sandbox`: print the table and exit. */
int bh_service_run(const struct bh_service *service, int argc, char **argv);

/* ---- workers ----------------------------------------------------------------------------------- */

/* Forks a worker that owns `job_fd` and runs `work(job_fd, argument)` in a tightened sandbox, then exits. In the child
 * every descriptor but 0-2, job_fd and `keep` is closed, the loop is gone, and the trace is kept. The parent reaps it
 * and logs how it ended; `on_exit` (may be NULL) tells the caller, on the loop, with the wait status. The job channel
 * closes by itself. */
struct bh_worker {
    const struct bh_worker_sandbox *sandbox;
    const char *name;
    int (*work)(struct bh_service_context *context, int job_fd, void *argument);
    void (*on_exit)(struct bh_service_context *context, pid_t pid, int status, void *argument);
    const int *keep;
    size_t n_keep;
};
int bh_worker_fork(struct bh_service_context *context, const struct bh_worker *worker, int job_fd, void *argument,
                   pid_t *ret_pid, struct bh_error *error);
