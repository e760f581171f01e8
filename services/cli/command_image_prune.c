/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead image prune
 */
#include <stddef.h>

#include "commands.h"
#include "prune.h"

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    (void)arguments;
    const struct prune_options *options = values;
    const char *warning =
        options->all ? "WARNING! This will remove all images without at least one container associated to them.\n"
                     : "WARNING! This will remove all dangling images.\n";
    return prune_run(cli, &prune_images, options, warning, options->all ? "dangling=false" : "dangling=true", error);
}

static const struct option options_table[] = {
    {OPTION_FLAG, "all", 'a', offsetof(struct prune_options, all), NULL,
     "Remove all unused images, not just dangling ones"},
    {OPTION_LIST, "filter", 0, offsetof(struct prune_options, filters), "filter",
     "Only what matches (until=24h, label=KEY=VALUE)"},
    {OPTION_FLAG, "force", 'f', offsetof(struct prune_options, force), NULL, "Do not ask"},
    {0},
};

const struct command image_prune_command = {
    .name = "image prune",
    .usage = "[OPTIONS]",
    .summary = "Remove unused images",
    .options = options_table,
    .values_bytes = sizeof(struct prune_options),
    .run = run,
};
