/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead start
 */
#include <stddef.h>
#include <stdint.h>

#include "commands.h"
#include "container_stream.h"
#include "fields.h"
#include "query.h"
#include "references.h"

struct start_options {
    bool attach, interactive, signals_kept;
    const char *detach_keys;
};

static int start_attached(struct cli *cli, const struct start_options *options, const char *reference,
                          struct bh_error *error)
{
    bh_autofree char *start_path = NULL;
    json_auto json_t *details = NULL;
    if (query_container(cli->engine, reference, &details, error) < 0) {
        return -1;
    }
    bool removed = field_truth(details, "HostConfig.AutoRemove");
    container_stream_auto struct container_stream stream = {
        .engine = cli->engine,
        .id = field_text(details, "Id"),
        .attachment = {options->interactive && field_truth(details, "Config.OpenStdin"), true, true},
        .tty = field_truth(details, "Config.Tty"),
        .detach_keys = options->detach_keys,
        .signals_forwarded = !options->signals_kept,
        .signal_fd = -1,
    };
    if (strings_format(&start_path, error, "/containers/%s/start", stream.id) < 0 ||
        container_stream_open(&stream, removed ? "removed" : "next-exit", error) < 0 ||
        engine_ask(cli->engine, "POST", start_path, NULL, NULL, error) < 0) {
        return -1;
    }
    return container_stream_run(&stream, error);
}

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    const struct start_options *options = values;
    if (!options->attach && !options->interactive) {
        const struct reference_request request = {"POST", "/containers/", "/start"};
        return references_ask_each(cli, arguments, &request, error);
    }
    if (arguments->count != 1) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "you cannot start and attach multiple containers at once");
    }
    return start_attached(cli, options, arguments->items[0], error);
}

static const struct option options_table[] = {
    {OPTION_FLAG, "attach", 'a', offsetof(struct start_options, attach), NULL,
     "Attach STDOUT and STDERR, forward signals"},
    {OPTION_FLAG, "interactive", 'i', offsetof(struct start_options, interactive), NULL, "Attach STDIN too"},
    {OPTION_TEXT, "detach-keys", 0, offsetof(struct start_options, detach_keys), "string",
     "Key sequence that detaches"},
    {OPTION_ON, "sig-proxy", 0, offsetof(struct start_options, signals_kept), NULL,
     "Pass received signals on to the container"},
    {0},
};

const struct command start_command = {
    .name = "start",
    .aliases = "container start",
    .usage = "[OPTIONS] CONTAINER [CONTAINER...]",
    .summary = "Start one or more stopped containers",
    .options = options_table,
    .values_bytes = sizeof(struct start_options),
    .arguments_min = 1,
    .arguments_max = SIZE_MAX,
    .completes = COMPLETE_CONTAINERS,
    .run = run,
};
