/* SPDX-License-Identifier: Apache-2.0
 *
 * Pipes for attached clients; see stream_ends.h.
 */
#include "stream_ends.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "common/cleanup.h"

#define PIPE_BYTES (1024 * 1024)

void stream_ends_close(struct stream_ends *ends)
{
    bh_close(&ends->ours);
    bh_close(&ends->theirs);
}

int stream_ends_make(const struct api *api, unsigned index, bool wanted, struct stream_ends *ret_ends,
                     struct bh_error *error)
{
    int ends[2];
    *ret_ends = (struct stream_ends){-1, -1};
    if (!wanted) {
        ret_ends->theirs = fcntl(api->null_fd, F_DUPFD_CLOEXEC, 0);
        return ret_ends->theirs < 0 ? bh_error_errno(error, errno, "attach") : 0;
    }
    if (pipe2(ends, O_CLOEXEC) < 0) {
        return bh_error_errno(error, errno, "make a pipe");
    }
    *ret_ends = index == 0 ? (struct stream_ends){ends[1], ends[0]} : (struct stream_ends){ends[0], ends[1]};
    (void)fcntl(ret_ends->ours, F_SETPIPE_SZ, PIPE_BYTES); /* only faster */
    if (fcntl(ret_ends->ours, F_SETFL, O_NONBLOCK | (index == 0 ? O_WRONLY : O_RDONLY)) < 0) {
        return bh_error_errno(error, errno, "attach");
    }
    return 0;
}
