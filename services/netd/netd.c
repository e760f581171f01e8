/* SPDX-License-Identifier: Apache-2.0
 *
 * Looking up and forgetting; see netd.h.
 */
#include "netd.h"

#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "ports.h"

struct network *netd_find_network(const struct netd *netd, const uint8_t id[static NETD_ID_BYTES])
{
    struct network *network;
    LIST_FOREACH(network, &netd->networks, next)
    {
        if (memcmp(network->id, id, NETD_ID_BYTES) == 0) {
            return network;
        }
    }
    return NULL;
}

struct container *netd_find_container(const struct netd *netd, const uint8_t id[static NETD_ID_BYTES])
{
    struct container *container;
    LIST_FOREACH(container, &netd->containers, next)
    {
        if (memcmp(container->id, id, NETD_ID_BYTES) == 0) {
            return container;
        }
    }
    return NULL;
}

struct endpoint *netd_find_endpoint(const struct container *container, const uint8_t id[static NETD_ID_BYTES])
{
    struct endpoint *endpoint;
    LIST_FOREACH(endpoint, &container->endpoints, of_container)
    {
        if (memcmp(endpoint->id, id, NETD_ID_BYTES) == 0) {
            return endpoint;
        }
    }
    return NULL;
}

void netd_free_endpoint(struct endpoint *endpoint)
{
    if (endpoint) {
        LIST_REMOVE(endpoint, of_network);
        LIST_REMOVE(endpoint, of_container);
        bh_close(&endpoint->inside);
        free(endpoint);
    }
}

void netd_free_container(struct container *container)
{
    if (container) {
        while (!LIST_EMPTY(&container->endpoints)) {
            netd_free_endpoint(LIST_FIRST(&container->endpoints));
        }
        ports_release(container->ports, container->n_ports);
        free(container->ports);
        if (container->attachment) {
            bulkhead__attachment__free_unpacked(container->attachment, NULL);
        }
        LIST_REMOVE(container, next);
        free(container);
    }
}

void netd_free_network(struct network *network)
{
    if (network) {
        LIST_REMOVE(network, next);
        free(network);
    }
}
