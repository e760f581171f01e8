/* SPDX-License-Identifier: Apache-2.0
 *
 * netd's one channel, and its life. Handlers only take messages apart: the work is done in the file named for it.
 */
#include "service.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "containers.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "found.h"
#include "netd.h"
#include "networks.h"
#include "policyd_netd.pb-c.h"
#include "rules.h"
#include "settle.h"
#include "watch.h"

/* ---- answers ----------------------------------------------------------------------------------------------- */

static struct netd *netd_of(struct bh_request *request)
{
    return ((struct bh_service_context *)bh_request_owner(request))->state;
}

static void reply(struct bh_request *request, Bulkhead__NetdToPolicyd__BodyCase kind, void *body, bool more)
{
    Bulkhead__NetdToPolicyd packet = BULKHEAD__NETD_TO_POLICYD__INIT;
    packet.body_case = kind;
    packet.error = body; /* one union: whichever `kind` says */
    (void)(more ? bh_request_progress(request, &packet.base, NULL, 0)
                : bh_request_reply(request, &packet.base, NULL, 0));
}

static void finish(struct bh_request *request, int result, const struct bh_error *error)
{
    if (result < 0) {
        (void)bh_request_fail(request, error);
        return;
    }
    Bulkhead__Done done = BULKHEAD__DONE__INIT;
    reply(request, BULKHEAD__NETD_TO_POLICYD__BODY_DONE, &done, false);
}

/* ---- networks ---------------------------------------------------------------------------------------------- */

static void handle_make_network(struct bh_request *request)
{
    struct bh_error error = {0};
    finish(request, networks_make(netd_of(request), bh_request_body(request), &error), &error);
}

static void handle_drop_network(struct bh_request *request)
{
    struct bh_error error = {0};
    finish(request, networks_drop(netd_of(request), bh_request_body(request), &error), &error);
}

static void tell_network(const uint8_t id[static NETD_ID_BYTES], uint32_t tenant_uid, void *argument)
{
    Bulkhead__NetworkId network = BULKHEAD__NETWORK_ID__INIT;
    network.id = (ProtobufCBinaryData){.len = NETD_ID_BYTES, .data = (uint8_t *)(uintptr_t)id};
    network.tenant_uid = tenant_uid;
    Bulkhead__NetworkFound found = BULKHEAD__NETWORK_FOUND__INIT;
    found.network = &network;
    reply(argument, BULKHEAD__NETD_TO_POLICYD__BODY_NETWORK_FOUND, &found, true);
}

static void handle_list_made_networks(struct bh_request *request)
{
    const struct netd *netd = netd_of(request);
    const struct network *network;
    LIST_FOREACH(network, &netd->networks, next)
    {
        tell_network(network->id, network->tenant_uid, request);
    }
    found_each_network(netd, tell_network, request);
    finish(request, 0, NULL);
}

static void handle_check_networks(struct bh_request *request)
{
    struct bh_error error = {0};
    Bulkhead__NetworksChecked checked = BULKHEAD__NETWORKS_CHECKED__INIT;
    if (settle_check(netd_of(request), &checked.findings, &checked.n_findings, &error) < 0) {
        (void)bh_request_fail(request, &error);
    } else {
        reply(request, BULKHEAD__NETD_TO_POLICYD__BODY_NETWORKS_CHECKED, &checked, false);
    }
    settle_free_findings(checked.findings, checked.n_findings);
}

static void handle_settle_networks(struct bh_request *request)
{
    struct bh_error error = {0};
    finish(request, settle(netd_of(request), &error), &error);
}

/* ---- containers -------------------------------------------------------------------------------------------- */

static int reply_ports(struct bh_request *request, const struct container *container, struct bh_error *error)
{
    bh_autofree Bulkhead__PublishedPort *ports = calloc(container->n_ports + 1, sizeof(*ports));
    bh_autofree Bulkhead__PublishedPort **list = calloc(container->n_ports + 1, sizeof(Bulkhead__PublishedPort *));
    if (!ports || !list) {
        return bh_error_errno(error, ENOMEM, "tell the published ports");
    }
    for (size_t i = 0; i < container->n_ports; i++) {
        struct port *port = &container->ports[i];
        ports[i] = (Bulkhead__PublishedPort)BULKHEAD__PUBLISHED_PORT__INIT;
        ports[i].transport = port->transport;
        ports[i].container_port = port->container_port;
        ports[i].first_host_port = ports[i].last_host_port = port->host_port;
        ports[i].host_address = (ProtobufCBinaryData){.len = port->host.n_bytes, .data = port->host.bytes};
        list[i] = &ports[i];
    }
    Bulkhead__ContainerConnected connected = BULKHEAD__CONTAINER_CONNECTED__INIT;
    connected.ports = list;
    connected.n_ports = container->n_ports;
    reply(request, BULKHEAD__NETD_TO_POLICYD__BODY_CONTAINER_CONNECTED, &connected, false);
    return 0;
}

