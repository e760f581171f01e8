/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead volume create
 */
#include <stddef.h>
#include <stdio.h>

#include "commands.h"
#include "fields.h"
#include "label_map.h"

struct volume_create_options {
    const char *driver, *name;
    struct strings labels, driver_options;
};

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    const struct volume_create_options *options = values;
    const char *name = arguments->count ? arguments->items[0] : options->name ? options->name : "";
    json_auto json_t *request =
        json_pack("{s:s, s:s}", "Name", name, "Driver", options->driver ? options->driver : "local");
    json_auto json_t *answer = NULL;
    if (arguments->count && options->name) {
        return cli_misuse(cli, error, "conflicting options: give the name once, as an argument");
    }
    if (!request) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "the name is not valid UTF-8");
    }
    if (label_map_set(request, "Labels", &options->labels, error) < 0 ||
        label_map_set(request, "DriverOpts", &options->driver_options, error) < 0 ||
        engine_ask(cli->engine, "POST", "/volumes/create", request, &answer, error) < 0) {
        return -1;
    }
    (void)printf("%s\n", field_text(answer, "Name"));
    return 0;
}

#define AT(field) offsetof(struct volume_create_options, field)
static const struct option options_table[] = {
    {OPTION_TEXT, "driver", 'd', AT(driver), "string", "Volume driver (default local)"},
    {OPTION_LIST, "label", 0, AT(labels), "list", "Set metadata for the volume"},
    {OPTION_TEXT, "name", 0, AT(name), "string", "The volume's name; better given as an argument"},
    {OPTION_LIST, "opt", 'o', AT(driver_options), "map", "Set driver specific options"},
    {0},
};

const struct command volume_create_command = {
    .name = "volume create",
    .usage = "[OPTIONS] [VOLUME]",
    .summary = "Create a volume",
    .example = "bulkhead volume create data\nbulkhead volume create --label stage=test -o size=1g scratch",
    .options = options_table,
    .values_bytes = sizeof(struct volume_create_options),
    .arguments_max = 1,
    .run = run,
};
