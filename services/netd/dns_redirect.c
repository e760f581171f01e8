/* SPDX-License-Identifier: Apache-2.0
 *
 * See dns_redirect.h.
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
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter_ipv4.h>
#include <stddef.h>
#include <linux/ip.h>
#include <linux/udp.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "common/cleanup.h"

#define CHAIN       "dns"
#define BATCH_BYTES 8192 /* seven messages of a few hundred bytes */
#define DNS_PORT    53
#define LOADED      NFT_REG_1 /* where a packet's field is compared */
#define PORT_LOADED NFT_REG_2

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
    (void)nftnl_chain_set_str(chain, NFTNL_CHAIN_TYPE, "nat");
    nftnl_chain_set_u32(chain, NFTNL_CHAIN_HOOKNUM, NF_INET_LOCAL_OUT);
    nftnl_chain_set_s32(chain, NFTNL_CHAIN_PRIO, NF_IP_PRI_NAT_DST);
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

static void add_value(struct nftnl_rule *rule, uint32_t target, const void *value, uint32_t n_value, bool *failed)
{
    struct nftnl_expr *load = add(rule, "immediate", failed);
    if (load) {
        nftnl_expr_set_u32(load, NFTNL_EXPR_IMM_DREG, target);
        (void)nftnl_expr_set(load, NFTNL_EXPR_IMM_DATA, value, n_value);
    }
}

static void add_translation(struct nftnl_rule *rule, const struct sockaddr_in *to, bool *failed)
{
    add_value(rule, LOADED, &to->sin_addr, sizeof(to->sin_addr), failed);
    add_value(rule, PORT_LOADED, &to->sin_port, sizeof(to->sin_port), failed);
    struct nftnl_expr *translate = add(rule, "nat", failed);
    if (translate) {
        nftnl_expr_set_u32(translate, NFTNL_EXPR_NAT_TYPE, NFT_NAT_DNAT);
        nftnl_expr_set_u32(translate, NFTNL_EXPR_NAT_FAMILY, NFPROTO_IPV4);
        nftnl_expr_set_u32(translate, NFTNL_EXPR_NAT_REG_ADDR_MIN, LOADED);
        nftnl_expr_set_u32(translate, NFTNL_EXPR_NAT_REG_PROTO_MIN, PORT_LOADED);
    }
}

/* ip daddr 127.0.0.11 <protocol> dport 53 dnat to <where the socket is bound> */
static int put_rule(struct batch *batch, const char *table, uint8_t protocol, const struct sockaddr_in *to)
{
    static const uint8_t address[4] = {127, 0, 0, 11};
    const uint16_t port = htons(DNS_PORT);
    bool failed = false;
    struct nftnl_rule *rule = nftnl_rule_alloc();
    if (!rule) {
        return -1;
    }
    (void)nftnl_rule_set_str(rule, NFTNL_RULE_TABLE, table);
    (void)nftnl_rule_set_str(rule, NFTNL_RULE_CHAIN, CHAIN);
    add_field(rule, NFT_PAYLOAD_NETWORK_HEADER, offsetof(struct iphdr, daddr), address, sizeof(address), &failed);
    add_protocol(rule, protocol, &failed);
    add_field(rule, NFT_PAYLOAD_TRANSPORT_HEADER, offsetof(struct udphdr, dest), &port, sizeof(port), &failed);
    add_translation(rule, to, &failed);
    if (!failed) {
        nftnl_rule_nlmsg_build_payload(begin(batch, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND), rule);
        end(batch);
    }
    nftnl_rule_free(rule);
    return failed ? -1 : 0;
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
        put_rule(&batch, table, IPPROTO_UDP, &udp_at) < 0 || put_rule(&batch, table, IPPROTO_TCP, &tcp_at) < 0) {
        return bh_error_errno(error, ENOMEM, "write a container's DNS rules");
    }
    batch.last->nlmsg_flags |= NLM_F_ACK;
    batch.used += nftnl_batch_end(buffer + batch.used, rules->sequence + 1)->nlmsg_len;
    int result = netlink_send_batch(rules, buffer, batch.used, batch.first, error);
    rules->sequence++;
    return result < 0 ? bh_error_wrap(error, "lead a container's DNS questions to its worker") : 0;
}
