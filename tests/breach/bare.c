/* SPDX-License-Identifier: Apache-2.0
 *
 * breach-bare: a process of root's without any sandbox, for the attacker to show that what he tries works there. It has
 * mounts, a host name and keys of its own to play with, and ends with its standard input.
 */
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

#include "common/breach.h"

int main(void)
{
    char byte;
    if (unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC) < 0 ||
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
        return EXIT_FAILURE;
    }
    bh_breach_open();
    while (read(STDIN_FILENO, &byte, 1) > 0) {
    }
    return EXIT_SUCCESS;
}
