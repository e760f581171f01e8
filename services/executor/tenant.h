/* SPDX-License-Identifier: Apache-2.0
 *
 * Acting with a tenant's rights on the host's file systems, and no others. Only in a forked child with one thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"

/* The tenant's primary group by the host's own /etc/passwd (no NSS: nothing is loaded into this process); of a uid
 * without an account the group of the same number. */
uint32_t tenant_group(uint32_t tenant_uid);

/* Whether that group is the tenant's by /etc/passwd or /etc/group. */
bool tenant_is_member(uint32_t tenant_uid, uint32_t gid);

/* From here on file systems see the tenant's uid and gid, no supplementary group and no capability. The root tenant
 * keeps root's rights. To be followed by tenant_rights_return(). */
int tenant_rights_take(uint32_t tenant_uid, uint32_t tenant_gid, struct bh_error *error);
int tenant_rights_return(struct bh_error *error);
