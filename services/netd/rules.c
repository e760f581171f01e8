/* SPDX-License-Identifier: Apache-2.0
 *
 * Putting and changing; see rules.h. What is read back is in rules_read.c.
 */
#include "rules.h"

#include <errno.h>
#include <libnftnl/common.h>
#include <libnftnl/set.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <nftables/libnftables.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "rules_internal.h"

#define ELEMENT_MESSAGE_BYTES 512 /* one element in a message of its own, with room to spare */

/* ---- life -------------------------------------------------------------------------------------------------- */

int rules_new(const char *table, const char *prefix, struct rules **ret_rules, struct bh_error *error)
{
    bh_autofree struct rules *rules = calloc(1, sizeof(*rules));
    if (!rules) {
        return bh_error_errno(error, ENOMEM, "keep the tables");
    }
    rules->options =
        (struct ruleset_options){.table = table, .prefix = prefix, .ipv6 = access("/proc/sys/net/ipv6", F_OK) == 0};
    if (netlink_open(NETLINK_NETFILTER, &rules->netlink, error) < 0) {
        return -1;
    }
    rules->nft = nft_ctx_new(NFT_CTX_DEFAULT);
    if (!rules->nft || nft_ctx_buffer_error(rules->nft) != 0 || nft_ctx_buffer_output(rules->nft) != 0) {
        netlink_close(&rules->netlink);
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "start libnftables");
    }
    *ret_rules = bh_steal_pointer(&rules);
    return 0;
}

void rules_free(struct rules *rules)
{
    if (rules) {
        nft_ctx_free(rules->nft);
        netlink_close(&rules->netlink);
        free(rules);
    }
}

void rules_close_forwarding(struct rules *rules, enum family family)
{
    rules->options.closed[family] = true;
}

bool rules_has_table(const struct rules *rules, enum table table)
{
    return table != TABLE_IP6 || rules->options.ipv6;
}

/* ---- as a whole -------------------------------------------------------------------------------------------- */

static int run(struct rules *rules, const char *text, const char *what, struct bh_error *error)
{
    if (nft_run_cmd_from_buffer(rules->nft, text) != 0) {
        char said[256];
        (void)snprintf(said, sizeof(said), "%s", nft_ctx_get_error_buffer(rules->nft));
        return bh_error_set(error, BH_INTERNAL, "%s: %s", what, said);
    }
    return 0;
}

int rules_replace(struct rules *rules, const struct elements *elements, struct bh_error *error)
{
    bh_autofree char *text = NULL;
    size_t n_bytes = 0;
    FILE *stream = open_memstream(&text, &n_bytes);
    if (!stream || elements->failed) {
        return bh_error_errno(error, ENOMEM, "write the rules");
    }
    ruleset_print(&rules->options, elements, stream);
    if (fclose(stream) != 0) {
        return bh_error_errno(error, ENOMEM, "write the rules");
    }
    if (run(rules, text, "replace the tables", error) < 0) {
        return -1;
    }
    for (enum table table = 0; table < TABLES; table++) {
        if (rules_has_table(rules, table) && rules_fingerprint(rules, table, &rules->fingerprints[table], error) < 0) {
            return bh_error_wrap(error, "read the tables back");
        }
    }
    rules->put = true;
    return 0;
}

int rules_remove(struct rules *rules, struct bh_error *error)
{
    bh_autofree char *text = NULL;
    size_t n_bytes = 0;
    FILE *stream = open_memstream(&text, &n_bytes);
    if (!stream) {
        return bh_error_errno(error, ENOMEM, "write the rules");
    }
    ruleset_print_removal(&rules->options, stream);
    if (fclose(stream) != 0) {
        return bh_error_errno(error, ENOMEM, "write the rules");
    }
    rules->put = false;
    return run(rules, text, "remove the tables", error);
}

/* ---- element by element ------------------------------------------------------------------------------------ */

static void cleanup_set(struct nftnl_set **set)
{
    if (*set) {
        nftnl_set_free(*set);
    }
}

static int put_element(const struct rules *rules, const struct element *element, bool add, uint32_t sequence,
                       char *buffer, struct bh_error *error)
{
    bh_cleanup(cleanup_set) struct nftnl_set *set = nftnl_set_alloc();
    struct nftnl_set_elem *item = nftnl_set_elem_alloc();
    if (!set || !item) {
        free(item);
        return bh_error_errno(error, ENOMEM, "write an element");
    }
    (void)nftnl_set_set_str(set, NFTNL_SET_TABLE, rules->options.table);
    (void)nftnl_set_set_str(set, NFTNL_SET_NAME, set_name(element->set));
    (void)nftnl_set_elem_set(item, NFTNL_SET_ELEM_KEY, element->key, element->n_key);
    if (element->interval) {
        (void)nftnl_set_elem_set(item, NFTNL_SET_ELEM_KEY_END, element->key_end, element->n_key);
    }
    if (element->n_data && add) {
        (void)nftnl_set_elem_set(item, NFTNL_SET_ELEM_DATA, element->data, element->n_data);
    }
    nftnl_set_elem_add(set, item);
    struct nlmsghdr *header = nftnl_nlmsg_build_hdr(buffer, add ? NFT_MSG_NEWSETELEM : NFT_MSG_DELSETELEM,
                                                    table_family(element->table), add ? NLM_F_CREATE : 0, sequence);
    nftnl_set_elems_nlmsg_build_payload(header, set);
    return 0;
}

static int put_all(struct rules *rules, const struct elements *elements, bool add, char *buffer, size_t *used,
                   struct nlmsghdr **ret_last, struct bh_error *error)
{
    for (size_t i = 0; i < elements->n; i++) {
        if (!rules_has_table(rules, elements->list[i].table)) {
            continue;
        }
        *ret_last = (void *)(buffer + *used);
        if (put_element(rules, &elements->list[i], add, ++rules->netlink.sequence, buffer + *used, error) < 0) {
            return -1;
        }
        *used += (*ret_last)->nlmsg_len;
    }
    return 0;
}

int rules_change(struct rules *rules, const struct elements *remove, const struct elements *add, struct bh_error *error)
{
    if (remove->failed || add->failed) {
        return bh_error_errno(error, ENOMEM, "write the changes of the tables");
    }
    bh_autofree char *buffer = calloc(remove->n + add->n + 2, ELEMENT_MESSAGE_BYTES);
    size_t used = 0;
    struct nlmsghdr *last = NULL;
    if (!buffer) {
        return bh_error_errno(error, ENOMEM, "write the changes of the tables");
    }
    uint32_t first = ++rules->netlink.sequence;
    used += nftnl_batch_begin(buffer, first)->nlmsg_len;
    if (put_all(rules, remove, false, buffer, &used, &last, error) < 0 ||
        put_all(rules, add, true, buffer, &used, &last, error) < 0) {
        return -1;
    }
    if (!last) {
        return 0;
    }
    last->nlmsg_flags |= NLM_F_ACK;
    used += nftnl_batch_end(buffer + used, rules->netlink.sequence + 1)->nlmsg_len;
    int result = netlink_send_batch(&rules->netlink, buffer, used, first, error);
    rules->netlink.sequence++;
    if (result < 0 && error->sys_errno == ENOENT) {
        error->code = BH_NOT_FOUND;
    } else if (result < 0 && (error->sys_errno == EEXIST || error->sys_errno == EBUSY)) {
        error->code = BH_ALREADY_EXISTS;
    }
    return result;
}
