/* SPDX-License-Identifier: Apache-2.0
 *
 * Performs a plan, in three stages, each a loop over the same list:
 *   prepare: outside, in the launcher, with the executor's capabilities: whatever needs the host makes a detached
 * mount. create:  inside the container's namespaces, before the host's root is left: file systems that belong to them.
 *   attach:  inside, the host's root gone: everything is put in its place, by descriptor.
 * No stage after the first can name a file of the host, and no path of the container's is walked by the first.
 */
#pragma once

#include "launch.h"

int act_prepare(struct launch *launch, struct bh_error *error);
int act_create(struct launch *launch, struct bh_error *error);
int act_attach(struct launch *launch, struct bh_error *error);

/* ---- operations, one file each --------------------------------------------------------------------------- */

typedef int (*act_step)(struct launch *launch, struct operation *operation, struct bh_error *error);

int rootfs_prepare(struct launch *launch, struct operation *operation, struct bh_error *error);
/* All layers of the image, read-only and detached; with the container's upper folder over them if `shown` is that, not
 * -1. Nothing is written for it, nor synced at its end. */
int rootfs_mount_image(const struct launch *launch, int shown, int *ret_mount, struct bh_error *error);
int rootfs_attach(struct launch *launch, struct operation *operation, struct bh_error *error);
int dev_prepare(struct launch *launch, struct operation *operation, struct bh_error *error);
int devpts_prepare(struct launch *launch, struct operation *operation, struct bh_error *error);
int console_attach(struct launch *launch, struct operation *operation, struct bh_error *error);
int tmpfs_prepare(struct launch *launch, struct operation *operation, struct bh_error *error);
int file_prepare(struct launch *launch, struct operation *operation, struct bh_error *error);
int bind_prepare(struct launch *launch, struct operation *operation, struct bh_error *error);
int device_prepare(struct launch *launch, struct operation *operation, struct bh_error *error);
int device_attach(struct launch *launch, struct operation *operation, struct bh_error *error);
int shared_shm_prepare(struct launch *launch, struct operation *operation, struct bh_error *error);
int host_shm_prepare(struct launch *launch, struct operation *operation, struct bh_error *error);
int cgroups_prepare(struct launch *launch, struct operation *operation, struct bh_error *error);
/* The whole volume as a detached mount, whatever part of it the container is to see. */
int volume_open_whole(const struct launch *launch, const struct operation *operation, int *ret_mount,
                      struct bh_error *error);
int volume_prepare(struct launch *launch, struct operation *operation, struct bh_error *error);
int sysfs_prepare(struct launch *launch, struct operation *operation, struct bh_error *error);
int proc_prepare(struct launch *launch, struct operation *operation, struct bh_error *error);
int proc_create(struct launch *launch, struct operation *operation, struct bh_error *error);
int sysfs_create(struct launch *launch, struct operation *operation, struct bh_error *error);
int mqueue_create(struct launch *launch, struct operation *operation, struct bh_error *error);
int cgroups_create(struct launch *launch, struct operation *operation, struct bh_error *error);
int cgroups_attach(struct launch *launch, struct operation *operation, struct bh_error *error);
int proc_attach(struct launch *launch, struct operation *operation, struct bh_error *error);
int host_name_attach(struct launch *launch, struct operation *operation, struct bh_error *error);
int loopback_attach(struct launch *launch, struct operation *operation, struct bh_error *error);
/* UNAVAILABLE: the links will not come. */
int links_attach(struct launch *launch, struct operation *operation, struct bh_error *error);
int sysctl_attach(struct launch *launch, struct operation *operation, struct bh_error *error);
int mask_attach(struct launch *launch, struct operation *operation, struct bh_error *error);
int read_only_path_attach(struct launch *launch, struct operation *operation, struct bh_error *error);
int read_only_root_attach(struct launch *launch, struct operation *operation, struct bh_error *error);

/* Moves the operation's detached mount onto its target inside the root, which is made if it is missing. */
int act_attach_mount(struct launch *launch, struct operation *operation, struct bh_error *error);
