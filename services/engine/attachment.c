/* SPDX-License-Identifier: Apache-2.0
 *
 * See attachment.h.
 */
#include "services/engine/attachment.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/digest.h"
#include "common/fields.h"
#include "common/log.h"
#include "services/engine/adopt.h"
#include "services/engine/attachment_plan.h"
#include "services/engine/database_change.h"
#include "services/engine/endpoint_requests.h"
#include "services/engine/links.h"
#include "services/engine/network_ranges.h"
#include "services/engine/networks.h"
#include "services/engine/policy_networks.h"
#include "services/engine/ports.h"

#define HOST_GATEWAY "host-gateway"
#define BIND_FAILED  "Bind for " /* how netd begins what it says of a port */

/* ---- hosts --------------------------------------------------------------------------------------- */

/* The address of the host's that a container reaches by its default route, or else by its first network. */
static struct ip find_host_gateway(const struct container_row *row, const struct attachment_plan *plan)
{
    struct ip fallback = {.n_bytes = 0};
    if (row->spec->network == BULKHEAD__NETWORK_MODE__NETWORK_MODE_HOST) {
        (void)ip_parse("127.0.0.1", &fallback);
        return fallback;
    }
    for (size_t i = 0; i < plan->n_wishes; i++) {
        const Bulkhead__NetworkRequest *network = plan->networks[i].request;
        const Bulkhead__AddressRange *range = range_of_family(network, 4);
        range = range ? range : range_of_family(network, 16);
        const struct ip gateway = range ? range_gateway(range) : (struct ip){.n_bytes = 0};
        if (ip_is_set(&gateway) && plan->wishes[i].endpoint->default_route4) {
            return gateway;
        }
        fallback = ip_is_set(&fallback) ? fallback : gateway;
    }
    return fallback;
}

