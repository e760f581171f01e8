/* SPDX-License-Identifier: Apache-2.0
 *
 * What a container is to be linked to, beside what it is linked to: read from a message and looked at as a whole before
 * anything is done. Pure.
 */
#pragma once

#include "netd.h"
#include "spec.h"

struct wanted {
    struct endpoint *endpoint; /* as it is wanted; owned, until it becomes one of the container's */
    struct endpoint *known;    /* the container's, if it is there already */
    bool made;                 /* its link, by us */
};

struct plan {
    struct wanted *wanted;
    size_t n_wanted;
    struct port_wish *wishes;
    size_t n_wishes;
};
void plan_free(struct plan *plan);
#define bh_autoplan bh_cleanup(plan_free)

/* `container` is NULL if nothing is known of it yet. ALREADY_EXISTS: an address or MAC is another container's. */
int plan_read(const struct netd *netd, const struct container *container, uint32_t tenant_uid,
              const Bulkhead__Attachment *attachment, struct plan *ret_plan, struct bh_error *error);
/* All that a container has, but for these endpoints. */
int plan_without(const struct container *container, const ProtobufCBinaryData *endpoints, size_t n_endpoints,
                 struct plan *ret_plan, struct bh_error *error);

bool plan_is_among(const uint8_t id[static NETD_ID_BYTES], const ProtobufCBinaryData *ids, size_t n_ids);
bool plan_keeps(const struct plan *plan, const struct endpoint *known);
/* The addresses to which published ports lead. */
void plan_targets(const struct plan *plan, struct ip ret_to[static FAMILIES]);
