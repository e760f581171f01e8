/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading our tables back and comparing them; see rules.h.
 */
#include <errno.h>
#include <libnftnl/common.h>
#include <libnftnl/set.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "rules.h"
#include "rules_internal.h"

#define TRIES 5 /* of a listing that changes while it is read */

/* ---- tables, chains and rules ------------------------------------------------------------------------------ */

int rules_are_there(struct rules *rules, bool *ret_there, struct bh_error *error)
{
    for (enum table table = 0; table < TABLES; table++) {
        if (!rules_has_table(rules, table)) {
            continue;
        }
        struct netlink_request request;
        (void)memset(request.bytes, 0, sizeof(request.bytes));
        struct nlmsghdr *header = nftnl_nlmsg_build_hdr(request.bytes, NFT_MSG_GETTABLE, table_family(table), 0, 0);
        mnl_attr_put_strz(header, NFTA_TABLE_NAME, rules->options.table);
        if (netlink_do(&rules->netlink, header, error, "look for table %s %s", table_family_name(table),
                       rules->options.table) < 0) {
            *ret_there = false;
            return error->sys_errno == ENOENT ? 0 : -1;
        }
    }
    *ret_there = true;
    return 0;
}

struct fingerprint {
    const char *table;
    uint16_t table_attribute;
    uint64_t sum;
};

/* FNV-1a over what the kernel says of each rule and chain of the table. */
static int take_part(const struct nlmsghdr *header, void *argument)
{
    struct fingerprint *fingerprint = argument;
    const struct nlattr *attribute;
    const char *table = "";
    netlink_each(attribute, header, sizeof(struct nfgenmsg))
    {
        if (mnl_attr_get_type(attribute) == fingerprint->table_attribute) {
            table = mnl_attr_get_str(attribute);
        }
    }
    if (strcmp(table, fingerprint->table) != 0) {
        return 0;
    }
    const uint8_t *bytes = (const uint8_t *)header + mnl_nlmsg_size(sizeof(struct nfgenmsg));
    for (size_t i = 0; i < header->nlmsg_len - mnl_nlmsg_size(sizeof(struct nfgenmsg)); i++) {
        fingerprint->sum = (fingerprint->sum ^ bytes[i]) * 0x100000001b3;
    }
    return 0;
}

static int list_once(struct rules *rules, enum table table, struct fingerprint *fingerprint, struct bh_error *error)
{
    static const struct {
        uint16_t type, table_attribute;
    } parts[] = {{NFT_MSG_GETCHAIN, NFTA_CHAIN_TABLE}, {NFT_MSG_GETRULE, NFTA_RULE_TABLE}};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        struct netlink_request request;
        struct nlmsghdr *header =
            nftnl_nlmsg_build_hdr(request.bytes, parts[i].type, table_family(table), NLM_F_DUMP, 0);
        if (parts[i].type == NFT_MSG_GETRULE) {
            mnl_attr_put_strz(header, NFTA_RULE_TABLE, rules->options.table);
        }
        fingerprint->table_attribute = parts[i].table_attribute;
        if (netlink_ask(&rules->netlink, header, take_part, fingerprint, error, "read table %s %s",
                        table_family_name(table), rules->options.table) < 0) {
            return -1;
        }
    }
    return 0;
}

int rules_fingerprint(struct rules *rules, enum table table, uint64_t *ret_fingerprint, struct bh_error *error)
{
    for (int try = 0; try < TRIES; try++) {
        struct fingerprint fingerprint = {.table = rules->options.table, .sum = 0xcbf29ce484222325};
        if (list_once(rules, table, &fingerprint, error) == 0) {
            *ret_fingerprint = fingerprint.sum;
            return 0;
        }
        if (error->sys_errno != EINTR) {
            return -1;
        }
    }
    return -1;
}

int rules_are_whole(struct rules *rules, bool *ret_whole, struct bh_error *error)
{
    *ret_whole = true;
    for (enum table table = 0; table < TABLES && *ret_whole; table++) {
        uint64_t fingerprint = 0;
        if (rules_has_table(rules, table) && rules_fingerprint(rules, table, &fingerprint, error) < 0) {
            return -1;
        }
        *ret_whole = fingerprint == rules->fingerprints[table];
    }
    return 0;
}

/* ---- elements ---------------------------------------------------------------------------------------------- */

struct reading {
    enum table table;
    enum set set;
    struct elements *elements;
};

