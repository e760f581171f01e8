/* SPDX-License-Identifier: Apache-2.0
 *
 * Volumes that are a tmpfs: all containers that use one at the same time see the same files, and they are gone with
 * the last of them. Held here by their mounts, for as long as a container that was given one runs.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "tmpfs.h"

struct event;
struct executor;

#define TMPFS_VOLUMES_MAX      64 /* of one tenant at a time */
#define TMPFS_VOLUME_USERS_MAX 64 /* containers of one volume at a time */

struct tmpfs_volume {
    uint32_t tenant_uid;
    uint8_t id[32];
    int mount;
    uint8_t users[TMPFS_VOLUME_USERS_MAX][32]; /* containers */
    size_t n_users;
};

struct tmpfs_volumes {
    struct tmpfs_volume *items;
    size_t n;
    struct event *timer;
};

/* Sweep first. The mount that is there, or a new one; borrowed. `container` uses it from now on. */
int tmpfs_volumes_get(struct executor *executor, uint32_t tenant_uid, const uint8_t id[static 32],
                      const uint8_t container[static 32], const struct tmpfs_wish *wish, int *ret_mount,
                      struct bh_error *error);
/* Lets go of those whose containers have all ended. */
void tmpfs_volumes_sweep(struct executor *executor);
/* The mount of one that is in use, borrowed; else -1. */
int tmpfs_volumes_find(struct executor *executor, uint32_t tenant_uid, const uint8_t id[static 32]);
void tmpfs_volumes_drop(struct executor *executor, uint32_t tenant_uid, const uint8_t id[static 32]);
void tmpfs_volumes_free(struct executor *executor);
