/* SPDX-License-Identifier: Apache-2.0
 *
 * See found.h. Aliases: "<table> <tenant uid> <network id>" of a bridge, "<table> <tenant uid> endpoint <endpoint id>"
 * of a link to a container.
 */
#include "found.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "link.h"
#include "networks.h"
#include "spec.h"

#define TRIES 5 /* of a listing that changes while it is read */

struct found_link {
    LIST_ENTRY(found_link) next;
    bool is_network;
    uint8_t id[NETD_ID_BYTES];
    uint32_t tenant_uid, index, master;
    char name[IFNAMSIZ];
};

struct found_links {
    const struct netd *netd;
    bool failed;
    LIST_HEAD(, found_link) list;
};

/* ---- reading ----------------------------------------------------------------------------------------------- */

static bool read_hex(const char *text, uint8_t id[static NETD_ID_BYTES])
{
    if (strlen(text) != 2 * NETD_ID_BYTES || strspn(text, "0123456789abcdef") != 2 * NETD_ID_BYTES) {
        return false;
    }
    for (size_t i = 0; i < NETD_ID_BYTES; i++) {
        (void)sscanf(text + 2 * i, "%2" SCNx8, &id[i]);
    }
    return true;
}

static bool read_alias(const char *table, const char *alias, struct found_link *ret_link)
{
    size_t length = strlen(table);
    int used = 0;
    if (strncmp(alias, table, length) != 0 || alias[length] != ' ' ||
        sscanf(alias + length, " %" SCNu32 " %n", &ret_link->tenant_uid, &used) != 1 || used == 0) {
        return false;
    }
    const char *rest = alias + length + (size_t)used;
    static const char endpoint[] = "endpoint ";
    ret_link->is_network = strncmp(rest, endpoint, sizeof(endpoint) - 1) != 0;
    return read_hex(ret_link->is_network ? rest : rest + sizeof(endpoint) - 1, ret_link->id);
}

static void see_link(const struct link *link, void *argument)
{
    struct found_links *found = argument;
    struct found_link one = {.index = link->index, .master = link->master};
    if (!read_alias(found->netd->table, link->alias, &one) ||
        strcmp(link->kind, one.is_network ? "bridge" : "veth") != 0) {
        return;
    }
    memcpy(one.name, link->name, sizeof(one.name));
    struct found_link *copy = malloc(sizeof(*copy));
    if (!copy) {
        found->failed = true;
        return;
    }
    *copy = one;
    LIST_INSERT_HEAD(&found->list, copy, next);
}

static void clear(struct found_links *found)
{
    while (!LIST_EMPTY(&found->list)) {
        struct found_link *link = LIST_FIRST(&found->list);
        LIST_REMOVE(link, next);
        free(link);
    }
}

int found_read(struct netd *netd, struct bh_error *error)
{
    netd->found = calloc(1, sizeof(*netd->found));
    if (!netd->found) {
        return bh_error_errno(error, ENOMEM, "list the links of an earlier life");
    }
    netd->found->netd = netd;
    for (int try = 0; try < TRIES; try++) {
        clear(netd->found);
        if (link_list(&netd->route, see_link, netd->found, error) == 0) {
            return netd->found->failed ? bh_error_errno(error, ENOMEM, "list the links of an earlier life") : 0;
        }
        if (error->sys_errno != EINTR) {
            return -1;
        }
    }
    return -1;
}

void found_free(struct netd *netd)
{
    if (netd->found) {
        clear(netd->found);
        free(netd->found);
        netd->found = NULL;
    }
}

/* ---- using ------------------------------------------------------------------------------------------------- */

static struct found_link *find(const struct netd *netd, bool is_network, const uint8_t id[static NETD_ID_BYTES])
{
    struct found_link *link = netd->found ? LIST_FIRST(&netd->found->list) : NULL;
    while (link && (link->is_network != is_network || memcmp(link->id, id, NETD_ID_BYTES) != 0)) {
        link = LIST_NEXT(link, next);
    }
    return link;
}

static void forget(struct found_link *link)
{
    if (link) {
        LIST_REMOVE(link, next);
        free(link);
    }
}

void found_each_network(const struct netd *netd,
                        void (*tell)(const uint8_t id[static NETD_ID_BYTES], uint32_t tenant_uid, void *argument),
                        void *argument)
{
    const struct found_link *link = netd->found ? LIST_FIRST(&netd->found->list) : NULL;
    for (; link; link = LIST_NEXT(link, next)) {
        if (link->is_network) {
            tell(link->id, link->tenant_uid, argument);
        }
    }
}

void found_forget_network(struct netd *netd, const uint8_t id[static NETD_ID_BYTES])
{
    forget(find(netd, true, id));
}

int found_drop_network(struct netd *netd, const uint8_t id[static NETD_ID_BYTES], uint32_t tenant_uid,
                       struct bh_error *error)
{
    struct found_link *link = find(netd, true, id);
    if (!link) {
        return 0;
    }
    if (link->tenant_uid != tenant_uid) {
        return bh_error_set(error, BH_PERMISSION_DENIED, "the network of link \"%s\" is not of tenant %u", link->name,
                            tenant_uid);
    }
    if (networks_remove_bridge(netd, link->index, error) < 0) {
        return -1;
    }
    forget(link);
    return 0;
}

bool found_take_endpoint(struct netd *netd, const uint8_t id[static NETD_ID_BYTES], uint32_t bridge,
                         char ret_link[static IFNAMSIZ], uint32_t *ret_index)
{
    struct found_link *link = find(netd, false, id);
    if (!link || link->master != bridge) {
        return false;
    }
    memcpy(ret_link, link->name, IFNAMSIZ);
    *ret_index = link->index;
    forget(link);
    return true;
}

int found_remove_endpoint(struct netd *netd, const uint8_t id[static NETD_ID_BYTES], uint32_t tenant_uid,
                          struct bh_error *error)
{
    struct found_link *link = find(netd, false, id);
    if (!link || link->tenant_uid != tenant_uid) {
        return 0;
    }
    if (link_remove(&netd->route, link->index, error) < 0) {
        return -1;
    }
    forget(link);
    return 0;
}

int found_remove_rest(struct netd *netd, struct bh_error *error)
{
    while (netd->found && !LIST_EMPTY(&netd->found->list)) {
        struct found_link *link = LIST_FIRST(&netd->found->list);
        int result = link->is_network ? networks_remove_bridge(netd, link->index, error)
                                      : link_remove(&netd->route, link->index, error);
        if (result < 0) {
            return bh_error_wrap(error, "remove link \"%s\", which nobody has asked for", link->name);
        }
        forget(link);
    }
    return 0;
}

void found_write_alias(const struct netd *netd, const struct endpoint *endpoint, uint32_t tenant_uid, char *alias,
                       size_t alias_bytes)
{
    char id[SPEC_ID_TEXT_SIZE];
    (void)snprintf(alias, alias_bytes, "%s %u endpoint %s", netd->table, tenant_uid,
                   spec_id_text(endpoint->id, NETD_ID_BYTES, id));
}
