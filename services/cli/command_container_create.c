/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead create
 */
#include <stdint.h>

#include "commands.h"
#include "container_create.h"

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    struct container_attachment attachment = {0};
    bh_autofree char *id = NULL;
    if (container_attachment_of(values, &attachment, error) < 0) {
        cli->misused = true;
        return -1;
    }
    if (container_create(cli, values, &attachment, arguments, &id, error) < 0) {
        return -1;
    }
    (void)printf("%s\n", id);
    return 0;
}

const struct command create_command = {
    .name = "create",
    .aliases = "container create",
    .usage = "[OPTIONS] IMAGE [COMMAND] [ARG...]",
    .summary = "Create a new container",
    .options = container_options_table + CONTAINER_OPTIONS_OF_RUN,
    .values_bytes = sizeof(struct container_options),
    .arguments_min = 1,
    .arguments_max = SIZE_MAX,
    .options_first = true,
    .completes = COMPLETE_IMAGES,
    .run = run,
};
