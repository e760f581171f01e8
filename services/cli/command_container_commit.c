/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead commit
 */
#include <stddef.h>
#include <stdio.h>

#include "commands.h"
#include "fields.h"
#include "image_name.h"
#include "query.h"

struct commit_options {
    const char *author, *message;
    struct strings changes;
    bool running;
};

static int build_path(const struct commit_options *options, const struct strings *arguments, char **ret_path,
                      struct bh_error *error)
{
    bh_autofree char *path = NULL, *repository = NULL;
    const char *tag = NULL;
    if (arguments->count > 1 && image_name_split(arguments->items[1], &repository, &tag, error) < 0) {
        return -1;
    }
    if (strings_format(&path, error, "/commit") < 0 || query_add(&path, "container", arguments->items[0], error) < 0 ||
        query_add(&path, "repo", repository, error) < 0 || query_add(&path, "tag", tag, error) < 0 ||
        query_add(&path, "author", options->author, error) < 0 ||
        query_add(&path, "comment", options->message, error) < 0 ||
        query_add_list(&path, "changes", &options->changes, error) < 0 ||
        query_add(&path, "pause", options->running ? "0" : NULL, error) < 0) {
        return -1;
    }
    *ret_path = bh_steal_pointer(&path);
    return 0;
}

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    bh_autofree char *path = NULL;
    json_auto json_t *answer = NULL, *body = json_object();
    if (build_path(values, arguments, &path, error) < 0 ||
        engine_ask(cli->engine, "POST", path, body, &answer, error) < 0) {
        return -1;
    }
    (void)printf("%s\n", field_text(answer, "Id"));
    return 0;
}

#define AT(field) offsetof(struct commit_options, field)
static const struct option options_table[] = {
    {OPTION_TEXT, "author", 'a', AT(author), "string", "Author (\"Jane Doe <jane@example.org>\")"},
    {OPTION_LIST, "change", 'c', AT(changes), "list", "Apply a Dockerfile instruction to the new image"},
    {OPTION_TEXT, "message", 'm', AT(message), "string", "Commit message"},
    {OPTION_ON, "pause", 'p', AT(running), NULL, "Pause the container meanwhile"},
    {0},
};

const struct command commit_command = {
    .name = "commit",
    .aliases = "container commit",
    .usage = "[OPTIONS] CONTAINER [REPOSITORY[:TAG]]",
    .summary = "Make an image of what has changed in a container",
    .example = "bulkhead commit -m 'with configuration' -c 'CMD [\"serve\"]' web app:configured",
    .options = options_table,
    .values_bytes = sizeof(struct commit_options),
    .arguments_min = 1,
    .arguments_max = 2,
    .completes = COMPLETE_CONTAINERS,
    .run = run,
};
