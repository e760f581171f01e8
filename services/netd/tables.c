/* SPDX-License-Identifier: Apache-2.0
 *
 * See tables.h.
 */
#include "tables.h"

#include <string.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "conntrack.h"
#include "rules.h"

static bool has_key(const struct elements *elements, const struct element *wanted)
{
    for (size_t i = 0; i < elements->n; i++) {
        if (element_same_key(&elements->list[i], wanted)) {
            return true;
        }
    }
    return false;
}

/* Until everything was told again, what an earlier life put there stays. */
static void add_left_over(struct netd *netd, struct elements *elements)
{
    struct bh_error error;
    for (enum table table = 0; table < TABLES; table++) {
        for (enum set set = 0; set < SETS; set++) {
            bh_autoelements struct elements there = {0};
            if (!set_is_in(set, table) || rules_read_set(netd->rules, table, set, &there, &error) < 0) {
                continue; /* nothing is left where nothing is */
            }
            for (size_t i = 0; i < there.n; i++) {
                if (!has_key(elements, &there.list[i])) {
                    elements_append(elements, &there.list[i]);
                }
            }
        }
    }
}

/* All that netd knows, but for `remove`, and with `add`. */
static int replace(struct netd *netd, const struct elements *remove, const struct elements *add, struct bh_error *error)
{
    bh_autoelements struct elements known = {0}, wanted = {0};
    elements_of_everything(netd, &known);
    if (netd->found) {
        add_left_over(netd, &known);
    }
    for (size_t i = 0; i < known.n; i++) {
        if (!has_key(remove, &known.list[i]) && !has_key(add, &known.list[i])) {
            elements_append(&wanted, &known.list[i]);
        }
    }
    for (size_t i = 0; i < add->n; i++) {
        elements_append(&wanted, &add->list[i]);
    }
    wanted.failed = wanted.failed || known.failed;
    return rules_replace(netd->rules, &wanted, error);
}

int tables_replace(struct netd *netd, struct bh_error *error)
{
    static const struct elements none = {0};
    return replace(netd, &none, &none, error);
}

/* Ports that were published in an earlier life by a container that ended meanwhile. */
static int add_stale_ports(struct netd *netd, const struct elements *add, struct elements *remove,
                           struct bh_error *error)
{
    for (size_t i = 0; i < add->n; i++) {
        const struct element *element = &add->list[i];
        bh_autoelements struct elements there = {0};
        if (!element->n_data) {
            continue;
        }
        if (rules_read_set(netd->rules, element->table, element->set, &there, error) < 0) {
            return -1;
        }
        for (size_t k = 0; k < there.n; k++) {
            if (element_same_key(&there.list[k], element) && !has_key(remove, element)) {
                elements_append(remove, &there.list[k]);
            }
        }
    }
    return 0;
}

static int change(struct netd *netd, const struct elements *remove, const struct elements *add, struct bh_error *error)
{
    if (rules_change(netd->rules, remove, add, error) == 0) {
        return 0;
    }
    if (error->code == BH_ALREADY_EXISTS) {
        bh_autoelements struct elements more = {0};
        for (size_t i = 0; i < remove->n; i++) {
            elements_append(&more, &remove->list[i]);
        }
        if (add_stale_ports(netd, add, &more, error) < 0 || rules_change(netd->rules, &more, add, error) < 0) {
            return -1;
        }
        return 0;
    }
    if (error->code != BH_NOT_FOUND) {
        return -1;
    }
    bh_log_failure(BH_LOG_WARNING, error, "the tables were changed by somebody else and are put back");
    return replace(netd, remove, add, error);
}

int tables_change(struct netd *netd, const struct elements *remove, const struct elements *add, struct bh_error *error)
{
    struct bh_error ignored;
    if (change(netd, remove, add, error) < 0) {
        return -1;
    }
    if (conntrack_forget(&netd->connections, remove, &ignored) < 0 ||
        conntrack_forget(&netd->connections, add, &ignored) < 0) {
        bh_log_failure(BH_LOG_WARNING, &ignored, "old connections keep going where they went");
    }
    return 0;
}
