/* SPDX-License-Identifier: Apache-2.0
 *
 * See attachment_plan.h.
 */
#include "services/engine/attachment_plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/digest.h"
#include "common/fields.h"
#include "services/engine/endpoint_requests.h"
#include "services/engine/links.h"
#include "services/engine/network_options.h"
#include "services/engine/network_ranges.h"
#include "services/engine/networks.h"
#include "services/engine/ports.h"

#define SHORT_ID 12

void attachment_plan_free(struct attachment_plan *plan)
{
    for (size_t i = 0; i < plan->n_wishes; i++) {
        if (plan->wishes[i].endpoint) {
            bulkhead__endpoint__free_unpacked(plan->wishes[i].endpoint, NULL);
        }
        network_row_clear(&plan->networks[i]);
    }
    free(plan->networks);
    free(plan->wishes);
    if (plan->attachment) {
        bulkhead__attachment__free_unpacked(plan->attachment, NULL);
    }
}

/* ---- one endpoint -------------------------------------------------------------------------------- */

static int parse_mac(const char *text, Bulkhead__Endpoint *endpoint, struct bh_error *error)
{
    unsigned parts[6];
    uint8_t mac[6];
    int end = 0;
    if (!text[0]) {
        return 0;
    }
    if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &parts[0], &parts[1], &parts[2], &parts[3], &parts[4], &parts[5],
               &end) != 6 ||
        text[end] || (parts[0] & 1)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid MAC address: %.64s", text);
    }
    for (size_t i = 0; i < sizeof mac; i++) {
        mac[i] = (uint8_t)parts[i];
    }
    return bytes_set(&endpoint->mac, mac, sizeof mac, error);
}

int attachment_plan_name(const struct container_row *row, const Bulkhead__EndpointRequest *request,
                         const struct network_row *network, Bulkhead__Endpoint *endpoint, struct bh_error *error)
{
    struct bh_digest id;
    char short_id[BH_DIGEST_HEX_SIZE];
    for (size_t i = 0; i < endpoint->n_names; i++) {
        free(endpoint->names[i]);
    }
    free(endpoint->names);
    endpoint->names = NULL;
    endpoint->n_names = 0;
    if (network->fixed) {
        return 0;
    }
    memcpy(id.bytes, row->id, sizeof id.bytes);
    (void)bh_digest_hex(&id, short_id);
    short_id[SHORT_ID] = '\0';
    bool named = row->name[0] != '\0'; /* not yet, if the engine is to make a name up */
    return (named && strings_append(&endpoint->names, &endpoint->n_names, row->name, error) < 0) ||
                   strings_append_all(&endpoint->names, &endpoint->n_names, request->aliases, request->n_aliases,
                                      error) < 0 ||
                   strings_append(&endpoint->names, &endpoint->n_names, short_id, error) < 0
               ? -1
               : 0;
}

static int fill_endpoint(struct job *job, const struct container_row *row, const Bulkhead__EndpointRequest *request,
                         const struct network_row *network, unsigned index, struct endpoint_wish *wish,
                         struct bh_error *error)
{
    struct network_options options;
    char name[INTERFACE_NAME_SIZE];
    Bulkhead__Endpoint *endpoint = wish->endpoint;
    if (bytes_set(&endpoint->network, network->id, sizeof network->id, error) < 0) {
        return -1;
    }
    if (!network_is_linked(network)) {
        return 0;
    }
    if (endpoint_request_check(request, network, error) < 0 ||
        network_options_read(network->request, &options, error) < 0) {
        return -1;
    }
    (void)snprintf(name, sizeof name, "%s%u", options.interface_prefix, index);
    if ((request->address4[0] && !ip_parse(request->address4, &wish->address4)) ||
        (request->address6[0] && !ip_parse(request->address6, &wish->address6))) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid address: %.64s%.64s", request->address4,
                            request->address6);
    }
    return string_set(&endpoint->interface_name, name, error) < 0 ||
                   parse_mac(request->mac_address, endpoint, error) < 0 ||
                   attachment_plan_name(row, request, network, endpoint, error) < 0
               ? -1
               : links_of_endpoint(job, request, endpoint, error);
}

