/* SPDX-License-Identifier: Apache-2.0
 *
 * Everything policyd knows: the rules in force, the audit log, tenants' id ranges, whose container is whose. One per
 * process, owned by service.c; only the loop's thread touches it.
 */
#pragma once

#include <stdatomic.h>

#include "audit.h"
#include "common/ip_pools.h"
#include "common/service.h"
#include "known.h"
#include "lsm.h"
#include "netd_watch.h"
#include "ranges.h"
#include "rules.h"

struct policyd {
    struct bh_service_context *context;
    struct rule_book book;
    struct audit audit;
    struct ranges ranges;
    struct known known;
    struct known networks; /* whose they are; the same kind of table */
    struct netd_watch netd;
    struct ip_pools pools; /* the engine's, for networks */
    struct lsm lsm;
    atomic_bool verifying; /* a walk over the audit log is under way */
};
