/* SPDX-License-Identifier: Apache-2.0
 *
 * The embedded DNS as the rest of netd sees it: one worker without capabilities for each tenant, started when it is
 * first needed, started again when it dies. netd never reads a question.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/error.h"
#include "network.pb-c.h"

struct bh_service_context;
struct dns_tenant;

struct dns {
    struct bh_service_context *context;
    LIST_HEAD(, dns_tenant) tenants;
};

/* A network by its name, for names like "web.front". */
struct dns_network_name {
    uint8_t id[32];
    const char *name;
};

/* Has the container known by its names from now on, in place of what was said of it before, and, if `fds` are given
 * (UDP socket, listening TCP socket, UDP socket to ask its own resolvers from; all of its network namespace), its
 * questions answered on them. The descriptors are duplicated. `fds` NULL: as before. After an error the container is to
 * be forgotten. */
int dns_serve(struct dns *dns, uint32_t tenant_uid, const uint8_t container[static 32],
              const Bulkhead__Attachment *attachment, const struct dns_network_name *networks, size_t n_networks,
              const int *fds, struct bh_error *error);
/* Closes what is held of the container's namespace. Unknown is nothing. A tenant's worker ends with its last one. */
void dns_forget(struct dns *dns, uint32_t tenant_uid, const uint8_t container[static 32]);
void dns_clear(struct dns *dns);
