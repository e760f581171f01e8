/* SPDX-License-Identifier: Apache-2.0
 *
 * Any message as what netd is asked for: read, planned, and turned into the elements of its tables. What is to be made
 * has names that the kernel takes and addresses that belong there; what nft would read has no word of its own in it.
 * The first byte is somebody else's.
 */
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "elements.h"
#include "fuzz.h"
#include "plan.h"
#include "policyd_netd.pb-c.h"

#define TENANT 1000
#define PREFIX "bh"

static struct network bridge, internal;
static struct endpoint linked;
static struct container container;
static struct netd netd = {.prefix = PREFIX, .table = "bulkhead"};

/* ---- what there is ----------------------------------------------------------------------------------------- */

static struct subnet subnet_of(const char *range, const char *gateway)
{
    struct subnet subnet = {0};
    if (!ip_parse_subnet(range, &subnet.range) || (*gateway && !ip_parse(gateway, &subnet.gateway))) {
        fuzz_wrong();
    }
    return subnet;
}

static void prepare(void)
{
    bridge =
        (struct network){.id = {1},
                         .tenant_uid = TENANT,
                         .name = "front",
                         .driver = BULKHEAD__NETWORK_DRIVER__NETWORK_DRIVER_BRIDGE,
                         .subnets = {subnet_of("172.20.0.0/24", "172.20.0.1"), subnet_of("fd00:20::/64", "fd00:20::1")},
                         .masquerade = true,
                         .link = "bh-010000000000"};
    internal = (struct network){.id = {2},
                                .tenant_uid = TENANT,
                                .name = "back",
                                .driver = BULKHEAD__NETWORK_DRIVER__NETWORK_DRIVER_BRIDGE,
                                .subnets = {subnet_of("172.21.0.0/24", ""), {.range.prefix = 0}},
                                .internal = true,
                                .isolated = true,
                                .link = "bh-020000000000"};
    linked = (struct endpoint){.network = &bridge,
                               .container = &container,
                               .id = {3},
                               .mac = {2, 0, 0, 0, 0, 3},
                               .interface = "eth0",
                               .link = "bhv3",
                               .inside = -1};
    (void)ip_parse("172.20.0.3", &linked.addresses[IPV4]);
    container = (struct container){.id = {4}, .tenant_uid = TENANT};
    LIST_INSERT_HEAD(&netd.networks, &internal, next);
    LIST_INSERT_HEAD(&netd.networks, &bridge, next);
    LIST_INSERT_HEAD(&bridge.endpoints, &linked, of_network);
    LIST_INSERT_HEAD(&container.endpoints, &linked, of_container);
    LIST_INSERT_HEAD(&netd.containers, &container, next);
}

/* ---- what must hold ---------------------------------------------------------------------------------------- */

static void must(bool holds)
{
    if (!holds) {
        fuzz_wrong();
    }
}

static void must_be_link(const char *name)
{
    struct bh_error error = {0};
    must(spec_check_link_name(name, "link", &error) == 0);
}

/* As nft reads it: names in quotes, addresses, numbers, and what joins them. */
static void must_be_plain(const struct elements *elements)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ._-:/\"";
    for (size_t i = 0; i < elements->n; i++) {
        char *text = NULL;
        size_t n_text = 0, n_quotes = 0;
        FILE *stream = open_memstream(&text, &n_text);
        if (!stream) {
            return;
        }
        element_print(&elements->list[i], stream);
        must(fclose(stream) == 0 && strspn(text, allowed) == n_text && n_text > 0);
        for (const char *at = text; *at; at++) {
            n_quotes += *at == '"';
        }
        must(n_quotes % 2 == 0);
        free(text);
    }
}

static void must_belong(const struct network *network)
{
    must(network->driver == BULKHEAD__NETWORK_DRIVER__NETWORK_DRIVER_MACVLAN || *network->link);
    if (*network->link) {
        must_be_link(network->link);
    }
    if (*network->parent) {
        must_be_link(network->parent);
    }
    for (enum family family = IPV4; family < FAMILIES; family++) {
        const struct subnet *subnet = &network->subnets[family];
        if (subnet->range.ip.n_bytes) {
            must(ip_family(&subnet->range.ip) == family && ip_subnet_is_whole(&subnet->range));
            must(!subnet->gateway.n_bytes || ip_subnet_contains(&subnet->range, &subnet->gateway));
        }
    }
    bh_autoelements struct elements elements = {0};
    elements_of_network(network, &elements);
    must_be_plain(&elements);
}

