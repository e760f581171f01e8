/* SPDX-License-Identifier: Apache-2.0
 *
 * Labels for the kernel's security modules, where it has them: an SELinux MCS pair per container, the engine's AppArmor
 * profile. Computed here, applied by the executor.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define LSM_LABEL_SIZE 96

struct lsm {
    bool selinux;
    bool apparmor; /* and its profile is loaded */
};

/* Asks the kernel; before the sandbox, as root. */
void lsm_detect(struct lsm *lsm);

struct lsm_labels {
    char selinux[LSM_LABEL_SIZE], selinux_mount[LSM_LABEL_SIZE];
    const char *apparmor;
};

/* The labels of a container; empty where the kernel has no such module. The MCS pair follows from the id (random bytes
 * of the engine's), so that a container keeps its own over restarts. */
void lsm_labels(const struct lsm *lsm, const uint8_t id[static 32], struct lsm_labels *ret_labels);
