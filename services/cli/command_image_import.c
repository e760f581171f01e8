/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead import
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "image_name.h"
#include "json_stream.h"
#include "query.h"

struct import_options {
    struct strings changes;
    const char *message, *platform;
};

static int build_path(const struct import_options *options, const char *source, const struct strings *arguments,
                      char **ret_path, struct bh_error *error)
{
    bh_autofree char *path = NULL, *repository = NULL;
    const char *tag = NULL;
    if (arguments->count > 1 && image_name_split(arguments->items[1], &repository, &tag, error) < 0) {
        return -1;
    }
    if (strings_format(&path, error, "/images/create") < 0 || query_add(&path, "fromSrc", source, error) < 0 ||
        query_add(&path, "repo", repository, error) < 0 || query_add(&path, "tag", tag, error) < 0 ||
        query_add(&path, "message", options->message, error) < 0 ||
        query_add(&path, "platform", options->platform, error) < 0 ||
        query_add_list(&path, "changes", &options->changes, error) < 0) {
        return -1;
    }
    *ret_path = bh_steal_pointer(&path);
    return 0;
}

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    const char *source = arguments->items[0];
    bool remote = strings_begins(source, "http://") || strings_begins(source, "https://");
    bool from_stdin = strcmp(source, "-") == 0;
    bh_autoclose int fd = -1;
    bh_autofree char *path = NULL;
    http_auto struct http_connection *connection = NULL;
    struct http_head head = {0};
    if (build_path(values, remote ? source : "-", arguments, &path, error) < 0) {
        return -1;
    }
    if (!remote && !from_stdin && (fd = open(source, O_RDONLY | O_CLOEXEC)) < 0) {
        return bh_error_errno(error, errno, "open %s", source);
    }
    const struct engine_question question = {.method = "POST", .path = path, .uploads = !remote};
    int asked = remote ? engine_stream(cli->engine, &question, &connection, &head, error)
                       : engine_upload(cli->engine, &question, from_stdin ? STDIN_FILENO : fd, &connection, error);
    return asked < 0 ? -1 : json_stream_show(connection, stdout, false, error);
}

#define AT(field) offsetof(struct import_options, field)
static const struct option options_table[] = {
    {OPTION_LIST, "change", 'c', AT(changes), "list", "Apply a Dockerfile instruction to the new image"},
    {OPTION_TEXT, "message", 'm', AT(message), "string", "Commit message of the new image"},
    {OPTION_TEXT, "platform", 0, AT(platform), "string", "Platform of the new image, like linux/amd64"},
    {0},
};

const struct command import_command = {
    .name = "import",
    .aliases = "image import",
    .usage = "[OPTIONS] FILE|URL|- [REPOSITORY[:TAG]]",
    .summary = "Make an image of one layer from a file system archive",
    .example = "bulkhead export web | bulkhead import - web:flat",
    .options = options_table,
    .values_bytes = sizeof(struct import_options),
    .arguments_min = 1,
    .arguments_max = 2,
    .completes = COMPLETE_FILES,
    .run = run,
};
