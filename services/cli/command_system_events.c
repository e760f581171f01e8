/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead events
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "commands.h"
#include "fields.h"
#include "filters.h"
#include "human.h"
#include "json_stream.h"
#include "label_map.h"
#include "query.h"
#include "table.h"

struct events_options {
    struct strings filters;
    const char *format, *since, *until;
};

/* "2024-01-31T10:00:00.123456789+01:00 container start ID (image=busybox, name=web)", as Docker writes it. */
static void print_plain(const json_t *event)
{
    char date[HUMAN_BYTES] = "", zone[16] = "";
    int64_t nanoseconds = field_integer(event, "timeNano");
    time_t moment = nanoseconds ? (time_t)(nanoseconds / 1000000000) : (time_t)field_integer(event, "time");
    struct tm local = {0};
    if (localtime_r(&moment, &local)) {
        (void)strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &local);
        (void)strftime(zone, sizeof(zone), "%z", &local);
    }
    (void)printf("%s.%09lld", date, (long long)(nanoseconds % 1000000000));
    if (local.tm_gmtoff == 0) {
        (void)fputs("Z ", stdout);
    } else {
        (void)printf("%.3s:%s ", zone, zone + 3);
    }
    table_print_clean(field_text(event, "Type"), stdout);
    (void)putchar(' ');
    table_print_clean(field_text(event, "Action"), stdout);
    (void)putchar(' ');
    table_print_clean(field_text(event, "Actor.ID"), stdout);
    json_auto json_t *attributes = label_map_joined_by(field_at(event, "Actor.Attributes"), ", ");
    if (json_string_length(attributes) > 0) {
        (void)fputs(" (", stdout);
        table_print_clean(json_string_value(attributes), stdout);
        (void)putchar(')');
    }
    (void)putchar('\n');
}

/* The names that templates know the fields by. */
static json_t *for_template(const json_t *event)
{
    static const struct {
        const char *from, *to;
    } names[] = {{"status", "Status"}, {"id", "ID"},     {"from", "From"},
                 {"scope", "Scope"},   {"time", "Time"}, {"timeNano", "TimeNano"}};
    json_t *renamed = json_pack("{s:s, s:s}", "Type", "", "Action", "");
    json_t *actor = field_at(event, "Actor");
    for (size_t i = 0; renamed && i < sizeof(names) / sizeof(*names); i++) {
        json_t *value = json_object_get(event, names[i].from);
        (void)json_object_set_new(renamed, names[i].to, value ? json_incref(value) : json_string(""));
    }
    (void)json_object_set_new(renamed, "Type", json_string(field_text(event, "Type")));
    (void)json_object_set_new(renamed, "Action", json_string(field_text(event, "Action")));
    (void)json_object_set_new(renamed, "Actor", actor ? json_incref(actor) : json_object());
    return renamed;
}

static int print_event(void *argument, const json_t *event, struct bh_error *error)
{
    const char *format = argument;
    int result = 0;
    if (!format) {
        print_plain(event);
    } else if (strcmp(format, "json") == 0) {
        (void)json_dumpf(event, stdout, JSON_COMPACT);
        (void)putchar('\n');
    } else {
        json_auto json_t *renamed = for_template(event);
        result = table_print_object(format, renamed, stdout, error);
    }
    (void)fflush(stdout);
    return result;
}

static int build_path(const struct events_options *options, char **ret_path, struct bh_error *error)
{
    char since[HUMAN_BYTES] = "", until[HUMAN_BYTES] = "";
    int64_t now = (int64_t)time(NULL);
    if ((options->since && human_parse_moment(options->since, now, since, error) < 0) ||
        (options->until && human_parse_moment(options->until, now, until, error) < 0)) {
        return -1;
    }
    return strings_format(ret_path, error, "/events") < 0 ||
                   query_add(ret_path, "since", *since ? since : NULL, error) < 0 ||
                   query_add(ret_path, "until", *until ? until : NULL, error) < 0
               ? -1
               : filters_append(ret_path, &options->filters, error);
}

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    (void)arguments;
    const struct events_options *options = values;
    bh_autofree char *path = NULL;
    http_auto struct http_connection *connection = NULL;
    struct http_head head = {0};
    if (build_path(options, &path, error) < 0 ||
        engine_stream(cli->engine, &(struct engine_question){.method = "GET", .path = path}, &connection, &head,
                      error) < 0) {
        return -1;
    }
    http_watch_output(connection);
    return json_stream_read(connection, print_event, (void *)(uintptr_t)options->format, error);
}

#define AT(field) offsetof(struct events_options, field)
static const struct option options_table[] = {
    {OPTION_LIST, "filter", 'f', AT(filters), "filter",
     "Filter by KEY=VALUE (container, event, image, label, network, type, volume)"},
    {OPTION_TEXT, "format", 0, AT(format), "string", "json, or a Go template"},
    {OPTION_TEXT, "since", 0, AT(since), "string", "Begin with what happened since a time or duration (10m)"},
    {OPTION_TEXT, "until", 0, AT(until), "string", "End at this time"},
    {0},
};

const struct command events_command = {
    .name = "events",
    .aliases = "system events",
    .usage = "[OPTIONS]",
    .summary = "Show what happens, as it happens",
    .example = "bulkhead events --since 1h --until 0s\nbulkhead events -f type=container -f event=die",
    .options = options_table,
    .values_bytes = sizeof(struct events_options),
    .run = run,
};
