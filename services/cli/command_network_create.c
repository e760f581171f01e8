/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead network create
 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "fields.h"
#include "label_map.h"

struct network_create_options {
    const char *driver, *config_from, *ipam_driver, *scope;
    bool attachable, config_only, ingress, internal, ipv4_off, ipv6;
    struct strings auxiliary, gateways, ip_ranges, ipam_options, labels, driver_options, subnets;
};

static int set_text(json_t *object, const char *key, const struct strings *list, size_t at, struct bh_error *error)
{
    return at < list->count ? field_set(object, key, json_string(list->items[at]), error) : 0;
}

/* IPAM: the n-th gateway and range belong to the n-th subnet. */
static int add_ipam(json_t *request, const struct network_create_options *options, struct bh_error *error)
{
    json_t *configs = json_array();
    json_t *ipam =
        json_pack("{s:s, s:o}", "Driver", options->ipam_driver ? options->ipam_driver : "default", "Config", configs);
    if (field_set(request, "IPAM", ipam, error) < 0) {
        return -1;
    }
    if (options->gateways.count > options->subnets.count || options->ip_ranges.count > options->subnets.count) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "every --gateway and --ip-range needs a --subnet that it lies in");
    }
    for (size_t i = 0; i < options->subnets.count; i++) {
        json_t *config = json_object();
        if (field_append(configs, config, error) < 0 || set_text(config, "Subnet", &options->subnets, i, error) < 0 ||
            set_text(config, "Gateway", &options->gateways, i, error) < 0 ||
            set_text(config, "IPRange", &options->ip_ranges, i, error) < 0 ||
            (i == 0 && label_map_set(config, "AuxiliaryAddresses", &options->auxiliary, error) < 0)) {
            return -1;
        }
    }
    return label_map_set(ipam, "Options", &options->ipam_options, error);
}

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    const struct network_create_options *options = values;
    json_auto json_t *answer = NULL;
    json_auto json_t *request =
        json_pack("{s:s, s:s, s:b, s:b, s:b, s:b, s:b, s:s*}", "Name", arguments->items[0], "Driver",
                  options->driver ? options->driver : "bridge", "Internal", options->internal, "Attachable",
                  options->attachable, "Ingress", options->ingress, "ConfigOnly", options->config_only, "EnableIPv6",
                  options->ipv6, "Scope", options->scope);
    if (!request) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "the name is not valid UTF-8");
    }
    if ((options->ipv4_off && field_set(request, "EnableIPv4", json_false(), error) < 0) ||
        (options->config_from &&
         field_set(request, "ConfigFrom", json_pack("{s:s}", "Network", options->config_from), error) < 0) ||
        label_map_set(request, "Labels", &options->labels, error) < 0 ||
        label_map_set(request, "Options", &options->driver_options, error) < 0 ||
        add_ipam(request, options, error) < 0 ||
        engine_ask(cli->engine, "POST", "/networks/create", request, &answer, error) < 0) {
        return -1;
    }
    if (*field_text(answer, "Warning")) {
        (void)fprintf(stderr, "WARNING: %s\n", field_text(answer, "Warning"));
    }
    (void)printf("%s\n", field_text(answer, "Id"));
    return 0;
}

#define AT(field) offsetof(struct network_create_options, field)
static const struct option options_table[] = {
    {OPTION_FLAG, "attachable", 0, AT(attachable), NULL, "Enable manual container attachment"},
    {OPTION_LIST, "aux-address", 0, AT(auxiliary), "map", "Auxiliary addresses used by the driver"},
    {OPTION_TEXT, "config-from", 0, AT(config_from), "string", "The network from which to copy the configuration"},
    {OPTION_FLAG, "config-only", 0, AT(config_only), NULL, "Create a network that is configuration only"},
    {OPTION_TEXT, "driver", 'd', AT(driver), "string", "Driver of the network (default bridge)"},
    {OPTION_LIST, "gateway", 0, AT(gateways), "strings", "Gateway of the subnet"},
    {OPTION_FLAG, "ingress", 0, AT(ingress), NULL, "Create a swarm's routing-mesh network"},
    {OPTION_FLAG, "internal", 0, AT(internal), NULL, "Restrict access to the outside"},
    {OPTION_LIST, "ip-range", 0, AT(ip_ranges), "strings", "Give containers addresses from this part of the subnet"},
    {OPTION_TEXT, "ipam-driver", 0, AT(ipam_driver), "string", "IP address management driver (default default)"},
    {OPTION_LIST, "ipam-opt", 0, AT(ipam_options), "map", "Set options of that driver"},
    {OPTION_ON, "ipv4", 0, AT(ipv4_off), NULL, "Give containers IPv4 addresses"},
    {OPTION_FLAG, "ipv6", 0, AT(ipv6), NULL, "Give containers IPv6 addresses"},
    {OPTION_LIST, "label", 0, AT(labels), "list", "Set metadata on the network"},
    {OPTION_LIST, "opt", 'o', AT(driver_options), "map", "Set driver specific options"},
    {OPTION_TEXT, "scope", 0, AT(scope), "string", "Scope of the network"},
    {OPTION_LIST, "subnet", 0, AT(subnets), "strings", "Subnet in CIDR format"},
    {0},
};

const struct command network_create_command = {
    .name = "network create",
    .usage = "[OPTIONS] NETWORK",
    .summary = "Create a network",
    .example = "bulkhead network create --subnet 172.30.0.0/16 backend",
    .options = options_table,
    .values_bytes = sizeof(struct network_create_options),
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
