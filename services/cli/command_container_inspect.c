/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead container inspect
 */
#include <stddef.h>
#include <stdint.h>

#include "commands.h"
#include "inspect.h"

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    return inspect_each(cli, values, "container", arguments, error);
}

static const struct option options_table[] = {
    {OPTION_TEXT, "format", 'f', offsetof(struct inspect_options, format), "string", "json, or a Go template"},
    {OPTION_FLAG, "size", 's', offsetof(struct inspect_options, size), NULL, "Show total file sizes"},
    {0},
};

const struct command container_inspect_command = {
    .name = "container inspect",
    .usage = "[OPTIONS] CONTAINER [CONTAINER...]",
    .summary = "Show what is known about one or more containers",
    .options = options_table,
    .values_bytes = sizeof(struct inspect_options),
    .arguments_min = 1,
    .arguments_max = SIZE_MAX,
    .completes = COMPLETE_CONTAINERS,
    .run = run,
};
