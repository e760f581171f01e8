/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead rename
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "commands.h"

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    (void)values;
    bh_autofree char *container = engine_escape(arguments->items[0]), *name = engine_escape(arguments->items[1]),
                     *path = NULL;
    if (!container || !name || strings_format(&path, error, "/containers/%s/rename?name=%s", container, name) < 0) {
        return -1;
    }
    return engine_ask(cli->engine, "POST", path, NULL, NULL, error);
}

const struct command rename_command = {
    .name = "rename",
    .aliases = "container rename",
    .usage = "CONTAINER NEW_NAME",
    .summary = "Rename a container",
    .arguments_min = 2,
    .arguments_max = 2,
    .completes = COMPLETE_CONTAINERS,
    .run = run,
};
