/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead inspect: what the engine knows about containers and images, as JSON or through a template.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "commands.h"
#include "fields.h"
#include "table.h"

struct inspect_options {
    const char *format, *type;
    bool size;
};

static int look_up(struct cli *cli, const struct inspect_options *options, const char *reference, json_t **ret_details,
                   struct bh_error *error)
{
    static const struct {
        const char *type, *before;
    } kinds[] = {{"container", "/containers/"}, {"image", "/images/"}};
    bh_autofree char *escaped = engine_escape(reference);
    bool wanted_one = options->type && *options->type;
    for (size_t i = 0; escaped && *escaped && i < sizeof(kinds) / sizeof(*kinds); i++) {
        bh_autofree char *path = NULL;
        if (wanted_one && strcmp(options->type, kinds[i].type) != 0) {
            continue;
        }
        bh_error_clear(error);
        if (strings_format(&path, error, "%s%s/json%s", kinds[i].before, escaped,
                           options->size && i == 0 ? "?size=1" : "") < 0) {
            return -1;
        }
        if (engine_ask(cli->engine, "GET", path, NULL, ret_details, error) == 0) {
            return 0;
        }
        if (wanted_one || (error->code != BH_NOT_FOUND && error->code != BH_INVALID_ARGUMENT)) {
            return -1;
        }
    }
    return bh_error_set(error, BH_NOT_FOUND, "No such object: %s", reference);
}

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    const struct inspect_options *options = values;
    json_auto json_t *found = json_array();
    int status = 0;
    if (options->type && strcmp(options->type, "container") != 0 && strcmp(options->type, "image") != 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "\"%s\" is not a valid value for --type: want container or image", options->type);
    }
    for (size_t i = 0; i < arguments->count; i++) {
        json_auto json_t *details = NULL;
        bool shown = look_up(cli, options, arguments->items[i], &details, error) == 0;
        if (shown && options->format) {
            shown = table_print_object(options->format, details, stdout, error) == 0;
        } else if (shown && field_append(found, json_incref(details), error) < 0) {
            return -1;
        }
        if (!shown) {
            cli_print_error(error);
            status = 1;
        }
    }
    if (!options->format) {
        (void)json_dumpf(found, stdout, JSON_INDENT(4));
        (void)fputc('\n', stdout);
    }
    return status;
}

static const struct option options_table[] = {
    {OPTION_TEXT, "format", 'f', offsetof(struct inspect_options, format), "string", "json, or a Go template"},
    {OPTION_FLAG, "size", 's', offsetof(struct inspect_options, size), NULL, "Show total file sizes of containers"},
    {OPTION_TEXT, "type", 0, offsetof(struct inspect_options, type), "string",
     "Only look for this: container or image"},
    {0},
};

const struct command inspect_command = {
    .name = "inspect",
    .usage = "[OPTIONS] NAME|ID [NAME|ID...]",
    .summary = "Show what is known about containers and images",
    .options = options_table,
    .values_bytes = sizeof(struct inspect_options),
    .arguments_min = 1,
    .arguments_max = SIZE_MAX,
    .run = run,
};
