/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead volume rm
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "commands.h"
#include "references.h"

struct volume_rm_options {
    bool force;
};

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    const struct volume_rm_options *options = values;
    const struct reference_request request = {"DELETE", "/volumes/", options->force ? "?force=1" : ""};
    return references_ask_each(cli, arguments, &request, error);
}

static const struct option options_table[] = {
    {OPTION_FLAG, "force", 'f', offsetof(struct volume_rm_options, force), NULL, "One that is not there is no failure"},
    {0},
};

const struct command volume_rm_command = {
    .name = "volume rm",
    .aliases = "volume remove",
    .usage = "[OPTIONS] VOLUME [VOLUME...]",
    .summary = "Remove one or more volumes",
    .options = options_table,
    .values_bytes = sizeof(struct volume_rm_options),
    .arguments_min = 1,
    .arguments_max = SIZE_MAX,
    .completes = COMPLETE_VOLUMES,
    .run = run,
};
