/* SPDX-License-Identifier: Apache-2.0
 *
 * Networks in the database; see database_networks.h.
 */
#include "services/engine/database_networks.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "common/fields.h"
#include "services/engine/database_internal.h"
#include "services/engine/network_ranges.h"

void network_row_clear(struct network_row *row)
{
    if (row->request) {
        bulkhead__network_request__free_unpacked(row->request, NULL);
    }
    memset(row, 0, sizeof *row);
}

void network_rows_free(struct network_row *rows, size_t n_rows)
{
    for (size_t i = 0; i < n_rows; i++) {
        network_row_clear(&rows[i]);
    }
    free(rows);
}

/* ---- choosing ------------------------------------------------------------------------------------ */

/* Subnets that are taken, by networks or by others. */
struct taken {
    struct ip_subnet *subnets;
    size_t n_subnets;
};

static void taken_free(struct taken *taken)
{
    free(taken->subnets);
}

static int taken_add(struct taken *taken, const struct ip_subnet *subnet, struct bh_error *error)
{
    if (array_grow(&taken->subnets, taken->n_subnets, sizeof *taken->subnets, error) < 0) {
        return -1;
    }
    taken->subnets[taken->n_subnets++] = *subnet;
    return 0;
}

static int read_taken(struct database *database, const struct network_pools *pools, struct taken *taken,
                      struct bh_error *error)
{
    sqlite3_stmt *statement = query_begin(database, QUERY_SUBNETS);
    int found;
    while ((found = query_step(database, statement, error)) == 1) {
        const struct ip_subnet subnet = {
            .ip = ip_from_bytes(sqlite3_column_blob(statement, 0), (size_t)sqlite3_column_bytes(statement, 0)),
            .prefix = (uint32_t)sqlite3_column_int(statement, 1)};
        if (taken_add(taken, &subnet, error) < 0) {
            (void)sqlite3_reset(statement);
            return -1;
        }
    }
    for (size_t i = 0; found == 0 && i < pools->n_avoid; i++) {
        found = taken_add(taken, &pools->avoid[i], error);
    }
    return found;
}

static int choose_subnet(Bulkhead__AddressRange *range, bool six, const struct network_pools *pools,
                         const struct taken *taken, struct bh_error *error)
{
    struct ip_subnet subnet;
    uint8_t random[7];
    struct bh_error none = {0};
    if (ipam_choose_subnet(pools->pools, pools->n_pools, six ? 16 : 4, taken->subnets, taken->n_subnets, &subnet,
                           six ? &none : error) < 0) {
        if (!six) {
            return -1;
        }
        if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random) {
            return bh_error_errno(error, errno, "choose a subnet");
        }
        subnet = ipam_local_subnet(random);
    }
    range->prefix = subnet.prefix;
    range->chosen = true;
    return bytes_set(&range->subnet, subnet.ip.bytes, subnet.ip.n_bytes, error);
}

static int check_overlap(const Bulkhead__AddressRange *range, const struct taken *taken, size_t n_taken,
                         struct bh_error *error)
{
    const struct ip_subnet subnet = range_subnet(range);
    for (size_t i = 0; i < n_taken; i++) {
        if (ip_subnets_overlap(&subnet, &taken->subnets[i])) {
            return bh_error_set(error, BH_PERMISSION_DENIED, "Pool overlaps with other one on this address space");
        }
    }
    return 0;
}

static int choose_gateway(Bulkhead__AddressRange *range, struct bh_error *error)
{
    struct ip reserved[RESERVED_MAX], gateway;
    struct ipam_space space;
    range_space(range, reserved, &space);
    return range->gateway.len > 0 || (ipam_choose_gateway(&space, &gateway, error) == 0 &&
                                      bytes_set(&range->gateway, gateway.bytes, gateway.n_bytes, error) == 0)
               ? 0
               : -1;
}

