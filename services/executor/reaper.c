/* SPDX-License-Identifier: Apache-2.0
 *
 * A container's init; see reaper.h.
 */
#include "reaper.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int reaper_run(int program, const char *path, char *const *args, size_t n_args, char *const *env,
               struct bh_error *error)
{
    char name[] = "init", again[48];
    char **all = calloc(n_args + 3, sizeof(*all));
    if (!all) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "no memory for the container's init");
    }
    all[0] = name;
    all[1] = (char *)(uintptr_t)path;
    memcpy(all + 2, args, n_args * sizeof(*all));
    (void)execveat(program, "", all, env, AT_EMPTY_PATH);
    if (errno == ENOSYS || errno == EPERM) { /* a seccomp profile without that call: by its name in /proc then */
        (void)snprintf(again, sizeof(again), "/proc/self/fd/%d", program);
        (void)execve(again, all, env);
    }
    int failed = errno;
    free(all);
    return bh_error_errno(error, failed, "execute the container's init");
}
