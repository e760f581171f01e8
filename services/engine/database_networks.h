/* SPDX-License-Identifier: Apache-2.0
 *
 * Networks in the database: a name of one tenant each, and subnets of which no two overlap, whosever they are. A
 * network to which something is linked cannot be deleted, which SQLite itself sees to.
 */
#pragma once

#include "services/engine/database.h"
#include "services/engine/ipam.h"

struct network_row {
    uint8_t id[ENGINE_ID_BYTES];
    uint32_t tenant_uid;
    int64_t created_ns;
    bool fixed;                        /* bridge, host, none: every tenant has them */
    bool made;                         /* netd was told of it once; a network of a user that was not is not there yet */
    Bulkhead__NetworkRequest *request; /* with what was chosen for it */
    uint32_t endpoints;                /* linked to it now */
};
void network_row_clear(struct network_row *row);
void network_rows_free(struct network_row *rows, size_t n_rows);
#define network_row_auto bh_cleanup(network_row_clear)

/* Where subnets come from that nobody asked for by name. */
struct network_pools {
    const struct ip_pool *pools;
    size_t n_pools;
    const struct ip_subnet *avoid; /* taken by others than us: routes of the host */
    size_t n_avoid;
};

/* Chooses what the row's ranges leave open (subnet, gateway), in place, and adds the row, not made yet. ALREADY_EXISTS
 * if the tenant has one of that name, PERMISSION_DENIED if a subnet overlaps with another's, NOT_FOUND if the pools are
 * used up, RESOURCE_EXHAUSTED at BH_NETWORKS_MAX. Survives a power cut. */
int database_add_network(struct database *database, struct network_row *row, const struct network_pools *pools,
                         struct bh_error *error);
/* Chooses other subnets where nobody asked for one, for a network to which nothing is linked. */
int database_move_network(struct database *database, struct network_row *row, const struct network_pools *pools,
                          struct bh_error *error);
/* It is there now. */
int database_network_made(struct database *database, const uint8_t *id, const struct engine_event *event,
                          struct bh_error *error);
/* 1 found, 0 not. */
int database_network(struct database *database, const uint8_t *id, struct network_row *ret_row, struct bh_error *error);
int database_find_network(struct database *database, uint32_t tenant_uid, const char *name, struct network_row *ret_row,
                          struct bh_error *error);
/* Those whose ids lie between two bounds (inclusive): how many, at most 2, and the first. */
int database_find_network_range(struct database *database, uint32_t tenant_uid, const uint8_t *low, const uint8_t *high,
                                struct network_row *ret_row, unsigned *ret_count, struct bh_error *error);
/* A tenant's networks by name, or (every_tenant) everybody's. */
int database_networks(struct database *database, uint32_t tenant_uid, bool every_tenant, struct network_row **ret_rows,
                      size_t *ret_n_rows, struct bh_error *error);
/* FAILED_PRECONDITION if something is linked to it, NOT_FOUND if it is gone. */
int database_delete_network(struct database *database, const uint8_t *id, const struct engine_event *event,
                            struct bh_error *error);
