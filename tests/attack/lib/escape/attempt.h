/* SPDX-License-Identifier: Apache-2.0
 *
 * What root in a container may try against its host, as small functions. Each returns 0 if the attempt succeeded and
 * otherwise the errno it was refused with. None does harm where it succeeds: files are opened but not written, values
 * are set to what they were, what is mounted goes with the mount namespace that the caller made for the attempt.
 */
#pragma once

#include <errno.h>

struct attempt {
    const char *name;
    int (*try)(void);
};

/* Each table ends with a row without a name. */
extern const struct attempt device_attempts[];
extern const struct attempt mount_attempts[];
extern const struct attempt namespace_attempts[];
extern const struct attempt process_attempts[];
extern const struct attempt call_attempts[];
extern const struct attempt identity_attempts[];

/* A file or folder of the kernel's, and what must not be done with it. */
struct path_attempt {
    const char *path;
    enum { PATH_READ, PATH_WRITE, PATH_LIST } how;
};

extern const struct path_attempt path_attempts[];
int path_try(const struct path_attempt *attempt);

/* What a system call returned, as an attempt's result. */
static inline int result_of(long result)
{
    return result < 0 ? errno : 0;
}

/* The same for a new descriptor, which is closed. */
int fd_result(int fd);

/* A number that the caller has in its environment, such as the pid of a process outside; it must be there. */
long outside_number(const char *name);
/* A string likewise. */
const char *outside_text(const char *name);
