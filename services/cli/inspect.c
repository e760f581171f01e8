/* SPDX-License-Identifier: Apache-2.0
 *
 * Looking things up by name, kind after kind.
 */
#include "inspect.h"

#include <stdio.h>
#include <string.h>

#include "fields.h"
#include "query.h"
#include "table.h"

static const struct {
    const char *type, *before, *after;
} kinds[] = {
    {"container", "/containers/", "/json"},
    {"image", "/images/", "/json"},
    {"network", "/networks/", ""},
    {"volume", "/volumes/", ""},
};
#define KINDS (sizeof(kinds) / sizeof(*kinds))

bool inspect_knows_type(const char *type)
{
    size_t i = 0;
    while (i < KINDS && strcmp(kinds[i].type, type) != 0) {
        i++;
    }
    return i < KINDS;
}

/* What says that there is no such thing here, and that it may be of another kind. */
static bool may_be_another_kind(const struct bh_error *error)
{
    return error->code == BH_NOT_FOUND || error->code == BH_INVALID_ARGUMENT || error->code == BH_UNIMPLEMENTED;
}

static int look_up(struct cli *cli, const struct inspect_options *options, const char *type, const char *reference,
                   json_t **ret_details, struct bh_error *error)
{
    for (size_t i = 0; i < KINDS; i++) {
        bh_autofree char *path = NULL;
        if (type && strcmp(type, kinds[i].type) != 0) {
            continue;
        }
        bh_error_clear(error);
        if (query_path(&path, kinds[i].before, reference, kinds[i].after, error) < 0 ||
            query_add_flag(&path, "size", options->size && i == 0, error) < 0 ||
            query_add_flag(&path, "verbose", options->verbose && strcmp(kinds[i].type, "network") == 0, error) < 0) {
            return -1;
        }
        if (engine_ask(cli->engine, "GET", path, NULL, ret_details, error) == 0) {
            return 0;
        }
        if (type || !may_be_another_kind(error)) {
            return -1;
        }
    }
    return bh_error_set(error, BH_NOT_FOUND, "No such object: %s", reference);
}

int inspect_each(struct cli *cli, const struct inspect_options *options, const char *type,
                 const struct strings *arguments, struct bh_error *error)
{
    json_auto json_t *found = json_array();
    bool as_array = !options->format || strcmp(options->format, "") == 0;
    int status = 0;
    for (size_t i = 0; i < arguments->count; i++) {
        json_auto json_t *details = NULL;
        bool shown = look_up(cli, options, type, arguments->items[i], &details, error) == 0;
        if (shown && !as_array) {
            shown = table_print_object(options->format, details, stdout, error) == 0;
        } else if (shown && field_append(found, json_incref(details), error) < 0) {
            return -1;
        }
        if (!shown) {
            cli_print_error(error);
            status = 1;
        }
    }
    if (as_array) {
        (void)json_dumpf(found, stdout, JSON_INDENT(4));
        (void)fputc('\n', stdout);
    }
    return status;
}
