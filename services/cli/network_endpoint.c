/* SPDX-License-Identifier: Apache-2.0
 *
 * EndpointSettings from options. What was not said is left out.
 */
#include "network_endpoint.h"

#include "fields.h"
#include "label_map.h"

static int add_ipam(json_t *settings, const struct network_endpoint *endpoint, struct bh_error *error)
{
    if (!endpoint->ipv4 && !endpoint->ipv6 && endpoint->link_local_ips.count == 0) {
        return 0;
    }
    json_t *ipam = json_object();
    if (field_set(settings, "IPAMConfig", ipam, error) < 0) {
        return -1;
    }
    return field_set_text(ipam, "IPv4Address", endpoint->ipv4, error) < 0 ||
                   field_set_text(ipam, "IPv6Address", endpoint->ipv6, error) < 0 ||
                   field_set_list(ipam, "LinkLocalIPs", &endpoint->link_local_ips, error) < 0
               ? -1
               : 0;
}

int network_endpoint_settings(const struct network_endpoint *endpoint, json_t **ret_settings, struct bh_error *error)
{
    json_auto json_t *settings = json_object();
    if (!settings) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "out of memory");
    }
    if (add_ipam(settings, endpoint, error) < 0 ||
        field_set_text(settings, "MacAddress", endpoint->mac_address, error) < 0 ||
        field_set_list(settings, "Aliases", &endpoint->aliases, error) < 0 ||
        field_set_list(settings, "Links", &endpoint->links, error) < 0 ||
        label_map_set(settings, "DriverOpts", &endpoint->driver_options, error) < 0 ||
        (endpoint->gateway_priority.given &&
         field_set(settings, "GwPriority", json_integer(endpoint->gateway_priority.value), error) < 0)) {
        return -1;
    }
    *ret_settings = bh_steal_pointer(&settings);
    return 0;
}
