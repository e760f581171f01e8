/* SPDX-License-Identifier: Apache-2.0
 *
 * The topology, as one table: who talks to whom, and who is handed which folder. docs/architecture.md draws it,
 * `bulkhead privileges` prints it, the tests compare it with the running processes.
 */
#pragma once

#include "common/control.h"

/* One channel. `from` asks, `to` answers. */
struct wire {
    enum bh_role from, to;
};

/* Ends with BH_ROLE_NONE. */
extern const struct wire wiring[];

/* What may be opened for whom. */
struct folder_grant {
    enum bh_role role;
    enum bh_folder folder;
};
extern const struct folder_grant folder_grants[];

/* The helpers that exist once, in the order of their start. */
extern const enum bh_role shared_roles[];

/* Writes "engine,store" to `buffer`: the roles that `role` has a channel to. */
void wiring_peers(enum bh_role role, char *buffer, size_t buffer_bytes);
