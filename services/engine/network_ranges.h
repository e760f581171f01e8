/* SPDX-License-Identifier: Apache-2.0
 *
 * The ranges of addresses a network has, between messages and arithmetic. Pure.
 */
#pragma once

#include "api_engine.pb-c.h"
#include "services/engine/ipam.h"

#define RESERVED_MAX 65 /* of one range: the gateway, and auxiliary addresses */

struct ip_subnet range_subnet(const Bulkhead__AddressRange *range);
struct ip range_gateway(const Bulkhead__AddressRange *range);
/* The range as a space: who has what is the caller's to add. `reserved` holds what `ret_space` points to. */
void range_space(const Bulkhead__AddressRange *range, struct ip reserved[static RESERVED_MAX],
                 struct ipam_space *ret_space);
/* The network's range of that family (4 or 16 bytes an address); NULL: it has none. */
const Bulkhead__AddressRange *range_of_family(const Bulkhead__NetworkRequest *request, size_t n_bytes);