static int take_item(struct nftnl_set_elem *item, void *argument)
{
    const struct reading *reading = argument;
    struct element element = {.table = reading->table, .set = reading->set};
    uint32_t n_key = 0, n_end = 0, n_data = 0;
    const void *key = nftnl_set_elem_get(item, NFTNL_SET_ELEM_KEY, &n_key);
    const void *end = nftnl_set_elem_is_set(item, NFTNL_SET_ELEM_KEY_END)
                          ? nftnl_set_elem_get(item, NFTNL_SET_ELEM_KEY_END, &n_end)
                          : NULL;
    const void *data = nftnl_set_elem_is_set(item, NFTNL_SET_ELEM_DATA)
                           ? nftnl_set_elem_get(item, NFTNL_SET_ELEM_DATA, &n_data)
                           : NULL;
    if (!key || n_key > ELEMENT_BYTES_MAX || n_end > ELEMENT_BYTES_MAX || n_data > ELEMENT_BYTES_MAX) {
        return 0; /* none that we could have made: it shows in their number */
    }
    element.n_key = (uint8_t)n_key;
    memcpy(element.key, key, n_key);
    if (end) {
        element.interval = true;
        memcpy(element.key_end, end, n_end);
    }
    if (data) {
        element.n_data = (uint8_t)n_data;
        memcpy(element.data, data, n_data);
    }
    elements_append(reading->elements, &element);
    return 0;
}

static int take_items(const struct nlmsghdr *header, void *argument)
{
    struct nftnl_set *set = nftnl_set_alloc();
    if (!set) {
        return -1;
    }
    int result = nftnl_set_elems_nlmsg_parse(header, set);
    if (result >= 0) {
        (void)nftnl_set_elem_foreach(set, take_item, argument);
    }
    nftnl_set_free(set);
    return result;
}

int rules_read_set(struct rules *rules, enum table table, enum set set, struct elements *elements,
                   struct bh_error *error)
{
    const size_t before = elements->n;
    for (int try = 0; try < TRIES; try++) {
        struct netlink_request request;
        struct reading reading = {table, set, elements};
        struct nlmsghdr *header =
            nftnl_nlmsg_build_hdr(request.bytes, NFT_MSG_GETSETELEM, table_family(table), NLM_F_DUMP, 0);
        mnl_attr_put_strz(header, NFTA_SET_ELEM_LIST_TABLE, rules->options.table);
        mnl_attr_put_strz(header, NFTA_SET_ELEM_LIST_SET, set_name(set));
        elements->n = before;
        if (netlink_ask(&rules->netlink, header, take_items, &reading, error, "read set %s of table %s %s",
                        set_name(set), table_family_name(table), rules->options.table) == 0) {
            return 0;
        }
        if (error->sys_errno != EINTR) {
            return -1;
        }
    }
    return -1;
}

/* ---- comparing --------------------------------------------------------------------------------------------- */

static int check_set(struct rules *rules, enum table table, enum set set, const struct elements *wanted,
                     void (*tell)(const char *finding, void *argument), void *argument, struct bh_error *error)
{
    bh_autoelements struct elements actual = {0};
    char finding[256];
    size_t n_wanted = 0, n_missing = 0;
    if (rules_read_set(rules, table, set, &actual, error) < 0) {
        if (error->sys_errno != ENOENT) {
            return -1;
        }
        actual.n = 0; /* the set itself is missing */
    }
    if (actual.n > 0) {
        qsort(actual.list, actual.n, sizeof(*actual.list), element_compare);
    }
    for (size_t i = 0; i < wanted->n; i++) {
        if (wanted->list[i].table == table && wanted->list[i].set == set) {
            n_wanted++;
            n_missing +=
                !actual.n || !bsearch(&wanted->list[i], actual.list, actual.n, sizeof(*actual.list), element_compare);
        }
    }
    if (n_missing > 0 || actual.n + n_missing > n_wanted) {
        (void)snprintf(finding, sizeof(finding),
                       "Set %s of table %s %s lacks %zu of %zu elements and has %zu that nobody asked for",
                       set_name(set), table_family_name(table), rules->options.table, n_missing, n_wanted,
                       actual.n + n_missing - n_wanted);
        tell(finding, argument);
    }
    return 0;
}

int rules_check(struct rules *rules, const struct elements *wanted, void (*tell)(const char *finding, void *argument),
                void *argument, struct bh_error *error)
{
    if (wanted->failed) {
        return bh_error_errno(error, ENOMEM, "list what the tables should have");
    }
    for (enum table table = 0; table < TABLES; table++) {
        uint64_t fingerprint;
        char finding[256];
        if (!rules_has_table(rules, table)) {
            continue;
        }
        if (rules_fingerprint(rules, table, &fingerprint, error) < 0) {
            return -1;
        }
        if (rules->put && fingerprint != rules->fingerprints[table]) {
            (void)snprintf(finding, sizeof(finding), "The rules of table %s %s are not those that were put there",
                           table_family_name(table), rules->options.table);
            tell(finding, argument);
        }
        for (enum set set = 0; set < SETS; set++) {
            if (set_is_in(set, table) && check_set(rules, table, set, wanted, tell, argument, error) < 0) {
                return -1;
            }
        }
    }
    return 0;
}
