/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead wait
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "fields.h"
#include "commands.h"
#include "references.h"

static int wait_one(struct cli *cli, const char *escaped, const char *reference, const void *values,
                    struct bh_error *error)
{
    (void)reference;
    (void)values;
    bh_autofree char *path = NULL;
    json_auto json_t *answer = NULL;
    if (strings_format(&path, error, "/containers/%s/wait", escaped) < 0 ||
        engine_ask(cli->engine, "POST", path, NULL, &answer, error) < 0) {
        return -1;
    }
    const char *failure = field_text(answer, "Error.Message");
    if (*failure) {
        return bh_error_set(error, BH_UNKNOWN, "%s", failure);
    }
    (void)printf("%lld\n", (long long)field_integer(answer, "StatusCode"));
    return 0;
}

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    return references_each(cli, arguments, wait_one, values, error);
}

const struct command wait_command = {
    .name = "wait",
    .aliases = "container wait",
    .usage = "CONTAINER [CONTAINER...]",
    .summary = "Block until one or more containers stop, then print their exit codes",
    .arguments_min = 1,
    .arguments_max = SIZE_MAX,
    .completes = COMPLETE_CONTAINERS,
    .run = run,
};
