/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead export
 */
#include <stddef.h>

#include "commands.h"
#include "download.h"
#include "query.h"

struct export_options {
    const char *output;
};

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    const struct export_options *options = values;
    bh_autofree char *path = NULL;
    return query_path(&path, "/containers/", arguments->items[0], "/export", error) < 0
               ? -1
               : download(cli->engine, path, options->output, error);
}

static const struct option options_table[] = {
    {OPTION_TEXT, "output", 'o', offsetof(struct export_options, output), "string",
     "Write to a file, instead of STDOUT"},
    {0},
};

const struct command export_command = {
    .name = "export",
    .aliases = "container export",
    .usage = "[OPTIONS] CONTAINER",
    .summary = "Export a container's file system as a tar archive",
    .options = options_table,
    .values_bytes = sizeof(struct export_options),
    .arguments_min = 1,
    .arguments_max = 1,
    .completes = COMPLETE_CONTAINERS,
    .run = run,
};
