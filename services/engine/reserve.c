/* SPDX-License-Identifier: Apache-2.0
 *
 * The reserve; see reserve.h. A file of the engine's own folder whose blocks are allocated and never used.
 */
#include "services/engine/reserve.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/limits.h"
#include "common/log.h"

#define RESERVE_PATH  "/reserve"
#define RESERVE_BYTES ((off_t)(2 * BH_MIB)) /* the database's log and index grow by less between two looks */

void reserve_take(void)
{
    bh_autoclose int fd = open(RESERVE_PATH, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    int failed = fd < 0 ? errno : posix_fallocate(fd, 0, RESERVE_BYTES);
    if (failed) {
        bh_log_warning("no room is kept free for the database: error %d", failed);
    }
}

void reserve_release(void)
{
    bh_autoclose int fd = open(RESERVE_PATH, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || ftruncate(fd, 0) < 0) {
        bh_log_warning("the reserve cannot be released: error %d", errno);
    }
}
