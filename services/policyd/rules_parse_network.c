/* SPDX-License-Identifier: Apache-2.0
 *
 * The keys of a rule file that are about networks; see rules_file.h.
 */
#include "publish.h"
#include "rules_parse_parts.h"
#include "subnets.h"

int rules_read_networks(const json_t *value, struct rules *rules, const char *where, struct bh_error *error)
{
    static const struct word words[] = {{"none", RULES_NETWORK_NONE},
                                        {"host", RULES_NETWORK_HOST},
                                        {"bridge", RULES_NETWORK_BRIDGE},
                                        {"macvlan", RULES_NETWORK_MACVLAN},
                                        {NULL, 0}};
    return rules_read_words(value, words, &rules->networks, where, "networks",
                            "a list of \"none\", \"host\", \"bridge\" and \"macvlan\"", error);
}

int rules_read_macvlan_parents(const json_t *value, struct rules *rules, const char *where, struct bh_error *error)
{
    return rules_read_list(value, &rules->macvlan_parents, where, "macvlan_parents", error);
}

int rules_read_bridge_names(const json_t *value, struct rules *rules, const char *where, struct bh_error *error)
{
    return rules_read_list(value, &rules->bridge_names, where, "bridge_names", error);
}

int rules_read_subnets(const json_t *value, struct rules *rules, const char *where, struct bh_error *error)
{
    if (rules_read_list(value, &rules->subnets, where, "subnets", error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < rules->subnets.n; i++) {
        if (!subnets_is_pattern(rules->subnets.items[i])) {
            return rules_wrong(error, where, "subnets", "a list of \"pools\", \"*\" and subnets like \"10.0.0.0/8\"");
        }
    }
    return 0;
}

int rules_read_publish(const json_t *value, struct rules *rules, const char *where, struct bh_error *error)
{
    if (rules_read_list(value, &rules->publish, where, "publish", error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < rules->publish.n; i++) {
        if (!publish_is_pattern(rules->publish.items[i])) {
            return rules_wrong(error, where, "publish",
                               "a list of addresses and ports like \"*:1024-65535\", \"0.0.0.0:8080\" or "
                               "\"[::1]:8000-8999\"");
        }
    }
    return 0;
}
