/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead network rm
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "commands.h"
#include "query.h"
#include "references.h"

struct network_rm_options {
    bool force;
};

static int remove_one(struct cli *cli, const char *escaped, const char *reference, const void *values,
                      struct bh_error *error)
{
    (void)escaped;
    const struct network_rm_options *options = values;
    if (query_ask(cli->engine, "DELETE", "/networks/", reference, "", NULL, error) < 0) {
        return options->force && error->code == BH_NOT_FOUND ? 0 : -1;
    }
    (void)printf("%s\n", reference);
    return 0;
}

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    return references_each(cli, arguments, remove_one, values, error);
}

static const struct option options_table[] = {
    {OPTION_FLAG, "force", 'f', offsetof(struct network_rm_options, force), NULL,
     "One that is not there is no failure"},
    {0},
};

const struct command network_rm_command = {
    .name = "network rm",
    .aliases = "network remove",
    .usage = "[OPTIONS] NETWORK [NETWORK...]",
    .summary = "Remove one or more networks",
    .options = options_table,
    .values_bytes = sizeof(struct network_rm_options),
    .arguments_min = 1,
    .arguments_max = SIZE_MAX,
    .completes = COMPLETE_NETWORKS,
    .run = run,
};
