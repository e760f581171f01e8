/* SPDX-License-Identifier: Apache-2.0
 *
 * See settle.h.
 */
#include "settle.h"

#include <stdlib.h>

#include "common/cleanup.h"
#include "common/fields.h"
#include "found.h"
#include "ingress.h"
#include "link.h"
#include "networks.h"
#include "rules.h"
#include "tables.h"

/* ---- checking ---------------------------------------------------------------------------------------------- */

struct findings {
    char **list;
    size_t n;
    bool failed;
};

static void tell(const char *finding, void *argument)
{
    struct findings *findings = argument;
    struct bh_error error;
    findings->failed = strings_append(&findings->list, &findings->n, finding, &error) < 0 || findings->failed;
}

void settle_free_findings(char **findings, size_t n_findings)
{
    for (size_t i = 0; i < n_findings; i++) {
        free(findings[i]);
    }
    free(findings);
}

static bool is_made(const struct netd *netd)
{
    return netd->ingress_made[IPV4] || netd->ingress_made[IPV6];
}

/* A container that has ended has lost its links before the engine says so: those are not missed. */
static int check_ports(struct netd *netd, const struct network *network, struct findings *findings,
                       struct bh_error *error)
{
    const struct endpoint *endpoint;
    LIST_FOREACH(endpoint, &network->endpoints, of_network)
    {
        struct link link;
        char text[NETD_NAME_BYTES + 64];
        if (link_find_index(&netd->route, endpoint->index, &link, error) < 0) {
            if (error->code != BH_NOT_FOUND) {
                return -1;
            }
        } else if (link.master != network->index) {
            (void)snprintf(text, sizeof(text), "Link %s is no port of network \"%s\"", endpoint->link, network->name);
            tell(text, findings);
        }
    }
    return 0;
}

static int check_bridges(struct netd *netd, struct findings *findings, struct bh_error *error)
{
    const struct network *network;
    LIST_FOREACH(network, &netd->networks, next)
    {
        struct link link;
        char text[NETD_NAME_BYTES + 64];
        if (!*network->link) {
            continue;
        }
        if (link_find(&netd->route, network->link, &link, error) < 0) {
            if (error->code != BH_NOT_FOUND) {
                return -1;
            }
            (void)snprintf(text, sizeof(text), "Link %s of network \"%s\" is missing", network->link, network->name);
            tell(text, findings);
        } else if (check_ports(netd, network, findings, error) < 0) {
            return -1;
        }
    }
    return 0;
}

int settle_check(struct netd *netd, char ***ret_findings, size_t *ret_n_findings, struct bh_error *error)
{
    struct findings findings = {0};
    bh_autoelements struct elements wanted = {0};
    elements_of_everything(netd, &wanted);
    if (is_made(netd) &&
        (ingress_check(netd, tell, &findings, error) < 0 || check_bridges(netd, &findings, error) < 0 ||
         rules_check(netd->rules, &wanted, tell, &findings, error) < 0)) {
        settle_free_findings(findings.list, findings.n);
        return -1;
    }
    *ret_findings = findings.list;
    *ret_n_findings = findings.n;
    return findings.failed ? bh_error_set(error, BH_RESOURCE_EXHAUSTED, "no memory for what was found") : 0;
}

/* ---- settling ---------------------------------------------------------------------------------------------- */

int settle_restore(struct netd *netd, struct bh_error *error)
{
    return !is_made(netd)                                                          ? 0
           : ingress_restore(netd, error) < 0 || networks_restore(netd, error) < 0 ? -1
                                                                                   : tables_replace(netd, error);
}

int settle(struct netd *netd, struct bh_error *error)
{
    if (found_remove_rest(netd, error) < 0) {
        return -1;
    }
    found_free(netd);
    return settle_restore(netd, error);
}
