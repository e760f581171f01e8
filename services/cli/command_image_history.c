/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead history
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "commands.h"
#include "fields.h"
#include "human.h"
#include "query.h"
#include "table.h"

#define CREATED_BY_CHARACTERS 45
#define SHORT_ID_DIGITS       12

struct history_options {
    bool exact, no_trunc, quiet;
    const char *format;
};

static json_t *id_field(const char *id, bool whole)
{
    const char *digits = strncmp(id, "sha256:", 7) == 0 ? id + 7 : id;
    return whole || digits == id ? json_string(id) : json_sprintf("%.*s", SHORT_ID_DIGITS, digits);
}

static json_t *row_of(const json_t *step, const struct history_options *options)
{
    char age[HUMAN_BYTES], created_at[HUMAN_BYTES] = "", size[HUMAN_BYTES];
    time_t created = (time_t)field_integer(step, "Created");
    uint64_t bytes = (uint64_t)field_integer(step, "Size");
    struct tm local = {0};
    if (localtime_r(&created, &local)) {
        (void)strftime(created_at, sizeof(created_at), "%Y-%m-%dT%H:%M:%S", &local);
    }
    size_t length = strlen(created_at);
    if (local.tm_gmtoff == 0) {
        (void)snprintf(created_at + length, sizeof(created_at) - length, "Z");
    } else {
        (void)snprintf(created_at + length, sizeof(created_at) - length, "%+03ld:%02ld", local.tm_gmtoff / 3600,
                       labs(local.tm_gmtoff) / 60 % 60);
    }
    (void)human_duration((int64_t)time(NULL) - created, age);
    (void)human_size(bytes, size);
    json_t *size_field = options->exact ? json_sprintf("%llu", (unsigned long long)bytes) : json_string(size);
    json_t *since = options->exact ? json_string(created_at)
                    : created > 0  ? json_sprintf("%s ago", age)
                                   : json_string("N/A");
    return json_pack("{s:o*, s:o*, s:s, s:o*, s:o*, s:s}", "ID", id_field(field_text(step, "Id"), options->no_trunc),
                     "CreatedSince", since, "CreatedAt", created_at, "CreatedBy",
                     human_shorten(field_text(step, "CreatedBy"), options->no_trunc ? SIZE_MAX : CREATED_BY_CHARACTERS),
                     "Size", size_field, "Comment", field_text(step, "Comment"));
}

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    static const struct table_heading headings_list[] = {{"ID", "IMAGE"},
                                                         {"CreatedSince", "CREATED"},
                                                         {"CreatedAt", "CREATED AT"},
                                                         {"CreatedBy", "CREATED BY"},
                                                         {"Size", "SIZE"},
                                                         {"Comment", "COMMENT"},
                                                         {0}};
    const struct history_options *options = values;
    json_auto json_t *steps = NULL, *rows = json_array(), *headings = table_headings(headings_list);
    if (query_ask(cli->engine, "GET", "/images/", arguments->items[0], "/history", &steps, error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < json_array_size(steps); i++) {
        if (field_append(rows, row_of(json_array_get(steps, i), options), error) < 0) {
            return -1;
        }
    }
    const struct table table = {
        .format = options->format,
        .columns = "{{.ID}}\t{{.CreatedSince}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}",
        .quiet = options->quiet,
        .quiet_columns = "{{.ID}}",
        .headings = headings,
    };
    if (options->exact && field_set(headings, "CreatedSince", json_string("CREATED AT"), error) < 0) {
        return -1;
    }
    return table_print(&table, rows, stdout, error);
}

#define AT(field) offsetof(struct history_options, field)
static const struct option options_table[] = {
    {OPTION_TEXT, "format", 0, AT(format), "string", "table, json, or a Go template"},
    {OPTION_ON, "human", 'H', AT(exact), NULL, "Print sizes and dates in words"},
    {OPTION_FLAG, "no-trunc", 0, AT(no_trunc), NULL, "Do not shorten the output"},
    {OPTION_FLAG, "quiet", 'q', AT(quiet), NULL, "Print image IDs only"},
    {0},
};

const struct command history_command = {
    .name = "history",
    .aliases = "image history",
    .usage = "[OPTIONS] IMAGE",
    .summary = "Show how an image was made",
    .options = options_table,
    .values_bytes = sizeof(struct history_options),
    .arguments_min = 1,
    .arguments_max = 1,
    .completes = COMPLETE_IMAGES,
    .run = run,
};