static int add_host_gateways(struct container_row *row, const struct attachment_plan *plan, struct bh_error *error)
{
    char address[IP_TEXT_SIZE];
    const struct ip gateway = find_host_gateway(row, plan);
    (void)ip_text(&gateway, address);
    for (size_t i = 0; i < row->request->n_extra_hosts; i++) {
        const char *entry = row->request->extra_hosts[i], *colon = strchr(entry, ':');
        bh_autofree char *line = NULL;
        if (!colon || strcmp(colon + 1, HOST_GATEWAY) != 0) {
            continue;
        }
        if (!ip_is_set(&gateway)) {
            return bh_error_set(error, BH_INVALID_ARGUMENT,
                                "unable to derive the IP value for host-gateway: the container is on no network that "
                                "the host has an address in");
        }
        if (asprintf(&line, "%.*s:%s", (int)(colon - entry), entry, address) < 0) {
            line = NULL;
            return bh_error_errno(error, ENOMEM, "add a host");
        }
        if (strings_append(&row->spec->extra_hosts, &row->spec->n_extra_hosts, line, error) < 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- create -------------------------------------------------------------------------------------- */

void attachment_forget(Bulkhead__ContainerSpec *spec)
{
    if (spec->attachment) {
        bulkhead__attachment__free_unpacked(spec->attachment, NULL);
        spec->attachment = NULL;
    }
    if (spec->network == BULKHEAD__NETWORK_MODE__NETWORK_MODE_LINKED) {
        spec->network = BULKHEAD__NETWORK_MODE__NETWORK_MODE_NONE; /* until it is started */
    }
}

int attachment_describe(struct job *job, struct container_row *row, const Bulkhead__ImageConfig *image,
                        struct bh_error *error)
{
    attachment_plan_auto struct attachment_plan plan = {0};
    return links_check(job, row->request, error) < 0 ||
                   attachment_plan_make(job, row, image, false, &plan, error) < 0 ||
                   attachment_plan_provide(&plan, error) < 0 || attachment_plan_give(&plan, row->spec, error) < 0
               ? -1
               : 0;
}

/* ---- the start ----------------------------------------------------------------------------------- */

/* The networks' names and ids are known now, and written down: from here on the container means these very networks. */
static int note_networks(struct job *job, struct container_row *row, const struct attachment_plan *plan,
                         struct bh_error *error)
{
    bool changed = false;
    for (size_t i = 0; i < plan->n_wishes; i++) {
        Bulkhead__EndpointRequest *request = row->request->endpoints[i];
        if (request->network_id.len > 0) {
            continue;
        }
        changed = true;
        if (bytes_set(&request->network_id, plan->networks[i].id, ENGINE_ID_BYTES, error) < 0 ||
            string_set(&request->network, plan->networks[i].request->name, error) < 0) {
            return -1;
        }
    }
    return changed ? database_change_request(job->engine->database, row->id, row->request, false, error) : 0;
}

static int begin(struct job *job, struct container_row *row, const Bulkhead__ImageConfig *image, struct bh_error *error)
{
    attachment_plan_auto struct attachment_plan plan = {0};
    if (attachment_plan_make(job, row, image, true, &plan, error) < 0 || note_networks(job, row, &plan, error) < 0 ||
        add_host_gateways(row, &plan, error) < 0 || links_apply(job, row, error) < 0) {
        return -1;
    }
    return database_add_endpoints(job->engine->database, row->id, plan.wishes, plan.n_wishes, plan.attachment, false,
                                  error) < 0
               ? -1
               : attachment_plan_give(&plan, row->spec, error);
}

/* One of an engine that had no networks asks for none in its list. */
static int complete_old(Bulkhead__ContainerRequest *request, struct bh_error *error)
{
    return request->n_endpoints > 0 || request->network == BULKHEAD__NETWORK_MODE__NETWORK_MODE_LINKED
               ? 0
               : endpoint_requests_complete(request, error);
}

int attachment_begin(struct job *job, struct container_row *row, struct bh_error *error)
{
    image_row_auto struct image_row image = {0};
    struct bh_error gone = {0};
    (void)database_image(job->engine->database, row->tenant_uid, &row->image, &image, &gone);
    attachment_end(job, row); /* of an earlier run, whose end nobody has dealt with yet */
    return complete_old(row->request, error) < 0 ? -1 : begin(job, row, image.config, error);
}

void attachment_word_failure(const struct container_row *row, struct bh_error *error)
{
    const Bulkhead__Attachment *attachment = row->spec->attachment;
    struct bh_digest id;
    char hex[BH_DIGEST_HEX_SIZE];
    if (!attachment || attachment->n_endpoints == 0 || error->code != BH_ALREADY_EXISTS ||
        strncmp(error->message, BIND_FAILED, sizeof BIND_FAILED - 1) != 0) {
        return;
    }
    const Bulkhead__Endpoint *endpoint = attachment->endpoints[0];
    for (size_t i = 0; i < attachment->n_endpoints; i++) {
        endpoint = attachment->endpoints[i]->default_route4 ? attachment->endpoints[i] : endpoint;
    }
    const struct bh_error reason = *error;
    memcpy(id.bytes, endpoint->id.data, sizeof id.bytes);
    (void)bh_error_set(error, BH_INTERNAL,
                       "driver failed programming external connectivity on endpoint %s (%s): %.400s", row->name,
                       bh_digest_hex(&id, hex), reason.message);
}

static int store_ports(struct job *job, const uint8_t *container, Bulkhead__PublishedPort **ports, size_t n_ports,
                       struct bh_error *error)
{
    Bulkhead__Attachment *attachment = NULL;
    int found = database_attachment(job->engine->database, container, &attachment, error);
    if (found <= 0) {
        return found;
    }
    Bulkhead__Attachment taken = *attachment;
    taken.ports = ports;
    taken.n_ports = n_ports;
    int result = database_set_attachment(job->engine->database, container, &taken, error);
    bulkhead__attachment__free_unpacked(attachment, NULL);
    return result;
}

void attachment_started(struct job *job, const struct container_row *row, Bulkhead__PublishedPort **ports,
                        size_t n_ports)
{
    struct bh_error error = {0};
    if (n_ports > 0 && store_ports(job, row->id, ports, n_ports, &error) < 0) {
        bh_log_failure(BH_LOG_WARNING, &error, row->name);
    }
}

int attachment_renew(struct job *job, const struct container_row *row, struct bh_error *error)
{
    bh_automessage struct bh_message *message = NULL;
    Bulkhead__Attachment *attachment = NULL;
    int found = database_attachment(job->engine->database, row->id, &attachment, error);
    if (found <= 0) {
        return found;
    }
    int result = policy_connect(job, row, attachment, &message, error);
    bulkhead__attachment__free_unpacked(attachment, NULL);
    if (result < 0) {
        return -1;
    }
    const Bulkhead__ContainerConnected *connected = bh_message_body(message);
    return store_ports(job, row->id, connected->ports, connected->n_ports, error);
}

/* ---- changes --------------------------------------------------------------------------------------- */

/* Names and default routes of all endpoints, by what the row says now. */
static int describe_again(struct job *job, const struct container_row *row, struct endpoint_row *rows, size_t n_rows,
                          struct bh_error *error)
{
    struct network_row networks[BH_ENDPOINTS_MAX] = {0};
    struct route_candidate candidates[BH_ENDPOINTS_MAX] = {0};
    int result = 0;
    size_t n = 0;
    for (; result == 0 && n < n_rows && n < BH_ENDPOINTS_MAX; n++) {
        Bulkhead__Endpoint *endpoint = rows[n].endpoint;
        int found = database_network(job->engine->database, endpoint->network.data, &networks[n], error);
        if (found != 1) {
            result = found < 0 ? -1 : bh_error_set(error, BH_NOT_FOUND, "a network of the container is gone");
            continue;
        }
        const size_t at = endpoint_request_find(row->request, networks[n].id, networks[n].request->name);
        const Bulkhead__EndpointRequest *request = at < row->request->n_endpoints ? row->request->endpoints[at] : NULL;
        candidates[n] = (struct route_candidate){
            .network = &networks[n], .priority = request ? request->gateway_priority : 0, .endpoint = endpoint};
        result = request ? attachment_plan_name(row, request, &networks[n], endpoint, error) : 0;
    }
    if (result == 0) {
        attachment_plan_route(candidates, n);
    }
    for (size_t i = 0; i < n; i++) {
        network_row_clear(&networks[i]);
    }
    return result;
}

int attachment_settle(struct job *job, const struct container_row *row, struct bh_error *error)
{
    struct endpoint_row *rows = NULL;
    size_t n_rows = 0;
    if (database_container_endpoints(job->engine->database, row->id, &rows, &n_rows, error) < 0) {
        return -1;
    }
    int result = describe_again(job, row, rows, n_rows, error);
    if (result == 0) {
        result = database_change_endpoints(job->engine->database, rows, n_rows, error);
    }
    endpoint_rows_free(rows, n_rows);
    return result < 0 || n_rows == 0 ? result : attachment_renew(job, row, error);
}

/* ---- the end ------------------------------------------------------------------------------------- */

static bool is_linked_to_any(struct job *job, const struct endpoint_row *rows, size_t n_rows)
{
    for (size_t i = 0; i < n_rows; i++) {
        network_row_auto struct network_row network = {0};
        struct bh_error error = {0};
        if (database_network(job->engine->database, rows[i].endpoint->network.data, &network, &error) != 1 ||
            network_is_linked(&network)) {
            return true;
        }
    }
    return false;
}

void attachment_end(struct job *job, const struct container_row *row)
{
    struct endpoint_row *rows = NULL;
    size_t n_rows = 0;
    struct bh_error error = {0};
    int result = database_container_endpoints(job->engine->database, row->id, &rows, &n_rows, &error);
    if (result == 0 && n_rows > 0) {
        /* The links themselves go with the container's namespace. */
        result =
            is_linked_to_any(job, rows, n_rows) ? policy_disconnect(job, row->id, row->tenant_uid, NULL, 0, &error) : 0;
        if (result == 0) {
            result = database_drop_endpoints(job->engine->database, rows, n_rows, &error);
        }
    }
    if (result < 0) {
        bh_log_failure(BH_LOG_WARNING, &error, "the links of a container that has ended are looked after later");
        adoption_later(job->engine);
    }
    endpoint_rows_free(rows, n_rows);
}
