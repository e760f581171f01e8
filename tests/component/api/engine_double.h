/* SPDX-License-Identifier: Apache-2.0
 *
 * Plays the engine (and the supervisor's hand-over of clients) for the real bulkhead-api: answers typed messages from a
 * small script, keeps what it was asked, and runs one pretended container that echoes its input.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "api_engine.pb-c.h"
#include "harness.h"

#define DOUBLE_ID_HEX "1111111111111111111111111111111111111111111111111111111111111111"

struct engine_double {
    struct harness harness;
    pthread_t server;
    pthread_mutex_t lock;
    Bulkhead__ContainerRequest *created; /* the last CreateContainer */
    char created_name[256];
    Bulkhead__ExecRequest *exec;        /* of the last CreateExec */
    Bulkhead__ChangeContainer *changed; /* the last one */
    char asked[256];                    /* what the last request named */
    Bulkhead__PullImage *pulled;
    uint32_t stop_timeout_s;
    int streams[3];                /* of the last attach */
    struct bh_request *waiting[8]; /* WaitContainer */
    struct bh_request *hanging;    /* a pull that never ends by itself */
    atomic_bool hanging_cancelled;
    atomic_ullong loaded_bytes, loaded_sum;
    bool tty;         /* of the pretended container */
    const char *says; /* what it has written to its stdout before anybody hears of that */
    int exit_code;
    int log_folder; /* logs are opened here: container.log, container.log.1 */
    int log_files;
    int monitor;        /* our end of the follow connection; -1: not following */
    bool monitor_ended; /* nobody is there when somebody begins to follow */
    /* the unix socket that real clients connect to */
    char socket_path[108];
    int listener;
    pthread_t acceptor;
};

extern struct engine_double engine;

void engine_double_start(void);
/* Stops everything; asserts that api ended well. */
void engine_double_stop(void);
/* A new client's end of a connection that api serves. */
int engine_double_connect(void);
/* Listens on engine.socket_path and hands every connection to api. */
void engine_double_listen(void);
/* Ends every wait with engine.exit_code. */
void engine_double_exit_container(void);

/* Sends all of `text`, shuts nothing down, reads until the connection ends or `n_responses` whole responses are there.
 * The result is NUL-terminated and static. */
const char *http_talk(int fd, const char *text, size_t n_bytes);
/* Connects, sends, reads to the end (requests should say "Connection: close"). */
const char *http_once(const char *text);
int http_status(const char *response);