/* Fills in what the ranges leave open; the first range without a subnet is of IPv4, if the network has that. */
static int choose_ranges(struct database *database, Bulkhead__NetworkRequest *request,
                         const struct network_pools *pools, struct bh_error *error)
{
    bh_cleanup(taken_free) struct taken taken = {0};
    if (read_taken(database, pools, &taken, error) < 0) {
        return -1;
    }
    const size_t n_taken =
        taken.n_subnets - pools->n_avoid; /* what a client asks for is netd's to check against those */
    bool has_four = range_of_family(request, 4) != NULL || !request->ipv4;
    for (size_t i = 0; i < request->n_ranges; i++) {
        Bulkhead__AddressRange *range = request->ranges[i];
        if (range->subnet.len == 0) {
            if (choose_subnet(range, has_four, pools, &taken, error) < 0) {
                return -1;
            }
            has_four = true;
        } else if (check_overlap(range, &taken, n_taken, error) < 0) {
            return -1;
        }
        if (choose_gateway(range, error) < 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- writing ------------------------------------------------------------------------------------- */

static int check_count(struct database *database, uint32_t tenant_uid, struct bh_error *error)
{
    sqlite3_stmt *statement = query_begin(database, QUERY_NETWORK_COUNT);
    (void)sqlite3_bind_int64(statement, 1, tenant_uid);
    int found = query_step(database, statement, error);
    int64_t count = found == 1 ? sqlite3_column_int64(statement, 0) : 0;
    (void)sqlite3_reset(statement);
    if (found < 0) {
        return -1;
    }
    return count < BH_NETWORKS_MAX
               ? 0
               : bh_error_set(error, BH_RESOURCE_EXHAUSTED, "there are %d networks, which is the limit: remove some",
                              BH_NETWORKS_MAX);
}

static int add_subnets(struct database *database, const struct network_row *row, struct bh_error *error)
{
    for (size_t i = 0; i < row->request->n_ranges; i++) {
        const struct ip_subnet subnet = range_subnet(row->request->ranges[i]);
        const struct ip first = ip_first(&subnet);
        sqlite3_stmt *add = query_begin(database, QUERY_SUBNET_ADD);
        bind_digest(add, 1, row->id);
        (void)sqlite3_bind_blob(add, 2, first.bytes, first.n_bytes, SQLITE_TRANSIENT);
        (void)sqlite3_bind_int64(add, 3, subnet.prefix);
        if (query_run(database, add, error) < 0) {
            return -1;
        }
    }
    return 0;
}

static int insert(struct database *database, const struct network_row *row, struct bh_error *error)
{
    sqlite3_stmt *add = query_begin(database, QUERY_NETWORK_ADD);
    bind_digest(add, 1, row->id);
    (void)sqlite3_bind_int64(add, 2, row->tenant_uid);
    bind_text(add, 3, row->request->name);
    (void)sqlite3_bind_int64(add, 4, row->created_ns);
    (void)sqlite3_bind_int(add, 5, row->fixed);
    if (bind_message(add, 6, &row->request->base, error) < 0) {
        return -1;
    }
    int result = sqlite3_step(add);
    (void)sqlite3_reset(add);
    if (result == SQLITE_CONSTRAINT_UNIQUE) {
        return bh_error_set(error, BH_ALREADY_EXISTS, "network with name %s already exists", row->request->name);
    }
    return result == SQLITE_DONE ? add_subnets(database, row, error)
                                 : database_failure(database, "cannot add a network", error);
}

int database_add_network(struct database *database, struct network_row *row, const struct network_pools *pools,
                         struct bh_error *error)
{
    database_locked lock = database_lock(database);
    if (check_count(database, row->tenant_uid, error) < 0 || transaction_begin(database, SURVIVES_POWER, error) < 0) {
        return -1;
    }
    if (choose_ranges(database, row->request, pools, error) < 0 || insert(database, row, error) < 0 ||
        transaction_commit(database, error) < 0) {
        transaction_abandon(database);
        return -1;
    }
    return 0;
}

static int move(struct database *database, struct network_row *row, const struct network_pools *pools,
                struct bh_error *error)
{
    sqlite3_stmt *drop = query_begin(database, QUERY_SUBNETS_DROP);
    bind_digest(drop, 1, row->id);
    if (query_run(database, drop, error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < row->request->n_ranges; i++) {
        Bulkhead__AddressRange *range = row->request->ranges[i];
        if (range->chosen &&
            (bytes_set(&range->subnet, "", 0, error) < 0 || bytes_set(&range->gateway, "", 0, error) < 0)) {
            return -1;
        }
    }
    if (choose_ranges(database, row->request, pools, error) < 0) {
        return -1;
    }
    sqlite3_stmt *change = query_begin(database, QUERY_NETWORK_CHANGE);
    bind_digest(change, 1, row->id);
    return bind_message(change, 2, &row->request->base, error) < 0 || query_run(database, change, error) < 0
               ? -1
               : add_subnets(database, row, error);
}

int database_move_network(struct database *database, struct network_row *row, const struct network_pools *pools,
                          struct bh_error *error)
{
    database_locked lock = database_lock(database);
    if (transaction_begin(database, SURVIVES_POWER, error) < 0) {
        return -1;
    }
    if (move(database, row, pools, error) < 0 || transaction_commit(database, error) < 0) {
        transaction_abandon(database);
        return -1;
    }
    return 0;
}

int database_network_made(struct database *database, const uint8_t *id, const struct engine_event *event,
                          struct bh_error *error)
{
    database_locked lock = database_lock(database);
    sqlite3_stmt *statement = query_begin(database, QUERY_NETWORK_MADE);
    bind_digest(statement, 1, id);
    if (transaction_begin(database, SURVIVES_POWER, error) < 0) {
        return -1;
    }
    if (query_run(database, statement, error) < 0 ||
        event_insert(database, sqlite3_changes(database->handle) > 0 ? event : NULL, error) < 0 ||
        transaction_commit(database, error) < 0) {
        transaction_abandon(database);
        return -1;
    }
    return 0;
}

static int delete_row(struct database *database, const uint8_t *id, struct bh_error *error)
{
    sqlite3_stmt *statement = query_begin(database, QUERY_NETWORK_DELETE);
    bind_digest(statement, 1, id);
    int result = sqlite3_step(statement);
    (void)sqlite3_reset(statement);
    if (result == SQLITE_CONSTRAINT_FOREIGNKEY) {
        return bh_error_set(error, BH_FAILED_PRECONDITION, "network has active endpoints");
    }
    if (result != SQLITE_DONE) {
        return database_failure(database, "cannot delete a network", error);
    }
    return sqlite3_changes(database->handle) == 1 ? 0 : bh_error_set(error, BH_NOT_FOUND, "no such network");
}

int database_delete_network(struct database *database, const uint8_t *id, const struct engine_event *event,
                            struct bh_error *error)
{
    database_locked lock = database_lock(database);
    if (transaction_begin(database, SURVIVES_POWER, error) < 0) {
        return -1;
    }
    if (delete_row(database, id, error) < 0 || event_insert(database, event, error) < 0 ||
        transaction_commit(database, error) < 0) {
        transaction_abandon(database);
        return -1;
    }
    return 0;
}

/* ---- reading ------------------------------------------------------------------------------------- */

/* Reads the network a statement of NETWORK_COLUMNS stands on. */
static int read_network(sqlite3_stmt *statement, struct network_row *ret_row, struct bh_error *error)
{
    struct network_row row = {
        .tenant_uid = (uint32_t)sqlite3_column_int64(statement, 1),
        .created_ns = sqlite3_column_int64(statement, 2),
        .fixed = sqlite3_column_int(statement, 3) != 0,
        .made = sqlite3_column_int(statement, 4) != 0,
        .endpoints = (uint32_t)sqlite3_column_int64(statement, 6),
    };
    ProtobufCMessage *request = NULL;
    if (column_digest(statement, 0, row.id, error) < 0 ||
        column_message(statement, 5, &bulkhead__network_request__descriptor, &request, error) < 0) {
        return -1;
    }
    row.request = (Bulkhead__NetworkRequest *)request;
    *ret_row = row;
    return 0;
}

/* The first of what a bound statement finds. */
static int read_first(struct database *database, sqlite3_stmt *statement, struct network_row *ret_row,
                      struct bh_error *error)
{
    int found = query_step(database, statement, error);
    if (found == 1 && read_network(statement, ret_row, error) < 0) {
        found = -1;
    }
    (void)sqlite3_reset(statement);
    return found;
}

int network_read(struct database *database, const uint8_t *id, struct network_row *ret_row, struct bh_error *error)
{
    sqlite3_stmt *statement = query_begin(database, QUERY_NETWORK);
    bind_digest(statement, 1, id);
    return read_first(database, statement, ret_row, error);
}

int database_network(struct database *database, const uint8_t *id, struct network_row *ret_row, struct bh_error *error)
{
    database_locked lock = database_lock(database);
    return network_read(database, id, ret_row, error);
}

int database_find_network(struct database *database, uint32_t tenant_uid, const char *name, struct network_row *ret_row,
                          struct bh_error *error)
{
    database_locked lock = database_lock(database);
    sqlite3_stmt *statement = query_begin(database, QUERY_NETWORK_NAME);
    (void)sqlite3_bind_int64(statement, 1, tenant_uid);
    bind_text(statement, 2, name);
    return read_first(database, statement, ret_row, error);
}

int database_find_network_range(struct database *database, uint32_t tenant_uid, const uint8_t *low, const uint8_t *high,
                                struct network_row *ret_row, unsigned *ret_count, struct bh_error *error)
{
    database_locked lock = database_lock(database);
    sqlite3_stmt *statement = query_begin(database, QUERY_NETWORK_RANGE);
    (void)sqlite3_bind_int64(statement, 1, tenant_uid);
    bind_digest(statement, 2, low);
    bind_digest(statement, 3, high);
    unsigned count = 0;
    int found;
    while ((found = query_step(database, statement, error)) == 1) {
        if (count++ == 0 && read_network(statement, ret_row, error) < 0) {
            (void)sqlite3_reset(statement);
            return -1;
        }
    }
    *ret_count = count;
    return found;
}

int database_networks(struct database *database, uint32_t tenant_uid, bool every_tenant, struct network_row **ret_rows,
                      size_t *ret_n_rows, struct bh_error *error)
{
    database_locked lock = database_lock(database);
    struct network_row *rows = NULL;
    size_t n_rows = 0;
    sqlite3_stmt *statement = query_begin(database, QUERY_NETWORKS);
    (void)sqlite3_bind_int64(statement, 1, tenant_uid);
    (void)sqlite3_bind_int(statement, 2, every_tenant);
    int found;
    while ((found = query_step(database, statement, error)) == 1) {
        if (array_grow(&rows, n_rows, sizeof *rows, error) < 0 || read_network(statement, &rows[n_rows], error) < 0) {
            found = -1;
            break;
        }
        n_rows++;
    }
    if (found < 0) {
        (void)sqlite3_reset(statement);
        network_rows_free(rows, n_rows);
        return -1;
    }
    *ret_rows = rows;
    *ret_n_rows = n_rows;
    return 0;
}
