/* SPDX-License-Identifier: Apache-2.0
 *
 * Whole-or-nothing input and output; see io.h.
 */
#include "common/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"

#ifndef MFD_NOEXEC_SEAL /* Linux 6.3; not in Debian 12's headers */
#define MFD_NOEXEC_SEAL 0x0008U
#endif

int bh_write_all(int fd, const void *bytes, size_t n_bytes, const char *what, struct bh_error *error)
{
    const char *next = bytes;
    while (n_bytes > 0) {
        ssize_t n = write(fd, next, n_bytes);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return bh_error_errno(error, errno, "write %s", what);
        }
        next += n;
        n_bytes -= (size_t)n;
    }
    return 0;
}

int bh_read_full(int fd, void *buffer, size_t n_bytes, size_t *ret_bytes, const char *what, struct bh_error *error)
{
    size_t done = 0;
    while (done < n_bytes) {
        ssize_t n = read(fd, (char *)buffer + done, n_bytes - done);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return bh_error_errno(error, errno, "read %s", what);
        }
        if (n == 0) {
            break;
        }
        done += (size_t)n;
    }
    *ret_bytes = done;
    return 0;
}

int bh_read_file(int fd, size_t max_bytes, char **ret_text, size_t *ret_bytes, const char *what, struct bh_error *error)
{
    size_t room = 4096 < max_bytes ? 4096 : max_bytes;
    size_t used = 0;
    bh_autofree char *text = malloc(room + 2);
    for (;;) {
        if (!text) {
            return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "read %s: no memory", what);
        }
        ssize_t n = pread(fd, text + used, room + 1 - used, (off_t)used);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return bh_error_errno(error, errno, "read %s", what);
        }
        used += (size_t)n;
        if (used > max_bytes) {
            return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "read %s: larger than the limit of %zu bytes", what,
                                max_bytes);
        }
        if (n == 0) {
            break;
        }
        if (used == room + 1 || used == room) {
            room = room * 2 < max_bytes ? room * 2 : max_bytes;
            char *larger = realloc(text, room + 2);
            if (!larger) {
                return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "read %s: no memory", what);
            }
            (void)bh_steal_pointer(&text);
            text = larger;
        }
    }
    text[used] = '\0';
    *ret_text = bh_steal_pointer(&text);
    *ret_bytes = used;
    return 0;
}

int bh_memfd_sealed(const char *name, const void *bytes, size_t n_bytes, int *ret_fd, struct bh_error *error)
{
    bh_autoclose int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
    if (fd < 0 && errno == EINVAL) { /* before Linux 6.3 there is no NOEXEC_SEAL */
        fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    }
    if (fd < 0) {
        return bh_error_errno(error, errno, "make a memfd");
    }
    if (bh_write_all(fd, bytes, n_bytes, name, error) < 0) {
        return -1;
    }
    if (fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0) {
        return bh_error_errno(error, errno, "seal a memfd");
    }
    *ret_fd = bh_steal_fd(&fd);
    return 0;
}

int bh_memfd_read(int fd, size_t max_bytes, void **ret_bytes, size_t *ret_n_bytes, struct bh_error *error)
{
    const int wanted = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK;
    int seals = fcntl(fd, F_GET_SEALS);
    if (seals < 0 || (seals & wanted) != wanted) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "a body came in a descriptor that is not a sealed memfd");
    }
    char *text = NULL;
    if (bh_read_file(fd, max_bytes, &text, ret_n_bytes, "a memfd", error) < 0) {
        return -1;
    }
    *ret_bytes = text;
    return 0;
}

uint64_t bh_now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000U + (uint64_t)now.tv_nsec / 1000000U;
}

int64_t bh_wall_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000LL + now.tv_nsec;
}
