/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead logs
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "commands.h"
#include "container_stream.h"
#include "fields.h"
#include "human.h"
#include "query.h"
#include "stream_frames.h"

#define PIECE_BYTES 65536

struct logs_options {
    bool details, follow, timestamps;
    const char *tail, *since, *until;
};

static int check_tail(const char *tail, struct bh_error *error)
{
    if (!tail || strcmp(tail, "all") == 0 || (*tail && strspn(tail, "0123456789") == strlen(tail))) {
        return 0;
    }
    return bh_error_set(error, BH_INVALID_ARGUMENT,
                        "invalid argument \"%s\" for \"-n, --tail\" flag: want a number or all", tail);
}

static int build_path(const struct logs_options *options, const char *reference, char **ret_path,
                      struct bh_error *error)
{
    char since[HUMAN_BYTES] = "", until[HUMAN_BYTES] = "";
    int64_t now = (int64_t)time(NULL);
    if (check_tail(options->tail, error) < 0 ||
        (options->since && human_parse_moment(options->since, now, since, error) < 0) ||
        (options->until && human_parse_moment(options->until, now, until, error) < 0)) {
        return -1;
    }
    return query_path(ret_path, "/containers/", reference, "/logs?stdout=1&stderr=1", error) < 0 ||
                   query_add(ret_path, "tail", options->tail ? options->tail : "all", error) < 0 ||
                   query_add_flag(ret_path, "follow", options->follow, error) < 0 ||
                   query_add_flag(ret_path, "timestamps", options->timestamps, error) < 0 ||
                   query_add_flag(ret_path, "details", options->details, error) < 0 ||
                   query_add(ret_path, "since", *since ? since : NULL, error) < 0 ||
                   query_add(ret_path, "until", *until ? until : NULL, error) < 0
               ? -1
               : 0;
}

/* A container with a tty has one stream, without frames. */
static int has_tty(struct cli *cli, const char *reference, bool *ret_tty, struct bh_error *error)
{
    json_auto json_t *details = NULL;
    if (query_container(cli->engine, reference, &details, error) < 0) {
        return -1;
    }
    *ret_tty = field_truth(details, "Config.Tty");
    return 0;
}

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    static char piece[PIECE_BYTES];
    http_auto struct http_connection *connection = NULL;
    bh_autofree char *path = NULL;
    struct http_head head = {0};
    struct stream_frames frames = {0};
    bool raw = false;
    if (build_path(values, arguments->items[0], &path, error) < 0 ||
        has_tty(cli, arguments->items[0], &raw, error) < 0 ||
        engine_stream(cli->engine, &(struct engine_question){.method = "GET", .path = path}, &connection, &head,
                      error) < 0) {
        return -1;
    }
    http_watch_output(connection);
    for (size_t n_read = 1; n_read > 0;) {
        if (http_read(connection, piece, sizeof(piece), &n_read, error) < 0 ||
            (raw ? container_stream_write(NULL, STDOUT_FILENO, piece, n_read, error)
                 : stream_frames_decode(&frames, piece, n_read, container_stream_write, NULL, error)) < 0) {
            return -1;
        }
    }
    return 0;
}

static const struct option options_table[] = {
    {OPTION_FLAG, "details", 0, offsetof(struct logs_options, details), NULL, "Show what --log-opt labels and env add"},
    {OPTION_FLAG, "follow", 'f', offsetof(struct logs_options, follow), NULL, "Follow the log's output"},
    {OPTION_TEXT, "since", 0, offsetof(struct logs_options, since), "string",
     "Show logs since a time or duration (42m)"},
    {OPTION_TEXT, "tail", 'n', offsetof(struct logs_options, tail), "string",
     "Number of lines from the end (default all)"},
    {OPTION_FLAG, "timestamps", 't', offsetof(struct logs_options, timestamps), NULL, "Show timestamps"},
    {OPTION_TEXT, "until", 0, offsetof(struct logs_options, until), "string", "Show logs before a time or duration"},
    {0},
};

const struct command logs_command = {
    .name = "logs",
    .aliases = "container logs",
    .usage = "[OPTIONS] CONTAINER",
    .summary = "Fetch the logs of a container",
    .options = options_table,
    .values_bytes = sizeof(struct logs_options),
    .arguments_min = 1,
    .arguments_max = 1,
    .completes = COMPLETE_CONTAINERS,
    .run = run,
};
