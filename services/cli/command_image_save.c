/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead save
 */
#include <stddef.h>
#include <stdint.h>

#include "commands.h"
#include "download.h"
#include "query.h"

struct save_options {
    const char *output, *platform;
};

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    const struct save_options *options = values;
    bh_autofree char *path = NULL;
    if (strings_format(&path, error, "/images/get") < 0 || query_add_list(&path, "names", arguments, error) < 0 ||
        query_add(&path, "platform", options->platform, error) < 0) {
        return -1;
    }
    return download(cli->engine, path, options->output, error);
}

static const struct option options_table[] = {
    {OPTION_TEXT, "output", 'o', offsetof(struct save_options, output), "string", "Write to a file, instead of STDOUT"},
    {OPTION_TEXT, "platform", 0, offsetof(struct save_options, platform), "string",
     "Save only this platform, like linux/amd64"},
    {0},
};

const struct command save_command = {
    .name = "save",
    .aliases = "image save",
    .usage = "[OPTIONS] IMAGE [IMAGE...]",
    .summary = "Save one or more images to a tar archive",
    .example = "bulkhead save -o images.tar busybox:latest app:1.2\nbulkhead save app | ssh other bulkhead load",
    .options = options_table,
    .values_bytes = sizeof(struct save_options),
    .arguments_min = 1,
    .arguments_max = SIZE_MAX,
    .completes = COMPLETE_IMAGES,
    .run = run,
};
