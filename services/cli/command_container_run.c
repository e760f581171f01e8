/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead run: create, attach and wait, start, pump. The order is what makes sure that no output and no exit code is
 * lost, however short the container's life.
 */
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "container_create.h"
#include "container_stream.h"

#define STATUS_CANNOT_EXECUTE 126
#define STATUS_NOT_FOUND      127

/* Docker's clients read the exit status of a failed start out of the engine's message. */
static int start_failure_status(const char *message)
{
    if (strstr(message, "executable file not found") || strstr(message, "no such file or directory")) {
        return STATUS_NOT_FOUND;
    }
    if (strstr(message, "permission denied") || strstr(message, "is a directory")) {
        return STATUS_CANNOT_EXECUTE;
    }
    return CLI_STATUS_FAILED;
}

/* Returns 0, or the exit status of a start that failed: its error is printed already. -1 never comes back. */
static int start(struct cli *cli, const char *id)
{
    struct bh_error error = {0};
    bh_autofree char *path = NULL;
    if (strings_format(&path, &error, "/containers/%s/start", id) == 0 &&
        engine_ask(cli->engine, "POST", path, NULL, NULL, &error) == 0) {
        return 0;
    }
    cli_print_error(&error);
    return start_failure_status(error.message);
}

static int run_attached(struct cli *cli, const struct container_options *options,
                        const struct container_attachment *attachment, const char *id, struct bh_error *error)
{
    container_stream_auto struct container_stream stream = {
        .engine = cli->engine,
        .id = id,
        .attachment = *attachment,
        .tty = options->tty,
        .detach_keys = options->detach_keys,
        .signals_forwarded = !options->signals_kept,
        .signal_fd = -1,
    };
    if (container_stream_open(&stream, options->remove ? "removed" : "next-exit", error) < 0) {
        return -1;
    }
    int status = start(cli, id);
    return status == 0 ? container_stream_run(&stream, error) : status;
}

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    const struct container_options *options = values;
    struct container_attachment attachment = {0};
    bh_autofree char *id = NULL;
    if (container_attachment_of(options, &attachment, error) < 0) {
        cli->misused = true;
        return -1;
    }
    if (options->tty && attachment.stdin_on && !isatty(STDIN_FILENO)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "the input device is not a TTY");
    }
    if (container_create(cli, options, &attachment, arguments, &id, error) < 0) {
        return -1;
    }
    bool attached = attachment.stdin_on || attachment.stdout_on || attachment.stderr_on;
    if (attached) {
        return run_attached(cli, options, &attachment, id, error);
    }
    int status = start(cli, id);
    if (status == 0) {
        (void)printf("%s\n", id);
    }
    return status;
}

const struct command run_command = {
    .name = "run",
    .aliases = "container run",
    .usage = "[OPTIONS] IMAGE [COMMAND] [ARG...]",
    .summary = "Create and run a new container from an image",
    .options = container_options_table,
    .values_bytes = sizeof(struct container_options),
    .arguments_min = 1,
    .arguments_max = SIZE_MAX,
    .options_first = true,
    .failure_status = CLI_STATUS_FAILED,
    .completes = COMPLETE_IMAGES,
    .run = run,
};
