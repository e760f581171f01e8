/* SPDX-License-Identifier: Apache-2.0
 *
 * Commands that do one thing to each of several containers or images: every one is tried, every failure is told, and
 * the exit status is 1 if there was any.
 */
#pragma once

#include "cli.h"

/* What to ask for one of them: "POST", "/containers/%s/stop?t=5" with the escaped name for %s. */
struct reference_request {
    const char *method;
    const char *before; /* "/containers/" */
    const char *after;  /* "/stop?t=5" */
};

/* Asks for each, and prints the name of each that went well, as Docker does. */
int references_ask_each(struct cli *cli, const struct strings *references, const struct reference_request *request,
                        struct bh_error *error);

/* Calls `one` for each. */
int references_each(struct cli *cli, const struct strings *references,
                    int (*one)(struct cli *cli, const char *escaped, const char *reference, const void *values,
                               struct bh_error *error),
                    const void *values, struct bh_error *error);
