/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead rmi
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "fields.h"
#include "commands.h"
#include "references.h"

struct rmi_options {
    bool force, no_prune;
};

static int remove_one(struct cli *cli, const char *escaped, const char *reference, const void *values,
                      struct bh_error *error)
{
    (void)reference;
    const struct rmi_options *options = values;
    bh_autofree char *path = NULL;
    json_auto json_t *answer = NULL;
    if (strings_format(&path, error, "/images/%s?force=%d&noprune=%d", escaped, options->force, options->no_prune) <
        0) {
        return -1;
    }
    if (engine_ask(cli->engine, "DELETE", path, NULL, &answer, error) < 0) {
        if (!options->force || error->code != BH_NOT_FOUND) {
            return -1;
        }
        cli_print_error(error);
        return 0;
    }
    for (size_t i = 0; i < json_array_size(answer); i++) {
        const char *untagged = field_text(json_array_get(answer, i), "Untagged");
        const char *deleted = field_text(json_array_get(answer, i), "Deleted");
        (void)printf("%s: %s\n", *untagged ? "Untagged" : "Deleted", *untagged ? untagged : deleted);
    }
    return 0;
}

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    return references_each(cli, arguments, remove_one, values, error);
}

static const struct option options_table[] = {
    {OPTION_FLAG, "force", 'f', offsetof(struct rmi_options, force), NULL, "Remove it although it has several names"},
    {OPTION_FLAG, "no-prune", 0, offsetof(struct rmi_options, no_prune), NULL, "Keep untagged parents"},
    {0},
};

const struct command rmi_command = {
    .name = "rmi",
    .aliases = "image rm, image remove",
    .usage = "[OPTIONS] IMAGE [IMAGE...]",
    .summary = "Remove one or more images",
    .options = options_table,
    .values_bytes = sizeof(struct rmi_options),
    .arguments_min = 1,
    .arguments_max = SIZE_MAX,
    .completes = COMPLETE_IMAGES,
    .run = run,
};
