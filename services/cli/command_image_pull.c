/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead pull
 */
#include "pull.h"

#include <stddef.h>
#include <string.h>

#include "commands.h"
#include "image_name.h"
#include "json_stream.h"
#include "query.h"
#include "registry_auth.h"

/* `tag` is NULL for every tag of the repository. */
static int pull(struct engine *engine, const char *name, const char *tag, const char *platform, bool quiet,
                FILE *stream, struct bh_error *error)
{
    bh_autofree char *header = NULL, *path = NULL;
    http_auto struct http_connection *connection = NULL;
    struct http_head head = {0};
    if (registry_auth_header(name, &header, error) < 0 || strings_format(&path, error, "/images/create") < 0 ||
        query_add(&path, "fromImage", name, error) < 0 || query_add(&path, "tag", tag, error) < 0 ||
        query_add(&path, "platform", platform, error) < 0 ||
        engine_stream(engine, &(struct engine_question){.method = "POST", .path = path, .extra = header}, &connection,
                      &head, error) < 0) {
        return -1;
    }
    return json_stream_show(connection, stream, quiet, error);
}

int pull_image(struct engine *engine, const char *reference, const char *platform, bool quiet, FILE *stream,
               struct bh_error *error)
{
    bh_autofree char *name = NULL;
    const char *tag = NULL;
    return image_name_split(reference, &name, &tag, error) < 0
               ? -1
               : pull(engine, name, tag ? tag : "latest", platform, quiet, stream, error);
}

struct pull_options {
    bool all_tags, quiet, trust_demanded;
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
    if (options->trust_demanded) {
        return bh_error_set(error, BH_UNIMPLEMENTED,
                            "--disable-content-trust=false: which images are trusted is policy's to say");
    }
    if (options->all_tags && tag) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "tag can't be used with --all-tags/-a");
    }
    if (options->all_tags) {
        if (pull(cli->engine, name, NULL, options->platform, options->quiet, stdout, error) < 0 ||
            image_name_whole(reference, &whole, error) < 0) {
            return -1;
        }
        (void)printf("%.*s\n", (int)(strrchr(whole, ':') - whole), whole);
        return 0;
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
    {OPTION_FLAG, "all-tags", 'a', offsetof(struct pull_options, all_tags), NULL,
     "Download all tags of the repository"},
    {OPTION_ON, "disable-content-trust", 0, offsetof(struct pull_options, trust_demanded), NULL,
     "Skip image verification by this client"},
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
