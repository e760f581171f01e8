/* SPDX-License-Identifier: Apache-2.0
 *
 * See ingress.h. An end of the pair is told by its number: what goes into 0 comes out of 1.
 */
#include "ingress.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "link.h"
#include "rules.h"
#include "sysctl.h"
#include "tables.h"

#define LARGEST_MTU 65535

static const struct {
    struct ip far; /* where what is sent once more is sent to */
    const char *forwarding, *closed;
} families[FAMILIES] = {
    [IPV4] = {{{169, 254, 254, 2}, 4}, "ipv4/ip_forward", " closed4"},
    [IPV6] = {{{0xfe, 0x80, [13] = 0xbb, [15] = 0x02}, 16}, "ipv6/conf/all/forwarding", " closed6"},
};

static const struct ip near = {{169, 254, 254, 1}, 4}; /* so that IPv4 is spoken at its end */

static void end_name(const struct netd *netd, int end, char name[static IFNAMSIZ])
{
    (void)snprintf(name, IFNAMSIZ, "%si%d", netd->prefix, end);
}

/* ---- the pair ---------------------------------------------------------------------------------------------- */

static int make_pair(struct netd *netd, const char *names[static 2], struct bh_error *error)
{
    const struct veth_spec spec = {.name = names[0], .peer_name = names[1], .mtu = LARGEST_MTU, .peer_namespace = -1};
    if (link_make_veth(&netd->route, &spec, error) < 0) {
        return -1;
    }
    struct link ends[2];
    for (int end = 0; end < 2; end++) {
        if (link_find(&netd->route, names[end], &ends[end], error) < 0 ||
            link_stop_ipv6(&netd->route, ends[end].index, error) < 0) {
            return -1;
        }
    }
    return link_set_alias(&netd->route, ends[0].index, netd->table, error);
}

static int find_pair(struct netd *netd, struct link ends[static 2], struct bh_error *error)
{
    char names[2][IFNAMSIZ];
    end_name(netd, 0, names[0]);
    end_name(netd, 1, names[1]);
    if (link_find(&netd->route, names[0], &ends[0], error) < 0) {
        const char *both[2] = {names[0], names[1]};
        if (error->code != BH_NOT_FOUND || make_pair(netd, both, error) < 0 ||
            link_find(&netd->route, names[0], &ends[0], error) < 0) {
            return -1;
        }
    }
    if (strncmp(ends[0].alias, netd->table, strlen(netd->table)) != 0) {
        return bh_error_set(error, BH_ALREADY_EXISTS,
                            "link \"%s\" is somebody else's: choose another link_prefix for this engine", names[0]);
    }
    return link_find(&netd->route, names[1], &ends[1], error);
}

static int set_up_pair(struct netd *netd, enum family family, const struct link ends[static 2], struct bh_error *error)
{
    char name[64];
    (void)snprintf(name, sizeof(name), "ipv4/conf/%s/rp_filter", ends[1].name);
    /* What arrives on it has its source anywhere: it has been let in by the way it came first. */
    if (sysctl_ensure(name, 2, error) < 0) {
        return -1;
    }
    (void)snprintf(name, sizeof(name), "ipv6/conf/%s/accept_ra", ends[1].name);
    if (family == IPV6 && sysctl_ensure(name, 0, error) < 0) {
        return -1;
    }
    if (link_set_up(&netd->route, ends[0].index, error) < 0 || link_set_up(&netd->route, ends[1].index, error) < 0 ||
        (family == IPV4 && link_add_address(&netd->route, ends[1].index, &near, 32, error) < 0) ||
        link_add_route(&netd->route, ends[0].index, family, &families[family].far, NULL, error) < 0 ||
        link_add_neighbour(&netd->route, ends[0].index, &families[family].far, ends[1].mac, error) < 0) {
        return -1;
    }
    return 0;
}

/* ---- forwarding -------------------------------------------------------------------------------------------- */

