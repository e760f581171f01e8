/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead pull
 */
#include "pull.h"

#include <stddef.h>

#include "commands.h"
#include "image_name.h"
#include "json_stream.h"
#include "registry_auth.h"

int pull_image(struct engine *engine, const char *reference, const char *platform, bool quiet, FILE *stream,
               struct bh_error *error)
{
    bh_autofree char *name = NULL, *header = NULL, *path = NULL;
    const char *tag = NULL;
    if (image_name_split(reference, &name, &tag, error) < 0 || registry_auth_header(reference, &header, error) < 0) {
        return -1;
    }
    bh_autofree char *name_escaped = engine_escape(name), *tag_escaped = engine_escape(tag ? tag : "latest");
    bh_autofree char *platform_escaped = engine_escape(platform ? platform : "");
    if (!name_escaped || !tag_escaped || !platform_escaped) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "out of memory");
    }
    http_auto struct http_connection *connection = NULL;
    struct http_head head = {0};
    if (strings_format(&path, error, "/images/create?fromImage=%s&tag=%s%s%s", name_escaped, tag_escaped,
                       platform ? "&platform=" : "", platform_escaped) < 0 ||
        engine_stream(engine, &(struct engine_question){.method = "POST", .path = path, .extra = header}, &connection,
                      &head, error) < 0) {
        return -1;
    }
    return json_stream_show(connection, stream, quiet, error);
}

struct pull_options {
    bool quiet;
    const char *platform;
};

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    const struct pull_options *options = values;
    const char *reference = arguments->items[0];
    bh_autofree char *whole = NULL, *name = NULL;
    const char *tag = NULL;
    if (image_name_split(reference, &name, &tag, error) < 0) {
        return -1;
    }
    if (!tag && !options->quiet) {
        (void)printf("Using default tag: latest\n");
        (void)fflush(stdout);
    }
    if (pull_image(cli->engine, reference, options->platform, options->quiet, stdout, error) < 0 ||
        image_name_whole(reference, &whole, error) < 0) {
        return -1;
    }
    (void)printf("%s\n", whole);
    return 0;
}

static const struct option options_table[] = {
    {OPTION_TEXT, "platform", 0, offsetof(struct pull_options, platform), "string", "Platform, like linux/amd64"},
    {OPTION_FLAG, "quiet", 'q', offsetof(struct pull_options, quiet), NULL, "Print the image's name only"},
    {0},
};

const struct command pull_command = {
    .name = "pull",
    .aliases = "image pull",
    .usage = "[OPTIONS] NAME[:TAG|@DIGEST]",
    .summary = "Download an image from a registry",
    .options = options_table,
    .values_bytes = sizeof(struct pull_options),
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
