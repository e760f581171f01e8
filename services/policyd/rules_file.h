/* SPDX-License-Identifier: Apache-2.0
 *
 * Rule files: JSON, one per tenant or group, root-owned. Read strictly: a key that is unknown, or of the wrong kind,
 * names itself and its file and stops the loading, because a rule that is misspelt would otherwise not be in force.
 */
#pragma once

#include "rules.h"

#define RULES_FILE_BYTES_MAX (256U * 1024U)
#define RULES_FILES_MAX      256U

/* Parses one file's text. `name` is its name within policy.d. */
int rules_parse(const char *name, const char *text, size_t n_bytes, struct rules *ret_rules, struct bh_error *error);

/* Reads every *.json in the folder, in order of name. Refuses files that somebody else than root owns or can write, and
 * two files that speak of the same tenant. The caller frees *ret_book. A `folder` of -1 is an empty one. */
int rules_load(int folder, struct rule_book *ret_book, struct bh_error *error);
