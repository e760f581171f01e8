/* SPDX-License-Identifier: Apache-2.0
 *
 * Who `USER app:web` is, by the container's own /etc/passwd and /etc/group. Runs inside the container's namespaces, as
 * its root and nothing more; the files are the image's and may say anything, so they are read line by line within
 * bounds.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

#define ACCOUNT_GROUPS_MAX     1024
#define ACCOUNT_HOME_MAX       1024
#define ACCOUNT_LINE_MAX       65536         /* longer lines are passed over */
#define ACCOUNT_FILE_BYTES_MAX (16ULL << 20) /* what is read of a file at most */

struct account {
    uint32_t uid, gid;
    uint32_t groups[ACCOUNT_GROUPS_MAX];
    size_t n_groups;
    char home[ACCOUNT_HOME_MAX];
};

/* `user` is "", "name", "uid", "name:group", "uid:gid"...; `extra` are further groups, names or numbers. Digits are
 * never tried as a name, and a number beyond `id_count` is refused. `passwd` and `group` may be -1: the files are
 * missing. They are read from wherever they stand. */
int account_find(int passwd, int group, const char *user, char *const *extra, size_t n_extra, uint32_t id_count,
                 struct account *ret_account, struct bh_error *error);
