/* SPDX-License-Identifier: Apache-2.0
 *
 * See conntrack.h. The kernel looks for them where it can (since 5.8), and what it tells is looked at once more.
 */
#include <netinet/in.h> /* before the kernel's own */

#include "conntrack.h"

#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

/* Bits of CTA_FILTER_ORIG_FLAGS. */
#define FILTER_PROTOCOL 8U
#define FILTER_PORT     32U

#define TUPLE_BYTES_MAX 128 /* what describes one direction of a connection */

/* A port, and the connections to it. */
struct search {
    const struct element *port;
    uint16_t number; /* in network order */
    size_t n, room;
    char (*tuples)[TUPLE_BYTES_MAX]; /* attributes CTA_TUPLE_ORIG */
};

static const uint8_t *protocol_of(const struct element *port)
{
    return port->key + (port->set == SET_PORTS ? (port->table == TABLE_IP ? 4 : 16) : 0);
}

/* Does this direction lead to the port? */
static bool leads_there(const struct search *search, const struct nlattr *tuple)
{
    const struct nlattr *part, *field;
    bool protocol = false, port = false, address = search->port->set == SET_PORTS_ANY;
    netlink_each_nested(part, tuple)
    {
        netlink_each_nested(field, part)
        {
            uint16_t type = mnl_attr_get_type(field);
            const void *value = mnl_attr_get_payload(field);
            size_t n_bytes = mnl_attr_get_payload_len(field);
            if (mnl_attr_get_type(part) == CTA_TUPLE_PROTO) {
                protocol = protocol || (type == CTA_PROTO_NUM && mnl_attr_get_u8(field) == IPPROTO_UDP);
                port =
                    port || (type == CTA_PROTO_DST_PORT && memcmp(value, &search->number, sizeof(search->number)) == 0);
            } else if (mnl_attr_get_type(part) == CTA_TUPLE_IP && (type == CTA_IP_V4_DST || type == CTA_IP_V6_DST)) {
                address = address || memcmp(value, search->port->key, n_bytes < 16 ? n_bytes : 16) == 0;
            }
        }
    }
    return protocol && port && address;
}

static int take_connection(const struct nlmsghdr *header, void *argument)
{
    struct search *search = argument;
    const struct nlattr *attribute;
    netlink_each(attribute, header, sizeof(struct nfgenmsg))
    {
        if (mnl_attr_get_type(attribute) != CTA_TUPLE_ORIG || attribute->nla_len > TUPLE_BYTES_MAX ||
            !leads_there(search, attribute)) {
            continue;
        }
        if (search->n == search->room) {
            size_t room = search->room ? 2 * search->room : 16;
            char(*tuples)[TUPLE_BYTES_MAX] = reallocarray(search->tuples, room, sizeof(*tuples));
            if (!tuples) {
                return -1;
            }
            search->tuples = tuples;
            search->room = room;
        }
        memcpy(search->tuples[search->n++], attribute, attribute->nla_len);
    }
    return 0;
}

static struct nlmsghdr *begin(struct netlink_request *request, const struct element *port, uint16_t type,
                              uint16_t flags)
{
    struct nlmsghdr *header = netlink_begin(request, (uint16_t)(NFNL_SUBSYS_CTNETLINK << 8 | type), flags);
    struct nfgenmsg *body = mnl_nlmsg_put_extra_header(header, sizeof(*body));
    body->nfgen_family = port->table == TABLE_IP ? AF_INET : AF_INET6;
    body->version = NFNETLINK_V0;
    return header;
}

static int find(struct netlink *netfilter, struct search *search, struct bh_error *error)
{
    struct netlink_request request;
    struct nlmsghdr *header = begin(&request, search->port, IPCTNL_MSG_CT_GET, NLM_F_DUMP);
    struct nlattr *tuple = mnl_attr_nest_start(header, CTA_TUPLE_ORIG);
    struct nlattr *protocol = mnl_attr_nest_start(header, CTA_TUPLE_PROTO);
    mnl_attr_put_u8(header, CTA_PROTO_NUM, IPPROTO_UDP);
    mnl_attr_put_u16(header, CTA_PROTO_DST_PORT, search->number);
    mnl_attr_nest_end(header, protocol);
    mnl_attr_nest_end(header, tuple);
    struct nlattr *filter = mnl_attr_nest_start(header, CTA_FILTER);
    mnl_attr_put_u32(header, CTA_FILTER_ORIG_FLAGS, FILTER_PROTOCOL | FILTER_PORT);
    mnl_attr_put_u32(header, CTA_FILTER_REPLY_FLAGS, 0);
    mnl_attr_nest_end(header, filter);
    return netlink_ask(netfilter, header, take_connection, search, error, "look for connections to port %u",
                       ntohs(search->number));
}

static int forget_port(struct netlink *netfilter, const struct element *port, struct bh_error *error)
{
    struct search search = {.port = port};
    memcpy(&search.number, protocol_of(port) + 4, sizeof(search.number));
    int result = find(netfilter, &search, error);
    for (size_t i = 0; i < search.n && result == 0; i++) {
        struct netlink_request request;
        struct nlmsghdr *header = begin(&request, port, IPCTNL_MSG_CT_DELETE, 0);
        const struct nlattr *tuple = (const void *)search.tuples[i];
        mnl_attr_put(header, CTA_TUPLE_ORIG | NLA_F_NESTED, mnl_attr_get_payload_len(tuple),
                     mnl_attr_get_payload(tuple));
        if (netlink_do(netfilter, header, error, "forget a connection to port %u", ntohs(search.number)) < 0 &&
            error->sys_errno != ENOENT) {
            result = -1;
        }
    }
    free(search.tuples);
    return result;
}

int conntrack_forget(struct netlink *netfilter, const struct elements *elements, struct bh_error *error)
{
    for (size_t i = 0; i < elements->n; i++) {
        const struct element *element = &elements->list[i];
        if (element->n_data && *protocol_of(element) == IPPROTO_UDP && forget_port(netfilter, element, error) < 0) {
            return -1;
        }
    }
    return 0;
}
