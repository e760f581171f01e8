/* SPDX-License-Identifier: Apache-2.0
 *
 * See network_connect.h. What the container asks for (its request) is changed with what it has.
 */
#include "services/engine/network_connect.h"

#include <stdlib.h>
#include <string.h>

#include "common/digest.h"
#include "common/fields.h"
#include "common/log.h"
#include "services/engine/adopt.h"
#include "services/engine/attachment.h"
#include "services/engine/attachment_plan.h"
#include "services/engine/containers.h"
#include "services/engine/database_change.h"
#include "services/engine/endpoint_requests.h"
#include "services/engine/live.h"
#include "services/engine/networks.h"
#include "services/engine/policy_networks.h"
#include "services/engine/resolve.h"

static const char host_conflict[] = "container cannot be disconnected from host network or connected to host network";
static const char shared_conflict[] = "container sharing network namespace with another container or host cannot be "
                                      "connected to any other network";
static const char private_conflict[] =
    "container cannot be connected to multiple networks with one of the networks in private (none) mode";

static const char *hex_of(const uint8_t *id, char hex[static BH_DIGEST_HEX_SIZE])
{
    struct bh_digest digest;
    memcpy(digest.bytes, id, sizeof digest.bytes);
    return bh_digest_hex(&digest, hex);
}

static bool is_driver(const struct network_row *network, const char *driver)
{
    return strcmp(network->request->driver, driver) == 0;
}

/* ---- what goes together -------------------------------------------------------------------------- */

static bool is_on(const Bulkhead__ContainerRequest *request, const char *network)
{
    return endpoint_request_find(request, NULL, network) < request->n_endpoints ||
           (request->n_endpoints > 0 && strcmp(request->endpoints[0]->network, network) == 0);
}

static int check_connect(const struct container_row *row, const struct network_row *network, struct bh_error *error)
{
    const char *conflict = NULL;
    if (row->state.status == BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_REMOVING ||
        row->state.status == BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_DEAD) {
        char hex[BH_DIGEST_HEX_SIZE];
        return bh_error_set(error, BH_FAILED_PRECONDITION,
                            "container %s is marked for removal and cannot be connected or disconnected to the network",
                            hex_of(row->id, hex));
    }
    if (is_driver(network, "host")) {
        conflict = host_conflict;
    } else if (row->request->network == BULKHEAD__NETWORK_MODE__NETWORK_MODE_JOINED || is_on(row->request, "host")) {
        conflict = shared_conflict;
    } else if ((is_driver(network, "null") && row->request->n_endpoints > 0) || is_on(row->request, "none")) {
        conflict = private_conflict;
    }
    return conflict ? bh_error_set(error, BH_INVALID_ARGUMENT, "%s", conflict) : 0;
}

/* ---- connect ------------------------------------------------------------------------------------- */

/* The lowest number that no interface of the container has. */
static unsigned free_index(const struct endpoint_row *rows, size_t n_rows)
{
    for (unsigned index = 0;; index++) {
        bool used = false;
        for (size_t i = 0; i < n_rows; i++) {
            const char *name = rows[i].endpoint->interface_name;
            size_t letters = strcspn(name, "0123456789");
            used = used || (name[letters] && strtoul(name + letters, NULL, 10) == index);
        }
        if (!used) {
            return index;
        }
    }
}

/* One that was started without a network has no attachment yet: it gets the plainest. */
static int add_endpoint(struct job *job, const uint8_t *container, struct endpoint_wish *wish, struct bh_error *error)
{
    static const Bulkhead__Attachment plain = BULKHEAD__ATTACHMENT__INIT;
    Bulkhead__Attachment *attachment = NULL;
    int found = database_attachment(job->engine->database, container, &attachment, error);
    if (found < 0) {
        return -1;
    }
    if (found > 0) {
        bulkhead__attachment__free_unpacked(attachment, NULL);
    }
    return database_add_endpoints(job->engine->database, container, wish, 1, found ? NULL : &plain, true, error);
}

static int link_now(struct job *job, const struct container_row *row, const Bulkhead__EndpointRequest *request,
                    const struct network_row *network, struct bh_error *error)
{
    struct endpoint_row *rows = NULL;
    size_t n_rows = 0;
    struct endpoint_wish wish = {0};
    struct bh_error ignored = {0};
    if (database_container_endpoints(job->engine->database, row->id, &rows, &n_rows, error) < 0) {
        return -1;
    }
    const unsigned index = free_index(rows, n_rows);
    endpoint_rows_free(rows, n_rows);
    int result = attachment_plan_wish(job, row, request, network, index, &wish, error);
    if (result == 0) {
        result = add_endpoint(job, row->id, &wish, error);
    }
    if (result == 0 && attachment_settle(job, row, error) < 0) {
        struct endpoint_row made = {.endpoint = wish.endpoint};
        memcpy(made.container, row->id, sizeof made.container);
        (void)policy_disconnect(job, row->id, row->tenant_uid, &made, 1, &ignored);
        (void)database_drop_endpoints(job->engine->database, &made, 1, &ignored);
        result = -1;
    }
    if (wish.endpoint) {
        bulkhead__endpoint__free_unpacked(wish.endpoint, NULL);
    }
    return result;
}

