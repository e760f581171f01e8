/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead attach
 */
#include <stddef.h>
#include <stdint.h>

#include "commands.h"
#include "container_stream.h"
#include "fields.h"
#include "query.h"

struct attach_options {
    bool no_stdin, signals_kept;
    const char *detach_keys;
};

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    const struct attach_options *options = values;
    json_auto json_t *details = NULL;
    if (query_container(cli->engine, arguments->items[0], &details, error) < 0) {
        return -1;
    }
    if (!field_truth(details, "State.Running")) {
        return bh_error_set(error, BH_FAILED_PRECONDITION, "You cannot attach to a stopped container, start it first");
    }
    container_stream_auto struct container_stream stream = {
        .engine = cli->engine,
        .id = field_text(details, "Id"),
        .attachment = {!options->no_stdin && field_truth(details, "Config.OpenStdin"), true, true},
        .tty = field_truth(details, "Config.Tty"),
        .detach_keys = options->detach_keys,
        .signals_forwarded = !options->signals_kept,
        .signal_fd = -1,
    };
    if (container_stream_open(&stream, "not-running", error) < 0) {
        return -1;
    }
    return container_stream_run(&stream, error);
}

static const struct option options_table[] = {
    {OPTION_FLAG, "no-stdin", 0, offsetof(struct attach_options, no_stdin), NULL, "Do not attach STDIN"},
    {OPTION_TEXT, "detach-keys", 0, offsetof(struct attach_options, detach_keys), "string",
     "Key sequence that detaches"},
    {OPTION_ON, "sig-proxy", 0, offsetof(struct attach_options, signals_kept), NULL,
     "Pass received signals on to the container"},
    {0},
};

const struct command attach_command = {
    .name = "attach",
    .aliases = "container attach",
    .usage = "[OPTIONS] CONTAINER",
    .summary = "Attach to a running container's streams",
    .options = options_table,
    .values_bytes = sizeof(struct attach_options),
    .arguments_min = 1,
    .arguments_max = 1,
    .completes = COMPLETE_RUNNING,
    .run = run,
};
