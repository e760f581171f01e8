/* SPDX-License-Identifier: Apache-2.0
 *
 * Notices that a client hung up while its thread waits for the engine, and cancels that call. One epoll instance,
 * looked at by the event loop; connection threads only add and remove descriptors. Only a full hang-up counts: a client
 * that merely shut its sending side down still wants its answer.
 */
#pragma once

#include <stdatomic.h>

#include "common/channel.h"

struct event_base;
struct client_watch;

/* One call being watched; lives on the stack of the thread that waits. */
struct client_watching {
    int fd;
    struct bh_call *call;
    atomic_bool gone; /* the client hung up */
};

int client_watch_new(struct event_base *base, struct client_watch **ret_watch, struct bh_error *error);
int client_watch_add(struct client_watch *watch, struct client_watching *watching, struct bh_error *error);
/* After this the call is not touched any more. */
void client_watch_remove(struct client_watch *watch, struct client_watching *watching);
