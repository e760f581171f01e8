/* SPDX-License-Identifier: Apache-2.0
 *
 * Project quotas: what lies in a folder can take no more than a size, counted by the file system itself. Where it
 * enforces them (ext4 or xfs, mounted with `prjquota`) they stand in for a disk (disk.h), which costs a loop device and
 * a second journal. The folder's own project id is all that is kept. Nobody outside the initial user namespace may
 * change one, and everything made below inherits it.
 *
 * Ids come from a range of our own, and among them one that no file on that file system has, by the kernel's own
 * count. So two engines on one file system, and whoever else uses that range, share none.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"

#define PROJECT_ID_FIRST 0x42480000U /* "BH"; far from what /etc/projid usually holds */
#define PROJECT_IDS      (1U << 20)

/* Whether the file system that `folder` lies on enforces project quotas now. */
bool project_is_enforced(int folder);
/* Limits what will be made in `folder`, which is empty, to `bytes`. */
int project_limit(int folder, uint64_t bytes, struct bh_error *error);
/* Whether `folder` has a project id of ours. */
int project_is_limited(int folder, bool *ret_limited, struct bh_error *error);
/* Refuses, FAILED_PRECONDITION, a folder that has one while nothing is enforced: its limit would not hold. */
int project_check(int folder, struct bh_error *error);
/* How much of it is in use, and the limit. */
int project_usage(int folder, uint64_t *ret_used_bytes, uint64_t *ret_bytes, struct bh_error *error);
/* Takes the limit of the folder `name` in `above` away, if it has one: before it is removed, after which nothing would
 * lead to it. Its files count until they are gone; only then is the id free. */
int project_release(int above, const char *name, struct bh_error *error);
