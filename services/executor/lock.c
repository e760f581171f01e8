/* SPDX-License-Identifier: Apache-2.0
 *
 * See lock.h.
 */
#include "lock.h"

#include <errno.h>
#include <poll.h>
#include <sys/file.h>

#define FIRST_PAUSE_MS 2
#define LAST_PAUSE_MS  1024 /* together about two seconds */

int lock_folder(int folder, struct bh_error *error)
{
    for (int pause_ms = FIRST_PAUSE_MS; flock(folder, LOCK_EX | LOCK_NB) < 0; pause_ms *= 2) {
        if (errno != EWOULDBLOCK) {
            return bh_error_errno(error, errno, "lock a container's folder");
        }
        if (pause_ms > LAST_PAUSE_MS) {
            return bh_error_set(error, BH_FAILED_PRECONDITION,
                                "the container is being started, or its files are being copied");
        }
        (void)poll(NULL, 0, pause_ms);
    }
    return 0;
}
