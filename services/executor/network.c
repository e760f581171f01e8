/* SPDX-License-Identifier: Apache-2.0
 *
 * Opening a network namespace for its links; see network.h. The kernel lets netd use a netlink socket of this namespace
 * because whoever opened it had CAP_NET_ADMIN here, and netd has it in the parent user namespace.
 */
#include "network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "act.h"
#include "common/cleanup.h"
#include "policyd_executor.pb-c.h"

#define DNS_ADDRESS 0x7f00000bU /* 127.0.0.11, as Docker's */
#define DNS_BACKLOG 64

/* ---- what links inherit ---------------------------------------------------------------------------------- */

/* A setting for links that are made later, of the namespace that the caller is in: the kernel decides by that, not by
 * the mount. A kernel without IPv6 has none of them. */
static int set_ipv6_default(const char *name, const char *value, struct bh_error *error)
{
    char path[96];
    (void)snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/default/%s", name);
    bh_autoclose int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        return 0;
    }
    return fd < 0 || write(fd, value, 1) != 1 ? bh_error_errno(error, errno, "set %s to %s", path, value) : 0;
}

/* No link listens to what a router says: its addresses and routes are given. */
static int set_defaults(const struct network_wish *wish, struct bh_error *error)
{
    return set_ipv6_default("accept_ra", "0", error) < 0 ||
                   set_ipv6_default("disable_ipv6", wish->ipv6 ? "0" : "1", error) < 0
               ? -1
               : 0;
}

/* ---- descriptors ------------------------------------------------------------------------------------------- */

static int bind_dns(int fd)
{
    const struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(DNS_ADDRESS)};
    return fd < 0 ? -1 : bind(fd, (const struct sockaddr *)&address, sizeof(address));
}

/* To ask resolvers of both families from. */
static int open_asking_socket(void)
{
    static const int both = 0;
    bh_autoclose int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return errno == EAFNOSUPPORT ? socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;
    }
    return setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &both, sizeof(both)) < 0 ? -1 : bh_steal_fd(&fd);
}

static int open_dns(int fds[static 3], struct bh_error *error)
{
    int *udp = &fds[0], *tcp = &fds[1], *asking = &fds[2];
    *udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    *tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    *asking = open_asking_socket();
    return *asking < 0 || bind_dns(*udp) < 0 || bind_dns(*tcp) < 0 || listen(*tcp, DNS_BACKLOG) < 0
               ? bh_error_errno(error, errno, "open sockets for questions of names")
               : 0;
}

static int open_netlink(int fds[static NETWORK_FDS_BASE], struct bh_error *error)
{
    struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    int *namespace = &fds[0], *route = &fds[1], *netfilter = &fds[2];
    *route = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    *netfilter = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
    bh_autoclose int any = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (*route < 0 || *netfilter < 0 || any < 0) {
        return bh_error_errno(error, errno, "open netlink");
    }
    /* Of the socket's own namespace: no name, no path. */
    *namespace = ioctl(any, SIOCGSKNS);
    if (*namespace < 0) {
        return bh_error_errno(error, errno, "open the network namespace");
    }
    return ioctl(any, SIOCSIFFLAGS, &lo) < 0 ? bh_error_errno(error, errno, "set lo up") : 0;
}

int network_open(const struct network_wish *wish, int ret_fds[static NETWORK_FDS_MAX], size_t *ret_n,
                 struct bh_error *error)
{
    for (size_t i = 0; i < NETWORK_FDS_MAX; i++) {
        ret_fds[i] = -1;
    }
    if (set_defaults(wish, error) < 0 || open_netlink(ret_fds, error) < 0 ||
        (wish->embedded_dns && open_dns(ret_fds + NETWORK_FDS_BASE, error) < 0)) {
        network_close(ret_fds, NETWORK_FDS_MAX);
        return -1;
    }
    *ret_n = wish->embedded_dns ? NETWORK_FDS_MAX : NETWORK_FDS_BASE;
    return 0;
}

void network_close(int *fds, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bh_close(&fds[i]);
    }
}

/* ---- of a container that starts ---------------------------------------------------------------------------- */

int network_offer(const struct container_spec *spec, int answer_socket, struct bh_error *error)
{
    const struct network_wish wish = {.embedded_dns = spec->embedded_dns, .ipv6 = spec->has_ipv6};
    int fds[NETWORK_FDS_MAX];
    size_t n = 0;
    if (network_open(&wish, fds, &n, error) < 0) {
        return -1;
    }
    job_progress(answer_socket, fds, n);
    network_close(fds, n);
    return 0;
}

void network_offered(struct bh_request *request, const struct job_said *said)
{
    Bulkhead__NetworkOpened opened = BULKHEAD__NETWORK_OPENED__INIT;
    Bulkhead__ExecutorToPolicyd packet = BULKHEAD__EXECUTOR_TO_POLICYD__INIT;
    packet.body_case = BULKHEAD__EXECUTOR_TO_POLICYD__BODY_NETWORK_OPENED;
    packet.network_opened = &opened;
    (void)bh_request_progress(request, &packet.base, said->fds, said->n_fds);
}

int links_attach(struct launch *launch, struct operation *operation, struct bh_error *error)
{
    (void)operation;
    char byte;
    ssize_t n;
    while ((n = read(launch->links, &byte, 1)) < 0 && errno == EINTR) {
    }
    return n == 1 ? 0 : bh_error_set(error, BH_UNAVAILABLE, "the network was not set up");
}
