/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead unpause
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "commands.h"
#include "references.h"

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    (void)values;
    const struct reference_request request = {"POST", "/containers/", "/unpause"};
    return references_ask_each(cli, arguments, &request, error);
}

const struct command unpause_command = {
    .name = "unpause",
    .aliases = "container unpause",
    .usage = "CONTAINER [CONTAINER...]",
    .summary = "Unpause all processes of one or more containers",
    .arguments_min = 1,
    .arguments_max = SIZE_MAX,
    .completes = COMPLETE_CONTAINERS,
    .run = run,
};
