/* SPDX-License-Identifier: Apache-2.0
 *
 * What a spec says of a container's links. The executor makes none of them; it writes their addresses into /etc/hosts,
 * and opens what they are made with.
 */
#include "common/limits.h"
#include "spec_parts.h"

static bool is_of_size(const ProtobufCBinaryData *address, size_t size)
{
    return address->len == 0 || address->len == size;
}

int spec_decode_attachment(const Bulkhead__ContainerSpec *message, struct container_spec *spec, struct bh_error *error)
{
    const Bulkhead__Attachment *attachment = message->attachment;
    if ((attachment != NULL) != (spec->network == SPEC_NETWORK_LINKED)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "links to networks must come with network mode LINKED and with no other");
    }
    if (!attachment) {
        return 0;
    }
    if (attachment->n_endpoints > BH_ENDPOINTS_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "%zu links to networks are more than %d",
                            attachment->n_endpoints, BH_ENDPOINTS_MAX);
    }
    for (size_t i = 0; i < attachment->n_endpoints; i++) {
        const Bulkhead__Endpoint *endpoint = attachment->endpoints[i];
        if (!is_of_size(&endpoint->address4, 4) || !is_of_size(&endpoint->address6, 16)) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "an address of link %zu must have 4 or 16 bytes", i);
        }
        spec->has_ipv6 = spec->has_ipv6 || endpoint->address6.len > 0;
    }
    spec->attachment = attachment;
    spec->embedded_dns = attachment->embedded_dns;
    return 0;
}
