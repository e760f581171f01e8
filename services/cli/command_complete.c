/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead __complete: what the scripts of `bulkhead completion` ask
 */
#include <stdint.h>

#include "commands.h"
#include "complete.h"

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    (void)values;
    (void)error;
    complete_words(cli->engine, arguments, stdout);
    return 0;
}

const struct command complete_command = {
    .name = "__complete",
    .usage = "-- WORD...",
    .summary = "Print what may stand where the last word is",
    .arguments_max = SIZE_MAX,
    .hidden = true,
    .run = run,
};
