/* SPDX-License-Identifier: Apache-2.0
 *
 * See ports.h.
 */
#include "ports.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "common/cleanup.h"

static const struct {
    const char *name;
    int type, protocol;
} transports[] = {
    [BULKHEAD__TRANSPORT__TRANSPORT_TCP] = {"tcp", SOCK_STREAM, IPPROTO_TCP},
    [BULKHEAD__TRANSPORT__TRANSPORT_UDP] = {"udp", SOCK_DGRAM, IPPROTO_UDP},
    [BULKHEAD__TRANSPORT__TRANSPORT_SCTP] = {"sctp", SOCK_STREAM, IPPROTO_SCTP},
};

bool port_fulfils(const struct port *port, const struct port_wish *wish)
{
    return port->transport == wish->transport && port->container_port == wish->container_port &&
           port->everywhere == wish->everywhere && ip_equal(&port->host, &wish->host) &&
           port->host_port >= wish->first && port->host_port <= wish->last;
}

static bool wants(const struct ip *host, enum family family)
{
    return !host->n_bytes || ip_family(host) == family;
}

bool port_has_target(const struct port_wish *wish, const struct ip to[static FAMILIES])
{
    return (wants(&wish->host, IPV4) && to[IPV4].n_bytes) || (wants(&wish->host, IPV6) && to[IPV6].n_bytes);
}

/* How often each port is published, by transport: most ports are free, and that is seen without looking further. */
static uint16_t published[BULKHEAD__TRANSPORT__TRANSPORT_SCTP + 1][UINT16_MAX + 1];

void port_release(struct port *port)
{
    if (port->host_port) {
        published[port->transport][port->host_port]--;
        port->host_port = 0;
    }
    for (enum family family = IPV4; family < FAMILIES; family++) {
        bh_close(&port->reserved[family]);
    }
}

void ports_release(struct port *ports, size_t n_ports)
{
    for (size_t i = 0; i < n_ports; i++) {
        port_release(&ports[i]);
    }
}

/* ---- reserving --------------------------------------------------------------------------------------------- */

/* Whether one of ours has it: that is what Docker calls "allocated", and with SCTP perhaps all that is known. */
static bool is_ours(const struct netd *netd, const struct port_wish *wish, uint16_t number)
{
    const struct container *container;
    if (published[wish->transport][number] == 0) {
        return false;
    }
    if (wish->first < wish->last) {
        return true; /* another one of the range will do */
    }
    LIST_FOREACH(container, &netd->containers, next)
    {
        for (size_t i = 0; i < container->n_ports; i++) {
            const struct port *port = &container->ports[i];
            bool same_family =
                !port->host.n_bytes || !wish->host.n_bytes || ip_family(&port->host) == ip_family(&wish->host);
            if (port->transport == wish->transport && port->host_port == number && same_family &&
                (port->everywhere || wish->everywhere || ip_equal(&port->host, &wish->host))) {
                return true;
            }
        }
    }
    return false;
}

/* Binds the port without listening. Returns 0 or the errno. */
static int bind_port(const struct port_wish *wish, enum family family, uint16_t number, int *ret_fd)
{
    struct sockaddr_in ipv4 = {.sin_family = AF_INET, .sin_port = htons(number)};
    struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6, .sin6_port = htons(number)};
    const int on = 1;
    if (wish->host.n_bytes) {
        memcpy(family == IPV4 ? (void *)&ipv4.sin_addr : (void *)&ipv6.sin6_addr, wish->host.bytes, wish->host.n_bytes);
    }
    bh_autoclose int fd = socket(family_number(family), transports[wish->transport].type | SOCK_CLOEXEC,
                                 transports[wish->transport].protocol);
    if (fd < 0) {
        /* A kernel without SCTP has nobody who could take its ports. */
        return wish->transport == BULKHEAD__TRANSPORT__TRANSPORT_SCTP && errno == EPROTONOSUPPORT ? 0 : errno;
    }
    if ((family == IPV6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0) ||
        bind(fd, family == IPV4 ? (const struct sockaddr *)&ipv4 : (const struct sockaddr *)&ipv6,
             family == IPV4 ? sizeof(ipv4) : sizeof(ipv6)) < 0) {
        return errno;
    }
    *ret_fd = bh_steal_fd(&fd);
    return 0;
}

static int reserve_number(const struct port_wish *wish, const struct ip to[static FAMILIES], uint16_t number,
                          struct port *port)
{
    for (enum family family = IPV4; family < FAMILIES; family++) {
        if (!wants(&wish->host, family) || !to[family].n_bytes) {
            continue;
        }
        int failure = bind_port(wish, family, number, &port->reserved[family]);
        if (failure != 0) {
            port_release(port);
            return failure;
        }
    }
    return 0;
}

static int refuse(const struct port_wish *wish, uint16_t number, int failure, bool ours, struct bh_error *error)
{
    char text[IP_SUBNET_TEXT_SIZE] = "0.0.0.0";
    bool ipv6 = wish->host.n_bytes == 16;
    if (wish->host.n_bytes) {
        (void)ip_text(&wish->host, text);
    }
    if (ours) {
        return bh_error_set(error, BH_ALREADY_EXISTS, "Bind for %s%s%s:%u failed: port is already allocated",
                            ipv6 ? "[" : "", text, ipv6 ? "]" : "", number);
    }
    (void)bh_error_set(error, failure == EADDRINUSE ? BH_ALREADY_EXISTS : bh_code_from_errno(failure),
                       "failed to bind host port %s%s%s:%u/%s: %s", ipv6 ? "[" : "", text, ipv6 ? "]" : "", number,
                       transports[wish->transport].name,
                       failure == EADDRINUSE      ? "address already in use"
                       : failure == EADDRNOTAVAIL ? "cannot assign requested address"
                                                  : strerror(failure));
    return -1;
}

int port_reserve(const struct netd *netd, const struct port_wish *wish, const struct ip to[static FAMILIES],
                 struct port *ret_port, struct bh_error *error)
{
    struct port port = {.transport = wish->transport,
                        .container_port = wish->container_port,
                        .everywhere = wish->everywhere,
                        .host = wish->host,
                        .reserved = {-1, -1},
                        .to = {to[IPV4], to[IPV6]}};
    for (uint32_t number = wish->first; number <= wish->last; number++) {
        bool ours = is_ours(netd, wish, (uint16_t)number);
        int failure = ours ? EADDRINUSE : reserve_number(wish, to, (uint16_t)number, &port);
        if (failure == 0) {
            port.host_port = (uint16_t)number;
            published[port.transport][number]++;
            *ret_port = port;
            return 0;
        }
        if (failure != EADDRINUSE || wish->first == wish->last) {
            return refuse(wish, (uint16_t)number, failure, ours, error);
        }
    }
    return bh_error_set(error, BH_ALREADY_EXISTS, "all ports are allocated: %u to %u of the host are taken",
                        wish->first, wish->last);
}
