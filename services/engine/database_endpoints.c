/* SPDX-License-Identifier: Apache-2.0
 *
 * See database_endpoints.h.
 */
#include "services/engine/database_endpoints.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "common/fields.h"
#include "services/engine/database_internal.h"
#include "services/engine/network_events.h"
#include "services/engine/network_ranges.h"

void endpoint_rows_free(struct endpoint_row *rows, size_t n_rows)
{
    for (size_t i = 0; i < n_rows; i++) {
        if (rows[i].endpoint) {
            bulkhead__endpoint__free_unpacked(rows[i].endpoint, NULL);
        }
    }
    free(rows);
}

/* ---- choosing addresses -------------------------------------------------------------------------- */

struct ip_list {
    struct ip *ips;
    size_t n_ips;
};

static void ip_list_free(struct ip_list *list)
{
    free(list->ips);
}

static int read_addresses(struct database *database, const uint8_t *network, bool six, struct ip_list *list,
                          struct bh_error *error)
{
    sqlite3_stmt *statement = query_begin(database, six ? QUERY_ADDRESSES6 : QUERY_ADDRESSES4);
    bind_digest(statement, 1, network);
    int found;
    while ((found = query_step(database, statement, error)) == 1) {
        if (array_grow(&list->ips, list->n_ips, sizeof *list->ips, error) < 0) {
            (void)sqlite3_reset(statement);
            return -1;
        }
        list->ips[list->n_ips++] =
            ip_from_bytes(sqlite3_column_blob(statement, 0), (size_t)sqlite3_column_bytes(statement, 0));
    }
    return found;
}

static int read_last(struct database *database, const uint8_t *network, bool six, struct ip *ret_last,
                     struct bh_error *error)
{
    sqlite3_stmt *statement = query_begin(database, QUERY_NETWORK_LAST);
    bind_digest(statement, 1, network);
    int found = query_step(database, statement, error);
    if (found == 1) {
        *ret_last = ip_from_bytes(sqlite3_column_blob(statement, six), (size_t)sqlite3_column_bytes(statement, six));
    }
    (void)sqlite3_reset(statement);
    return found < 0 ? -1 : 0;
}

/* The address a wish gets of one family, into `field`; nothing if the network does not have that. */
static int choose_address(struct database *database, const struct network_row *network, const struct ip *wanted,
                          bool six, ProtobufCBinaryData *field, struct bh_error *error)
{
    bh_cleanup(ip_list_free) struct ip_list taken = {0};
    struct ip reserved[RESERVED_MAX], chosen = *wanted;
    struct ipam_space space;
    const Bulkhead__AddressRange *range = range_of_family(network->request, six ? 16 : 4);
    if (!range) {
        char text[IP_TEXT_SIZE];
        return ip_is_set(wanted)
                   ? bh_error_set(error, BH_INVALID_ARGUMENT,
                                  "Invalid address %s: It does not belong to any of this network's subnets",
                                  ip_text(wanted, text))
                   : 0;
    }
    range_space(range, reserved, &space);
    if (read_addresses(database, network->id, six, &taken, error) < 0 ||
        read_last(database, network->id, six, &space.last, error) < 0) {
        return -1;
    }
    space.taken = taken.ips;
    space.n_taken = taken.n_ips;
    int result =
        ip_is_set(wanted) ? ipam_check_address(&space, wanted, error) : ipam_choose_address(&space, &chosen, error);
    return result < 0 ? -1 : bytes_set(field, chosen.bytes, chosen.n_bytes, error);
}

static int choose_mac(Bulkhead__Endpoint *endpoint, struct bh_error *error)
{
    const ProtobufCBinaryData *address = endpoint->address4.len > 0 ? &endpoint->address4 : &endpoint->address6;
    const struct ip ip = ip_from_bytes(address->data, address->len);
    uint8_t mac[6];
    if (endpoint->mac.len > 0 || !ip_is_set(&ip)) {
        return 0;
    }
    ipam_mac(&ip, mac);
    return bytes_set(&endpoint->mac, mac, sizeof mac, error);
}

