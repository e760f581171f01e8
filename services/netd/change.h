/* SPDX-License-Identifier: Apache-2.0
 *
 * One change of what one container is linked to, all or nothing.
 */
#pragma once

#include "endpoint_link.h"
#include "netd.h"
#include "plan.h"

struct change {
    struct netd *netd;
    struct container *container; /* changed when everything went well */
    struct plan *plan;           /* new endpoints are taken out of it then */
    struct inside *inside;       /* NULL: nothing is made in it */
    const Bulkhead__Attachment *attachment;
    const int *dns; /* sockets of dns.h; NULL: none were handed over, or they are served already */
};

int change_apply(const struct change *change, struct bh_error *error);
