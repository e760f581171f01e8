/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead volume prune
 */
#include <stddef.h>

#include "commands.h"
#include "prune.h"

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    (void)arguments;
    const struct prune_options *options = values;
    const char *warning =
        options->all ? "WARNING! This will remove all local volumes not used by at least one container.\n"
                     : "WARNING! This will remove anonymous local volumes not used by at least one container.\n";
    return prune_run(cli, &prune_volumes, options, warning, options->all ? "all=true" : NULL, error);
}

static const struct option options_table[] = {
    {OPTION_FLAG, "all", 'a', offsetof(struct prune_options, all), NULL,
     "Remove all unused volumes, not just anonymous ones"},
    {OPTION_LIST, "filter", 0, offsetof(struct prune_options, filters), "filter",
     "Only what matches (label=KEY=VALUE)"},
    {OPTION_FLAG, "force", 'f', offsetof(struct prune_options, force), NULL, "Do not ask"},
    {0},
};

const struct command volume_prune_command = {
    .name = "volume prune",
    .usage = "[OPTIONS]",
    .summary = "Remove volumes that no container uses",
    .options = options_table,
    .values_bytes = sizeof(struct prune_options),
    .run = run,
};
