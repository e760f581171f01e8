/* SPDX-License-Identifier: Apache-2.0
 *
 * Connected sockets by origin: this process cannot make any, it asks the dialer. Called by http.c. The dialer is
 * another compartment and judges where we may go; what it says of an origin (may it be insecure?) is remembered for the
 * job.
 */
#pragma once

#include <stdbool.h>

#include "certs.h"
#include "common/error.h"
#include "url.h"

#define CONNECTIONS_TIMEOUT_MS  15000U
#define CONNECTIONS_ORIGINS_MAX 32 /* hosts that one pull may be led to */

struct connections;

/* What is known of one host and port. Borrowed from its `struct connections`. */
struct known_origin {
    struct origin origin;
    bool insecure;      /* plain HTTP and unknown CAs are allowed there */
    struct certs certs; /* for https */
    int spare;          /* a connection made to find that out, not used yet; -1: none */
};

/* `job_fd` is our end of the dialer worker's job channel, owned from now on; `registry` names the job's own registry.
 */
int connections_new(int job_fd, struct connections **ret_connections, struct bh_error *error);
int connections_set_registry(struct connections *connections, const char *registry, struct bh_error *error);
void connections_free(struct connections *connections);

/* Finds out about an origin, by connecting to it the first time. Fails as the dialer does (UNAVAILABLE,
 * PERMISSION_DENIED...). */
int connections_know(struct connections *connections, const struct origin *origin, struct known_origin **ret_known,
                     struct bh_error *error);

/* What is known of it already, or NULL. */
const struct known_origin *connections_find(const struct connections *connections, const struct origin *origin);

/* A connected, non-blocking socket, which the caller owns. */
int connections_take(struct connections *connections, struct known_origin *known, int *ret_fd, struct bh_error *error);
