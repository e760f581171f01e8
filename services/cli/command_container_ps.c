/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead ps
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "commands.h"
#include "container_ports.h"
#include "fields.h"
#include "filters.h"
#include "human.h"
#include "label_map.h"
#include "table.h"

#define COLUMNS            "{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}"
#define SHORT_ID_DIGITS    12
#define COMMAND_CHARACTERS 20
#define MOUNT_CHARACTERS   15

struct ps_options {
    bool all, latest, no_trunc, quiet, size;
    const char *format;
    struct strings filters;
    struct option_integer last;
};

static json_t *command_field(const char *command, bool whole)
{
    json_auto json_t *shortened = human_shorten(command, whole ? SIZE_MAX : COMMAND_CHARACTERS);
    return json_sprintf("\"%s\"", json_string_value(shortened));
}

/* Text of a list that is being built. */
struct joined {
    char *text;
    size_t length;
    FILE *stream;
};

static bool joined_begin(struct joined *joined)
{
    joined->stream = open_memstream(&joined->text, &joined->length);
    return joined->stream != NULL;
}

static json_t *joined_end(struct joined *joined)
{
    (void)fclose(joined->stream);
    json_t *json = json_string(joined->text);
    free(joined->text);
    return json;
}

static json_t *joined_names(const json_t *names)
{
    struct joined joined;
    if (!joined_begin(&joined)) {
        return NULL;
    }
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        (void)fprintf(joined.stream, "%s%s", i ? "," : "", name && *name == '/' ? name + 1 : name ? name : "");
    }
    return joined_end(&joined);
}

static json_t *joined_keys(const json_t *object)
{
    struct joined joined;
    const char *key, *separator = "";
    json_t *value;
    if (!joined_begin(&joined)) {
        return NULL;
    }
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        (void)fprintf(joined.stream, "%s%s", separator, key);
        separator = ",";
    }
    return joined_end(&joined);
}

/* A volume by its name, a folder of the host's by its path. */
static json_t *joined_mounts(const json_t *mounts, bool whole, json_int_t *ret_volumes)
{
    struct joined joined;
    *ret_volumes = 0;
    if (!joined_begin(&joined)) {
        return NULL;
    }
    for (size_t i = 0; i < json_array_size(mounts); i++) {
        const json_t *mount = json_array_get(mounts, i);
        const char *name = field_text(mount, "Name");
        json_auto json_t *shown =
            human_shorten(*name ? name : field_text(mount, "Source"), whole ? SIZE_MAX : MOUNT_CHARACTERS);
        (void)fprintf(joined.stream, "%s%s", i ? "," : "", json_string_value(shown));
        *ret_volumes += strcmp(field_text(mount, "Type"), "volume") == 0 ? 1 : 0;
    }
    return joined_end(&joined);
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
    json_int_t volumes = 0;
    json_t *mounts = joined_mounts(field_at(container, "Mounts"), options->no_trunc, &volumes);
    return json_pack("{s:o, s:o*, s:s, s:o*, s:s, s:o, s:o*, s:s, s:s, s:o*, s:o*, s:o*, s:o, s:o*}", "ID",
                     json_sprintf("%.*s", id_length, id), "Names", joined_names(field_at(container, "Names")), "Image",
                     field_text(container, "Image"), "Command",
                     command_field(field_text(container, "Command"), options->no_trunc), "CreatedAt", created_at,
                     "RunningFor", json_sprintf("%s ago", age), "Ports",
                     container_ports_text(field_at(container, "Ports")), "State", field_text(container, "State"),
                     "Status", field_text(container, "Status"), "Size", size_field(container), "Labels",
                     label_map_joined(field_at(container, "Labels")), "Mounts", mounts, "LocalVolumes",
                     json_sprintf("%lld", (long long)volumes), "Networks",
                     joined_keys(field_at(container, "NetworkSettings.Networks")));
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
