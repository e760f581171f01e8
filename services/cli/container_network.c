/* SPDX-License-Identifier: Apache-2.0
 *
 * Networks: the first of them is the container's mode, and options like --ip are about that one.
 */
#include "container_network.h"

#include <stdlib.h>
#include <string.h>

#include "csv.h"
#include "fields.h"
#include "network_endpoint.h"
#include "port_spec.h"

/* Networks that users make have more to set up than the built-in ones. */
static bool is_users_own(const char *name)
{
    static const char *const built_in[] = {"default", "bridge", "host", "none"};
    for (size_t i = 0; i < sizeof(built_in) / sizeof(*built_in); i++) {
        if (strcmp(name, built_in[i]) == 0) {
            return false;
        }
    }
    return !strings_begins(name, "container:");
}

struct network {
    const char *name;
    struct network_endpoint endpoint;
    struct strings fields; /* what the texts above are borrowed from */
};

static void network_free(struct network *network)
{
    strings_free(&network->endpoint.aliases);
    strings_free(&network->endpoint.driver_options);
    strings_free(&network->endpoint.links);
    strings_free(&network->endpoint.link_local_ips);
    strings_free(&network->fields);
}

static int add_all(struct strings *to, const struct strings *from, struct bh_error *error)
{
    for (size_t i = 0; i < from->count; i++) {
        if (strings_add(to, from->items[i], error) < 0) {
            return -1;
        }
    }
    return 0;
}

static int take_field(struct network *network, const char *field, struct bh_error *error)
{
    struct network_endpoint *endpoint = &network->endpoint;
    const struct {
        const char *key;
        const char **text;
        struct strings *list;
    } keys[] = {
        {"name=", &network->name, NULL},
        {"alias=", NULL, &endpoint->aliases},
        {"mac-address=", &endpoint->mac_address, NULL},
        {"ip=", &endpoint->ipv4, NULL},
        {"ip6=", &endpoint->ipv6, NULL},
        {"link-local-ip=", NULL, &endpoint->link_local_ips},
        {"driver-opt=", NULL, &endpoint->driver_options},
    };
    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
        if (strings_begins(field, keys[i].key)) {
            const char *value = field + strlen(keys[i].key);
            if (keys[i].list) {
                return strings_add(keys[i].list, value, error);
            }
            *keys[i].text = value;
            return 0;
        }
    }
    if (strings_begins(field, "gw-priority=")) {
        char *end = NULL;
        endpoint->gateway_priority.given = true;
        endpoint->gateway_priority.value = strtoll(field + strlen("gw-priority="), &end, 10);
        return *end == '\0' ? 0 : bh_error_set(error, BH_INVALID_ARGUMENT, "invalid %s: want a whole number", field);
    }
    return bh_error_set(error, BH_INVALID_ARGUMENT,
                        "invalid field '%s' in --network: want name, alias, ip, ip6, mac-address, link-local-ip, "
                        "driver-opt or gw-priority, with a value",
                        field);
}

static int parse(const char *text, struct network *ret_network, struct bh_error *error)
{
    ret_network->name = text;
    if (!strchr(text, '=')) {
        return 0;
    }
    ret_network->name = "";
    if (csv_split(text, &ret_network->fields, error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < ret_network->fields.count; i++) {
        if (take_field(ret_network, ret_network->fields.items[i], error) < 0) {
            return -1;
        }
    }
    return *ret_network->name
               ? 0
               : bh_error_set(error, BH_INVALID_ARGUMENT, "invalid --network \"%s\": it has no name", text);
}

/* --ip, --network-alias and so on belong to the first network. */
static int take_container_options(struct network *network, const struct container_options *options,
                                  struct bh_error *error)
{
    struct network_endpoint *endpoint = &network->endpoint;
    endpoint->ipv4 = options->ipv4 ? options->ipv4 : endpoint->ipv4;
    endpoint->ipv6 = options->ipv6 ? options->ipv6 : endpoint->ipv6;
    endpoint->mac_address = options->mac_address ? options->mac_address : endpoint->mac_address;
    if (endpoint->aliases.count + options->network_aliases.count > 0 && !is_users_own(network->name)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "network-scoped aliases are only supported for user-defined networks");
    }
    return add_all(&endpoint->aliases, &options->network_aliases, error) < 0 ||
                   add_all(&endpoint->link_local_ips, &options->link_local_ips, error) < 0 ||
                   (is_users_own(network->name) && add_all(&endpoint->links, &options->links, error) < 0)
               ? -1
               : 0;
}

