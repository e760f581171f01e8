/* SPDX-License-Identifier: Apache-2.0
 *
 * See dns_redirect.h. Ports are rewritten in packets, each for itself: a nat chain would have the kernel track every
 * connection of the container's, for the sake of these few.
 */
#include "dns_redirect.h"

#include <netinet/in.h> /* before the kernel's own */

#include <errno.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/table.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter_ipv4.h>
#include <stddef.h>
#include <linux/ip.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "common/cleanup.h"

#define CHAIN       "dns"
#define BATCH_BYTES 8192 /* nine messages of a few hundred bytes */
#define DNS_PORT    53
#define LOADED      NFT_REG_1 /* where a packet's field is compared, and comes from */

struct batch {
    struct netlink *netlink;
    char *buffer;
    size_t used;
    uint32_t first;
    struct nlmsghdr *last;
};

static struct nlmsghdr *begin(struct batch *batch, uint16_t type, uint16_t flags)
{
    batch->last =
        nftnl_nlmsg_build_hdr(batch->buffer + batch->used, type, NFPROTO_IPV4, flags, ++batch->netlink->sequence);
    return batch->last;
}

static void end(struct batch *batch)
{
    batch->used += batch->last->nlmsg_len;
}

/* ---- the table and its chain ------------------------------------------------------------------------------- */

static int put_table(struct batch *batch, uint16_t type, const char *name)
{
    struct nftnl_table *table = nftnl_table_alloc();
    if (!table) {
        return -1;
    }
    (void)nftnl_table_set_str(table, NFTNL_TABLE_NAME, name);
    nftnl_table_nlmsg_build_payload(begin(batch, type, type == NFT_MSG_NEWTABLE ? NLM_F_CREATE : 0), table);
    end(batch);
    nftnl_table_free(table);
    return 0;
}

static int put_chain(struct batch *batch, const char *table)
{
    struct nftnl_chain *chain = nftnl_chain_alloc();
    if (!chain) {
        return -1;
    }
    (void)nftnl_chain_set_str(chain, NFTNL_CHAIN_TABLE, table);
    (void)nftnl_chain_set_str(chain, NFTNL_CHAIN_NAME, CHAIN);
    (void)nftnl_chain_set_str(chain, NFTNL_CHAIN_TYPE, "filter");
    nftnl_chain_set_u32(chain, NFTNL_CHAIN_HOOKNUM, NF_INET_LOCAL_OUT);
    nftnl_chain_set_s32(chain, NFTNL_CHAIN_PRIO, NF_IP_PRI_RAW);
    nftnl_chain_nlmsg_build_payload(begin(batch, NFT_MSG_NEWCHAIN, NLM_F_CREATE), chain);
    end(batch);
    nftnl_chain_free(chain);
    return 0;
}

/* ---- rules ------------------------------------------------------------------------------------------------- */

static struct nftnl_expr *add(struct nftnl_rule *rule, const char *name, bool *failed)
{
    struct nftnl_expr *expression = nftnl_expr_alloc(name);
    if (expression) {
        nftnl_rule_add_expr(rule, expression);
    }
    *failed = *failed || !expression;
    return expression;
}

static void add_equal(struct nftnl_rule *rule, const void *value, uint32_t n_value, bool *failed)
{
    struct nftnl_expr *compare = add(rule, "cmp", failed);
    if (compare) {
        nftnl_expr_set_u32(compare, NFTNL_EXPR_CMP_SREG, LOADED);
        nftnl_expr_set_u32(compare, NFTNL_EXPR_CMP_OP, NFT_CMP_EQ);
        (void)nftnl_expr_set(compare, NFTNL_EXPR_CMP_DATA, value, n_value);
    }
}

static void add_field(struct nftnl_rule *rule, uint32_t base, uint32_t offset, const void *value, uint32_t n_value,
                      bool *failed)
{
    struct nftnl_expr *load = add(rule, "payload", failed);
    if (load) {
        nftnl_expr_set_u32(load, NFTNL_EXPR_PAYLOAD_BASE, base);
        nftnl_expr_set_u32(load, NFTNL_EXPR_PAYLOAD_OFFSET, offset);
        nftnl_expr_set_u32(load, NFTNL_EXPR_PAYLOAD_LEN, n_value);
        nftnl_expr_set_u32(load, NFTNL_EXPR_PAYLOAD_DREG, LOADED);
    }
    add_equal(rule, value, n_value, failed);
}

static void add_protocol(struct nftnl_rule *rule, uint8_t protocol, bool *failed)
{
    struct nftnl_expr *load = add(rule, "meta", failed);
    if (load) {
        nftnl_expr_set_u32(load, NFTNL_EXPR_META_KEY, NFT_META_L4PROTO);
        nftnl_expr_set_u32(load, NFTNL_EXPR_META_DREG, LOADED);
    }
    add_equal(rule, &protocol, sizeof(protocol), failed);
}

/* One end of a packet: whose address it is, and where its port lies. */
struct direction {
    uint32_t address, port;
};
static const struct direction to_server = {offsetof(struct iphdr, daddr), offsetof(struct udphdr, dest)};
static const struct direction from_server = {offsetof(struct iphdr, saddr), offsetof(struct udphdr, source)};

