/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead exec
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "container_stream.h"
#include "env_file.h"
#include "fields.h"
#include "query.h"

struct exec_options {
    bool detach, interactive, privileged, tty;
    const char *detach_keys, *user, *working_dir;
    struct strings env, env_files;
};

static int build_request(const struct exec_options *options, const struct strings *arguments, json_t **ret_request,
                         struct bh_error *error)
{
    strings_auto struct strings env = {0};
    if (env_collect(&options->env_files, &options->env, &env, error) < 0) {
        return -1;
    }
    bool attached = !options->detach;
    json_auto json_t *request = json_pack(
        "{s:b, s:b, s:b, s:b, s:b, s:s*, s:s*, s:s*}", "AttachStdin", attached && options->interactive, "AttachStdout",
        attached, "AttachStderr", attached, "Tty", options->tty, "Privileged", options->privileged, "User",
        options->user, "WorkingDir", options->working_dir, "DetachKeys", options->detach_keys);
    if (!request) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "a value is not valid UTF-8");
    }
    const struct strings command = {.items = arguments->items + 1, .count = arguments->count - 1};
    if (field_set_list(request, "Cmd", &command, error) < 0 || field_set_list(request, "Env", &env, error) < 0) {
        return -1;
    }
    *ret_request = bh_steal_pointer(&request);
    return 0;
}

static int create(struct cli *cli, const struct exec_options *options, const struct strings *arguments, char **ret_id,
                  struct bh_error *error)
{
    json_auto json_t *request = NULL, *answer = NULL;
    bh_autofree char *path = NULL;
    if (build_request(options, arguments, &request, error) < 0 ||
        query_path(&path, "/containers/", arguments->items[0], "/exec", error) < 0 ||
        engine_ask(cli->engine, "POST", path, request, &answer, error) < 0) {
        return -1;
    }
    if (!*field_text(answer, "Id")) {
        return bh_error_set(error, BH_INTERNAL, "the engine did not name the program it is to start");
    }
    return strings_format(ret_id, error, "%s", field_text(answer, "Id"));
}

static int start_detached(struct cli *cli, const struct exec_options *options, const char *id, struct bh_error *error)
{
    json_auto json_t *body = json_pack("{s:b, s:b}", "Detach", 1, "Tty", options->tty);
    bh_autofree char *path = NULL;
    if (!body || query_path(&path, "/exec/", id, "/start", error) < 0 ||
        engine_ask(cli->engine, "POST", path, body, NULL, error) < 0) {
        return -1;
    }
    return 0;
}

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    const struct exec_options *options = values;
    bh_autofree char *id = NULL;
    if (options->tty && options->interactive && !options->detach && !isatty(STDIN_FILENO)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "the input device is not a TTY");
    }
    if (create(cli, options, arguments, &id, error) < 0) {
        return -1;
    }
    if (options->detach) {
        return start_detached(cli, options, id, error);
    }
    container_stream_auto struct container_stream stream = {
        .engine = cli->engine,
        .id = arguments->items[0],
        .exec_id = id,
        .attachment = {options->interactive, true, true},
        .tty = options->tty,
        .detach_keys = options->detach_keys,
        .signal_fd = -1,
    };
    return container_stream_open(&stream, NULL, error) < 0 ? -1 : container_stream_run(&stream, error);
}

#define AT(field) offsetof(struct exec_options, field)
static const struct option options_table[] = {
    {OPTION_FLAG, "detach", 'd', AT(detach), NULL, "Run the command in the background"},
    {OPTION_TEXT, "detach-keys", 0, AT(detach_keys), "string", "Key sequence that detaches (default ctrl-p,ctrl-q)"},
    {OPTION_LIST, "env", 'e', AT(env), "list", "Set environment variables"},
    {OPTION_LIST, "env-file", 0, AT(env_files), "list", "Read environment variables from a file"},
    {OPTION_FLAG, "interactive", 'i', AT(interactive), NULL, "Keep STDIN open"},
    {OPTION_FLAG, "privileged", 0, AT(privileged), NULL, "Give extended privileges to the command"},
    {OPTION_FLAG, "tty", 't', AT(tty), NULL, "Allocate a pseudo-TTY"},
    {OPTION_TEXT, "user", 'u', AT(user), "string", "Username or UID (<name|uid>[:<group|gid>])"},
    {OPTION_TEXT, "workdir", 'w', AT(working_dir), "string", "Working directory inside the container"},
    {0},
};

const struct command exec_command = {
    .name = "exec",
    .aliases = "container exec",
    .usage = "[OPTIONS] CONTAINER COMMAND [ARG...]",
    .summary = "Execute a command in a running container",
    .example = "bulkhead exec -it web sh\nbulkhead exec -e LEVEL=debug -u www-data web env",
    .options = options_table,
    .values_bytes = sizeof(struct exec_options),
    .arguments_min = 2,
    .arguments_max = SIZE_MAX,
    .options_first = true,
    .completes = COMPLETE_RUNNING,
    .run = run,
};
