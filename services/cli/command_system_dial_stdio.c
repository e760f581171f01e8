/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead system dial-stdio: what `docker -H ssh://` runs at the far end. Carries bytes between our stdin and stdout
 * and the engine's socket, and looks at none of them.
 */
#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include "commands.h"
#include "common/io.h"
#include "http_client.h"

#define PIECE_BYTES 65536

static void *copy_in(void *argument)
{
    static char piece[PIECE_BYTES];
    int fd = *(const int *)argument;
    ssize_t n_read;
    do {
        n_read = read(STDIN_FILENO, piece, sizeof(piece));
    } while ((n_read < 0 && errno == EINTR) ||
             (n_read > 0 && bh_write_all(fd, piece, (size_t)n_read, "the engine", NULL) == 0));
    (void)shutdown(fd, SHUT_WR);
    return NULL;
}

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    (void)values;
    (void)arguments;
    static char piece[PIECE_BYTES];
    static int fd;
    http_auto struct http_connection *connection = NULL;
    if (engine_connect(cli->engine, &connection, error) < 0) {
        return -1;
    }
    fd = http_descriptor(connection);
    pthread_t thread;
    int failed = pthread_create(&thread, NULL, copy_in, &fd);
    if (failed) {
        return bh_error_errno(error, failed, "start a thread for standard input");
    }
    (void)pthread_detach(thread);
    for (;;) {
        ssize_t n_read = recv(fd, piece, sizeof(piece), 0);
        if (n_read < 0 && errno == EINTR) {
            continue;
        }
        if (n_read <= 0) {
            return 0;
        }
        if (bh_write_all(STDOUT_FILENO, piece, (size_t)n_read, "standard output", error) < 0) {
            return -1;
        }
    }
}

const struct command dial_stdio_command = {
    .name = "system dial-stdio",
    .usage = "",
    .summary = "Connect STDIN and STDOUT to the engine (for ssh)",
    .run = run,
};
