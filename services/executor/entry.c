/* SPDX-License-Identifier: Apache-2.0
 *
 * See entry.h. Only what the kernel says is believed.
 */
#include "entry.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "pidfd.h"

int entry_check(const struct running *running, struct bh_error *error)
{
    char path[48];
    uid_t owner = (uid_t)-1;
    (void)snprintf(path, sizeof(path), "/proc/%d/ns/user", running->record.pid);
    bh_autoclose int namespace = open(path, O_RDONLY | O_CLOEXEC);
    int failed = namespace < 0 || ioctl(namespace, NS_GET_OWNER_UID, &owner) < 0 ? errno : 0;
    if (pidfd_has_ended(running->pidfd)) {
        return bh_error_set(error, BH_FAILED_PRECONDITION, "the container has ended");
    }
    if (failed) {
        return bh_error_errno(error, failed, "look into the first process of container %.12s", running->name);
    }
    return owner == 0 ? 0
                      : bh_error_set(error, BH_FAILED_PRECONDITION,
                                     "the first process of container %.12s has left the container's user namespace: "
                                     "nobody can enter by it",
                                     running->name);
}
