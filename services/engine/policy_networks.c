/* SPDX-License-Identifier: Apache-2.0
 *
 * Questions to policyd about networks; see policy_networks.h.
 */
#include "services/engine/policy_networks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "services/engine/network_options.h"
#include "services/engine/network_ranges.h"
#include "services/engine/policy_packets.h"

#define NETWORK_MS 60000U /* a host with thousands of links answers netlink slowly */

static ProtobufCBinaryData id_bytes(const uint8_t *id)
{
    return (ProtobufCBinaryData){.len = ENGINE_ID_BYTES, .data = (uint8_t *)(uintptr_t)id};
}

/* The network as netd makes it. Borrows everything; `subnets` and `pointers` hold two each. */
static void fill_spec(const struct network_row *row, struct network_options *options, Bulkhead__Subnet *subnets,
                      Bulkhead__Subnet **pointers, Bulkhead__NetworkSpec *spec)
{
    const bool macvlan = strcmp(row->request->driver, "macvlan") == 0;
    bulkhead__network_spec__init(spec);
    spec->id = id_bytes(row->id);
    spec->tenant_uid = row->tenant_uid;
    spec->name = row->request->name;
    spec->driver =
        macvlan ? BULKHEAD__NETWORK_DRIVER__NETWORK_DRIVER_MACVLAN : BULKHEAD__NETWORK_DRIVER__NETWORK_DRIVER_BRIDGE;
    spec->subnets = pointers;
    for (size_t i = 0; i < row->request->n_ranges && i < 2; i++) {
        const Bulkhead__AddressRange *range = row->request->ranges[i];
        bulkhead__subnet__init(&subnets[i]);
        subnets[i].address = range->subnet;
        subnets[i].prefix = range->prefix;
        subnets[i].gateway = range->gateway;
        pointers[spec->n_subnets++] = &subnets[i];
    }
    spec->internal = row->request->internal;
    spec->isolated = options->isolated;
    spec->masquerade = options->masquerade && !spec->internal;
    spec->mtu = options->mtu;
    spec->bridge_name = options->bridge_name;
    spec->parent = options->parent;
    if (macvlan) {
        spec->macvlan_mode_presence_case = BULKHEAD__NETWORK_SPEC__MACVLAN_MODE_PRESENCE_MACVLAN_MODE;
        spec->macvlan_mode = options->macvlan_mode;
    }
}

int policy_make_network(struct job *job, const struct network_row *row, struct bh_error *error)
{
    struct network_options options;
    Bulkhead__Subnet subnets[2], *pointers[2];
    Bulkhead__NetworkSpec spec;
    Bulkhead__MakeNetwork body = BULKHEAD__MAKE_NETWORK__INIT;
    if (network_options_read(row->request, &options, error) < 0) {
        return -1;
    }
    fill_spec(row, &options, subnets, pointers, &spec);
    body.network = &spec;
    PACKET(packet, MAKE_NETWORK, make_network, &body);
    return job_ask_again(job, policy_door(job), &packet.base, BULKHEAD__POLICYD_TO_ENGINE__BODY_DONE, NULL, error);
}

int policy_drop_network(struct job *job, const struct network_row *row, struct bh_error *error)
{
    Bulkhead__NetworkId network = BULKHEAD__NETWORK_ID__INIT;
    Bulkhead__DropNetwork body = BULKHEAD__DROP_NETWORK__INIT;
    network.id = id_bytes(row->id);
    network.tenant_uid = row->tenant_uid;
    body.network = &network;
    body.name = row->request->name;
    PACKET(packet, DROP_NETWORK, drop_network, &body);
    return job_ask_again(job, policy_door(job), &packet.base, BULKHEAD__POLICYD_TO_ENGINE__BODY_DONE, NULL, error);
}

int policy_connect(struct job *job, const struct container_row *row, Bulkhead__Attachment *attachment,
                   struct bh_message **ret_connected, struct bh_error *error)
{
    CONTAINER(container, row->id, row->tenant_uid);
    Bulkhead__ConnectContainer body = BULKHEAD__CONNECT_CONTAINER__INIT;
    body.container = &container;
    body.attachment = attachment;
    body.name = (char *)(uintptr_t)row->name;
    PACKET(packet, CONNECT_CONTAINER, connect_container, &body);
    return job_ask(job, policy_door(job), &packet.base, NULL, 0, NETWORK_MS,
                   BULKHEAD__POLICYD_TO_ENGINE__BODY_CONTAINER_CONNECTED, ret_connected, error);
}

int policy_disconnect(struct job *job, const uint8_t *id, uint32_t tenant_uid, const struct endpoint_row *rows,
                      size_t n_rows, struct bh_error *error)
{
    CONTAINER(container, id, tenant_uid);
    Bulkhead__DisconnectContainer body = BULKHEAD__DISCONNECT_CONTAINER__INIT;
    bh_autofree ProtobufCBinaryData *endpoints = calloc(n_rows ? n_rows : 1, sizeof *endpoints);
    if (!endpoints) {
        return bh_error_errno(error, ENOMEM, "list %zu endpoints", n_rows);
    }
    for (size_t i = 0; i < n_rows; i++) {
        endpoints[i] = rows[i].endpoint->id;
    }
    body.container = &container;
    body.endpoints = endpoints;
    body.n_endpoints = n_rows;
    PACKET(packet, DISCONNECT_CONTAINER, disconnect_container, &body);
    return job_ask_again(job, policy_door(job), &packet.base, BULKHEAD__POLICYD_TO_ENGINE__BODY_DONE, NULL, error);
}

int policy_check_networks(struct job *job, struct bh_message **ret_checked, struct bh_error *error)
{
    Bulkhead__CheckNetworks body = BULKHEAD__CHECK_NETWORKS__INIT;
    PACKET(packet, CHECK_NETWORKS, check_networks, &body);
    return job_ask(job, policy_door(job), &packet.base, NULL, 0, NETWORK_MS,
                   BULKHEAD__POLICYD_TO_ENGINE__BODY_NETWORKS_CHECKED, ret_checked, error);
}

int policy_settle_networks(struct job *job, struct bh_error *error)
{
    Bulkhead__SettleNetworks body = BULKHEAD__SETTLE_NETWORKS__INIT;
    PACKET(packet, SETTLE_NETWORKS, settle_networks, &body);
    return job_ask(job, policy_door(job), &packet.base, NULL, 0, NETWORK_MS, BULKHEAD__POLICYD_TO_ENGINE__BODY_DONE,
                   NULL, error);
}

int policy_await_netd(struct job *job, uint64_t generation, uint64_t *ret_generation, struct bh_error *error)
{
    bh_automessage struct bh_message *message = NULL;
    Bulkhead__AwaitNetd body = BULKHEAD__AWAIT_NETD__INIT;
    body.generation = generation;
    PACKET(packet, AWAIT_NETD, await_netd, &body);
    if (job_ask(job, policy_door(job), &packet.base, NULL, 0, UINT32_MAX, BULKHEAD__POLICYD_TO_ENGINE__BODY_NETD_READY,
                &message, error) < 0) {
        return -1;
    }
    const Bulkhead__NetdReady *ready = bh_message_body(message);
    *ret_generation = ready->generation;
    return 0;
}
