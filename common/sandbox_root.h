/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside of common/sandbox: what a process sees as "/".
 */
#pragma once

#include "common/sandbox.h"

/* The folders a root is made of, as detached mounts; -1 where none. */
struct bh_sandbox_trees {
    int folders[BH_FOLDER_COUNT];
};

/* Before the process gets a mount namespace of its own: clones the mounts of the folders that `sandbox` shows, since a
 * folder that was opened in another mount namespace cannot be cloned from there. */
int bh_sandbox_clone_folders(const struct bh_sandbox *sandbox, const struct bh_sandbox_context *context,
                             struct bh_sandbox_trees *ret_trees, struct bh_error *error);

/* Before that, too, and after the clones: makes each folder that stays open a tree of its own, so that ".." ends in it
 * instead of leading to the host's root; only BH_FOLDER_STATE can be written. */
int bh_sandbox_detach_folders(const struct bh_sandbox_context *context, struct bh_error *error);

/* In a mount namespace of its own: replaces the whole tree with what the sandbox's `root` and `views` say, read-only
 * (but for BH_ROOT_FOLDER), nosuid, nodev, noexec. Closes the trees. */
int bh_sandbox_change_root(const struct bh_sandbox *sandbox, struct bh_sandbox_trees *trees, struct bh_error *error);
