/* SPDX-License-Identifier: Apache-2.0
 *
 * See list_filters.h.
 */
#include "services/engine/list_filters.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/digest.h"
#include "services/engine/pattern.h"

#define PORT_MAX 65535UL

struct ports {
    unsigned long first, last;
    char protocol[8];
};

static bool parse_ports(const char *text, struct ports *ret_ports)
{
    char *end;
    if (*text < '0' || *text > '9') {
        return false;
    }
    ret_ports->first = strtoul(text, &end, 10);
    ret_ports->last = ret_ports->first;
    if (*end == '-' && end[1] >= '0' && end[1] <= '9') {
        ret_ports->last = strtoul(end + 1, &end, 10);
    }
    (void)snprintf(ret_ports->protocol, sizeof ret_ports->protocol, "%s", *end == '/' ? end + 1 : "tcp");
    return (*end == '\0' || *end == '/') && ret_ports->last <= PORT_MAX && ret_ports->first <= ret_ports->last &&
           (strcmp(ret_ports->protocol, "tcp") == 0 || strcmp(ret_ports->protocol, "udp") == 0 ||
            strcmp(ret_ports->protocol, "sctp") == 0);
}

bool list_filter_ports(const Bulkhead__Filter *filter, char *const *ports, size_t n_ports)
{
    for (size_t i = 0; filter && i < filter->n_values; i++) {
        struct ports wanted, has;
        for (size_t k = 0; parse_ports(filter->values[i], &wanted) && k < n_ports; k++) {
            if (parse_ports(ports[k], &has) && strcmp(has.protocol, wanted.protocol) == 0 && has.first <= wanted.last &&
                has.last >= wanted.first) {
                return true;
            }
        }
    }
    return !filter;
}

int list_filter_check_ports(const Bulkhead__Filter *filter, struct bh_error *error)
{
    struct ports ports;
    for (size_t i = 0; filter && i < filter->n_values; i++) {
        if (!parse_ports(filter->values[i], &ports)) {
            return bh_error_set(error, BH_INVALID_ARGUMENT,
                                "filter %s: \"%.64s\" is no port: 80, 80/udp, 8000-8010/tcp", filter->key,
                                filter->values[i]);
        }
    }
    return 0;
}

static bool is_network(const Bulkhead__EndpointRequest *endpoint, const char *value)
{
    struct bh_digest id;
    char hex[BH_DIGEST_HEX_SIZE];
    if (strcmp(endpoint->network, value) == 0) {
        return true;
    }
    if (endpoint->network_id.len != sizeof id.bytes || value[0] == '\0') {
        return false;
    }
    memcpy(id.bytes, endpoint->network_id.data, sizeof id.bytes);
    return strncmp(bh_digest_hex(&id, hex), value, strlen(value)) == 0;
}

bool list_filter_network(const Bulkhead__Filter *filter, Bulkhead__EndpointRequest *const *endpoints,
                         size_t n_endpoints)
{
    for (size_t i = 0; filter && i < filter->n_values; i++) {
        for (size_t k = 0; k < n_endpoints; k++) {
            if (is_network(endpoints[k], filter->values[i])) {
                return true;
            }
        }
    }
    return !filter;
}

bool list_filter_volume(const Bulkhead__Filter *filter, Bulkhead__Mount *const *mounts, size_t n_mounts)
{
    for (size_t i = 0; filter && i < filter->n_values; i++) {
        for (size_t k = 0; k < n_mounts; k++) {
            const char *name = mounts[k]->volume_name[0] ? mounts[k]->volume_name : mounts[k]->source;
            if (strcmp(filter->values[i], mounts[k]->target) == 0 || strcmp(filter->values[i], name) == 0) {
                return true;
            }
        }
    }
    return !filter;
}

int list_filter_check_names(const Bulkhead__Filter *filter, struct bh_error *error)
{
    for (size_t i = 0; filter && i < filter->n_values; i++) {
        struct pattern pattern;
        if (pattern_compile(filter->values[i], &pattern, error) < 0) {
            return bh_error_wrap(error, "filter %s", filter->key);
        }
    }
    return 0;
}
