/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead system prune: everything that nobody uses
 */
#include <stddef.h>
#include <stdio.h>

#include "commands.h"
#include "confirm.h"
#include "prune.h"

static bool ask(const struct prune_options *options)
{
    char warning[512];
    (void)snprintf(warning, sizeof(warning),
                   "WARNING! This will remove:\n  - all stopped containers\n"
                   "  - all networks not used by at least one container\n%s  - %s\n\n",
                   options->volumes ? "  - all anonymous volumes not used by at least one container\n" : "",
                   options->all ? "all images without at least one container associated to them"
                                : "all dangling images");
    return options->force || confirm(warning);
}

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    (void)arguments;
    const struct prune_options *options = values;
    uint64_t reclaimed_bytes = 0;
    const struct {
        const struct prune_kind *kind;
        const char *extra_filter;
        bool on;
    } steps[] = {
        {&prune_containers, NULL, true},
        {&prune_networks, NULL, true},
        {&prune_volumes, NULL, options->volumes},
        {&prune_images, options->all ? "dangling=false" : "dangling=true", true},
    };
    if (!ask(options)) {
        return 0;
    }
    for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
        if (steps[i].on &&
            prune(cli, steps[i].kind, &options->filters, steps[i].extra_filter, &reclaimed_bytes, error) < 0) {
            return -1;
        }
    }
    prune_print_total(reclaimed_bytes);
    return 0;
}

static const struct option options_table[] = {
    {OPTION_FLAG, "all", 'a', offsetof(struct prune_options, all), NULL,
     "Remove all unused images, not just dangling ones"},
    {OPTION_LIST, "filter", 0, offsetof(struct prune_options, filters), "filter",
     "Only what matches (until=24h, label=KEY=VALUE)"},
    {OPTION_FLAG, "force", 'f', offsetof(struct prune_options, force), NULL, "Do not ask"},
    {OPTION_FLAG, "volumes", 0, offsetof(struct prune_options, volumes), NULL, "Remove anonymous volumes too"},
    {0},
};

const struct command system_prune_command = {
    .name = "system prune",
    .usage = "[OPTIONS]",
    .summary = "Remove containers, networks and images that nobody uses",
    .options = options_table,
    .values_bytes = sizeof(struct prune_options),
    .run = run,
};
