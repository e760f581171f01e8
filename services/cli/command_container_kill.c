/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead kill
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "commands.h"
#include "references.h"

struct kill_options {
    const char *signal;
};

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    const struct kill_options *options = values;
    bh_autofree char *signal_name = engine_escape(options->signal ? options->signal : "KILL"), *after = NULL;
    if (!signal_name || strings_format(&after, error, "/kill?signal=%s", signal_name) < 0) {
        return -1;
    }
    const struct reference_request request = {"POST", "/containers/", after};
    return references_ask_each(cli, arguments, &request, error);
}

static const struct option options_table[] = {
    {OPTION_TEXT, "signal", 's', offsetof(struct kill_options, signal), "string", "Signal to send (default SIGKILL)"},
    {0},
};

const struct command kill_command = {
    .name = "kill",
    .aliases = "container kill",
    .usage = "[OPTIONS] CONTAINER [CONTAINER...]",
    .summary = "Kill one or more running containers",
    .options = options_table,
    .values_bytes = sizeof(struct kill_options),
    .arguments_min = 1,
    .arguments_max = SIZE_MAX,
    .completes = COMPLETE_RUNNING,
    .run = run,
};
