/* SPDX-License-Identifier: Apache-2.0
 *
 * Labels for security modules; see lsm.h.
 */
#include "lsm.h"

#include <fcntl.h>
#include <selinux/selinux.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "common/limits.h"

#define APPARMOR_PROFILE "bulkhead-default"
#define MCS_CATEGORIES   1024U

void lsm_detect(struct lsm *lsm)
{
    lsm->selinux = is_selinux_enabled() == 1;
    bh_autoclose int fd = open("/sys/kernel/security/apparmor/profiles", O_RDONLY | O_CLOEXEC);
    bh_autofree char *profiles = NULL;
    size_t n_bytes = 0;
    lsm->apparmor = fd >= 0 && bh_read_file(fd, BH_MIB, &profiles, &n_bytes, "AppArmor's profiles", NULL) == 0 &&
                    strstr(profiles, APPARMOR_PROFILE " (") != NULL;
}

void lsm_labels(const struct lsm *lsm, const uint8_t id[static 32], struct lsm_labels *ret_labels)
{
    *ret_labels = (struct lsm_labels){.apparmor = lsm->apparmor ? APPARMOR_PROFILE : ""};
    if (!lsm->selinux) {
        return;
    }
    unsigned int a = ((unsigned int)id[0] << 8 | id[1]) % MCS_CATEGORIES;
    unsigned int b = ((unsigned int)id[2] << 8 | id[3]) % (MCS_CATEGORIES - 1);
    b += b >= a ? 1 : 0; /* two different ones */
    unsigned int low = a < b ? a : b;
    unsigned int high = a < b ? b : a;
    (void)snprintf(ret_labels->selinux, LSM_LABEL_SIZE, "system_u:system_r:container_t:s0:c%u,c%u", low, high);
    (void)snprintf(ret_labels->selinux_mount, LSM_LABEL_SIZE, "system_u:object_r:container_file_t:s0:c%u,c%u", low,
                   high);
}