static void must_be_linkable(const struct endpoint *endpoint)
{
    must_be_link(endpoint->interface);
    must(endpoint->network->tenant_uid == TENANT);
    must(!(endpoint->mac[0] & 1));
    must(endpoint->addresses[IPV4].n_bytes || endpoint->addresses[IPV6].n_bytes);
    for (enum family family = IPV4; family < FAMILIES; family++) {
        const struct subnet *subnet = &endpoint->network->subnets[family];
        const struct ip *address = &endpoint->addresses[family];
        must(!address->n_bytes ||
             (ip_subnet_contains(&subnet->range, address) && !ip_equal(address, &subnet->gateway)));
        must(!endpoint->default_route[family] || (address->n_bytes && subnet->gateway.n_bytes));
    }
    bh_autoelements struct elements elements = {0};
    elements_of_endpoint(endpoint, &elements);
    must_be_plain(&elements);
}

static void must_hold(const struct plan *plan)
{
    struct ip to[FAMILIES];
    plan_targets(plan, to);
    for (size_t i = 0; i < plan->n_wanted; i++) {
        must_be_linkable(plan->wanted[i].endpoint);
        must(!plan->wanted[i].known || plan_keeps(plan, plan->wanted[i].known));
        for (size_t j = 0; j < i; j++) {
            must(plan->wanted[i].endpoint->network != plan->wanted[j].endpoint->network);
        }
    }
    for (size_t i = 0; i < plan->n_wishes; i++) {
        const struct port_wish *wish = &plan->wishes[i];
        const struct port port = {.transport = wish->transport,
                                  .container_port = wish->container_port,
                                  .host_port = wish->first,
                                  .everywhere = wish->everywhere,
                                  .host = wish->host,
                                  .reserved = {-1, -1},
                                  .to = {to[IPV4], to[IPV6]}};
        must(wish->container_port && wish->first && wish->first <= wish->last);
        bh_autoelements struct elements elements = {0};
        elements_of_port(&port, &elements);
        must_be_plain(&elements);
    }
}

/* ---- messages ---------------------------------------------------------------------------------------------- */

static void make_network(const Bulkhead__MakeNetwork *message)
{
    struct network network, again;
    struct bh_error error = {0};
    if (!message->network || spec_read_network(message->network, PREFIX, &network, &error) < 0) {
        must(!message->network || error.code != BH_OK);
        return;
    }
    must_belong(&network);
    must(spec_read_network(message->network, PREFIX, &again, &error) == 0 && spec_same_network(&network, &again));
}

static void link_container(const Bulkhead__LinkContainer *message)
{
    bh_autoplan struct plan plan = {0};
    struct bh_error error = {0};
    const uint8_t *id;
    if (!message->container || !message->attachment ||
        spec_read_id(&message->container->id, "a container", &id, &error) < 0) {
        return;
    }
    if (plan_read(&netd, netd_find_container(&netd, id), TENANT, message->attachment, &plan, &error) == 0) {
        must_hold(&plan);
    } else {
        must(error.code != BH_OK);
    }
}

static void disconnect_container(const Bulkhead__DisconnectContainer *message)
{
    bh_autoplan struct plan plan = {0};
    struct bh_error error = {0};
    if (plan_without(&container, message->endpoints, message->n_endpoints, &plan, &error) == 0) {
        must_hold(&plan);
        must(plan_keeps(&plan, &linked) == !plan_is_among(linked.id, message->endpoints, message->n_endpoints));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    bh_automessage struct bh_message *message = NULL;
    struct bh_error error = {0};
    if (!netd.networks.lh_first) {
        prepare();
    }
    if (n_bytes == 0 ||
        bh_message_decode(&bulkhead__policyd_to_netd__descriptor, bytes + 1, n_bytes - 1, &message, &error) < 0) {
        return 0;
    }
    switch (message->kind) {
    case BULKHEAD__POLICYD_TO_NETD__BODY_MAKE_NETWORK:
        make_network(bh_message_body(message));
        break;
    case BULKHEAD__POLICYD_TO_NETD__BODY_LINK_CONTAINER:
        link_container(bh_message_body(message));
        break;
    case BULKHEAD__POLICYD_TO_NETD__BODY_DISCONNECT_CONTAINER:
        disconnect_container(bh_message_body(message));
        break;
    default:
        break;
    }
    return 0;
}
