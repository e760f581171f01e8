/* SPDX-License-Identifier: Apache-2.0
 *
 * Both sides of the one door, for policyd's tests: the engine that asks, and an executor that answers whatever a test
 * wants and keeps what it was asked.
 */
#pragma once

#include <pthread.h>

#include "../harness.h"
#include "common/channel.h"
#include "container.pb-c.h"
#include "engine_policyd.pb-c.h"
#include "policyd_executor.pb-c.h"

struct door {
    struct harness harness;
    struct bh_channel *engine;   /* to call */
    struct bh_channel *executor; /* served by `thread` */
    pthread_t thread;
    /* What the executor was asked last, packed; its answer's behaviour. */
    pthread_mutex_t lock;
    uint8_t *last;
    size_t n_last;
    uint32_t last_kind;
    size_t n_last_fds;
    unsigned int n_asked; /* requests, beside ListContainers */
    enum { DOOR_HONEST, DOOR_WRONG_KIND, DOOR_NO_FDS, DOOR_ERROR } behaviour;
    uint8_t listed_id[32]; /* what ListContainers tells; tenant 0xffffffff: nothing */
    uint32_t listed_tenant;
    bool listed_running;
};

void door_open(struct door *door);
/* Before door_open(): a rule file, root's. Makes the harness's folder first. */
void door_rule_file(struct door *door, const char *name, const char *text);
/* Stops policyd and starts it again on the same folders. */
void door_reopen(struct door *door);
void door_close(struct door *door);
/* Waits until every control record so far has been handled. */
void door_reload(struct door *door);

/* A spec that the built-in rules allow to everybody. Static strings; the caller changes what it likes. */
struct door_spec {
    Bulkhead__ContainerSpec spec;
    Bulkhead__Process process;
    Bulkhead__Resources resources;
    Bulkhead__LogOptions log;
    Bulkhead__Mount mount;
    Bulkhead__Mount *mounts[1];
    char *args[1];
    uint8_t id[32];
};
void door_spec(struct door_spec *spec, uint8_t id, uint32_t tenant_uid);

/* One question; 0 if the answer is of `kind`. */
int door_ask(struct door *door, Bulkhead__EngineToPolicyd *packet, uint32_t kind, struct bh_message **ret_answer,
             struct bh_error *error);
int door_start(struct door *door, struct door_spec *spec, struct bh_error *error);
int door_signal(struct door *door, uint8_t id, uint32_t tenant_uid, struct bh_error *error);
int door_admit(struct door *door, uint32_t tenant_uid, const char *reference, struct bh_error *error);
int door_verify(struct door *door, uint64_t *ret_records, struct bh_error *error);
/* The spec that the executor was asked to start last; the caller frees it. */
Bulkhead__ContainerSpec *door_last_spec(struct door *door);
