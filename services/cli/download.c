/* SPDX-License-Identifier: Apache-2.0
 *
 * Downloads. A file that exists is replaced whole or not at all.
 */
#include "download.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/io.h"
#include "string_list.h"

#define PIECE_BYTES 65536

int download_rest(struct http_connection *connection, int fd, const char *what, struct bh_error *error)
{
    static char piece[PIECE_BYTES];
    for (size_t n_read = 1; n_read > 0;) {
        if (http_read(connection, piece, sizeof(piece), &n_read, error) < 0 ||
            bh_write_all(fd, piece, n_read, what, error) < 0) {
            return -1;
        }
    }
    return 0;
}

/* A temporary file in the same folder; mode as open(2) would have made it. */
static int open_beside(const char *file, char **ret_name, int *ret_fd, struct bh_error *error)
{
    bh_autofree char *name = NULL;
    if (strings_format(&name, error, "%s.XXXXXX", file) < 0) {
        return -1;
    }
    int fd = mkostemp(name, O_CLOEXEC);
    if (fd < 0) {
        return bh_error_errno(error, errno, "make a file beside %s", file);
    }
    mode_t mask = umask(0);
    (void)umask(mask);
    (void)fchmod(fd, 0666 & ~mask);
    *ret_name = bh_steal_pointer(&name);
    *ret_fd = fd;
    return 0;
}

static int into_file(struct http_connection *connection, const char *file, struct bh_error *error)
{
    bh_autofree char *temporary = NULL;
    bh_autoclose int fd = -1;
    struct stat status;
    if (stat(file, &status) == 0 && !S_ISREG(status.st_mode)) { /* a pipe or a device: there is nothing to replace */
        fd = open(file, O_WRONLY | O_CLOEXEC);
        return fd < 0 ? bh_error_errno(error, errno, "open %s", file) : download_rest(connection, fd, file, error);
    }
    if (open_beside(file, &temporary, &fd, error) < 0) {
        return -1;
    }
    if (download_rest(connection, fd, file, error) < 0) {
        (void)unlink(temporary);
        return -1;
    }
    if (rename(temporary, file) < 0) {
        (void)bh_error_errno(error, errno, "rename %s to %s", temporary, file);
        (void)unlink(temporary);
        return -1;
    }
    return 0;
}

int download(struct engine *engine, const char *path, const char *file, struct bh_error *error)
{
    http_auto struct http_connection *connection = NULL;
    struct http_head head = {0};
    if (!file && isatty(STDOUT_FILENO)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "cowardly refusing to save to a terminal. Use the -o flag or redirect");
    }
    if (engine_stream(engine, &(struct engine_question){.method = "GET", .path = path}, &connection, &head, error) <
        0) {
        return -1;
    }
    return file ? into_file(connection, file, error)
                : download_rest(connection, STDOUT_FILENO, "standard output", error);
}
