/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead push
 */
#include <stddef.h>
#include <stdio.h>

#include "commands.h"
#include "image_name.h"
#include "json_stream.h"
#include "query.h"
#include "registry_auth.h"

struct push_options {
    bool all_tags, quiet, untrusted;
    const char *platform;
};

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    const struct push_options *options = values;
    const char *reference = arguments->items[0], *tag = NULL;
    bh_autofree char *name = NULL, *header = NULL, *path = NULL, *whole = NULL;
    http_auto struct http_connection *connection = NULL;
    struct http_head head = {0};
    if (image_name_split(reference, &name, &tag, error) < 0) {
        return -1;
    }
    if (options->all_tags && tag) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "tag can't be used with --all-tags/-a");
    }
    if (!tag && !options->all_tags && !options->quiet) {
        (void)printf("Using default tag: latest\n");
        (void)fflush(stdout);
    }
    if (registry_auth_header(reference, &header, error) < 0 ||
        query_path(&path, "/images/", name, "/push", error) < 0 ||
        query_add(&path, "tag",
                  options->all_tags ? NULL
                  : tag             ? tag
                                    : "latest",
                  error) < 0 ||
        query_add(&path, "platform", options->platform, error) < 0 || image_name_whole(reference, &whole, error) < 0) {
        return -1;
    }
    /* the field must be there: without credentials it is an empty object */
    const struct engine_question question = {
        .method = "POST", .path = path, .extra = header ? header : "X-Registry-Auth: e30=\r\n"};
    if (engine_stream(cli->engine, &question, &connection, &head, error) < 0 ||
        json_stream_show(connection, stdout, options->quiet, error) < 0) {
        return -1;
    }
    if (options->quiet) {
        (void)printf("%s\n", whole);
    }
    return 0;
}

#define AT(field) offsetof(struct push_options, field)
static const struct option options_table[] = {
    {OPTION_FLAG, "all-tags", 'a', AT(all_tags), NULL, "Push all tags of the repository"},
    {OPTION_ON, "disable-content-trust", 0, AT(untrusted), NULL, "Skip signing; what is signed is policy's to say"},
    {OPTION_TEXT, "platform", 0, AT(platform), "string", "Push only this platform, like linux/amd64"},
    {OPTION_FLAG, "quiet", 'q', AT(quiet), NULL, "Print the image's name only"},
    {0},
};

const struct command push_command = {
    .name = "push",
    .aliases = "image push",
    .usage = "[OPTIONS] NAME[:TAG]",
    .summary = "Upload an image to a registry",
    .options = options_table,
    .values_bytes = sizeof(struct push_options),
    .arguments_min = 1,
    .arguments_max = 1,
    .completes = COMPLETE_IMAGES,
    .run = run,
};
