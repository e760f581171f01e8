/* SPDX-License-Identifier: Apache-2.0
 *
 * Our tables in the kernel: put there as a whole, changed element by element, compared with what they should be. Every
 * change is one transaction. Nobody else's rules are touched.
 */
#pragma once

#include <stdbool.h>

#include "elements.h"
#include "ruleset.h"

struct rules;

/* `table` and `prefix` are borrowed. Nothing is changed yet. */
int rules_new(const char *table, const char *prefix, struct rules **ret_rules, struct bh_error *error);
void rules_free(struct rules *rules);

/* Whether the host forwards for us alone: what is not ours is dropped on its way through, once the tables are replaced.
 */
void rules_close_forwarding(struct rules *rules, enum family family);

/* Are all tables there? */
int rules_are_there(struct rules *rules, bool *ret_there, struct bh_error *error);
/* Replaces the tables: the rules, and these elements. */
int rules_replace(struct rules *rules, const struct elements *elements, struct bh_error *error);
/* Takes elements out and puts others in, all or nothing. NOT_FOUND (ENOENT): a table, or one to be taken out, is not
 * there. ALREADY_EXISTS: a map leads elsewhere from that key. */
int rules_change(struct rules *rules, const struct elements *remove, const struct elements *add,
                 struct bh_error *error);
/* What of a set is in the kernel, appended to `elements`. */
int rules_read_set(struct rules *rules, enum table table, enum set set, struct elements *elements,
                   struct bh_error *error);
/* Tells, a sentence each, what is not as it should be. Whether the rules are as they were put there is known to whoever
 * put them there: not before the first rules_replace(). */
int rules_check(struct rules *rules, const struct elements *wanted, void (*tell)(const char *finding, void *argument),
                void *argument, struct bh_error *error);
/* Quickly: are tables, chains and rules as they were put there? */
int rules_are_whole(struct rules *rules, bool *ret_whole, struct bh_error *error);
/* Removes the tables. */
int rules_remove(struct rules *rules, struct bh_error *error);
