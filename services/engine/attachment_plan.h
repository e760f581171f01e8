/* SPDX-License-Identifier: Apache-2.0
 *
 * How a container is to be linked, worked out from what it asks for and what its networks are, before any address is
 * chosen. Of attachment.c and network_connect.c.
 */
#pragma once

#include "network.pb-c.h"
#include "services/engine/database_endpoints.h"
#include "services/engine/jobs.h"

struct attachment_plan {
    struct network_row *networks; /* one for each of the container's wishes */
    struct endpoint_wish *wishes;
    size_t n_wishes;
    Bulkhead__Attachment *attachment; /* without endpoints; NULL if netd has nothing to do */
};
void attachment_plan_free(struct attachment_plan *plan);
#define attachment_plan_auto bh_cleanup(attachment_plan_free)

/* Works it out, and has the networks made. Sets the spec's network mode. Unless `all`, a network that is not there is
 * left out, else it is NOT_FOUND. */
int attachment_plan_make(struct job *job, struct container_row *row, const Bulkhead__ImageConfig *image, bool all,
                         struct attachment_plan *plan, struct bh_error *error);
/* Fills in ids and addresses that look like those there will be, for policy to judge; nothing is taken. */
int attachment_plan_provide(struct attachment_plan *plan, struct bh_error *error);
/* Hands endpoints and attachment over to the spec. */
int attachment_plan_give(struct attachment_plan *plan, Bulkhead__ContainerSpec *spec, struct bh_error *error);

/* One endpoint but for its addresses, in `ret_wish`, whose endpoint is the caller's. `index` is its interface's number.
 */
int attachment_plan_wish(struct job *job, const struct container_row *row, const Bulkhead__EndpointRequest *request,
                         const struct network_row *network, unsigned index, struct endpoint_wish *ret_wish,
                         struct bh_error *error);
/* What others call an endpoint of the container. */
int attachment_plan_name(const struct container_row *row, const Bulkhead__EndpointRequest *request,
                         const struct network_row *network, Bulkhead__Endpoint *endpoint, struct bh_error *error);

/* Docker's choice of the default routes, one of each family: the highest priority, then the first name. An internal
 * network has none. Pure. */
struct route_candidate {
    const struct network_row *network;
    int32_t priority;
    Bulkhead__Endpoint *endpoint;
};
void attachment_plan_route(const struct route_candidate *candidates, size_t n_candidates);
