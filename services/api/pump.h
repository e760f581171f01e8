/* SPDX-License-Identifier: Apache-2.0
 *
 * Moves bytes between an attached client and the pipes of a container, both ways at once, without losing or looking at
 * one.
 */
#pragma once

#include "common/error.h"
#include "detach_keys.h"
#include "websocket.h"

struct pump {
    int client;      /* the raw socket; borrowed */
    int stdin_to;    /* write end, owned, -1 if not attached; closed when the client shuts its side down */
    int out_from[2]; /* read ends of stdout and stderr, owned, -1 if not attached */
    bool tty;        /* no frames; detach keys count */
    struct detach_keys keys;
    struct websocket *websocket; /* NULL: raw bytes; else its frames, and no others */
    const char *early;           /* what the client sent right behind its request */
    size_t n_early;
    bool detached, gone; /* set by pump_run(): the client pressed its keys, or hung up */
};

/* Runs until both outputs end (or, with none attached, stdin does), the client goes, or it presses the detach keys.
 * Closes every pipe. */
int pump_run(struct pump *pump, struct bh_error *error);
