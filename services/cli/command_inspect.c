/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead inspect: what the engine knows about a thing of any kind.
 */
#include <stddef.h>
#include <stdint.h>

#include "commands.h"
#include "inspect.h"

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    const struct inspect_options *options = values;
    const char *type = options->type && *options->type ? options->type : NULL;
    if (type && !inspect_knows_type(type)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "\"%s\" is not a valid value for --type: want container, image, network or volume", type);
    }
    return inspect_each(cli, options, type, arguments, error);
}

static const struct option options_table[] = {
    {OPTION_TEXT, "format", 'f', offsetof(struct inspect_options, format), "string", "json, or a Go template"},
    {OPTION_FLAG, "size", 's', offsetof(struct inspect_options, size), NULL, "Show total file sizes of containers"},
    {OPTION_TEXT, "type", 0, offsetof(struct inspect_options, type), "string",
     "Only look for this: container, image, network or volume"},
    {0},
};

const struct command inspect_command = {
    .name = "inspect",
    .usage = "[OPTIONS] NAME|ID [NAME|ID...]",
    .summary = "Show what is known about containers, images, networks and volumes",
    .options = options_table,
    .values_bytes = sizeof(struct inspect_options),
    .arguments_min = 1,
    .arguments_max = SIZE_MAX,
    .completes = COMPLETE_OBJECTS,
    .run = run,
};
