/* SPDX-License-Identifier: Apache-2.0
 *
 * The two networks there are, to look at: `none` (a loopback interface of one's own) and `host`. Networks cannot be
 * made yet.
 */
#include <stdio.h>
#include <string.h>

#include "engine_call.h"
#include "handlers.h"
#include "json_types.h"

struct network {
    const char *name, *driver;
    const char *id; /* the same in every engine, since these are */
};

static const struct network networks[] = {
    {"host", "host", "9a4bd5a1b0d8f2a3c6e7f4d1905b38c2774e61d0a8f35be94c1d20e67f8a3b15"},
    {"none", "null", "c3f0e1d7825a4b96e0d4c8a7b1f6935d2e9078c4a6b53f1de8270b94a15c6d38"},
};
#define N_NETWORKS (sizeof(networks) / sizeof(networks[0]))

/* ---- the containers of one ----------------------------------------------------------------------- */

/* Every mode but `host` is a namespace of one's own with nothing in it. */
static bool is_on(const struct network *network, const char *mode)
{
    return (strcmp(mode, "host") == 0) == (strcmp(network->name, "host") == 0);
}

static void write_endpoint(struct json_writer *writer, const Bulkhead__ContainerSummary *container)
{
    static const char *const empty[] = {"EndpointID", "MacAddress", "IPv4Address", "IPv6Address"};
    char id[65];
    write_object(writer, id_hex(&container->id, id));
    write_string(writer, "Name", container->name);
    for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++) {
        write_string(writer, empty[i], "");
    }
    write_object_end(writer);
}

/* `Containers`: those that run. */
static int write_endpoints(struct request *request, struct json_writer *writer, const struct network *network,
                           struct bh_error *error)
{
    auto_engine_call call = {0};
    Bulkhead__ListContainersOf question = BULKHEAD__LIST_CONTAINERS_OF__INIT;
    ENGINE_PACKET(packet, LIST_CONTAINERS_OF, list_containers_of, &question);
    if (engine_call_start(request, &packet, NULL, 0, 0, &call, error) < 0) {
        return -1;
    }
    write_object(writer, "Containers");
    for (bool more = true; more;) {
        bh_automessage struct bh_message *answer = NULL;
        if (engine_call_next(&call, &answer, error) < 0) {
            return -1;
        }
        if (answer->kind == BULKHEAD__ENGINE_TO_API__BODY_CONTAINER_SUMMARY) {
            const Bulkhead__ContainerSummary *container = bh_message_body(answer);
            if (is_on(network, container->network_mode)) {
                write_endpoint(writer, container);
            }
        }
        more = answer->more;
    }
    write_object_end(writer);
    return 0;
}

/* ---- one ----------------------------------------------------------------------------------------- */

static void write_ipam(struct json_writer *writer)
{
    write_object(writer, "IPAM");
    write_string(writer, "Driver", "default");
    write_null(writer, "Options");
    write_array(writer, "Config");
    write_array_end(writer);
    write_object_end(writer);
}

static void write_empty_object(struct json_writer *writer, const char *key)
{
    write_object(writer, key);
    write_object_end(writer);
}

/* `request` is given where its containers are to be listed, too. */
static int write_network(struct request *request, struct json_writer *writer, const struct network *network,
                         struct bh_error *error)
{
    write_object(writer, NULL);
    write_string(writer, "Name", network->name);
    write_string(writer, "Id", network->id);
    write_string(writer, "Created", "1970-01-01T00:00:00Z");
    write_string(writer, "Scope", "local");
    write_string(writer, "Driver", network->driver);
    write_bool(writer, "EnableIPv4", true);
    write_bool(writer, "EnableIPv6", false);
    write_ipam(writer);
    write_bool(writer, "Internal", false);
    write_bool(writer, "Attachable", false);
    write_bool(writer, "Ingress", false);
    write_object(writer, "ConfigFrom");
    write_string(writer, "Network", "");
    write_object_end(writer);
    write_bool(writer, "ConfigOnly", false);
    if (!request) {
        write_empty_object(writer, "Containers");
    } else if (write_endpoints(request, writer, network, error) < 0) {
        return -1;
    }
    write_empty_object(writer, "Options");
    write_empty_object(writer, "Labels");
    write_object_end(writer);
    return 0;
}

