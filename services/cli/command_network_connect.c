/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead network connect
 */
#include <stddef.h>

#include "commands.h"
#include "fields.h"
#include "label_map.h"
#include "network_endpoint.h"
#include "query.h"

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    const struct network_endpoint *endpoint = values;
    json_auto json_t *request = json_pack("{s:s}", "Container", arguments->items[1]);
    json_t *settings = NULL;
    bh_autofree char *path = NULL;
    if (!request) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "the container's name is not valid UTF-8");
    }
    if (network_endpoint_settings(endpoint, &settings, error) < 0 ||
        field_set(request, "EndpointConfig", settings, error) < 0 ||
        query_path(&path, "/networks/", arguments->items[0], "/connect", error) < 0) {
        return -1;
    }
    return engine_ask(cli->engine, "POST", path, request, NULL, error);
}

#define AT(field) offsetof(struct network_endpoint, field)
static const struct option options_table[] = {
    {OPTION_LIST, "alias", 0, AT(aliases), "strings", "Another name of the container on this network"},
    {OPTION_LIST, "driver-opt", 0, AT(driver_options), "strings", "Driver options for the network"},
    {OPTION_INTEGER, "gw-priority", 0, AT(gateway_priority), "int",
     "The network with the highest is the default route"},
    {OPTION_TEXT, "ip", 0, AT(ipv4), "string", "IPv4 address"},
    {OPTION_TEXT, "ip6", 0, AT(ipv6), "string", "IPv6 address"},
    {OPTION_LIST, "link", 0, AT(links), "list", "Add a link to another container"},
    {OPTION_LIST, "link-local-ip", 0, AT(link_local_ips), "strings", "Add a link-local address"},
    {0},
};

const struct command network_connect_command = {
    .name = "network connect",
    .usage = "[OPTIONS] NETWORK CONTAINER",
    .summary = "Connect a container to a network",
    .options = options_table,
    .values_bytes = sizeof(struct network_endpoint),
    .arguments_min = 2,
    .arguments_max = 2,
    .completes = COMPLETE_NETWORKS,
    .completes_next = COMPLETE_CONTAINERS,
    .run = run,
};
