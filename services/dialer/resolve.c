/* SPDX-License-Identifier: Apache-2.0
 *
 * Names to addresses by the C library, whose files and dns sources are built in: inside the empty root it finds
 * /etc/hosts and /etc/resolv.conf and no module it could load.
 */
#include "resolve.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int resolve_init(struct bh_error *error)
{
    if (setenv("RES_OPTIONS", "timeout:3 attempts:2", 1) < 0) {
        return bh_error_errno(error, errno, "set the resolver's options");
    }
    return 0;
}

int resolve_host(const char *host, uint16_t port, struct resolved_address ret_addresses[static RESOLVE_ADDRESSES_MAX],
                 size_t *ret_n_addresses, struct bh_error *error)
{
    char service[8];
    (void)snprintf(service, sizeof(service), "%u", port);
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV | AI_ADDRCONFIG};
    struct addrinfo *found = NULL;
    int result = getaddrinfo(host, service, &hints, &found);
    if (result == EAI_NONAME || result == EAI_NODATA || result == EAI_ADDRFAMILY) {
        return bh_error_set(error, BH_UNAVAILABLE, "dial tcp: lookup %s: no such host", host);
    }
    if (result != 0) {
        return bh_error_set(error, BH_UNAVAILABLE, "dial tcp: lookup %s: %s", host, gai_strerror(result));
    }
    size_t n = 0;
    for (const struct addrinfo *each = found; each && n < RESOLVE_ADDRESSES_MAX; each = each->ai_next) {
        if (each->ai_addrlen > sizeof(struct sockaddr_in6)) {
            continue;
        }
        memset(&ret_addresses[n], 0, sizeof(ret_addresses[n]));
        memcpy(&ret_addresses[n].any, each->ai_addr, each->ai_addrlen);
        ret_addresses[n].n_bytes = each->ai_addrlen;
        n++;
    }
    freeaddrinfo(found);
    if (n == 0) {
        return bh_error_set(error, BH_UNAVAILABLE, "dial tcp: lookup %s: no such host", host);
    }
    *ret_n_addresses = n;
    return 0;
}
