/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead container prune
 */
#include <stddef.h>

#include "commands.h"
#include "prune.h"

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    (void)arguments;
    const struct prune_options *options = values;
    const char *warning = "WARNING! This will remove all stopped containers.\n";
    return prune_run(cli, &prune_containers, options, warning, NULL, error);
}

static const struct option options_table[] = {
    {OPTION_LIST, "filter", 0, offsetof(struct prune_options, filters), "filter",
     "Only what matches (until=24h, label=KEY=VALUE)"},
    {OPTION_FLAG, "force", 'f', offsetof(struct prune_options, force), NULL, "Do not ask"},
    {0},
};

const struct command container_prune_command = {
    .name = "container prune",
    .usage = "[OPTIONS]",
    .summary = "Remove all stopped containers",
    .options = options_table,
    .values_bytes = sizeof(struct prune_options),
    .run = run,
};
