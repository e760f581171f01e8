/* SPDX-License-Identifier: Apache-2.0
 *
 * Asking the kernel over netlink, one request after another. The answer has always come when send(2) returns, so
 * nothing here waits: on a socket that lies inside a container, whoever has its root may send, too, and is not listened
 * to.
 */
#pragma once

#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

struct netlink {
    int fd;
    uint32_t sequence;
};

/* A request of at most this many bytes. */
#define NETLINK_REQUEST_BYTES 2048
struct netlink_request {
    _Alignas(struct nlmsghdr) char bytes[NETLINK_REQUEST_BYTES];
};

/* Opens a socket of NETLINK_ROUTE or NETLINK_NETFILTER in the network namespace we are in. */
int netlink_open(int protocol, struct netlink *ret_netlink, struct bh_error *error);
/* Takes over a socket that was opened elsewhere, once it is seen to be one of this protocol; owns it in any case. */
int netlink_adopt(int fd, int protocol, struct netlink *ret_netlink, struct bh_error *error);
void netlink_close(struct netlink *netlink);
/* A number that sockets of one network namespace have in common. */
int netlink_namespace(const struct netlink *netlink, uint64_t *ret_cookie, struct bh_error *error);

/* Begins a request in `request`; the caller adds its family's header and attributes with libmnl. */
struct nlmsghdr *netlink_begin(struct netlink_request *request, uint16_t type, uint16_t flags);

/* Sends it and reads whether it was done. The error's sys_errno is the kernel's; its text is the kernel's, too, if it
 * gave one. `what` names the attempt. */
int netlink_do(struct netlink *netlink, struct nlmsghdr *header, struct bh_error *error, const char *what, ...)
    __attribute__((format(printf, 4, 5)));

/* The same for a request that is answered: `take` is called with each message; a negative return ends it. */
typedef int (*netlink_take)(const struct nlmsghdr *header, void *argument);
int netlink_ask(struct netlink *netlink, struct nlmsghdr *header, netlink_take take, void *argument,
                struct bh_error *error, const char *what, ...) __attribute__((format(printf, 6, 7)));

/* Goes through the attributes behind a header of `offset` bytes, or within one (libmnl's own macros lose bits on the
 * way). */
#define netlink_each(attribute, header, offset)                                                                        \
    for ((attribute) = mnl_nlmsg_get_payload_offset((header), (offset));                                               \
         mnl_attr_ok((attribute), (int)((char *)mnl_nlmsg_get_payload_tail(header) - (const char *)(attribute)));      \
         (attribute) = mnl_attr_next(attribute))
#define netlink_each_nested(attribute, nest)                                                                           \
    for ((attribute) = mnl_attr_get_payload(nest);                                                                     \
         mnl_attr_ok((attribute), (int)((const char *)mnl_attr_get_payload(nest) + mnl_attr_get_payload_len(nest) -    \
                                        (const char *)(attribute)));                                                   \
         (attribute) = mnl_attr_next(attribute))

/* Sends a batch of netfilter messages, numbered from `first` on to netlink->sequence, the last of which asks for an
 * acknowledgement. The first refusal is the error. */
int netlink_send_batch(struct netlink *netlink, const void *bytes, size_t n_bytes, uint32_t first,
                       struct bh_error *error);