static void add_port(struct nftnl_rule *rule, uint8_t protocol, uint32_t offset, uint16_t port, bool *failed)
{
    struct nftnl_expr *load = add(rule, "immediate", failed);
    if (load) {
        nftnl_expr_set_u32(load, NFTNL_EXPR_IMM_DREG, LOADED);
        (void)nftnl_expr_set(load, NFTNL_EXPR_IMM_DATA, &port, sizeof(port));
    }
    struct nftnl_expr *store = add(rule, "payload", failed);
    if (store) {
        nftnl_expr_set_u32(store, NFTNL_EXPR_PAYLOAD_SREG, LOADED);
        nftnl_expr_set_u32(store, NFTNL_EXPR_PAYLOAD_BASE, NFT_PAYLOAD_TRANSPORT_HEADER);
        nftnl_expr_set_u32(store, NFTNL_EXPR_PAYLOAD_OFFSET, offset);
        nftnl_expr_set_u32(store, NFTNL_EXPR_PAYLOAD_LEN, sizeof(port));
        nftnl_expr_set_u32(store, NFTNL_EXPR_PAYLOAD_CSUM_TYPE, NFT_PAYLOAD_CSUM_INET);
        nftnl_expr_set_u32(store, NFTNL_EXPR_PAYLOAD_CSUM_OFFSET,
                           protocol == IPPROTO_UDP ? offsetof(struct udphdr, check) : offsetof(struct tcphdr, check));
    }
}

/* ip daddr 127.0.0.11 <protocol> dport <port> <protocol> dport set <other>; or the same with source and saddr. Ports
 * in network order; UDP and TCP have them in the same place. */
static int put_rule(struct batch *batch, const char *table, uint8_t protocol, const struct direction *direction,
                    uint16_t port, uint16_t other)
{
    static const uint8_t address[4] = {127, 0, 0, 11};
    bool failed = false;
    struct nftnl_rule *rule = nftnl_rule_alloc();
    if (!rule) {
        return -1;
    }
    (void)nftnl_rule_set_str(rule, NFTNL_RULE_TABLE, table);
    (void)nftnl_rule_set_str(rule, NFTNL_RULE_CHAIN, CHAIN);
    add_field(rule, NFT_PAYLOAD_NETWORK_HEADER, direction->address, address, sizeof(address), &failed);
    add_protocol(rule, protocol, &failed);
    add_field(rule, NFT_PAYLOAD_TRANSPORT_HEADER, direction->port, &port, sizeof(port), &failed);
    add_port(rule, protocol, direction->port, other, &failed);
    if (!failed) {
        nftnl_rule_nlmsg_build_payload(begin(batch, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND), rule);
        end(batch);
    }
    nftnl_rule_free(rule);
    return failed ? -1 : 0;
}

static int put_rules(struct batch *batch, const char *table, uint8_t protocol, const struct sockaddr_in *bound)
{
    const uint16_t port = htons(DNS_PORT);
    return put_rule(batch, table, protocol, &to_server, port, bound->sin_port) < 0
               ? -1
               : put_rule(batch, table, protocol, &from_server, bound->sin_port, port);
}

static int read_bound(int fd, int type, struct sockaddr_in *ret_address, struct bh_error *error)
{
    int actual = 0;
    socklen_t n_type = sizeof(actual), n_address = sizeof(*ret_address);
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &actual, &n_type) < 0 ||
        getsockname(fd, (struct sockaddr *)ret_address, &n_address) < 0) {
        return bh_error_errno(error, errno, "look at a DNS socket");
    }
    return actual != type || ret_address->sin_family != AF_INET || ret_address->sin_port == 0
               ? bh_error_set(error, BH_INVALID_ARGUMENT, "a DNS socket is not of its kind, or not bound")
               : 0;
}

int dns_redirect(struct netlink *rules, const char *table, int udp, int tcp, struct bh_error *error)
{
    struct sockaddr_in udp_at, tcp_at;
    if (read_bound(udp, SOCK_DGRAM, &udp_at, error) < 0 || read_bound(tcp, SOCK_STREAM, &tcp_at, error) < 0) {
        return -1;
    }
    bh_autofree char *buffer = calloc(1, BATCH_BYTES);
    if (!buffer) {
        return bh_error_errno(error, ENOMEM, "write a container's DNS rules");
    }
    struct batch batch = {.netlink = rules, .buffer = buffer, .first = ++rules->sequence};
    batch.used = nftnl_batch_begin(buffer, batch.first)->nlmsg_len;
    if (put_table(&batch, NFT_MSG_NEWTABLE, table) < 0 || put_table(&batch, NFT_MSG_DELTABLE, table) < 0 ||
        put_table(&batch, NFT_MSG_NEWTABLE, table) < 0 || put_chain(&batch, table) < 0 ||
        put_rules(&batch, table, IPPROTO_UDP, &udp_at) < 0 || put_rules(&batch, table, IPPROTO_TCP, &tcp_at) < 0) {
        return bh_error_errno(error, ENOMEM, "write a container's DNS rules");
    }
    batch.last->nlmsg_flags |= NLM_F_ACK;
    batch.used += nftnl_batch_end(buffer + batch.used, rules->sequence + 1)->nlmsg_len;
    int result = netlink_send_batch(rules, buffer, batch.used, batch.first, error);
    rules->sequence++;
    return result < 0 ? bh_error_wrap(error, "lead a container's DNS questions to its worker") : 0;
}
