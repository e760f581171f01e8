/* SPDX-License-Identifier: Apache-2.0
 *
 * Networks: names of one tenant for bridges (or links of the host's) to which its containers are linked. A user's
 * network is there once netd has made it; the fixed ones are every tenant's: `bridge`, which is made when its first
 * container comes, `host` and `none`, which netd never hears of.
 */
#pragma once

#include "services/engine/database_networks.h"
#include "services/engine/jobs.h"

#define NETWORK_DEFAULT "bridge"

struct networks;
int networks_new(struct networks **ret_networks, struct bh_error *error);
void networks_free(struct networks *networks);

/* network_requests.c: what clients ask */
int create_network(struct job *job, struct bh_error *error);
int list_networks(struct job *job, struct bh_error *error);
int look_up_network(struct job *job, struct bh_error *error);
int delete_network(struct job *job, struct bh_error *error);
int prune_networks(struct job *job, struct bh_error *error);
/* network_checks.c */
int get_network_findings(struct job *job, struct bh_error *error);
int reload_networks(struct job *job, struct bh_error *error);

/* Whether netd has anything to do with it: neither host nor none. */
bool network_is_linked(const struct network_row *row);
bool network_is_default(const struct network_row *row);

/* Makes the fixed networks of a tenant that has none yet. */
int networks_ensure(struct job *job, uint32_t tenant_uid, struct bh_error *error);
/* A tenant's network by id, name, or the start of an id. NOT_FOUND "network X not found"; ambiguous is
 * INVALID_ARGUMENT. */
int network_find(struct job *job, uint32_t tenant_uid, const char *reference, struct network_row *ret_row,
                 struct bh_error *error);

/* Adds and makes a user's network. `request` is copied. */
int network_create(struct job *job, const Bulkhead__NetworkRequest *request, struct network_row *ret_row,
                   struct bh_error *error);
/* Has the kernel's side of it made, unless that was done since netd was started. May change the row: a default network
 * whose subnet turns out to be the host's gets another. */
int network_make(struct job *job, struct network_row *row, struct bh_error *error);
/* FAILED_PRECONDITION if something is linked to it. */
int network_remove(struct job *job, const struct network_row *row, struct bh_error *error);

/* netd was started again: none is made any more. */
void networks_forget_made(struct networks *networks);
/* At the start: a user's networks that were not made when the engine died are not there. */
void networks_forget_half_made(struct job *job);