int attachment_plan_wish(struct job *job, const struct container_row *row, const Bulkhead__EndpointRequest *request,
                         const struct network_row *network, unsigned index, struct endpoint_wish *ret_wish,
                         struct bh_error *error)
{
    *ret_wish = (struct endpoint_wish){.network = network, .endpoint = malloc(sizeof(Bulkhead__Endpoint))};
    if (!ret_wish->endpoint) {
        return bh_error_errno(error, ENOMEM, "describe an endpoint");
    }
    bulkhead__endpoint__init(ret_wish->endpoint);
    return fill_endpoint(job, row, request, network, index, ret_wish, error);
}

/* ---- default routes ------------------------------------------------------------------------------ */

static bool has_way_out(const struct route_candidate *candidate, size_t n_bytes)
{
    const Bulkhead__NetworkRequest *network = candidate->network->request;
    const Bulkhead__AddressRange *range = range_of_family(network, n_bytes);
    return network_is_linked(candidate->network) && !network->internal && range && range->gateway.len == n_bytes;
}

static bool is_better(const struct route_candidate *candidate, const struct route_candidate *best)
{
    return !best || candidate->priority > best->priority ||
           (candidate->priority == best->priority &&
            strcmp(candidate->network->request->name, best->network->request->name) < 0);
}

void attachment_plan_route(const struct route_candidate *candidates, size_t n_candidates)
{
    const struct route_candidate *best4 = NULL, *best6 = NULL;
    for (size_t i = 0; i < n_candidates; i++) {
        best4 = has_way_out(&candidates[i], 4) && is_better(&candidates[i], best4) ? &candidates[i] : best4;
        best6 = has_way_out(&candidates[i], 16) && is_better(&candidates[i], best6) ? &candidates[i] : best6;
    }
    for (size_t i = 0; i < n_candidates; i++) {
        candidates[i].endpoint->default_route4 = &candidates[i] == best4;
        candidates[i].endpoint->default_route6 = &candidates[i] == best6;
    }
}

/* ---- all of it ----------------------------------------------------------------------------------- */

/* The network that is asked for, whose name the request has from then on, however it was named before. */
static int find_network(struct job *job, const struct container_row *row, Bulkhead__EndpointRequest *request,
                        struct network_row *ret_network, struct bh_error *error)
{
    if (request->network_id.len == ENGINE_ID_BYTES) {
        int found = database_network(job->engine->database, request->network_id.data, ret_network, error);
        struct bh_digest id;
        char hex[BH_DIGEST_HEX_SIZE];
        memcpy(id.bytes, request->network_id.data, sizeof id.bytes);
        return found == 0 ? bh_error_set(error, BH_NOT_FOUND, "network %s not found", bh_digest_hex(&id, hex))
                          : (found < 0 ? -1 : 0);
    }
    return network_find(job, row->tenant_uid, request->network, ret_network, error) < 0 ||
                   string_set(&request->network, ret_network->request->name, error) < 0
               ? -1
               : 0;
}

static int add_wishes(struct job *job, const struct container_row *row, bool all, struct attachment_plan *plan,
                      struct bh_error *error)
{
    const size_t n = row->request->n_endpoints;
    plan->networks = calloc(n + 1, sizeof *plan->networks);
    plan->wishes = calloc(n + 1, sizeof *plan->wishes);
    if (!plan->networks || !plan->wishes) {
        return bh_error_errno(error, ENOMEM, "list a container's networks");
    }
    for (size_t i = 0; i < n; i++) {
        Bulkhead__EndpointRequest *request = row->request->endpoints[i];
        struct network_row *network = &plan->networks[plan->n_wishes];
        if (find_network(job, row, request, network, error) < 0) {
            if (error->code != BH_NOT_FOUND || all) {
                return -1;
            }
            bh_error_clear(error);
            continue;
        }
        struct endpoint_wish *wish = &plan->wishes[plan->n_wishes++];
        if (network_make(job, network, error) < 0 ||
            attachment_plan_wish(job, row, request, network, (unsigned)i, wish, error) < 0) {
            return -1;
        }
    }
    return 0;
}

