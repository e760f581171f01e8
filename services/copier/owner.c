/* SPDX-License-Identifier: Apache-2.0
 *
 * See owner.h.
 */
#include "owner.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common/account.h"
#include "common/cleanup.h"
#include "common/limits.h"
#include "tree.h"

/* -1 if it is missing, or no regular file. */
static int open_accounts(int root, const char *path)
{
    struct stat status;
    bh_autoclose int fd = tree_open(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    return fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode) ? bh_steal_fd(&fd) : -1;
}

int owner_find(int root, const char *user, uint32_t *ret_uid, uint32_t *ret_gid, struct bh_error *error)
{
    bh_autoclose int passwd = open_accounts(root, "/etc/passwd"), group = open_accounts(root, "/etc/group");
    bh_autofree struct account *account = calloc(1, sizeof(*account));
    if (!account) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "no memory for an account");
    }
    if (account_find(passwd, group, user, NULL, 0, BH_TENANT_IDS, account, error) < 0) {
        return -1;
    }
    *ret_uid = account->uid;
    *ret_gid = account->gid;
    return 0;
}
