/* SPDX-License-Identifier: Apache-2.0
 *
 * The host's resolvers, as /etc/resolv.conf names them. Read by the worker, which has no rights to lose: the file may
 * hold what somebody's DHCP server said.
 */
#pragma once

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <time.h>

#define DNS_RESOLVERS_MAX 3 /* as many as glibc asks */
#define DNS_PORT          53

union dns_server {
    struct sockaddr any;
    struct sockaddr_in ipv4;
    struct sockaddr_in6 ipv6;
};

struct dns_resolvers {
    union dns_server servers[DNS_RESOLVERS_MAX];
    size_t n;
    struct timespec changed; /* of the file that was read */
    uint64_t looked_at_ms;
};

/* The `nameserver` lines of a text; others are somebody else's. Pure. */
void dns_resolvers_parse(struct dns_resolvers *resolvers, const char *text);
/* Reads the file anew if it has changed; looks every few seconds. Without a file, or a line in it, there are none. */
void dns_resolvers_refresh(struct dns_resolvers *resolvers);
/* Of an address of 4 or 16 bytes. Returns 0, or -1 if it is none. */
int dns_server_set(union dns_server *server, const uint8_t *address, size_t n_bytes);
socklen_t dns_server_bytes(const union dns_server *server);