static void choose_routes(const struct container_row *row, struct attachment_plan *plan)
{
    struct route_candidate candidates[BH_ENDPOINTS_MAX];
    size_t n = 0;
    for (; n < plan->n_wishes && n < BH_ENDPOINTS_MAX; n++) {
        const size_t at = endpoint_request_find(row->request, plan->networks[n].id, plan->networks[n].request->name);
        candidates[n] = (struct route_candidate){
            .network = &plan->networks[n],
            .priority = at < row->request->n_endpoints ? row->request->endpoints[at]->gateway_priority : 0,
            .endpoint = plan->wishes[n].endpoint};
    }
    attachment_plan_route(candidates, n);
}

static int add_servers(const Bulkhead__ContainerRequest *request, Bulkhead__Attachment *attachment,
                       struct bh_error *error)
{
    attachment->dns_servers = calloc(request->n_dns_servers + 1, sizeof *attachment->dns_servers);
    if (!attachment->dns_servers) {
        return bh_error_errno(error, ENOMEM, "list name servers");
    }
    for (size_t i = 0; i < request->n_dns_servers; i++) {
        struct ip ip;
        if (!ip_parse(request->dns_servers[i], &ip)) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "bad nameserver address: %s", request->dns_servers[i]);
        }
        if (bytes_set(&attachment->dns_servers[attachment->n_dns_servers++], ip.bytes, ip.n_bytes, error) < 0) {
            return -1;
        }
    }
    return 0;
}

/* Ports are published by way of the default route, or else of the first network; by none that is internal. */
static const struct network_row *publishing_network(const struct attachment_plan *plan)
{
    const struct network_row *first = NULL;
    for (size_t i = 0; i < plan->n_wishes; i++) {
        const struct network_row *network = &plan->networks[i];
        if (!network_is_linked(network) || network->request->internal) {
            continue;
        }
        if (plan->wishes[i].endpoint->default_route4) {
            return network;
        }
        first = first ? first : network;
    }
    return first;
}

static int fill_attachment(const struct container_row *row, const Bulkhead__ImageConfig *image,
                           const struct attachment_plan *plan, Bulkhead__Attachment *attachment, struct bh_error *error)
{
    const Bulkhead__ContainerRequest *request = row->request;
    const struct network_row *publishing = publishing_network(plan);
    struct network_options options = {0};
    bool user_defined = false, outside = false;
    for (size_t i = 0; i < plan->n_wishes; i++) {
        user_defined = user_defined || !plan->networks[i].fixed;
        outside = outside || !plan->networks[i].request->internal;
    }
    attachment->embedded_dns = user_defined || request->n_dns_servers == 0;
    attachment->internal_dns = !outside;
    if (add_servers(request, attachment, error) < 0) {
        return -1;
    }
    return !publishing ? 0
           : network_options_read(publishing->request, &options, error) < 0
               ? -1
               : ports_read(request, image ? image->exposed_ports : NULL, image ? image->n_exposed_ports : 0,
                            &options.host_binding, &attachment->ports, &attachment->n_ports, error);
}

/* Host, none, or links; one that was taken off its last network may be linked to another later. */
static Bulkhead__NetworkMode mode_of(const struct attachment_plan *plan, Bulkhead__NetworkMode asked)
{
    if (plan->n_wishes == 0 && asked == BULKHEAD__NETWORK_MODE__NETWORK_MODE_LINKED) {
        return asked;
    }

    for (size_t i = 0; i < plan->n_wishes; i++) {
        if (network_is_linked(&plan->networks[i])) {
            return BULKHEAD__NETWORK_MODE__NETWORK_MODE_LINKED;
        }
        if (strcmp(plan->networks[i].request->driver, "host") == 0) {
            return BULKHEAD__NETWORK_MODE__NETWORK_MODE_HOST;
        }
    }
    return BULKHEAD__NETWORK_MODE__NETWORK_MODE_NONE;
}

