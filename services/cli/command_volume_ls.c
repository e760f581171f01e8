/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead volume ls
 */
#include <stddef.h>

#include "commands.h"
#include "fields.h"
#include "filters.h"
#include "label_map.h"
#include "table.h"

struct volume_ls_options {
    const char *format;
    bool quiet;
    struct strings filters;
};

static json_t *row_of(const json_t *volume)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:o*, s:s, s:s, s:s, s:s, s:s}", "Name", field_text(volume, "Name"),
                     "Driver", field_text(volume, "Driver"), "Scope", field_text(volume, "Scope"), "Mountpoint",
                     field_text(volume, "Mountpoint"), "Labels", label_map_joined(field_at(volume, "Labels")), "Links",
                     "N/A", "Size", "N/A", "Availability", "N/A", "Group", "N/A", "Status", "N/A");
}

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    static const struct table_heading headings_list[] = {{"Name", "VOLUME NAME"},
                                                         {"Driver", "DRIVER"},
                                                         {"Scope", "SCOPE"},
                                                         {"Mountpoint", "MOUNTPOINT"},
                                                         {"Labels", "LABELS"},
                                                         {"Links", "LINKS"},
                                                         {"Size", "SIZE"},
                                                         {"Availability", "AVAILABILITY"},
                                                         {"Group", "GROUP"},
                                                         {"Status", "STATUS"},
                                                         {0}};
    (void)arguments;
    const struct volume_ls_options *options = values;
    bh_autofree char *path = NULL;
    json_auto json_t *answer = NULL, *rows = json_array(), *headings = table_headings(headings_list);
    if (strings_format(&path, error, "/volumes") < 0 || filters_append(&path, &options->filters, error) < 0 ||
        engine_ask(cli->engine, "GET", path, NULL, &answer, error) < 0) {
        return -1;
    }
    json_t *volumes = field_at(answer, "Volumes");
    if (table_sort(volumes, "Name", error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < json_array_size(volumes); i++) {
        if (field_append(rows, row_of(json_array_get(volumes, i)), error) < 0) {
            return -1;
        }
    }
    const struct table table = {
        .format = options->format,
        .columns = "{{.Driver}}\t{{.Name}}",
        .quiet = options->quiet,
        .quiet_columns = "{{.Name}}",
        .headings = headings,
    };
    return table_print(&table, rows, stdout, error);
}

static const struct option options_table[] = {
    {OPTION_LIST, "filter", 'f', offsetof(struct volume_ls_options, filters), "filter",
     "Filter by KEY=VALUE (dangling, driver, label, name)"},
    {OPTION_TEXT, "format", 0, offsetof(struct volume_ls_options, format), "string", "table, json, or a Go template"},
    {OPTION_FLAG, "quiet", 'q', offsetof(struct volume_ls_options, quiet), NULL, "Print names only"},
    {0},
};

const struct command volume_ls_command = {
    .name = "volume ls",
    .aliases = "volume list",
    .usage = "[OPTIONS]",
    .summary = "List volumes",
    .options = options_table,
    .values_bytes = sizeof(struct volume_ls_options),
    .run = run,
};
