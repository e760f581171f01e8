/* SPDX-License-Identifier: Apache-2.0
 *
 * See containers.h. Looks at what is asked for and at the descriptors; the work is in change.c.
 */
#include "containers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "change.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "endpoint_link.h"
#include "found.h"
#include "plan.h"
#include "tables.h"

/* ---- linking ----------------------------------------------------------------------------------------------- */

/* A container's descriptors for as long as it is being linked. */
struct inside_scope {
    struct netd *netd;
    struct inside inside;
};

static void close_inside(struct inside_scope *scope)
{
    bh_close(&scope->inside.namespace);
    netlink_close(&scope->inside.route);
    closer_close(&scope->netd->closer, &scope->inside.rules.fd);
}

/* The descriptors are of a container's namespace, and not of the host's, where the same requests would do harm. */
static int open_inside(const struct netd *netd, int fds[static LINK_FDS_MIN], struct inside *ret_inside,
                       struct bh_error *error)
{
    struct stat status;
    uint64_t host, route, rules;
    ret_inside->namespace = bh_steal_fd(&fds[0]);
    if (netlink_adopt(bh_steal_fd(&fds[1]), NETLINK_ROUTE, &ret_inside->route, error) < 0 ||
        netlink_adopt(bh_steal_fd(&fds[2]), NETLINK_NETFILTER, &ret_inside->rules, error) < 0 ||
        netlink_namespace(&netd->route, &host, error) < 0 || netlink_namespace(&ret_inside->route, &route, error) < 0 ||
        netlink_namespace(&ret_inside->rules, &rules, error) < 0) {
        return -1;
    }
    if (fstat(ret_inside->namespace, &status) < 0) {
        return bh_error_errno(error, errno, "look at a container's namespace");
    }
    return (status.st_dev == netd->host_device && status.st_ino == netd->host_inode) || route == host || route != rules
               ? bh_error_set(error, BH_INVALID_ARGUMENT, "the descriptors are not of one container's network")
               : 0;
}

static int find_container(struct netd *netd, const Bulkhead__ContainerId *message, struct container **ret_container,
                          const uint8_t **ret_id, struct bh_error *error)
{
    if (!message) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "no container is named");
    }
    if (spec_read_id(&message->id, "a container", ret_id, error) < 0) {
        return -1;
    }
    *ret_container = netd_find_container(netd, *ret_id);
    return *ret_container && (*ret_container)->tenant_uid != message->tenant_uid
               ? bh_error_set(error, BH_PERMISSION_DENIED, "the container is not of tenant %u", message->tenant_uid)
               : 0;
}

static int link_one(struct netd *netd, struct container *container, bool is_new, const Bulkhead__Attachment *attachment,
                    int fds[static LINK_FDS_MAX], struct bh_error *error)
{
    bh_autoplan struct plan plan = {0};
    bh_cleanup(close_inside) struct inside_scope scope = {.netd = netd,
                                                          .inside = {.namespace = -1, .route.fd = -1, .rules.fd = -1}};
    if (plan_read(netd, is_new ? NULL : container, container->tenant_uid, attachment, &plan, error) < 0 ||
        open_inside(netd, fds, &scope.inside, error) < 0) {
        return -1;
    }
    struct change change = {.netd = netd,
                            .container = container,
                            .plan = &plan,
                            .inside = &scope.inside,
                            .attachment = attachment,
                            .dns = attachment->embedded_dns && !container->has_dns ? &fds[LINK_FDS_MIN] : NULL};
    return change_apply(&change, error);
}

