/* SPDX-License-Identifier: Apache-2.0
 *
 * Which tenant has which id range. A tenant gets the next free slot when it first starts a container and keeps it for
 * ever: a range that changed hands would hand over files too. Kept in the file "ranges", one line "<slot> <uid>" each,
 * only ever appended to.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

struct ranges {
    int fd;
    uint32_t id_base, n_slots, monitor_uid_base;
    size_t n;
    uint32_t *uids; /* by slot */
};

struct range {
    uint32_t id_base, monitor_uid;
};

/* Opens (or makes) the file in `folder`. A line that a power cut tore is cut off; anything else that is wrong is
 * DATA_LOSS. The ranges must fit below 2^32 and not hold the monitors' uids. */
int ranges_open(struct ranges *ranges, int folder, uint32_t id_base, uint32_t n_slots, uint32_t monitor_uid_base,
                struct bh_error *error);

/* The tenant's range; a new one is durable before this returns. RESOURCE_EXHAUSTED if there is none left. */
int ranges_get(struct ranges *ranges, uint32_t tenant_uid, struct range *ret_range, struct bh_error *error);

void ranges_close(struct ranges *ranges);