static int add_network(json_t *endpoints, json_t *host, const struct container_options *options, size_t at,
                       struct bh_error *error)
{
    bh_cleanup(network_free) struct network network = {0};
    json_auto json_t *settings = NULL;
    bool said = at < options->networks.count;
    if (parse(said ? options->networks.items[at] : "default", &network, error) < 0 ||
        (at == 0 && take_container_options(&network, options, error) < 0) ||
        network_endpoint_settings(&network.endpoint, &settings, error) < 0) {
        return -1;
    }
    if (json_object_get(endpoints, network.name)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "network \"%s\" is specified multiple times", network.name);
    }
    if (at == 0 && said && field_set(host, "NetworkMode", json_string(network.name), error) < 0) {
        return -1;
    }
    bool worth_it =
        options->networks.count > 1 || json_object_size(settings) > 0 || (said && is_users_own(network.name));
    return worth_it ? field_set(endpoints, network.name, json_incref(settings), error) : 0;
}

static int add_ports(json_t *request, json_t *host, const struct container_options *options, struct bh_error *error)
{
    json_auto json_t *exposed = json_object(), *bindings = json_object();
    for (size_t i = 0; i < options->publish.count; i++) {
        if (port_spec_publish(options->publish.items[i], exposed, bindings, error) < 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < options->expose.count; i++) {
        if (port_spec_expose(options->expose.items[i], exposed, error) < 0) {
            return -1;
        }
    }
    return (json_object_size(exposed) && field_set(request, "ExposedPorts", json_incref(exposed), error) < 0) ||
                   (json_object_size(bindings) && field_set(host, "PortBindings", json_incref(bindings), error) < 0) ||
                   field_set_flag(host, "PublishAllPorts", options->publish_all, error) < 0
               ? -1
               : 0;
}

/* "name=ip" is another way to write "name:ip". */
static int add_hosts(json_t *host, const struct container_options *options, struct bh_error *error)
{
    strings_auto struct strings hosts = {0};
    for (size_t i = 0; i < options->add_host.count; i++) {
        bh_autofree char *text = strdup(options->add_host.items[i]);
        char *separator = text ? strpbrk(text, ":=") : NULL;
        if (!separator || separator == text || !separator[1]) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "bad format for add-host: \"%s\": want NAME:IP",
                                options->add_host.items[i]);
        }
        *separator = ':';
        size_t length = strlen(text);
        if (separator[1] == '[' && text[length - 1] == ']') { /* name:[::1] */
            text[length - 1] = '\0';
            memmove(separator + 1, separator + 2, strlen(separator + 2) + 1);
        }
        if (strings_add_copy(&hosts, text, strlen(text), error) < 0) {
            return -1;
        }
    }
    return field_set_list(host, "ExtraHosts", &hosts, error);
}

int container_network_add(json_t *request, json_t *host, const struct container_options *options,
                          struct bh_error *error)
{
    json_auto json_t *endpoints = json_object();
    size_t at = 0;
    do {
        if (add_network(endpoints, host, options, at, error) < 0) {
            return -1;
        }
    } while (++at < options->networks.count);
    if (json_object_size(endpoints) > 0 &&
        field_set(request, "NetworkingConfig", json_pack("{s:O}", "EndpointsConfig", endpoints), error) < 0) {
        return -1;
    }
    return add_ports(request, host, options, error) < 0 || add_hosts(host, options, error) < 0 ||
                   field_set_list(host, "Links", &options->links, error) < 0 ||
                   field_set_list(host, "Dns", &options->dns, error) < 0 ||
                   field_set_list(host, "DnsSearch", &options->dns_search, error) < 0 ||
                   field_set_list(host, "DnsOptions", &options->dns_options, error) < 0
               ? -1
               : 0;
}
