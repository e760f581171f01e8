/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a container's own files (`upper` and `work`) lie: in its folder; or, with a limit, in a folder of its own with
 * a project quota, or on a disk. Decided at its first start: rules and mounts may change, files stay where they are.
 */
#pragma once

#include "launch.h"

#define OWN_FILES_PROJECT "limited" /* the folder with a project quota, in the container's */

struct own_files {
    int base; /* the folder that `upper` and `work` lie in */
    bool is_disk;
};

/* Makes the place if it is missing. For own_files_close(), when whatever is to keep it is mounted. */
int own_files_open(const struct launch *launch, struct own_files *ret_files, struct bh_error *error);
/* What they take of their limit, and the limit, 0 if there is none: of the container of that folder. Neither mounts nor
 * walks anything: of a disk it is what its file takes, from which what is deleted is given back. */
int own_files_measure(int folder, uint64_t *ret_used_bytes, uint64_t *ret_bytes, struct bh_error *error);
void own_files_close(const struct launch *launch, struct own_files *files);
