/* SPDX-License-Identifier: Apache-2.0
 *
 * What a container is to have of networks: NetworkingConfig, and the MAC address that older clients give it as a whole.
 */
#include <stdlib.h>

#include "common/limits.h"
#include "create.h"
#include "endpoint_settings.h"

/* One network of NetworkingConfig.EndpointsConfig. */
static int add_endpoint(Bulkhead__ContainerRequest *request, const char *network, const json_t *settings,
                        struct bh_error *error)
{
    Bulkhead__EndpointRequest **larger = reallocarray(request->endpoints, request->n_endpoints + 1, sizeof(*larger));
    if (!larger) {
        return out_of_memory(error);
    }
    request->endpoints = larger;
    if (request->n_endpoints >= BH_ENDPOINTS_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "a container can be linked to at most %d networks",
                            BH_ENDPOINTS_MAX);
    }
    if (endpoint_settings_read(settings, network, &request->endpoints[request->n_endpoints], error) < 0) {
        return -1;
    }
    request->n_endpoints++;
    return 0;
}

int networking_read(struct create *create, const json_t *networking, struct bh_error *error)
{
    union {
        const json_t *constant;
        json_t *plain;
    } walk;
    const char *network;
    json_t *settings;
    if (!networking || json_is_null(networking)) {
        return 0;
    }
    const json_t *endpoints = json_object_get(networking, "EndpointsConfig");
    walk.constant = networking;
    bool known = json_is_object(networking) && (!endpoints || json_is_object(endpoints) || json_is_null(endpoints));
    json_object_foreach(walk.plain, network, settings) /* python's SDK sends {"name": null} along */
    {
        known = known && (settings == endpoints || json_is_empty(settings));
    }
    if (!known) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "invalid JSON: NetworkingConfig must be an object of EndpointsConfig");
    }
    walk.constant = endpoints;
    if (create->request->network == BULKHEAD__NETWORK_MODE__NETWORK_MODE_JOINED &&
        (!endpoints || json_is_default(endpoints))) {
        return 0; /* docker-compose names the other container's network */
    }
    json_object_foreach(walk.plain, network, settings)
    {
        if (add_endpoint(create->request, network, settings, error) < 0) {
            return -1;
        }
    }
    return 0;
}

/* The same rules as for one network's: it becomes the main one's. */
int read_mac_address(struct create *create, const json_t *value, const char *where, struct bh_error *error)
{
    Bulkhead__EndpointRequest *checked = NULL;
    auto_json *settings = json_object();
    if (take_string(value, where, &create->request->mac_address, error) < 0) {
        return -1;
    }
    if (!settings || json_object_set_new(settings, "MacAddress", json_string(create->request->mac_address)) < 0) {
        return out_of_memory(error);
    }
    if (endpoint_settings_read(settings, "", &checked, error) < 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid MAC address: %.64s", create->request->mac_address);
    }
    bulkhead__endpoint_request__free_unpacked(checked, NULL);
    return 0;
}
