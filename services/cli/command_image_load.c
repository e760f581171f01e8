/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead load
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>

#include "commands.h"
#include "json_stream.h"

struct load_options {
    const char *input;
    bool quiet;
};

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    (void)arguments;
    const struct load_options *options = values;
    bh_autoclose int opened = -1;
    int fd = STDIN_FILENO;
    if (options->input) {
        fd = opened = open(options->input, O_RDONLY | O_CLOEXEC);
        if (fd < 0) {
            return bh_error_errno(error, errno, "open %s", options->input);
        }
    } else if (isatty(STDIN_FILENO)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "requested load from stdin, but stdin is a terminal: give -i FILE");
    }
    http_auto struct http_connection *connection = NULL;
    const struct engine_question question = {
        .method = "POST", .path = options->quiet ? "/images/load?quiet=1" : "/images/load?quiet=0", .uploads = true};
    if (engine_upload(cli->engine, &question, fd, &connection, error) < 0) {
        return -1;
    }
    return json_stream_show(connection, stdout, false, error);
}

static const struct option options_table[] = {
    {OPTION_TEXT, "input", 'i', offsetof(struct load_options, input), "string",
     "Read from a tar archive instead of STDIN"},
    {OPTION_FLAG, "quiet", 'q', offsetof(struct load_options, quiet), NULL, "Suppress the load output"},
    {0},
};

const struct command load_command = {
    .name = "load",
    .aliases = "image load",
    .usage = "[OPTIONS]",
    .summary = "Load images from a tar archive or STDIN",
    .options = options_table,
    .values_bytes = sizeof(struct load_options),
    .run = run,
};
