/* SPDX-License-Identifier: Apache-2.0
 *
 * Ownership by declaration: a variable marked with one of these attributes releases what it holds
 * when it leaves its scope; bh_steal_*() hands the thing over instead. Every destructor accepts the
 * empty value (NULL, -1) and keeps errno.
 */
#pragma once

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define bh_cleanup(function) __attribute__((cleanup(function)))

static inline void bh_cleanup_free(void *pointer)
{
    int saved = errno;
    free(*(void **)pointer);
    errno = saved;
}

static inline void bh_cleanup_close(const int *fd)
{
    int saved = errno;
    if (*fd >= 0) {
        (void)close(*fd); /* never retried: on Linux the descriptor is gone even after EINTR */
    }
    errno = saved;
}

static inline void bh_cleanup_fclose(FILE **file)
{
    if (*file) {
        (void)fclose(*file);
    }
}

static inline void bh_cleanup_closedir(DIR **dir)
{
    if (*dir) {
        (void)closedir(*dir);
    }
}

#define bh_autofree     bh_cleanup(bh_cleanup_free)
#define bh_autoclose    bh_cleanup(bh_cleanup_close)
#define bh_autofclose   bh_cleanup(bh_cleanup_fclose)
#define bh_autoclosedir bh_cleanup(bh_cleanup_closedir)

/* Takes the descriptor out of `*fd`, leaving -1 behind. */
static inline int bh_steal_fd(int *fd)
{
    int taken = *fd;
    *fd = -1;
    return taken;
}

/* Takes the pointer out of `pointer_lvalue`, leaving NULL behind. */
#define bh_steal_pointer(pointer_lvalue)                                                                               \
    __extension__({                                                                                                    \
        __typeof__(*(pointer_lvalue)) *bh_slot_ = (pointer_lvalue);                                                    \
        __typeof__(*(pointer_lvalue)) bh_taken_ = *bh_slot_;                                                           \
        *bh_slot_ = NULL;                                                                                              \
        bh_taken_;                                                                                                     \
    })

/* Closes `*fd` now and leaves -1 behind. */
static inline void bh_close(int *fd)
{
    bh_cleanup_close(fd);
    *fd = -1;
}
