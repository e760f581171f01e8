/* SPDX-License-Identifier: Apache-2.0
 *
 * See pipe_out.h. A chunk says how long it is before it comes: what there is moves to a pipe of our own first, which
 * tells how much that was.
 */
#include "pipe_out.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "body_pipe.h"
#include "common/cleanup.h"

#define SPLICE_BYTES (1UL << 20)

/* As splice(2), and again if a signal came between. */
static ssize_t move(int from, int to, size_t n_bytes)
{
    ssize_t n;
    do {
        n = splice(from, NULL, to, NULL, n_bytes, SPLICE_F_MOVE);
    } while (n < 0 && errno == EINTR);
    return n;
}

static int send_chunk(struct connection *connection, int from, size_t n_bytes)
{
    char size[24];
    if (connection->chunks) {
        int n = snprintf(size, sizeof(size), "%zx\r\n", n_bytes);
        if (connection_send(connection, size, (size_t)n) < 0) {
            return -1;
        }
    }
    while (n_bytes > 0) {
        ssize_t n = move(from, connection->fd, n_bytes);
        if (n <= 0) {
            return -1;
        }
        n_bytes -= (size_t)n;
    }
    return connection->chunks ? connection_send(connection, "\r\n", 2) : 0;
}

int pipe_out(struct request *request, int from, struct bh_error *error)
{
    bh_autoclose int measured_from = -1, measured_to = -1;
    if (large_pipe_open(&measured_from, &measured_to, error) < 0) {
        return -1;
    }
    for (;;) {
        ssize_t n = move(from, measured_to, SPLICE_BYTES);
        if (n <= 0) {
            return n < 0 ? bh_error_errno(error, errno, "read a stream for the client") : 0;
        }
        if (send_chunk(request->connection, measured_from, (size_t)n) < 0) {
            return bh_error_set(error, BH_CANCELLED, "the client is gone");
        }
    }
}
