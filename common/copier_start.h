/* SPDX-License-Identifier: Apache-2.0
 *
 * How the executor starts a copier: `bulkhead-copier VIEW [PATH]`, an empty environment, and exactly the descriptors
 * below. It is executed as root in the executor's own view, so that the loader finds its libraries there, and enters
 * the namespaces it is handed before it reads a byte of anything.
 */
#pragma once

enum bh_copier_fd {
    BH_COPIER_FD_JOB = 3,   /* the job's channel (engine_copier.proto); FILL: none */
    BH_COPIER_FD_USER = 4,  /* user namespace to enter: there it is root */
    BH_COPIER_FD_MOUNT = 5, /* mount namespace to enter */
    BH_COPIER_FD_ROOT = 6,  /* detached mount: the tree to work on; none: the mount namespace's own root */
    BH_COPIER_FD_UPPER = 7, /* detached mount: the container's own layer; FILL: the volume */
    BH_COPIER_FD_LOWER = 8, /* detached mount: the image, whole */
    BH_COPIER_FD_COUNT = 9, /* what is "none" is /dev/null */
};

/* What it is for, which is also what it may do; the word is the program's first argument. */
enum bh_copier_view {
    BH_COPIER_READ = 1,
    BH_COPIER_WRITE = 2,
    BH_COPIER_BARE = 3,
    BH_COPIER_UPPER = 4,
    BH_COPIER_SIZE = 5,
    BH_COPIER_FILL = 6, /* PATH of the root is copied into the volume; the exit status tells how it went */
    BH_COPIER_VIEW_COUNT = 7,
};

#define BH_COPIER_VIEW_NAMES                                                                                           \
    {                                                                                                                  \
        "", "read", "write", "bare", "upper", "size", "fill"                                                           \
    }