/* By name, id or the start of an id, as Docker looks. */
static const struct network *find(const char *reference)
{
    for (size_t i = 0; i < N_NETWORKS; i++) {
        if (strcmp(networks[i].name, reference) == 0 || strncmp(networks[i].id, reference, strlen(reference)) == 0) {
            return &networks[i];
        }
    }
    return NULL;
}

static int not_found(const struct request *request, struct bh_error *error)
{
    return bh_error_set(error, BH_NOT_FOUND, "network %.128s not found", request->name);
}

int handle_network_inspect(struct request *request, struct bh_error *error)
{
    auto_json_writer writer = {0};
    const struct network *network = find(request->name);
    const char *scope = http_parameter(&request->target, "scope");
    if (!network || (scope && *scope && strcmp(scope, "local") != 0)) {
        return not_found(request, error);
    }
    if (write_network(request, &writer, network, error) < 0) {
        return -1;
    }
    return request_answer_json(request, 200, &writer, error);
}

int handle_network_delete(struct request *request, struct bh_error *error)
{
    const struct network *network = find(request->name);
    return network ? bh_error_set(error, BH_PERMISSION_DENIED, "%s is a pre-defined network and cannot be removed",
                                  network->name)
                   : not_found(request, error);
}

/* ---- the list ------------------------------------------------------------------------------------ */

/* One value of one filter. The two have no label, are built in, and are never dangling. */
static bool matches_value(const struct network *network, const char *key, const char *value)
{
    if (strcmp(key, "name") == 0) {
        return strstr(network->name, value) != NULL;
    }
    if (strcmp(key, "id") == 0) {
        return strncmp(network->id, value, strlen(value)) == 0;
    }
    if (strcmp(key, "driver") == 0) {
        return strcmp(network->driver, value) == 0;
    }
    if (strcmp(key, "scope") == 0) {
        return strcmp(value, "local") == 0;
    }
    if (strcmp(key, "type") == 0) {
        return strcmp(value, "builtin") == 0;
    }
    return strcmp(key, "dangling") == 0 && (strcmp(value, "false") == 0 || strcmp(value, "0") == 0);
}

static bool matches(const struct network *network, const struct request_filters *filters)
{
    for (size_t i = 0; i < filters->n_filters; i++) {
        const Bulkhead__Filter *filter = filters->filters[i];
        bool any = filter->n_values == 0;
        for (size_t j = 0; j < filter->n_values && !any; j++) {
            any = matches_value(network, filter->key, filter->values[j]);
        }
        if (!any) {
            return false;
        }
    }
    return true;
}

static int check_values(const struct request_filters *filters, struct bh_error *error)
{
    for (size_t i = 0; i < filters->n_filters; i++) {
        const Bulkhead__Filter *filter = filters->filters[i];
        for (size_t j = 0; strcmp(filter->key, "type") == 0 && j < filter->n_values; j++) {
            if (strcmp(filter->values[j], "builtin") != 0 && strcmp(filter->values[j], "custom") != 0) {
                return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid filter: 'type'='%.64s'", filter->values[j]);
            }
        }
    }
    return 0;
}

int handle_networks_list(struct request *request, struct bh_error *error)
{
    static const char *const allowed[] = {"name", "id", "driver", "scope", "type", "label", "dangling", NULL};
    auto_json_writer writer = {0};
    struct request_filters filters;
    if (request_filters_read(request, allowed, &filters, error) < 0) {
        return -1;
    }
    int result = check_values(&filters, error);
    write_array(&writer, NULL);
    for (size_t i = 0; result == 0 && i < N_NETWORKS; i++) {
        if (matches(&networks[i], &filters)) {
            result = write_network(NULL, &writer, &networks[i], error);
        }
    }
    write_array_end(&writer);
    request_filters_free(&filters);
    return result < 0 ? -1 : request_answer_json(request, 200, &writer, error);
}
