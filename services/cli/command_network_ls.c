/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead network ls
 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "fields.h"
#include "filters.h"
#include "human.h"
#include "label_map.h"
#include "table.h"

#define SHORT_ID_DIGITS 12

struct network_ls_options {
    const char *format;
    bool no_trunc, quiet;
    struct strings filters;
};

static json_t *row_of(const json_t *network, bool whole)
{
    const char *id = field_text(network, "Id"), *created = field_text(network, "Created");
    char created_at[HUMAN_BYTES];
    /* "2024-01-31T10:00:00.5Z" as "2024-01-31 10:00:00.5 +0000 UTC" */
    (void)snprintf(created_at, sizeof(created_at), "%.*s", (int)strcspn(created, "Z"), created);
    size_t length = strlen(created_at), date = strcspn(created_at, "T");
    created_at[date] = date < length ? ' ' : '\0';
    (void)snprintf(created_at + length, sizeof(created_at) - length, "%s", strchr(created, 'Z') ? " +0000 UTC" : "");
    return json_pack("{s:o*, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o*}", "ID",
                     whole ? json_string(id) : json_sprintf("%.*s", SHORT_ID_DIGITS, id), "Name",
                     field_text(network, "Name"), "Driver", field_text(network, "Driver"), "Scope",
                     field_text(network, "Scope"), "IPv4", field_truth(network, "EnableIPv4") ? "true" : "false",
                     "IPv6", field_truth(network, "EnableIPv6") ? "true" : "false", "Internal",
                     field_truth(network, "Internal") ? "true" : "false", "CreatedAt", created_at, "Labels",
                     label_map_joined(field_at(network, "Labels")));
}

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    static const struct table_heading headings_list[] = {{"ID", "NETWORK ID"},     {"Name", "NAME"},
                                                         {"Driver", "DRIVER"},     {"Scope", "SCOPE"},
                                                         {"IPv4", "IPV4"},         {"IPv6", "IPV6"},
                                                         {"Internal", "INTERNAL"}, {"CreatedAt", "CREATED AT"},
                                                         {"Labels", "LABELS"},     {0}};
    (void)arguments;
    const struct network_ls_options *options = values;
    bh_autofree char *path = NULL;
    json_auto json_t *networks = NULL, *rows = json_array(), *headings = table_headings(headings_list);
    if (strings_format(&path, error, "/networks") < 0 || filters_append(&path, &options->filters, error) < 0 ||
        engine_ask(cli->engine, "GET", path, NULL, &networks, error) < 0 || table_sort(networks, "Name", error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < json_array_size(networks); i++) {
        if (field_append(rows, row_of(json_array_get(networks, i), options->no_trunc), error) < 0) {
            return -1;
        }
    }
    const struct table table = {
        .format = options->format,
        .columns = "{{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}",
        .quiet = options->quiet,
        .quiet_columns = "{{.ID}}",
        .headings = headings,
    };
    return table_print(&table, rows, stdout, error);
}

#define AT(field) offsetof(struct network_ls_options, field)
static const struct option options_table[] = {
    {OPTION_LIST, "filter", 'f', AT(filters), "filter", "Filter by KEY=VALUE (driver, id, label, name, scope, type)"},
    {OPTION_TEXT, "format", 0, AT(format), "string", "table, json, or a Go template"},
    {OPTION_FLAG, "no-trunc", 0, AT(no_trunc), NULL, "Do not shorten the output"},
    {OPTION_FLAG, "quiet", 'q', AT(quiet), NULL, "Print network IDs only"},
    {0},
};

const struct command network_ls_command = {
    .name = "network ls",
    .aliases = "network list",
    .usage = "[OPTIONS]",
    .summary = "List networks",
    .options = options_table,
    .values_bytes = sizeof(struct network_ls_options),
    .run = run,
};
