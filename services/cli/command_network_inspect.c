/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead network inspect
 */
#include <stddef.h>
#include <stdint.h>

#include "commands.h"
#include "inspect.h"

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    return inspect_each(cli, values, "network", arguments, error);
}

static const struct option options_table[] = {
    {OPTION_TEXT, "format", 'f', offsetof(struct inspect_options, format), "string", "json, or a Go template"},
    {OPTION_FLAG, "verbose", 'v', offsetof(struct inspect_options, verbose), NULL, "Show more for diagnosis"},
    {0},
};

const struct command network_inspect_command = {
    .name = "network inspect",
    .usage = "[OPTIONS] NETWORK [NETWORK...]",
    .summary = "Show what is known about one or more networks",
    .options = options_table,
    .values_bytes = sizeof(struct inspect_options),
    .arguments_min = 1,
    .arguments_max = SIZE_MAX,
    .completes = COMPLETE_NETWORKS,
    .run = run,
};
