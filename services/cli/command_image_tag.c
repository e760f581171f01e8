/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead tag
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "image_name.h"
#include "commands.h"

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    (void)values;
    bh_autofree char *name = NULL, *path = NULL;
    const char *tag = NULL;
    if (image_name_split(arguments->items[1], &name, &tag, error) < 0) {
        return -1;
    }
    bh_autofree char *source = engine_escape(arguments->items[0]), *name_escaped = engine_escape(name);
    bh_autofree char *tag_escaped = engine_escape(tag ? tag : "");
    if (!source || !name_escaped || !tag_escaped) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "out of memory");
    }
    if (strings_format(&path, error, "/images/%s/tag?repo=%s&tag=%s", source, name_escaped, tag_escaped) < 0) {
        return -1;
    }
    return engine_ask(cli->engine, "POST", path, NULL, NULL, error);
}

const struct command tag_command = {
    .name = "tag",
    .aliases = "image tag",
    .usage = "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]",
    .summary = "Make a new name for an image",
    .arguments_min = 2,
    .arguments_max = 2,
    .completes = COMPLETE_IMAGES,
    .run = run,
};
