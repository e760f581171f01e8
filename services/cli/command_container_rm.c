/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead rm
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "commands.h"
#include "references.h"

struct rm_options {
    bool force, link, volumes;
};

static int remove_one(struct cli *cli, const char *escaped, const char *reference, const void *values,
                      struct bh_error *error)
{
    const struct rm_options *options = values;
    bh_autofree char *path = NULL;
    if (strings_format(&path, error, "/containers/%s?force=%d&v=%d%s", escaped, options->force, options->volumes,
                       options->link ? "&link=1" : "") < 0) {
        return -1;
    }
    if (engine_ask(cli->engine, "DELETE", path, NULL, NULL, error) < 0) {
        /* with --force, what is gone already is as wanted: told, and no failure */
        if (!options->force || error->code != BH_NOT_FOUND) {
            return -1;
        }
        cli_print_error(error);
        return 0;
    }
    (void)printf("%s\n", reference);
    return 0;
}

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    return references_each(cli, arguments, remove_one, values, error);
}

static const struct option options_table[] = {
    {OPTION_FLAG, "force", 'f', offsetof(struct rm_options, force), NULL, "Kill it first if it is running"},
    {OPTION_FLAG, "link", 'l', offsetof(struct rm_options, link), NULL, "Remove the link of that name"},
    {OPTION_FLAG, "volumes", 'v', offsetof(struct rm_options, volumes), NULL, "Remove its anonymous volumes too"},
    {0},
};

const struct command rm_command = {
    .name = "rm",
    .aliases = "container rm, container remove",
    .usage = "[OPTIONS] CONTAINER [CONTAINER...]",
    .summary = "Remove one or more containers",
    .options = options_table,
    .values_bytes = sizeof(struct rm_options),
    .arguments_min = 1,
    .arguments_max = SIZE_MAX,
    .completes = COMPLETE_CONTAINERS,
    .run = run,
};