/* Under the container's lock. */
static int connect_one(struct job *job, const Bulkhead__EndpointRequest *asked, struct network_row *network,
                       const uint8_t *id, struct bh_error *error)
{
    container_row_auto struct container_row row = {0};
    Bulkhead__EndpointRequest request = asked ? *asked : (Bulkhead__EndpointRequest)BULKHEAD__ENDPOINT_REQUEST__INIT;
    if (database_container(job->engine->database, id, &row, error) < 0 || check_connect(&row, network, error) < 0) {
        return -1;
    }
    const bool runs = container_runs(&row.state);
    size_t at = endpoint_request_find(row.request, network->id, network->request->name);
    if (at < row.request->n_endpoints && runs) {
        return bh_error_set(error, BH_PERMISSION_DENIED, "endpoint with name %s already exists in network %s", row.name,
                            network->request->name);
    }
    if (at < row.request->n_endpoints) {
        endpoint_request_remove(row.request, at); /* asked for anew */
    }
    request.network = network->request->name;
    if (!request.mac_address[0] && strcmp(row.request->network_mode, network->request->name) == 0) {
        request.mac_address = row.request->mac_address; /* the container's own is that of its main network */
    }
    if (runs) {
        request.network_id = (ProtobufCBinaryData){.len = sizeof network->id, .data = network->id};
    }
    if (endpoint_request_check(&request, network, error) < 0 ||
        endpoint_request_add(row.request, &request, error) < 0) {
        return -1;
    }
    job_shield(job);
    if (runs && (network_make(job, network, error) < 0 || link_now(job, &row, &request, network, error) < 0)) {
        return -1;
    }
    return database_change_request(job->engine->database, row.id, row.request, true, error);
}

int connect_network(struct job *job, struct bh_error *error)
{
    const Bulkhead__ConnectNetwork *question = job_body(job);
    network_row_auto struct network_row network = {0};
    container_row_auto struct container_row row = {0};
    if (adoption_wait(job, error) < 0 || network_find(job, job->tenant_uid, question->reference, &network, error) < 0 ||
        resolve_container(job, question->container, &row, error) < 0) {
        return -1;
    }
    live_auto struct live *live = live_get(job->engine->live, row.id, error);
    if (!live || live_lock(live, job, error) < 0) {
        return -1;
    }
    live_locked lock = live;
    return connect_one(job, question->request, &network, row.id, error) < 0 ? -1 : job_reply_done(job);
}

/* ---- disconnect ---------------------------------------------------------------------------------- */

static int not_connected(const struct container_row *row, const char *network, struct bh_error *error)
{
    char hex[BH_DIGEST_HEX_SIZE];
    return bh_error_set(error, BH_INTERNAL, "container %s is not connected to %snetwork %s", hex_of(row->id, hex),
                        container_runs(&row->state) ? "" : "the ", network);
}

static int unlink_now(struct job *job, const struct container_row *row, const struct network_row *network,
                      struct bh_error *error)
{
    struct endpoint_row *rows = NULL;
    size_t n_rows = 0, at = 0;
    if (database_container_endpoints(job->engine->database, row->id, &rows, &n_rows, error) < 0) {
        return -1;
    }
    while (at < n_rows && memcmp(rows[at].endpoint->network.data, network->id, sizeof network->id) != 0) {
        at++;
    }
    int result = 0;
    if (at < n_rows) {
        result = network_is_linked(network) && policy_disconnect(job, row->id, row->tenant_uid, &rows[at], 1, error) < 0
                     ? -1
                     : database_drop_endpoints(job->engine->database, &rows[at], 1, error);
    }
    endpoint_rows_free(rows, n_rows);
    return result < 0 ? -1 : attachment_settle(job, row, error);
}

/* Under the container's lock. `network` may be NULL: it is gone, and only the container still knows of it. */
static int disconnect_one(struct job *job, const struct network_row *network, const char *reference, const uint8_t *id,
                          struct bh_error *error)
{
    container_row_auto struct container_row row = {0};
    if (database_container(job->engine->database, id, &row, error) < 0) {
        return -1;
    }
    if (network && is_driver(network, "host")) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "%s", host_conflict);
    }
    const char *name = network ? network->request->name : reference;
    size_t at = endpoint_request_find(row.request, network ? network->id : NULL, name);
    for (size_t i = 0; !network && i < row.request->n_endpoints; i++) { /* one that is gone is known by its name */
        at = strcmp(row.request->endpoints[i]->network, reference) == 0 ? i : at;
    }
    if (at >= row.request->n_endpoints) {
        return not_connected(&row, name, error);
    }
    endpoint_request_remove(row.request, at);
    job_shield(job);
    if (database_change_request(job->engine->database, row.id, row.request, true, error) < 0) {
        return -1;
    }
    return network && container_runs(&row.state) ? unlink_now(job, &row, network, error) : 0;
}

int disconnect_network(struct job *job, struct bh_error *error)
{
    const Bulkhead__DisconnectNetwork *question = job_body(job);
    network_row_auto struct network_row network = {0};
    container_row_auto struct container_row row = {0};
    bool gone = false;
    if (adoption_wait(job, error) < 0) {
        return -1;
    }
    if (network_find(job, job->tenant_uid, question->reference, &network, error) < 0) {
        gone = error->code == BH_NOT_FOUND;
        if (!gone) {
            return -1;
        }
        bh_error_clear(error);
    }
    if (resolve_container(job, question->container, &row, error) < 0) {
        return -1;
    }
    live_auto struct live *live = live_get(job->engine->live, row.id, error);
    if (!live || live_lock(live, job, error) < 0) {
        return -1;
    }
    live_locked lock = live;
    return disconnect_one(job, gone ? NULL : &network, question->reference, row.id, error) < 0 ? -1
                                                                                               : job_reply_done(job);
}
