/* SPDX-License-Identifier: Apache-2.0
 *
 * The addresses a network is to have (IPAM of its creation): subnets, ranges, gateways, in Docker's words where they
 * make no sense. Whether they are free is the engine's to say.
 */
#pragma once

#include "api_engine.pb-c.h"
#include "json_read.h"

/* A network as it is read. */
struct network_wish {
    Bulkhead__NetworkRequest *request; /* owned by whoever made it; every string in it malloc'd */
    char warning[160];                 /* "" if there is nothing to say */
};

/* Reads the object (or null) into the request, whose families are known; each of them that no subnet was given for gets
 * a range for the engine to fill in. */
int network_ipam_read(const json_t *ipam, struct network_wish *wish, struct bh_error *error);

/* Text of a field; absent leaves the slot alone. */
int network_take_text(const json_t *object, const char *field, char **slot, struct bh_error *error);
/* A field that is not in `known` (ends with NULL) must say nothing. `where` stands before its name in the error. */
int network_refuse_unknown(const json_t *object, const char *const *known, const char *where, struct bh_error *error);
