/* SPDX-License-Identifier: Apache-2.0
 *
 * --env-file and --label-file, by Docker's rules: one NAME=VALUE a line, `#` lines and empty ones are comments, nothing
 * is unquoted, and a bare NAME takes its value from our own environment (labels: is empty).
 */
#pragma once

#include <stdbool.h>

#include "string_list.h"

/* Appends copies of a file's entries. `look_up` (getenv, or NULL) gives a bare name's value; NULL from it leaves the
 * entry out. */
int env_file_read(const char *path, char *(*look_up)(const char *name), struct strings *entries,
                  struct bh_error *error);

/* The same over a text that is in memory already; `path` names it in errors. */
int env_file_parse(const char *path, const char *text, size_t n_bytes, char *(*look_up)(const char *name),
                   struct strings *entries, struct bh_error *error);

/* One -e option: "NAME=VALUE", or a bare name, which is left out where our environment does not have it. */
int env_add(const char *text, struct strings *entries, struct bh_error *error);

/* All of --env-file and then all of -e, whose later entries go before earlier ones. */
int env_collect(const struct strings *files, const struct strings *options, struct strings *entries,
                struct bh_error *error);
