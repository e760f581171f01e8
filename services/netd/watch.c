/* SPDX-License-Identifier: Apache-2.0
 *
 * See watch.h. Messages say only that something happened to a table of ours; what, is found by looking.
 */
#include "watch.h"

#include <errno.h>
#include <event2/event.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "common/log.h"
#include "rules.h"
#include "settle.h"

#define CALM_MS  10   /* a reload is many changes, and one look after them is enough */
#define PAUSE_MS 1000 /* between two repairs, so that nobody's quarrel with us becomes a busy loop */

static struct watch {
    struct netd *netd;
    struct netlink events;
    struct event *readable, *look;
    uint64_t repaired_at_ms;
} watch = {.events.fd = -1};

static void look_soon(void)
{
    uint64_t since_ms = bh_now_ms() - watch.repaired_at_ms;
    uint64_t wait_ms = since_ms < PAUSE_MS ? PAUSE_MS - since_ms : CALM_MS;
    const struct timeval wait = {.tv_sec = (time_t)(wait_ms / 1000), .tv_usec = (suseconds_t)(wait_ms % 1000) * 1000};
    if (!evtimer_pending(watch.look, NULL)) {
        (void)evtimer_add(watch.look, &wait);
    }
}

static void on_look(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    struct netd *netd = argument;
    struct bh_error error;
    bool whole = false;
    if (!netd->ingress_made[IPV4] && !netd->ingress_made[IPV6]) {
        return; /* nothing of ours is needed */
    }
    if ((rules_are_whole(netd->rules, &whole, &error) < 0 && error.sys_errno != ENOENT) || whole) {
        return;
    }
    watch.repaired_at_ms = bh_now_ms();
    if (settle_restore(netd, &error) < 0) {
        bh_log_failure(BH_LOG_ERROR, &error, "put the tables back that somebody has changed");
        look_soon();
    } else {
        bh_log_warning("somebody has changed the tables \"%s\"; they were put back", netd->table);
    }
}

/* Elements come and go with every container: only what is under them is looked at. */
static bool concerns_us(const struct nlmsghdr *header, const char *table)
{
    static const uint16_t kinds[] = {NFT_MSG_DELTABLE, NFT_MSG_DELCHAIN, NFT_MSG_NEWRULE,
                                     NFT_MSG_DELRULE,  NFT_MSG_DELSET,   NFT_MSG_NEWTABLE};
    bool kind = false;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        kind = kind || header->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | kinds[i]);
    }
    if (!kind || header->nlmsg_len < mnl_nlmsg_size(sizeof(struct nfgenmsg))) {
        return false;
    }
    const struct nlattr *attribute;
    netlink_each(attribute, header, sizeof(struct nfgenmsg))
    {
        /* NFTA_TABLE_NAME, NFTA_CHAIN_TABLE, NFTA_RULE_TABLE, NFTA_SET_TABLE: all the first attribute there is */
        if (mnl_attr_get_type(attribute) == NFTA_TABLE_NAME && mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) >= 0 &&
            strcmp(mnl_attr_get_str(attribute), table) == 0) {
            return true;
        }
    }
    return false;
}

static void on_events(evutil_socket_t fd, short what, void *argument)
{
    (void)what;
    const struct netd *netd = argument;
    static char buffer[64 * 1024];
    for (;;) {
        ssize_t n = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);
        if (n < 0 && errno == ENOBUFS) {
            look_soon(); /* what was missed may have been ours */
            continue;
        }
        if (n <= 0) {
            return;
        }
        int left = (int)n;
        for (const struct nlmsghdr *header = (const void *)buffer; mnl_nlmsg_ok(header, left);
             header = mnl_nlmsg_next(header, &left)) {
            if (concerns_us(header, netd->table)) {
                look_soon();
            }
        }
    }
}

int watch_start(struct netd *netd, struct bh_error *error)
{
    const int group = NFNLGRP_NFTABLES;
    watch.netd = netd;
    if (netlink_open(NETLINK_NETFILTER, &watch.events, error) < 0) {
        return -1;
    }
    if (setsockopt(watch.events.fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0) {
        return bh_error_errno(error, errno, "listen for changes of the tables");
    }
    watch.look = evtimer_new(netd->context->base, on_look, netd);
    watch.readable = event_new(netd->context->base, watch.events.fd, EV_READ | EV_PERSIST, on_events, netd);
    if (!watch.look || !watch.readable || event_add(watch.readable, NULL) < 0) {
        return bh_error_errno(error, ENOMEM, "listen for changes of the tables");
    }
    return 0;
}

void watch_stop(struct netd *netd)
{
    (void)netd;
    if (watch.readable) {
        event_free(watch.readable);
        watch.readable = NULL;
    }
    if (watch.look) {
        event_free(watch.look);
        watch.look = NULL;
    }
    netlink_close(&watch.events);
}
