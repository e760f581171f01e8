/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead pause
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "commands.h"
#include "references.h"

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    (void)values;
    const struct reference_request request = {"POST", "/containers/", "/pause"};
    return references_ask_each(cli, arguments, &request, error);
}

const struct command pause_command = {
    .name = "pause",
    .aliases = "container pause",
    .usage = "CONTAINER [CONTAINER...]",
    .summary = "Pause all processes of one or more containers",
    .arguments_min = 1,
    .arguments_max = SIZE_MAX,
    .completes = COMPLETE_RUNNING,
    .run = run,
};
