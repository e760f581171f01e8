/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside of rules: what is kept between requests.
 */
#pragma once

#include "rules.h"

struct nft_ctx;

struct rules {
    struct ruleset_options options;
    struct netlink netlink;
    struct nft_ctx *nft;
    bool put;                      /* by us, in this life */
    uint64_t fingerprints[TABLES]; /* of chains and rules, as they were read back then */
};

/* A number that chains and rules of a table have in common with those of another only if they are the same. */
int rules_fingerprint(struct rules *rules, enum table table, uint64_t *ret_fingerprint, struct bh_error *error);
bool rules_has_table(const struct rules *rules, enum table table); /* that this kernel knows its family */