static void handle_link_container(struct bh_request *request)
{
    struct bh_error error = {0};
    const struct container *container = NULL;
    int fds[LINK_FDS_MAX];
    for (size_t i = 0; i < LINK_FDS_MAX; i++) {
        fds[i] = bh_request_take_fd(request, i);
    }
    if (containers_link(netd_of(request), bh_request_body(request), fds, bh_request_message(request)->n_fds, &container,
                        &error) < 0 ||
        reply_ports(request, container, &error) < 0) {
        (void)bh_request_fail(request, &error);
    }
}

static void handle_disconnect_container(struct bh_request *request)
{
    struct bh_error error = {0};
    finish(request, containers_disconnect(netd_of(request), bh_request_body(request), &error), &error);
}

/* ---- the table --------------------------------------------------------------------------------------------- */

#define ASKED(message) BULKHEAD__POLICYD_TO_NETD__BODY_##message

static const struct bh_protocol policyd_protocol = {
    .name = "policyd_netd",
    .incoming = &bulkhead__policyd_to_netd__descriptor,
    .outgoing = &bulkhead__netd_to_policyd__descriptor,
    .handlers =
        (const struct bh_handler[]){
            {ASKED(MAKE_NETWORK), "MakeNetwork", ~0u, 0, 0, handle_make_network},
            {ASKED(DROP_NETWORK), "DropNetwork", ~0u, 0, 0, handle_drop_network},
            {ASKED(LINK_CONTAINER), "LinkContainer", ~0u, LINK_FDS_MIN, LINK_FDS_MAX, handle_link_container},
            {ASKED(DISCONNECT_CONTAINER), "DisconnectContainer", ~0u, 0, 0, handle_disconnect_container},
            {ASKED(CHECK_NETWORKS), "CheckNetworks", ~0u, 0, 0, handle_check_networks},
            {ASKED(SETTLE_NETWORKS), "SettleNetworks", ~0u, 0, 0, handle_settle_networks},
            {ASKED(LIST_MADE_NETWORKS), "ListMadeNetworks", ~0u, 0, 0, handle_list_made_networks},
            {0},
        },
};

const struct bh_peer netd_peers[] = {
    {.role = BH_ROLE_POLICYD, .protocol = &policyd_protocol},
    {.role = BH_ROLE_NONE},
};

/* ---- life -------------------------------------------------------------------------------------------------- */

/* Which namespace is the host's can be seen in /proc alone, which the sandbox takes away. */
int netd_init(struct bh_service_context *context, struct bh_error *error)
{
    static struct netd netd;
    struct stat status;
    if (stat("/proc/self/ns/net", &status) < 0) {
        return bh_error_errno(error, errno, "look at the host's network namespace");
    }
    netd.host_device = status.st_dev;
    netd.host_inode = status.st_ino;
    context->state = &netd;
    return 0;
}

int netd_start(struct bh_service_context *context, struct bh_error *error)
{
    struct netd *netd = context->state;
    const char *prefix = context->config->link_prefix;
    netd->context = context;
    netd->dns.context = context;
    netd->closer = (struct closer){.context = context, .socket = -1};
    LIST_INIT(&netd->networks);
    LIST_INIT(&netd->containers);
    LIST_INIT(&netd->dns.tenants);
    if (strlen(prefix) != sizeof(netd->prefix) - 1) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "link_prefix \"%s\" must have %zu characters", prefix,
                            sizeof(netd->prefix) - 1);
    }
    memcpy(netd->prefix, prefix, sizeof(netd->prefix));
    (void)snprintf(netd->table, sizeof(netd->table), strcmp(prefix, "bh") == 0 ? "bulkhead" : "bulkhead-%s", prefix);
    return netlink_open(NETLINK_ROUTE, &netd->route, error) < 0 ||
                   netlink_open(NETLINK_NETFILTER, &netd->connections, error) < 0 ||
                   rules_new(netd->table, netd->prefix, &netd->rules, error) < 0 || found_read(netd, error) < 0 ||
                   watch_start(netd, error) < 0
               ? -1
               : 0;
}

/* Links and rules stay: containers go on. */
void netd_stop(struct bh_service_context *context)
{
    struct netd *netd = context->state;
    watch_stop(netd);
    dns_clear(&netd->dns);
    closer_stop(&netd->closer);
    while (!LIST_EMPTY(&netd->containers)) {
        netd_free_container(LIST_FIRST(&netd->containers));
    }
    while (!LIST_EMPTY(&netd->networks)) {
        netd_free_network(LIST_FIRST(&netd->networks));
    }
    found_free(netd);
    rules_free(netd->rules);
    netlink_close(&netd->connections);
    netlink_close(&netd->route);
}
