/* SPDX-License-Identifier: Apache-2.0
 *
 * SELinux and AppArmor labels of the program to come, written to the kernel's own files of the calling process, and
 * inherited by what it forks.
 */
#pragma once

#include "common/error.h"

/* `proc` is a procfs that is known to be one, or AT_FDCWD for the executor's own /proc. A label that is NULL or ""
 * stays as it is. */
int labels_set(int proc, const char *selinux_label, const char *apparmor_profile, struct bh_error *error);
