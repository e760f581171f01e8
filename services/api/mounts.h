/* SPDX-License-Identifier: Apache-2.0
 *
 * What the readers of Binds (mounts.c), Tmpfs (mounts_tmpfs.c) and Mounts (mounts_typed.c) share. Paths are checked for
 * form only; whether this tenant may have them, and what they lead to, is judged and resolved behind us.
 */
#pragma once

#include "create.h"

/* Normalizes an absolute path ("//", "/./" and a slash at the end go). Returns -1 if it is none, has "..", or does not
 * fit. */
int clean_path(const char *text, char *ret_path, size_t path_bytes);

/* Appends an empty mount of `kind` at `target` and returns it in `*ret_mount`, owned by the request. */
int mount_add(struct create *create, Bulkhead__MountKind kind, const char *target, Bulkhead__Mount **ret_mount,
              struct bh_error *error);
int mount_set_source(Bulkhead__Mount *mount, const char *source, struct bh_error *error);
/* "rslave" and the like; "" says nothing. False if it is no such word. */
bool mount_set_propagation(Bulkhead__Mount *mount, const char *word);
/* Shared mounts are refused: no mount of a container is ever seen outside. */
int mount_check_propagation(const Bulkhead__Mount *mount, const char *where, struct bh_error *error);

/* mounts_tmpfs.c */
int tmpfs_add(struct create *create, const char *target, Bulkhead__Mount **ret_mount, struct bh_error *error);
int tmpfs_apply_option(Bulkhead__Mount *mount, const char *option, struct bh_error *error);
