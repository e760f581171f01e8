/* SPDX-License-Identifier: Apache-2.0
 *
 * Plays the supervisor for one real helper: makes its folders below a private temporary one, hands over configuration,
 * folders and channel ends at descriptor 3, waits for READY. The test then holds the other ends. Everything is undone
 * by harness_stop(), also when the helper died.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "common/channel.h"
#include "common/control.h"
#include "config.pb-c.h"

struct harness {
    pid_t pid;                                  /* the helper */
    int control;                                /* our end of its descriptor 3 */
    char folder[64];                            /* private temporary folder of this run, "/tmp/bh-XXXXXX" */
    int peers[BH_ROLE_COUNT];                   /* our ends (raw sockets), -1 where none */
    struct bh_channel *channels[BH_ROLE_COUNT]; /* DIRECT channels over them once harness_channel() was called */
};

struct harness_options {
    const char *program; /* "bulkhead-store", found in BH_BIN */
    enum bh_role role;
    enum bh_role peers[8]; /* ends with BH_ROLE_NONE */
    enum bh_folder
        folders[8]; /* ends with 0; each is made as folder/<number>, owned by the helper's uid where it may write */
    uint32_t tenant_uid;
    void (*configure)(Bulkhead__Config *config); /* may change the defaults; may be NULL */
};

/* Starts the helper and waits until it is READY (10 s). Aborts the test with a message on failure. A zeroed `harness`
 * gets a new folder; one whose helper was killed and reaped starts again on the same folders. */
void harness_start(struct harness *harness, const struct harness_options *options);
/* A DIRECT calling (and serving, if `protocol` has handlers) channel over our end to `role`. */
struct bh_channel *harness_channel(struct harness *harness, enum bh_role role, const struct bh_protocol *protocol);
/* Opens the host side of a folder that was handed over. */
int harness_folder(const struct harness *harness, enum bh_folder folder);
/* Sends STOP, waits (5 s, then SIGKILL), removes the temporary folder. Returns the wait status. */
int harness_stop(struct harness *harness);
