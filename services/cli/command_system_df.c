/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead system df
 */
#include <stddef.h>
#include <stdio.h>

#include "commands.h"
#include "fields.h"
#include "system_df.h"
#include "table.h"

struct df_options {
    const char *format;
    bool verbose;
};

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    static const struct table_heading headings_list[] = {
        {"Type", "TYPE"}, {"TotalCount", "TOTAL"},        {"Active", "ACTIVE"},
        {"Size", "SIZE"}, {"Reclaimable", "RECLAIMABLE"}, {0}};
    (void)arguments;
    const struct df_options *options = values;
    json_auto json_t *usage = NULL, *rows = NULL, *headings = table_headings(headings_list);
    if (engine_ask(cli->engine, "GET", "/system/df", NULL, &usage, error) < 0) {
        return -1;
    }
    if (options->verbose && !options->format) {
        return system_df_print_verbose(usage, stdout, error);
    }
    if (system_df_summary(usage, &rows, error) < 0) {
        return -1;
    }
    const struct table table = {
        .format = options->format,
        .columns = "{{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}",
        .headings = headings,
    };
    return table_print(&table, rows, stdout, error);
}

static const struct option options_table[] = {
    {OPTION_TEXT, "format", 0, offsetof(struct df_options, format), "string", "table, json, or a Go template"},
    {OPTION_FLAG, "verbose", 'v', offsetof(struct df_options, verbose), NULL, "Show every image, container and volume"},
    {0},
};

const struct command system_df_command = {
    .name = "system df",
    .usage = "[OPTIONS]",
    .summary = "Show how much disk space is used",
    .options = options_table,
    .values_bytes = sizeof(struct df_options),
    .run = run,
};