int attachment_plan_make(struct job *job, struct container_row *row, const Bulkhead__ImageConfig *image, bool all,
                         struct attachment_plan *plan, struct bh_error *error)
{
    if (row->request->network == BULKHEAD__NETWORK_MODE__NETWORK_MODE_JOINED) {
        return 0;
    }
    if (add_wishes(job, row, all, plan, error) < 0) {
        return -1;
    }
    choose_routes(row, plan);
    row->spec->network = mode_of(plan, row->request->network);
    if (row->spec->network != BULKHEAD__NETWORK_MODE__NETWORK_MODE_LINKED) {
        return 0;
    }
    plan->attachment = malloc(sizeof *plan->attachment);
    if (!plan->attachment) {
        return bh_error_errno(error, ENOMEM, "describe a container's links");
    }
    bulkhead__attachment__init(plan->attachment);
    return fill_attachment(row, image, plan, plan->attachment, error);
}

/* What stands for the addresses until they are chosen: the network's own. */
static int provide_one(const struct network_row *network, const struct endpoint_wish *wish, struct bh_error *error)
{
    Bulkhead__Endpoint *endpoint = wish->endpoint;
    const Bulkhead__AddressRange *four = range_of_family(network->request, 4);
    const Bulkhead__AddressRange *six = range_of_family(network->request, 16);
    const struct ip ip4 = ip_is_set(&wish->address4) ? wish->address4 : four ? range_gateway(four) : wish->address4;
    const struct ip ip6 = ip_is_set(&wish->address6) ? wish->address6 : six ? range_gateway(six) : wish->address6;
    uint8_t id[ENGINE_ID_BYTES], mac[6];
    ipam_mac(ip_is_set(&ip4) ? &ip4 : &ip6, mac);
    if (getrandom(id, sizeof id, 0) != (ssize_t)sizeof id) {
        return bh_error_errno(error, errno, "make an endpoint's id");
    }
    return bytes_set(&endpoint->id, id, sizeof id, error) < 0 ||
                   bytes_set(&endpoint->address4, ip4.bytes, ip4.n_bytes, error) < 0 ||
                   bytes_set(&endpoint->address6, ip6.bytes, ip6.n_bytes, error) < 0 ||
                   (endpoint->mac.len == 0 && bytes_set(&endpoint->mac, mac, sizeof mac, error) < 0)
               ? -1
               : 0;
}

int attachment_plan_provide(struct attachment_plan *plan, struct bh_error *error)
{
    for (size_t i = 0; i < plan->n_wishes; i++) {
        if (network_is_linked(&plan->networks[i]) && provide_one(&plan->networks[i], &plan->wishes[i], error) < 0) {
            return -1;
        }
    }
    return 0;
}

int attachment_plan_give(struct attachment_plan *plan, Bulkhead__ContainerSpec *spec, struct bh_error *error)
{
    Bulkhead__Attachment *attachment = plan->attachment;
    if (!attachment) {
        return 0;
    }
    attachment->endpoints = calloc(plan->n_wishes + 1, sizeof *attachment->endpoints);
    if (!attachment->endpoints) {
        return bh_error_errno(error, ENOMEM, "list a container's endpoints");
    }
    for (size_t i = 0; i < plan->n_wishes; i++) {
        if (network_is_linked(&plan->networks[i])) {
            attachment->endpoints[attachment->n_endpoints++] = bh_steal_pointer(&plan->wishes[i].endpoint);
        }
    }
    spec->attachment = bh_steal_pointer(&plan->attachment);
    return 0;
}
