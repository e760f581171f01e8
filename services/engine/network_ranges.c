/* SPDX-License-Identifier: Apache-2.0
 *
 * See network_ranges.h.
 */
#include "services/engine/network_ranges.h"

struct ip_subnet range_subnet(const Bulkhead__AddressRange *range)
{
    return (struct ip_subnet){.ip = ip_from_bytes(range->subnet.data, range->subnet.len), .prefix = range->prefix};
}

struct ip range_gateway(const Bulkhead__AddressRange *range)
{
    return ip_from_bytes(range->gateway.data, range->gateway.len);
}

void range_space(const Bulkhead__AddressRange *range, struct ip reserved[static RESERVED_MAX],
                 struct ipam_space *ret_space)
{
    *ret_space = (struct ipam_space){
        .subnet = range_subnet(range),
        .range = {.ip = ip_from_bytes(range->range.data, range->range.len), .prefix = range->range_prefix},
        .reserved = reserved,
    };
    const struct ip gateway = range_gateway(range);
    if (ip_is_set(&gateway)) {
        reserved[ret_space->n_reserved++] = gateway;
    }
    for (size_t i = 0; i < range->n_auxiliary && ret_space->n_reserved < RESERVED_MAX; i++) {
        const ProtobufCBinaryData *address = &range->auxiliary[i]->address;
        reserved[ret_space->n_reserved++] = ip_from_bytes(address->data, address->len);
    }
}

const Bulkhead__AddressRange *range_of_family(const Bulkhead__NetworkRequest *request, size_t n_bytes)
{
    for (size_t i = 0; i < request->n_ranges; i++) {
        if (request->ranges[i]->subnet.len == n_bytes) {
            return request->ranges[i];
        }
    }
    return NULL;
}