/* Where the next choice goes on: behind what was chosen, not behind what was asked for. */
static int note_last(struct database *database, const struct endpoint_wish *wish, struct bh_error *error)
{
    const Bulkhead__Endpoint *endpoint = wish->endpoint;
    sqlite3_stmt *set = query_begin(database, QUERY_NETWORK_SET_LAST);
    bind_digest(set, 1, wish->network->id);
    if (!ip_is_set(&wish->address4) && endpoint->address4.len > 0) {
        (void)sqlite3_bind_blob(set, 2, endpoint->address4.data, (int)endpoint->address4.len, SQLITE_TRANSIENT);
    }
    if (!ip_is_set(&wish->address6) && endpoint->address6.len > 0) {
        (void)sqlite3_bind_blob(set, 3, endpoint->address6.data, (int)endpoint->address6.len, SQLITE_TRANSIENT);
    }
    return query_run(database, set, error);
}

/* ---- adding -------------------------------------------------------------------------------------- */

/* NULL for an empty one: those may repeat. */
static void bind_bytes(sqlite3_stmt *statement, int index, const ProtobufCBinaryData *bytes)
{
    if (bytes->len > 0) {
        (void)sqlite3_bind_blob(statement, index, bytes->data, (int)bytes->len, SQLITE_TRANSIENT);
    }
}

/* What a UNIQUE that was hurt means: the addresses were found free in this very transaction. */
static int refuse_twin(struct database *database, const struct endpoint_wish *wish, struct bh_error *error)
{
    bool mac = strstr(sqlite3_errmsg(database->handle), "endpoints.mac") != NULL;
    const uint8_t *bytes = wish->endpoint->mac.data;
    return mac ? bh_error_set(error, BH_FAILED_PRECONDITION,
                              "MAC address %02x:%02x:%02x:%02x:%02x:%02x is already in use in network %s", bytes[0],
                              bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], wish->network->request->name)
               : bh_error_set(error, BH_ALREADY_EXISTS, "the container is linked to network %s already",
                              wish->network->request->name);
}

static int insert(struct database *database, const uint8_t *container, const struct endpoint_wish *wish,
                  struct bh_error *error)
{
    const Bulkhead__Endpoint *endpoint = wish->endpoint;
    sqlite3_stmt *add = query_begin(database, QUERY_ENDPOINT_ADD);
    bind_digest(add, 1, endpoint->id.data);
    bind_digest(add, 2, container);
    bind_digest(add, 3, wish->network->id);
    bind_bytes(add, 4, &endpoint->mac);
    bind_bytes(add, 5, &endpoint->address4);
    bind_bytes(add, 6, &endpoint->address6);
    if (bind_message(add, 7, &endpoint->base, error) < 0) {
        return -1;
    }
    int result = sqlite3_step(add);
    int refused = result == SQLITE_CONSTRAINT_UNIQUE ? refuse_twin(database, wish, error) : 0;
    (void)sqlite3_reset(add);
    if (result == SQLITE_CONSTRAINT_FOREIGNKEY) {
        return bh_error_set(error, BH_NOT_FOUND, "network %s not found", wish->network->request->name);
    }
    return refused < 0 || result == SQLITE_DONE ? refused
                                                : database_failure(database, "cannot write down an endpoint", error);
}

static int add_one(struct database *database, const uint8_t *container, struct endpoint_wish *wish,
                   struct bh_error *error)
{
    Bulkhead__Endpoint *endpoint = wish->endpoint;
    struct network_event event;
    uint8_t id[ENGINE_ID_BYTES];
    if (getrandom(id, sizeof id, 0) != (ssize_t)sizeof id) {
        return bh_error_errno(error, errno, "make an endpoint's id");
    }
    return bytes_set(&endpoint->id, id, sizeof id, error) < 0 ||
                   bytes_set(&endpoint->network, wish->network->id, sizeof wish->network->id, error) < 0 ||
                   choose_address(database, wish->network, &wish->address4, false, &endpoint->address4, error) < 0 ||
                   choose_address(database, wish->network, &wish->address6, true, &endpoint->address6, error) < 0 ||
                   choose_mac(endpoint, error) < 0 || insert(database, container, wish, error) < 0 ||
                   note_last(database, wish, error) < 0 ||
                   event_insert(database, network_event(&event, wish->network, "connect", container), error) < 0
               ? -1
               : 0;
}

