/* SPDX-License-Identifier: Apache-2.0
 *
 * From a checked host name to the addresses it has now. Called by dial.c; the answers come from DNS and are hostile.
 */
#pragma once

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "common/error.h"

#define RESOLVE_ADDRESSES_MAX 16 /* more than any registry publishes, and few enough to try one after another */

struct resolved_address {
    union {
        struct sockaddr any;
        struct sockaddr_in ipv4;
        struct sockaddr_in6 ipv6;
    };
    socklen_t n_bytes;
};

/* Tells the C library's resolver how long to wait for a server. Once per process, before the first resolve_host(). */
int resolve_init(struct bh_error *error);

/* Fills in at most RESOLVE_ADDRESSES_MAX TCP addresses in the order to try them. A name without addresses is
 * UNAVAILABLE. */
int resolve_host(const char *host, uint16_t port, struct resolved_address ret_addresses[static RESOLVE_ADDRESSES_MAX],
                 size_t *ret_n_addresses, struct bh_error *error);
