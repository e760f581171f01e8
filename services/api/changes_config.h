/* SPDX-License-Identifier: Apache-2.0
 *
 * What changes.c does to the lists of an image's config: sets without doubles, environment and labels by name. Every
 * value is a copy of its own. Pure.
 */
#pragma once

#include <stddef.h>

#include "common/error.h"
#include "types.pb-c.h"

/* A list of strings that is freed with its scope. */
struct strings {
    char **list;
    size_t n;
};
void strings_end(struct strings *strings);
#define strings_auto __attribute__((cleanup(strings_end)))

void clear_strings(char ***list, size_t *n_list);
int add_to_set(char ***set, size_t *n_set, const char *text, struct bh_error *error);
int set_env(Bulkhead__ImageConfig *config, const char *name, const char *value, struct bh_error *error);
int set_label(Bulkhead__ImageConfig *config, const char *name, const char *value, struct bh_error *error);
/* "80", "80/udp", "8000-8010/tcp" */
int add_ports(Bulkhead__ImageConfig *config, const char *text, struct bh_error *error);
/* The working directory becomes `path`, relative to what it is. */
int join_working_dir(Bulkhead__ImageConfig *config, const char *path, struct bh_error *error);