static int check_runs(struct database *database, const uint8_t *container, struct bh_error *error)
{
    sqlite3_stmt *statement = query_begin(database, QUERY_CONTAINER_RUNS);
    bind_digest(statement, 1, container);
    int found = query_step(database, statement, error);
    bool runs = found == 1 && sqlite3_column_int(statement, 0) != 0;
    (void)sqlite3_reset(statement);
    return found < 0 ? -1 : runs ? 0 : bh_error_set(error, BH_FAILED_PRECONDITION, "the container does not run");
}

/* All of it but the endpoints, which have rows of their own. */
static int write_attachment(struct database *database, const uint8_t *container, const Bulkhead__Attachment *attachment,
                            struct bh_error *error)
{
    Bulkhead__Attachment rest = *attachment;
    rest.endpoints = NULL;
    rest.n_endpoints = 0;
    sqlite3_stmt *set = query_begin(database, QUERY_ATTACHMENT_SET);
    bind_digest(set, 1, container);
    return bind_message(set, 2, &rest.base, error) < 0 ? -1 : query_run(database, set, error);
}

int database_add_endpoints(struct database *database, const uint8_t *container, struct endpoint_wish *wishes,
                           size_t n_wishes, const Bulkhead__Attachment *attachment, bool running,
                           struct bh_error *error)
{
    database_locked lock = database_lock(database);
    if (transaction_begin(database, SURVIVES_PROCESS, error) < 0) {
        return -1;
    }
    int result = running ? check_runs(database, container, error) : 0;
    for (size_t i = 0; result == 0 && i < n_wishes; i++) {
        result = add_one(database, container, &wishes[i], error);
    }
    if (result == 0 && attachment) {
        result = write_attachment(database, container, attachment, error);
    }
    if (result < 0 || transaction_commit(database, error) < 0) {
        transaction_abandon(database);
        return -1;
    }
    return 0;
}

/* ---- reading ------------------------------------------------------------------------------------- */

/* Called with the lock held. */
static int read_rows(struct database *database, enum query query, const uint8_t *id, struct endpoint_row **ret_rows,
                     size_t *ret_n_rows, struct bh_error *error)
{
    struct endpoint_row *rows = NULL;
    size_t n_rows = 0;
    sqlite3_stmt *statement = query_begin(database, query);
    bind_digest(statement, 1, id);
    int found;
    while ((found = query_step(database, statement, error)) == 1) {
        ProtobufCMessage *endpoint = NULL;
        if (array_grow(&rows, n_rows, sizeof *rows, error) < 0 ||
            column_digest(statement, 0, rows[n_rows].container, error) < 0 ||
            column_message(statement, 1, &bulkhead__endpoint__descriptor, &endpoint, error) < 0) {
            found = -1;
            break;
        }
        rows[n_rows++].endpoint = (Bulkhead__Endpoint *)endpoint;
    }
    if (found < 0) {
        (void)sqlite3_reset(statement);
        endpoint_rows_free(rows, n_rows);
        return -1;
    }
    *ret_rows = rows;
    *ret_n_rows = n_rows;
    return 0;
}

int database_container_endpoints(struct database *database, const uint8_t *container, struct endpoint_row **ret_rows,
                                 size_t *ret_n_rows, struct bh_error *error)
{
    database_locked lock = database_lock(database);
    return read_rows(database, QUERY_ENDPOINTS_OF_CONTAINER, container, ret_rows, ret_n_rows, error);
}

int database_network_endpoints(struct database *database, const uint8_t *network, struct endpoint_row **ret_rows,
                               size_t *ret_n_rows, struct bh_error *error)
{
    database_locked lock = database_lock(database);
    return read_rows(database, QUERY_ENDPOINTS_OF_NETWORK, network, ret_rows, ret_n_rows, error);
}

/* Hands the rows' endpoints over to the attachment. */
static int take_endpoints(Bulkhead__Attachment *attachment, struct endpoint_row *rows, size_t n_rows,
                          struct bh_error *error)
{
    attachment->endpoints = n_rows ? calloc(n_rows, sizeof(Bulkhead__Endpoint *)) : NULL;
    if (n_rows > 0 && !attachment->endpoints) {
        return bh_error_errno(error, ENOMEM, "list a container's endpoints");
    }
    for (size_t i = 0; i < n_rows; i++) {
        attachment->endpoints[attachment->n_endpoints++] = bh_steal_pointer(&rows[i].endpoint);
    }
    return 0;
}