/* A host that learns its own addresses from routers' advertisements goes on doing so when it forwards. */
static int keep_advertisements(struct bh_error *error)
{
    bh_autoclosedir DIR *folder = opendir("/proc/sys/net/ipv6/conf");
    for (const struct dirent *entry = folder ? readdir(folder) : NULL; entry; entry = readdir(folder)) {
        char name[IFNAMSIZ + 32];
        int value = 0;
        if (entry->d_name[0] == '.' || strlen(entry->d_name) >= IFNAMSIZ) {
            continue;
        }
        (void)snprintf(name, sizeof(name), "ipv6/conf/%.*s/accept_ra", IFNAMSIZ, entry->d_name);
        if (sysctl_read(name, &value, error) < 0 || (value == 1 && sysctl_write(name, 2, error) < 0)) {
            if (error->code != BH_NOT_FOUND) {
                return -1; /* and a link that went away meanwhile is none */
            }
        }
    }
    return 0;
}

/* The alias first: a netd that dies between the two closes what was open, and never opens what was closed. */
static int close_to_others(struct netd *netd, enum family family, const struct link *end, bool *ret_newly,
                           struct bh_error *error)
{
    int value = 0;
    bool closed = strstr(end->alias, families[family].closed) != NULL;
    if (sysctl_read(families[family].forwarding, &value, error) < 0) {
        return -1;
    }
    *ret_newly = value == 0 && !closed;
    if (*ret_newly) {
        char alias[LINK_ALIAS_SIZE];
        (void)snprintf(alias, sizeof(alias), "%s%s", end->alias, families[family].closed);
        if (link_set_alias(&netd->route, end->index, alias, error) < 0) {
            return -1;
        }
        bh_log_info("the host did not forward IPv%c: from now on it does, for its containers alone",
                    family == IPV4 ? '4' : '6');
    }
    if (*ret_newly || closed) {
        rules_close_forwarding(netd->rules, family);
    }
    return 0;
}

/* The rules are in force before the host forwards its first packet. */
static int make(struct netd *netd, enum family family, struct bh_error *error)
{
    struct link ends[2];
    bool newly = false, there = false;
    if (find_pair(netd, ends, error) < 0 || set_up_pair(netd, family, ends, error) < 0 ||
        close_to_others(netd, family, &ends[0], &newly, error) < 0 || rules_are_there(netd->rules, &there, error) < 0 ||
        ((newly || !there) && tables_replace(netd, error) < 0) || (family == IPV6 && keep_advertisements(error) < 0)) {
        return -1;
    }
    return sysctl_ensure(families[family].forwarding, 1, error);
}

int ingress_ensure(struct netd *netd, enum family family, struct bh_error *error)
{
    if (netd->ingress_made[family]) {
        return 0;
    }
    if (make(netd, family, error) < 0) {
        return bh_error_wrap(error, "prepare the host for IPv%c networks", family == IPV4 ? '4' : '6');
    }
    netd->ingress_made[family] = true;
    return 0;
}

int ingress_restore(struct netd *netd, struct bh_error *error)
{
    for (enum family family = IPV4; family < FAMILIES; family++) {
        bool made = netd->ingress_made[family];
        netd->ingress_made[family] = false;
        if (made && ingress_ensure(netd, family, error) < 0) {
            return -1;
        }
    }
    return 0;
}

int ingress_check(struct netd *netd, void (*tell)(const char *finding, void *argument), void *argument,
                  struct bh_error *error)
{
    for (enum family family = IPV4; family < FAMILIES; family++) {
        char name[IFNAMSIZ], finding[256];
        struct link link;
        int value = 0;
        if (!netd->ingress_made[family]) {
            continue;
        }
        if (sysctl_read(families[family].forwarding, &value, error) < 0) {
            return -1;
        }
        if (value == 0) {
            (void)snprintf(finding, sizeof(finding), "The host does not forward: net/%s is 0",
                           families[family].forwarding);
            tell(finding, argument);
        }
        for (int end = 0; end < 2; end++) {
            end_name(netd, end, name);
            if (link_find(&netd->route, name, &link, error) < 0) {
                if (error->code != BH_NOT_FOUND) {
                    return -1;
                }
                (void)snprintf(finding, sizeof(finding), "Link %s, on which published ports rest, is missing", name);
                tell(finding, argument);
            }
        }
    }
    return 0;
}
