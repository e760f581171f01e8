/* SPDX-License-Identifier: Apache-2.0
 *
 * Plays policyd, the executor behind it, and the monitors of its containers.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

struct fake_policyd;

struct fake_policyd *fake_policyd_new(void);
/* Serves a channel in a thread of its own until the other end closes. Owns `fd`. */
void fake_policyd_serve(struct fake_policyd *fake, int fd);
void fake_policyd_free(struct fake_policyd *fake);

/* What the next requests meet. */
void fake_policyd_refuse_judge(struct fake_policyd *fake, enum bh_code code, const char *message);
void fake_policyd_refuse_start(struct fake_policyd *fake, enum bh_code code, const char *message);
/* Starts wait in the fake until they are let go. */
void fake_policyd_hold_starts(struct fake_policyd *fake, bool hold);
/* The next start happens, and its answer is lost with the channel. */
void fake_policyd_lose_next_start(struct fake_policyd *fake);
/* Signals other than KILL are ignored by the containers' programs. */
void fake_policyd_ignore_term(struct fake_policyd *fake, bool ignore);

/* The only container there is ends with this code; its monitor says so if it is connected. */
void fake_policyd_exit_all(struct fake_policyd *fake, int32_t exit_code);
/* Its monitor dies without a word; the container is then running or has left a record. */
void fake_policyd_kill_monitors(struct fake_policyd *fake, bool container_ends, int32_t exit_code);

size_t fake_policyd_running(struct fake_policyd *fake);
size_t fake_policyd_known(struct fake_policyd *fake);        /* containers with anything on disk */
size_t fake_policyd_starts(struct fake_policyd *fake);       /* successful ones so far */
size_t fake_policyd_attached(struct fake_policyd *fake);     /* clients handed to monitors so far */
void fake_policyd_await_starting(struct fake_policyd *fake); /* until a held start has arrived */

/* ---- networks ------------------------------------------------------------------------------------ */

/* The next networks that are to be made overlap with routes of the host's, so many of them. */
void fake_policyd_overlap(struct fake_policyd *fake, unsigned count);
/* netd is started again and knows nothing. */
void fake_policyd_restart_netd(struct fake_policyd *fake);
struct fake_links {
    size_t made, connected, disconnected, settled; /* requests so far */
};
struct fake_links fake_policyd_links(struct fake_policyd *fake);
/* Until netd was settled so many times. */
void fake_policyd_await_settled(struct fake_policyd *fake, size_t count);
