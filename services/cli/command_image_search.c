/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead search
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "commands.h"
#include "fields.h"
#include "filters.h"
#include "human.h"
#include "query.h"
#include "table.h"

#define DESCRIPTION_CHARACTERS 45

struct search_options {
    struct strings filters;
    const char *format;
    struct option_integer limit;
    bool no_trunc;
};

static json_t *row_of(const json_t *result, bool whole)
{
    return json_pack("{s:s, s:o*, s:o*, s:s, s:s}", "Name", field_text(result, "name"), "Description",
                     human_shorten(field_text(result, "description"), whole ? SIZE_MAX : DESCRIPTION_CHARACTERS),
                     "StarCount", json_sprintf("%lld", (long long)field_integer(result, "star_count")), "IsOfficial",
                     field_truth(result, "is_official") ? "[OK]" : "", "IsAutomated",
                     field_truth(result, "is_automated") ? "[OK]" : "");
}

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    static const struct table_heading headings_list[] = {
        {"Name", "NAME"},           {"Description", "DESCRIPTION"}, {"StarCount", "STARS"},
        {"IsOfficial", "OFFICIAL"}, {"IsAutomated", "AUTOMATED"},   {0}};
    const struct search_options *options = values;
    bh_autofree char *path = NULL;
    char limit[32];
    json_auto json_t *results = NULL, *rows = json_array(), *headings = table_headings(headings_list);
    (void)snprintf(limit, sizeof(limit), "%lld", (long long)options->limit.value);
    if (strings_format(&path, error, "/images/search") < 0 ||
        query_add(&path, "term", arguments->items[0], error) < 0 ||
        query_add(&path, "limit", options->limit.given ? limit : NULL, error) < 0 ||
        filters_append(&path, &options->filters, error) < 0 ||
        engine_ask(cli->engine, "GET", path, NULL, &results, error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < json_array_size(results); i++) {
        if (field_append(rows, row_of(json_array_get(results, i), options->no_trunc), error) < 0) {
            return -1;
        }
    }
    const struct table table = {
        .format = options->format,
        .columns = "{{.Name}}\t{{.Description}}\t{{.StarCount}}\t{{.IsOfficial}}",
        .headings = headings,
    };
    return table_print(&table, rows, stdout, error);
}

#define AT(field) offsetof(struct search_options, field)
static const struct option options_table[] = {
    {OPTION_LIST, "filter", 'f', AT(filters), "filter", "Filter by KEY=VALUE (is-official, stars)"},
    {OPTION_TEXT, "format", 0, AT(format), "string", "table, json, or a Go template"},
    {OPTION_INTEGER, "limit", 0, AT(limit), "int", "Most results to show"},
    {OPTION_FLAG, "no-trunc", 0, AT(no_trunc), NULL, "Do not shorten the output"},
    {0},
};

const struct command search_command = {
    .name = "search",
    .usage = "[OPTIONS] TERM",
    .summary = "Search a registry for images",
    .options = options_table,
    .values_bytes = sizeof(struct search_options),
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
