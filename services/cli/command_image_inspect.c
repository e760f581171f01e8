/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead image inspect
 */
#include <stddef.h>
#include <stdint.h>

#include "commands.h"
#include "inspect.h"

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    return inspect_each(cli, values, "image", arguments, error);
}

static const struct option options_table[] = {
    {OPTION_TEXT, "format", 'f', offsetof(struct inspect_options, format), "string", "json, or a Go template"},
    {0},
};

const struct command image_inspect_command = {
    .name = "image inspect",
    .usage = "[OPTIONS] IMAGE [IMAGE...]",
    .summary = "Show what is known about one or more images",
    .options = options_table,
    .values_bytes = sizeof(struct inspect_options),
    .arguments_min = 1,
    .arguments_max = SIZE_MAX,
    .completes = COMPLETE_IMAGES,
    .run = run,
};
