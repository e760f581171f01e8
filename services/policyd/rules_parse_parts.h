/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside of rules_parse.c: what its parts share.
 */
#pragma once

#include <jansson.h>

#include "rules_file.h"

struct key {
    const char *name;
    enum rule rule; /* what a file that has the key sets */
    int (*read)(const json_t *value, struct rules *rules, const char *where, struct bh_error *error);
};

struct word {
    const char *name;
    unsigned int bit;
};

/* WHERE: "KEY" must be WANTED. Returns -1. */
int rules_wrong(struct bh_error *error, const char *where, const char *key, const char *wanted);
int rules_read_count(const json_t *value, uint64_t *ret, const char *where, const char *key, struct bh_error *error);
int rules_read_list(const json_t *value, struct rules_list *list, const char *where, const char *key,
                    struct bh_error *error);
/* A list of words out of a table; the mask of those that stand in it. */
int rules_read_words(const json_t *value, const struct word *words, unsigned int *ret_mask, const char *where,
                     const char *key, const char *wanted, struct bh_error *error);
/* An object whose every key stands in `keys`. */
int rules_read_object(const json_t *object, const struct key *keys, struct rules *rules, const char *where,
                      struct bh_error *error);

/* rules_parse_quotas.c */
int rules_read_quotas(const json_t *value, struct rules *rules, const char *where, struct bh_error *error);

/* rules_parse_network.c */
int rules_read_networks(const json_t *value, struct rules *rules, const char *where, struct bh_error *error);
int rules_read_macvlan_parents(const json_t *value, struct rules *rules, const char *where, struct bh_error *error);
int rules_read_bridge_names(const json_t *value, struct rules *rules, const char *where, struct bh_error *error);
int rules_read_subnets(const json_t *value, struct rules *rules, const char *where, struct bh_error *error);
int rules_read_publish(const json_t *value, struct rules *rules, const char *where, struct bh_error *error);
