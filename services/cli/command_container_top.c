/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead top
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "fields.h"
#include "query.h"
#include "table.h"

#define COLUMN_WIDTH_MIN 20

static void print_cells(const json_t *cells, FILE *stream)
{
    for (size_t i = 0; i < json_array_size(cells); i++) {
        const char *cell = json_string_value(json_array_get(cells, i));
        (void)fputs(i ? "\t" : "", stream);
        table_print_clean(cell ? cell : "", stream);
    }
    (void)fputc('\n', stream);
}

static int print_table(const json_t *answer, struct bh_error *error)
{
    char *text = NULL;
    size_t n_text = 0;
    FILE *stream = open_memstream(&text, &n_text);
    const json_t *processes = field_at(answer, "Processes");
    if (!stream) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "out of memory");
    }
    print_cells(field_at(answer, "Titles"), stream);
    for (size_t i = 0; i < json_array_size(processes); i++) {
        print_cells(json_array_get(processes, i), stream);
    }
    (void)fclose(stream);
    table_align_to(text, COLUMN_WIDTH_MIN, stdout);
    free(text);
    return 0;
}

/* The words of ps(1), as one parameter. */
static int join(const struct strings *words, char **ret_text, struct bh_error *error)
{
    for (size_t i = 1; i < words->count; i++) {
        bh_autofree char *before = *ret_text;
        if (strings_format(ret_text, error, "%s%s%s", before ? before : "", before ? " " : "", words->items[i]) < 0) {
            return -1;
        }
    }
    return 0;
}

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    (void)values;
    bh_autofree char *path = NULL, *ps_arguments = NULL;
    json_auto json_t *answer = NULL;
    if (join(arguments, &ps_arguments, error) < 0 ||
        query_path(&path, "/containers/", arguments->items[0], "/top", error) < 0 ||
        query_add(&path, "ps_args", ps_arguments, error) < 0 ||
        engine_ask(cli->engine, "GET", path, NULL, &answer, error) < 0) {
        return -1;
    }
    return print_table(answer, error);
}

const struct command top_command = {
    .name = "top",
    .aliases = "container top",
    .usage = "CONTAINER [ps OPTIONS]",
    .summary = "Show the running processes of a container",
    .example = "bulkhead top web\nbulkhead top web -eo pid,comm",
    .arguments_min = 1,
    .arguments_max = SIZE_MAX,
    .options_first = true,
    .completes = COMPLETE_RUNNING,
    .run = run,
};
