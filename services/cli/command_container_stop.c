/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead stop
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "commands.h"
#include "references.h"

struct stop_options {
    const char *signal;
    struct option_integer timeout;
};

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    const struct stop_options *options = values;
    bh_autofree char *signal_name = engine_escape(options->signal ? options->signal : ""), *after = NULL;
    char timeout[32] = "";
    if (options->timeout.given) {
        (void)snprintf(timeout, sizeof(timeout), "t=%lld&", (long long)options->timeout.value);
    }
    if (!signal_name ||
        strings_format(&after, error, "/stop?%s%s%s", timeout, *signal_name ? "signal=" : "", signal_name) < 0) {
        return -1;
    }
    const struct reference_request request = {"POST", "/containers/", after};
    return references_ask_each(cli, arguments, &request, error);
}

static const struct option options_table[] = {
    {OPTION_TEXT, "signal", 's', offsetof(struct stop_options, signal), "string", "Signal to send to the container"},
    {OPTION_INTEGER, "time", 't', offsetof(struct stop_options, timeout), "int",
     "Seconds to wait before killing it (-1: for ever)"},
    {OPTION_INTEGER, "timeout", 0, offsetof(struct stop_options, timeout), "int", "The same as --time"},
    {0},
};

const struct command stop_command = {
    .name = "stop",
    .aliases = "container stop",
    .usage = "[OPTIONS] CONTAINER [CONTAINER...]",
    .summary = "Stop one or more running containers",
    .options = options_table,
    .values_bytes = sizeof(struct stop_options),
    .arguments_min = 1,
    .arguments_max = SIZE_MAX,
    .completes = COMPLETE_RUNNING,
    .run = run,
};
