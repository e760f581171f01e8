/* SPDX-License-Identifier: Apache-2.0
 *
 * Rules about networks and published ports; see judge.h.
 */
#include <stdio.h>
#include <string.h>

#include "common/digest.h"
#include "judge_parts.h"
#include "publish.h"
#include "subnets.h"

static const struct {
    unsigned int bit;
    const char *name;
} modes[] = {{RULES_NETWORK_NONE, "none"},
             {RULES_NETWORK_HOST, "host"},
             {RULES_NETWORK_BRIDGE, "bridge"},
             {RULES_NETWORK_MACVLAN, "macvlan"}};

/* `bits`: of which one must be allowed. */
static int judge_mode(unsigned int bits, const struct rules *rules, struct judgement *judgement)
{
    char allowed[48] = "";
    const char *wanted = "";
    if (rules->networks & bits) {
        return 0;
    }
    for (size_t i = sizeof(modes) / sizeof(modes[0]); i-- > 0;) {
        wanted = bits & modes[i].bit ? modes[i].name : wanted;
    }
    size_t used = 0;
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        if (rules->networks & modes[i].bit) {
            int n = snprintf(allowed + used, sizeof(allowed) - used, "%s%s", used ? " or " : "", modes[i].name);
            used += n > 0 ? (size_t)n : 0;
        }
    }
    return judge_refuse(judgement, rules, RULE_NETWORKS, "network %s is not allowed; %s is", wanted,
                        used ? allowed : "nothing");
}

static bool has_address(const Bulkhead__Attachment *attachment, bool ipv6)
{
    for (size_t i = 0; i < attachment->n_endpoints; i++) {
        const Bulkhead__Endpoint *endpoint = attachment->endpoints[i];
        if (ipv6 ? endpoint->address6.len : endpoint->address4.len) {
            return true;
        }
    }
    return false;
}

/* A port without an address is published on all addresses of each family that the container has. */
static int judge_port(const Bulkhead__Attachment *attachment, const Bulkhead__PublishedPort *port,
                      const struct rules *rules, struct judgement *judgement)
{
    bool all = port->host_address.len == 0;
    bool has4 = has_address(attachment, false), has6 = has_address(attachment, true);
    for (int ipv6 = 0; ipv6 < 2; ipv6++) {
        bool asked = all ? (ipv6 ? has6 : has4 || !has6) : port->host_address.len == (ipv6 ? 16 : 4);
        if (asked && !publish_allows(&rules->publish, port, ipv6)) {
            char text[PUBLISH_TEXT_SIZE], list[160];
            return judge_refuse(judgement, rules, RULE_PUBLISH, "publishing on %s is not allowed; on %s it is",
                                publish_text(port, ipv6, text), judge_list_text(&rules->publish, list, sizeof(list)));
        }
    }
    return 0;
}

static int judge_attachment(const Bulkhead__Attachment *attachment, const struct rules *rules,
                            struct judgement *judgement)
{
    /* Of which driver each network is, was judged when it was made. */
    if (judge_mode(RULES_NETWORK_BRIDGE | RULES_NETWORK_MACVLAN, rules, judgement) < 0) {
        return -1;
    }
    for (size_t i = 0; i < attachment->n_ports; i++) {
        if (judge_port(attachment, attachment->ports[i], rules, judgement) < 0) {
            return -1;
        }
    }
    return 0;
}

int judge_network_mode(const Bulkhead__ContainerSpec *spec, const struct rules *rules, struct judgement *judgement)
{
    switch (spec->network) {
    case BULKHEAD__NETWORK_MODE__NETWORK_MODE_JOINED:
        return 0; /* what another container of the tenant's was allowed to have */
    case BULKHEAD__NETWORK_MODE__NETWORK_MODE_LINKED:
        return judge_attachment(spec->attachment, rules, judgement);
    case BULKHEAD__NETWORK_MODE__NETWORK_MODE_NONE:
        return judge_mode(RULES_NETWORK_NONE, rules, judgement);
    default:
        return judge_mode(RULES_NETWORK_HOST, rules, judgement);
    }
}

void judge_connection(const Bulkhead__Attachment *attachment, const struct rules *rules,
                      struct judgement *ret_judgement)
{
    if (judge_begin(rules, ret_judgement) < 0) {
        return;
    }
    (void)judge_attachment(attachment, rules, ret_judgement);
}

/* The host has no route of its own into a macvlan network. */
static int judge_subnets(const Bulkhead__NetworkSpec *network, const struct rules *rules, const struct ip_pools *pools,
                         struct judgement *judgement)
{
    for (size_t i = 0; i < network->n_subnets; i++) {
        const Bulkhead__Subnet *asked = network->subnets[i];
        const struct ip_subnet subnet = {.ip = ip_from_bytes(asked->address.data, asked->address.len),
                                         .prefix = asked->prefix};
        if (!subnets_allow(&rules->subnets, pools, &subnet)) {
            char text[IP_SUBNET_TEXT_SIZE], list[SUBNETS_TEXT_SIZE];
            return judge_refuse(judgement, rules, RULE_SUBNETS, "the subnet %s is not allowed; one of %s is",
                                ip_subnet_text(&subnet, text), subnets_text(&rules->subnets, pools, list));
        }
    }
    return 0;
}

void judge_network(const Bulkhead__NetworkSpec *network, const struct rules *rules, const struct ip_pools *pools,
                   struct judgement *ret_judgement)
{
    char list[160];
    bool macvlan = network->driver == BULKHEAD__NETWORK_DRIVER__NETWORK_DRIVER_MACVLAN;
    if (judge_begin(rules, ret_judgement) < 0) {
        return;
    }
    if (judge_mode(macvlan ? RULES_NETWORK_MACVLAN : RULES_NETWORK_BRIDGE, rules, ret_judgement) < 0) {
        return;
    }
    if (macvlan && !judge_matches_any(&rules->macvlan_parents, network->parent)) {
        (void)judge_refuse(ret_judgement, rules, RULE_MACVLAN_PARENTS,
                           "a macvlan network of the host's link %.16s is not allowed; of %s it is", network->parent,
                           judge_list_text(&rules->macvlan_parents, list, sizeof(list)));
    } else if (network->bridge_name[0] && !judge_matches_any(&rules->bridge_names, network->bridge_name)) {
        (void)judge_refuse(ret_judgement, rules, RULE_BRIDGE_NAMES,
                           "a bridge of the name %.16s is not allowed; %s is, and one whose name is made here",
                           network->bridge_name, judge_list_text(&rules->bridge_names, list, sizeof(list)));
    } else if (!macvlan) {
        (void)judge_subnets(network, rules, pools, ret_judgement);
    }
}

void judge_network_owner(const uint8_t id[static 32], struct judgement *ret_judgement)
{
    struct bh_digest digest;
    char hex[BH_DIGEST_HEX_SIZE];
    memcpy(digest.bytes, id, sizeof(digest.bytes));
    *ret_judgement = (struct judgement){0};
    (void)judge_refuse(ret_judgement, rules_builtin(false), RULE_OWNER,
                       "network %.12s is none of this tenant's; each may use those it has made",
                       bh_digest_hex(&digest, hex));
}
