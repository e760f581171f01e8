/* SPDX-License-Identifier: Apache-2.0
 *
 * See pidfd.h.
 */
#include "pidfd.h"

#include <poll.h>

bool pidfd_has_ended(int pidfd)
{
    struct pollfd ended = {.fd = pidfd, .events = POLLIN};
    return poll(&ended, 1, 0) != 0;
}
