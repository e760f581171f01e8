/* SPDX-License-Identifier: Apache-2.0
 *
 * Endpoints in the database: what links a container that runs (or is being started) to a network. The addresses are
 * chosen in the transaction that writes them down, so that no two containers get the same one; they are free again when
 * the endpoint is deleted, and go with the container in any case.
 */
#pragma once

#include "network.pb-c.h"
#include "services/engine/database_networks.h"

/* One link that is to be made: what is asked for, and the endpoint to be filled in. */
struct endpoint_wish {
    const struct network_row *network;
    struct ip address4, address6; /* not set: any, if the network has that family */
    Bulkhead__Endpoint *endpoint; /* its interface, names and links are set; `mac` too, if one was asked for */
};

/* Fills in ids and addresses, writes the endpoints down, and the rest of the container's attachment (all but its
 * `endpoints`; NULL leaves that alone), with the events that tell of it. `running`: only if the container runs, else
 * FAILED_PRECONDITION. FAILED_PRECONDITION "Address already in use", RESOURCE_EXHAUSTED if a subnet is full,
 * ALREADY_EXISTS if the container is linked to the network already, NOT_FOUND if the network is gone. */
int database_add_endpoints(struct database *database, const uint8_t *container, struct endpoint_wish *wishes,
                           size_t n_wishes, const Bulkhead__Attachment *attachment, bool running,
                           struct bh_error *error);

struct endpoint_row {
    uint8_t container[ENGINE_ID_BYTES];
    Bulkhead__Endpoint *endpoint;
};
void endpoint_rows_free(struct endpoint_row *rows, size_t n_rows);
/* A container's endpoints in the order of their interfaces; a network's in no order. */
int database_container_endpoints(struct database *database, const uint8_t *container, struct endpoint_row **ret_rows,
                                 size_t *ret_n_rows, struct bh_error *error);
int database_network_endpoints(struct database *database, const uint8_t *network, struct endpoint_row **ret_rows,
                               size_t *ret_n_rows, struct bh_error *error);
/* Writes names and routes of these endpoints anew. */
int database_change_endpoints(struct database *database, const struct endpoint_row *rows, size_t n_rows,
                              struct bh_error *error);
/* Deletes these endpoints of a container, those that are there, and tells of each; with the last of them the attachment
 * of one that does not run. */
int database_drop_endpoints(struct database *database, const struct endpoint_row *rows, size_t n_rows,
                            struct bh_error *error);

/* A container's attachment, with its endpoints. 1 found, 0 not. */
int database_attachment(struct database *database, const uint8_t *container, Bulkhead__Attachment **ret_attachment,
                        struct bh_error *error);
/* Writes it down, but for its endpoints: the ports that were taken. */
int database_set_attachment(struct database *database, const uint8_t *container, const Bulkhead__Attachment *attachment,
                            struct bh_error *error);
