/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead network reload: the host's rules and links are put back as they should be, after somebody else's hands were
 * in them.
 */
#include "commands.h"

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    (void)values;
    (void)arguments;
    return engine_ask(cli->engine, "POST", "/bulkhead/networks/reload", NULL, NULL, error);
}

const struct command network_reload_command = {
    .name = "network reload",
    .usage = "",
    .summary = "Put the host's rules and links of all networks back as they should be",
    .run = run,
};
