/* SPDX-License-Identifier: Apache-2.0
 *
 * The folders below `state`, made with their owners and modes, and opened for those who are handed them.
 */
#pragma once

#include "common/control.h"
#include "settings.h"

struct folders {
    int lock;                    /* holds flock(2) on state/lock: one engine per state folder */
    int state[BH_ROLE_COUNT];    /* BH_FOLDER_STATE of each role that has one; O_PATH; else -1 */
    int shared[BH_FOLDER_COUNT]; /* all other folders; O_PATH */
};

/* Makes what is missing, repairs owners and modes, opens everything. FAILED_PRECONDITION if another engine runs on
 * this state folder. */
int folders_open(const struct settings *settings, struct folders *ret_folders, struct bh_error *error);

/* The folder to hand to `role`; borrowed. */
int folders_get(const struct folders *folders, enum bh_role role, enum bh_folder folder);
