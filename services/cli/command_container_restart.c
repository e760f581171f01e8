/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead restart
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "commands.h"
#include "references.h"

struct restart_options {
    const char *signal;
    struct option_integer timeout;
};

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    const struct restart_options *options = values;
    bh_autofree char *signal_name = engine_escape(options->signal ? options->signal : ""), *after = NULL;
    char timeout[32] = "";
    if (options->timeout.given) {
        (void)snprintf(timeout, sizeof(timeout), "t=%lld&", (long long)options->timeout.value);
    }
    if (!signal_name ||
        strings_format(&after, error, "/restart?%s%s%s", timeout, *signal_name ? "signal=" : "", signal_name) < 0) {
        return -1;
    }
    const struct reference_request request = {"POST", "/containers/", after};
    return references_ask_each(cli, arguments, &request, error);
}

static const struct option options_table[] = {
    {OPTION_TEXT, "signal", 's', offsetof(struct restart_options, signal), "string", "Signal to send to the container"},
    {OPTION_INTEGER, "time", 't', offsetof(struct restart_options, timeout), "int",
     "Seconds to wait before killing it (-1: for ever)"},
    {OPTION_INTEGER, "timeout", 0, offsetof(struct restart_options, timeout), "int", "The same as --time"},
    {0},
};

const struct command restart_command = {
    .name = "restart",
    .aliases = "container restart",
    .usage = "[OPTIONS] CONTAINER [CONTAINER...]",
    .summary = "Restart one or more containers",
    .options = options_table,
    .values_bytes = sizeof(struct restart_options),
    .arguments_min = 1,
    .arguments_max = SIZE_MAX,
    .completes = COMPLETE_CONTAINERS,
    .run = run,
};
