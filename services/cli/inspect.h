/* SPDX-License-Identifier: Apache-2.0
 *
 * What the engine knows about one thing or several, as JSON or through a template: for inspect and its relatives.
 */
#pragma once

#include "cli.h"

struct inspect_options {
    const char *format, *type;
    bool size, verbose;
};

/* Looks each of the arguments up as `type` ("container", "image", "volume", "network"; NULL: as each of these in turn)
 * and prints them. Returns the exit status: 1 if something was not found, which is told. */
int inspect_each(struct cli *cli, const struct inspect_options *options, const char *type,
                 const struct strings *arguments, struct bh_error *error);
/* True if there are things of that type. */
bool inspect_knows_type(const char *type);