int containers_link(struct netd *netd, const Bulkhead__LinkContainer *message, int fds[static LINK_FDS_MAX],
                    size_t n_fds, const struct container **ret_container, struct bh_error *error)
{
    struct container *container = NULL;
    const uint8_t *id = NULL;
    int result = find_container(netd, message->container, &container, &id, error);
    bool is_new = !container;
    if (result == 0 &&
        (!message->attachment || n_fds != (message->attachment->embedded_dns ? LINK_FDS_MAX : LINK_FDS_MIN))) {
        result = bh_error_set(error, BH_INVALID_ARGUMENT, "%zu descriptors do not fit what is to be linked", n_fds);
    }
    if (result == 0 && is_new) {
        container = calloc(1, sizeof(*container));
        result = container ? 0 : bh_error_errno(error, ENOMEM, "keep a container");
    }
    if (result == 0 && is_new) {
        memcpy(container->id, id, sizeof(container->id));
        container->tenant_uid = message->container->tenant_uid;
    }
    if (result == 0) {
        result = link_one(netd, container, is_new, message->attachment, fds, error);
    }
    if (result == 0 && is_new) {
        LIST_INSERT_HEAD(&netd->containers, container, next);
    } else if (result < 0 && is_new && container) {
        dns_forget(&netd->dns, container->tenant_uid, container->id);
        free(container);
        container = NULL;
    }
    for (size_t i = 0; i < LINK_FDS_MAX; i++) {
        bh_close(&fds[i]);
    }
    *ret_container = container;
    return result;
}

/* ---- disconnecting --------------------------------------------------------------------------------------------- */

/* What the container is asked to have without those endpoints. Borrows everything. */
static int without(const Bulkhead__Attachment *attachment, const Bulkhead__DisconnectContainer *message,
                   Bulkhead__Attachment *ret_attachment, struct bh_error *error)
{
    *ret_attachment = *attachment;
    ret_attachment->endpoints = calloc(attachment->n_endpoints + 1, sizeof(Bulkhead__Endpoint *));
    ret_attachment->n_endpoints = 0;
    if (!ret_attachment->endpoints) {
        return bh_error_errno(error, ENOMEM, "take a container's links away");
    }
    for (size_t i = 0; i < attachment->n_endpoints; i++) {
        Bulkhead__Endpoint *endpoint = attachment->endpoints[i];
        if (!plan_is_among(endpoint->id.data, message->endpoints, message->n_endpoints)) {
            ret_attachment->endpoints[ret_attachment->n_endpoints++] = endpoint;
        }
    }
    return 0;
}

static int disconnect_some(struct netd *netd, struct container *container, const Bulkhead__DisconnectContainer *message,
                           struct bh_error *error)
{
    bh_autoplan struct plan plan = {0};
    Bulkhead__Attachment attachment;
    if (plan_without(container, message->endpoints, message->n_endpoints, &plan, error) < 0 ||
        without(container->attachment, message, &attachment, error) < 0) {
        return -1;
    }
    const struct change change = {.netd = netd, .container = container, .plan = &plan, .attachment = &attachment};
    int result = change_apply(&change, error);
    free(attachment.endpoints);
    return result;
}

/* The container has ended, or never began: its links go with its namespace, as soon as nobody holds that any more. */
static int disconnect_all(struct netd *netd, struct container *container, struct bh_error *error)
{
    static const struct elements nothing;
    bh_autoelements struct elements elements = {0};
    const struct endpoint *endpoint;
    LIST_FOREACH(endpoint, &container->endpoints, of_container)
    {
        elements_of_endpoint(endpoint, &elements);
    }
    for (size_t i = 0; i < container->n_ports; i++) {
        elements_of_port(&container->ports[i], &elements);
    }
    if (tables_change(netd, &elements, &nothing, error) < 0) {
        return -1;
    }
    dns_forget(&netd->dns, container->tenant_uid, container->id);
    netd_free_container(container);
    return 0;
}

/* Links of an earlier life, of which nothing was told since. */
static int remove_found(struct netd *netd, const Bulkhead__DisconnectContainer *message, struct bh_error *error)
{
    for (size_t i = 0; i < message->n_endpoints; i++) {
        if (message->endpoints[i].len == NETD_ID_BYTES &&
            found_remove_endpoint(netd, message->endpoints[i].data, message->container->tenant_uid, error) < 0) {
            return -1;
        }
    }
    return 0;
}

int containers_disconnect(struct netd *netd, const Bulkhead__DisconnectContainer *message, struct bh_error *error)
{
    struct container *container = NULL;
    const uint8_t *id = NULL;
    if (find_container(netd, message->container, &container, &id, error) < 0) {
        return -1;
    }
    if (!container) {
        return remove_found(netd, message, error);
    }
    return message->n_endpoints ? disconnect_some(netd, container, message, error)
                                : disconnect_all(netd, container, error);
}
