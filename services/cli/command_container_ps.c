/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead ps
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "commands.h"
#include "fields.h"
#include "filters.h"
#include "human.h"
#include "label_map.h"
#include "table.h"

#define COLUMNS            "{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}"
#define SHORT_ID_DIGITS    12
#define COMMAND_CHARACTERS 20

struct ps_options {
    bool all, latest, no_trunc, quiet, size;
    const char *format;
    struct strings filters;
    struct option_integer last;
};

/* "\"sleep 100\"", shortened with an ellipsis. Bytes of one character stay together. */
static json_t *command_field(const char *command, bool whole)
{
    size_t characters = 0, n_bytes = 0, n_cut = 0;
    for (; command[n_bytes]; n_bytes++) {
        if (((unsigned char)command[n_bytes] & 0xc0) != 0x80 && ++characters == COMMAND_CHARACTERS) {
            n_cut = n_bytes;
        }
    }
    if (whole || characters <= COMMAND_CHARACTERS) {
        return json_sprintf("\"%s\"", command);
    }
    return json_sprintf("\"%.*s…\"", (int)n_cut, command);
}

/* The values of `key` in a list of objects, or the elements themselves: "a,b". `skip` characters are left out of each.
 */
static json_t *joined_list(const json_t *list, const char *key, size_t skip)
{
    char *text = NULL;
    size_t n_text = 0;
    FILE *stream = open_memstream(&text, &n_text);
    if (!stream) {
        return NULL;
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *element = json_array_get(list, i);
        const char *value = key ? field_text(element, key) : json_string_value(element);
        value = value && strlen(value) >= skip ? value + skip : "";
        (void)fprintf(stream, "%s%s", i ? "," : "", value);
    }
    (void)fclose(stream);
    json_t *joined = json_string(text);
    free(text);
    return joined;
}

static json_t *size_field(const json_t *container)
{
    char own[HUMAN_BYTES], whole[HUMAN_BYTES];
    int64_t root = field_integer(container, "SizeRootFs");
    (void)human_size((uint64_t)field_integer(container, "SizeRw"), own);
    return root > 0 ? json_sprintf("%s (virtual %s)", own, human_size((uint64_t)root, whole)) : json_string(own);
}

static json_t *row_of(const json_t *container, const struct ps_options *options)
{
    char age[HUMAN_BYTES], created_at[HUMAN_BYTES];
    int64_t created = field_integer(container, "Created");
    const char *id = field_text(container, "Id");
    int id_length = options->no_trunc ? (int)strlen(id) : SHORT_ID_DIGITS;
    (void)human_duration((int64_t)time(NULL) - created, age);
    (void)human_local_time(created, created_at);
    return json_pack("{s:o, s:o*, s:s, s:o*, s:s, s:o, s:s, s:s, s:s, s:o*, s:o*, s:o*, s:s, s:o*}", "ID",
                     json_sprintf("%.*s", id_length, id), "Names", joined_list(field_at(container, "Names"), NULL, 1),
                     "Image", field_text(container, "Image"), "Command",
                     command_field(field_text(container, "Command"), options->no_trunc), "CreatedAt", created_at,
                     "RunningFor", json_sprintf("%s ago", age), "Ports", "", "State", field_text(container, "State"),
                     "Status", field_text(container, "Status"), "Size", size_field(container), "Labels",
                     label_map_joined(field_at(container, "Labels")), "Mounts",
                     joined_list(field_at(container, "Mounts"), "Source", 0), "LocalVolumes", "0", "Networks",
                     json_string(field_text(container, "HostConfig.NetworkMode")));
}

static int build_path(const struct ps_options *options, char **ret_path, struct bh_error *error)
{
    long long limit = options->latest ? 1 : options->last.given ? options->last.value : 0;
    char limit_text[40] = "";
    if (limit > 0) {
        (void)snprintf(limit_text, sizeof(limit_text), "&limit=%lld", limit);
    }
    if (strings_format(ret_path, error, "/containers/json?all=%d%s%s", options->all || limit > 0, limit_text,
                       options->size ? "&size=1" : "") < 0) {
        return -1;
    }
    return filters_append(ret_path, &options->filters, error);
}

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    (void)arguments;
    const struct ps_options *options = values;
    bh_autofree char *path = NULL;
    json_auto json_t *containers = NULL, *rows = json_array();
    if (build_path(options, &path, error) < 0 || engine_ask(cli->engine, "GET", path, NULL, &containers, error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < json_array_size(containers); i++) {
        if (field_append(rows, row_of(json_array_get(containers, i), options), error) < 0) {
            return -1;
        }
    }
    json_auto json_t *headings =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "ID", "CONTAINER ID",
                  "Names", "NAMES", "Image", "IMAGE", "Command", "COMMAND", "CreatedAt", "CREATED AT", "RunningFor",
                  "CREATED", "Ports", "PORTS", "State", "STATE", "Status", "STATUS", "Size", "SIZE", "Labels", "LABELS",
                  "Mounts", "MOUNTS", "LocalVolumes", "LOCAL VOLUMES", "Networks", "NETWORKS");
    const struct table table = {
        .format = options->format,
        .columns = options->size ? COLUMNS "\t{{.Size}}" : COLUMNS,
        .quiet = options->quiet,
        .quiet_columns = "{{.ID}}",
        .headings = headings,
    };
    return table_print(&table, rows, stdout, error);
}

static const struct option options_table[] = {
    {OPTION_FLAG, "all", 'a', offsetof(struct ps_options, all), NULL, "Show all containers (default: those that run)"},
    {OPTION_LIST, "filter", 'f', offsetof(struct ps_options, filters), "filter", "Filter by KEY=VALUE"},
    {OPTION_TEXT, "format", 0, offsetof(struct ps_options, format), "string", "table, json, or a Go template"},
    {OPTION_INTEGER, "last", 'n', offsetof(struct ps_options, last), "int", "Show the n containers created last"},
    {OPTION_FLAG, "latest", 'l', offsetof(struct ps_options, latest), NULL, "Show the container created last"},
    {OPTION_FLAG, "no-trunc", 0, offsetof(struct ps_options, no_trunc), NULL, "Do not shorten the output"},
    {OPTION_FLAG, "quiet", 'q', offsetof(struct ps_options, quiet), NULL, "Print container IDs only"},
    {OPTION_FLAG, "size", 's', offsetof(struct ps_options, size), NULL, "Show file sizes"},
    {0},
};

const struct command ps_command = {
    .name = "ps",
    .aliases = "container ls, container list, container ps",
    .usage = "[OPTIONS]",
    .summary = "List containers",
    .options = options_table,
    .values_bytes = sizeof(struct ps_options),
    .run = run,
};
