/* SPDX-License-Identifier: Apache-2.0
 *
 * The rules, as one text that `nft -f` would read; docs/networking.md draws the way of a packet through them.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "elements.h"

struct ruleset_options {
    const char *table, *prefix;
    bool ipv6;             /* this kernel has it */
    bool closed[FAMILIES]; /* the host forwards for us alone */
};

/* Writes commands that replace our tables, with all their elements, in one transaction. */
void ruleset_print(const struct ruleset_options *options, const struct elements *elements, FILE *stream);
/* The same without the tables: that which removes them. */
void ruleset_print_removal(const struct ruleset_options *options, FILE *stream);