int database_attachment(struct database *database, const uint8_t *container, Bulkhead__Attachment **ret_attachment,
                        struct bh_error *error)
{
    database_locked lock = database_lock(database);
    ProtobufCMessage *message = NULL;
    sqlite3_stmt *statement = query_begin(database, QUERY_ATTACHMENT);
    bind_digest(statement, 1, container);
    int found = query_step(database, statement, error);
    if (found == 1) {
        found = column_message(statement, 0, &bulkhead__attachment__descriptor, &message, error) < 0 ? -1 : 1;
    }
    (void)sqlite3_reset(statement);
    if (found <= 0) {
        return found;
    }
    Bulkhead__Attachment *attachment = (Bulkhead__Attachment *)message;
    struct endpoint_row *rows = NULL;
    size_t n_rows = 0;
    int result = read_rows(database, QUERY_ENDPOINTS_OF_CONTAINER, container, &rows, &n_rows, error);
    if (result == 0) {
        result = take_endpoints(attachment, rows, n_rows, error);
        endpoint_rows_free(rows, n_rows);
    }
    if (result < 0) {
        bulkhead__attachment__free_unpacked(attachment, NULL);
        return -1;
    }
    *ret_attachment = attachment;
    return 1;
}

int database_set_attachment(struct database *database, const uint8_t *container, const Bulkhead__Attachment *attachment,
                            struct bh_error *error)
{
    database_locked lock = database_lock(database);
    if (transaction_begin(database, SURVIVES_PROCESS, error) < 0) {
        return -1;
    }
    if (write_attachment(database, container, attachment, error) < 0 || transaction_commit(database, error) < 0) {
        transaction_abandon(database);
        return -1;
    }
    return 0;
}

static int change_one(struct database *database, const struct endpoint_row *row, struct bh_error *error)
{
    sqlite3_stmt *change = query_begin(database, QUERY_ENDPOINT_CHANGE);
    bind_digest(change, 1, row->endpoint->id.data);
    return bind_message(change, 2, &row->endpoint->base, error) < 0 ? -1 : query_run(database, change, error);
}

int database_change_endpoints(struct database *database, const struct endpoint_row *rows, size_t n_rows,
                              struct bh_error *error)
{
    database_locked lock = database_lock(database);
    if (transaction_begin(database, SURVIVES_PROCESS, error) < 0) {
        return -1;
    }
    int result = 0;
    for (size_t i = 0; result == 0 && i < n_rows; i++) {
        result = change_one(database, &rows[i], error);
    }
    if (result < 0 || transaction_commit(database, error) < 0) {
        transaction_abandon(database);
        return -1;
    }
    return 0;
}

/* ---- dropping ------------------------------------------------------------------------------------ */

static int drop_one(struct database *database, const struct endpoint_row *row, struct bh_error *error)
{
    network_row_auto struct network_row network = {0};
    struct network_event event;
    sqlite3_stmt *drop = query_begin(database, QUERY_ENDPOINT_DELETE);
    bind_digest(drop, 1, row->endpoint->id.data);
    if (query_run(database, drop, error) < 0) {
        return -1;
    }
    if (sqlite3_changes(database->handle) == 0) {
        return 0; /* somebody else has */
    }
    int found = network_read(database, row->endpoint->network.data, &network, error);
    return found == 1 ? event_insert(database, network_event(&event, &network, "disconnect", row->container), error)
                      : found;
}

static int trim_attachment(struct database *database, const uint8_t *container, struct bh_error *error)
{
    sqlite3_stmt *trim = query_begin(database, QUERY_ATTACHMENT_TRIM);
    bind_digest(trim, 1, container);
    return query_run(database, trim, error);
}

int database_drop_endpoints(struct database *database, const struct endpoint_row *rows, size_t n_rows,
                            struct bh_error *error)
{
    database_locked lock = database_lock(database);
    if (n_rows == 0) {
        return 0;
    }
    if (transaction_begin(database, SURVIVES_PROCESS, error) < 0) {
        return -1;
    }
    int result = 0;
    for (size_t i = 0; result == 0 && i < n_rows; i++) {
        result = drop_one(database, &rows[i], error);
    }
    if (result < 0 || trim_attachment(database, rows[0].container, error) < 0 ||
        transaction_commit(database, error) < 0) {
        transaction_abandon(database);
        return -1;
    }
    return 0;
}
