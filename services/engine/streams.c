/* SPDX-License-Identifier: Apache-2.0
 *
 * See streams.h.
 */
#include "services/engine/streams.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

#define SPLICE_BYTES (1UL << 20)
#define LOOK_UP_MS   500 /* how often a stalled copy looks whether its client is gone */

/* Waits until the pipe can be read or written, or has lost its other end. */
static int wait_for(struct job *job, int fd, short events, struct bh_error *error)
{
    for (;;) {
        struct pollfd ready = {.fd = fd, .events = events};
        if (job_check(job, error) < 0) {
            return -1;
        }
        int result = poll(&ready, 1, LOOK_UP_MS);
        if (result > 0) {
            return 0;
        }
        if (result < 0 && errno != EINTR) {
            return bh_error_errno(error, errno, "wait for a stream");
        }
    }
}

int stream_copy(struct job *job, int from, int to, struct bh_error *error)
{
    for (;;) {
        if (wait_for(job, from, POLLIN, error) < 0) {
            return -1;
        }
        ssize_t moved = splice(from, NULL, to, NULL, SPLICE_BYTES, SPLICE_F_MOVE);
        if (moved == 0) {
            return 0;
        }
        if (moved < 0 && errno != EINTR && errno != EAGAIN) {
            return bh_error_errno(error, errno, "copy the client's stream to the store");
        }
    }
}

int stream_check_whole(struct job *job, int word, struct bh_error *error)
{
    char whole;
    if (wait_for(job, word, POLLIN, error) < 0) {
        return -1;
    }
    ssize_t n = read(word, &whole, sizeof whole);
    if (n < 0) {
        return bh_error_errno(error, errno, "hear whether a stream is whole");
    }
    return n > 0 ? 0 : bh_error_set(error, BH_CANCELLED, "the client broke its stream off");
}

int stream_file(struct job *job, int file, uint64_t n_bytes, int to, struct bh_error *error)
{
    loff_t offset = 0;
    while ((uint64_t)offset < n_bytes) {
        uint64_t left = n_bytes - (uint64_t)offset;
        if (wait_for(job, to, POLLOUT, error) < 0) {
            return -1;
        }
        ssize_t moved = splice(file, &offset, to, NULL, left < SPLICE_BYTES ? left : SPLICE_BYTES, SPLICE_F_NONBLOCK);
        if (moved == 0) {
            return bh_error_set(error, BH_DATA_LOSS, "stored content of %llu bytes ends after %lld",
                                (unsigned long long)n_bytes, (long long)offset);
        }
        if (moved < 0 && errno != EINTR && errno != EAGAIN) {
            return bh_error_errno(error, errno, "copy stored content to the client's stream");
        }
    }
    return 0;
}

int stream_bytes(struct job *job, const void *bytes, size_t n_bytes, int to, struct bh_error *error)
{
    const char *at = bytes;
    while (n_bytes > 0) {
        if (wait_for(job, to, POLLOUT, error) < 0) {
            return -1;
        }
        /* POLLOUT promises room for PIPE_BUF: such a write does not block. */
        ssize_t written = write(to, at, n_bytes < PIPE_BUF ? n_bytes : PIPE_BUF);
        if (written < 0 && errno != EINTR && errno != EAGAIN) {
            return bh_error_errno(error, errno, "write to the client's stream");
        }
        at += written > 0 ? written : 0;
        n_bytes -= written > 0 ? (size_t)written : 0;
    }
    return 0;
}
