/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead stats: one stream per container, and one of events that tells which come and go.
 */
#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "common/io.h"
#include "container_usage.h"
#include "fields.h"
#include "json_stream.h"
#include "query.h"
#include "table.h"

#define COLUMNS     "{{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDs}}"
#define SOURCES_MAX 512 /* a connection each, of the 1024 descriptors that a process usually has */
#define REDRAW_MS   500

struct stats_options {
    bool all, no_stream, no_trunc;
    const char *format;
};

struct source {
    char *reference;
    struct http_connection *connection;
    struct json_lines lines;
    json_t *sample; /* the newest; NULL before the first */
};

struct stats {
    struct cli *cli;
    const struct stats_options *options;
    struct source sources[SOURCES_MAX];
    size_t n_sources;
    struct http_connection *events; /* NULL: which containers there are does not change */
    struct json_lines event_lines;
    bool changed;
};

static void source_close(struct source *source)
{
    free(source->reference);
    http_free(source->connection);
    json_lines_free(&source->lines);
    json_decref(source->sample);
}

static void stats_cleanup(struct stats **slot)
{
    struct stats *stats = *slot;
    for (size_t i = 0; i < stats->n_sources; i++) {
        source_close(&stats->sources[i]);
    }
    http_free(stats->events);
    json_lines_free(&stats->event_lines);
}

static int add_source(struct stats *stats, const char *reference, struct bh_error *error)
{
    bh_autofree char *path = NULL;
    if (stats->n_sources == SOURCES_MAX) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "more than %d containers at once", SOURCES_MAX);
    }
    struct source *source = &stats->sources[stats->n_sources];
    *source = (struct source){0};
    if (query_path(&path, "/containers/", reference, "/stats", error) < 0 ||
        query_add(&path, "stream", stats->options->no_stream ? "0" : "1", error) < 0 ||
        engine_stream_send(stats->cli->engine, &(struct engine_question){.method = "GET", .path = path},
                           &source->connection, error) < 0 ||
        strings_format(&source->reference, error, "%s", reference) < 0) {
        http_free(source->connection);
        return -1;
    }
    stats->n_sources++;
    return 0;
}

static void remove_source(struct stats *stats, size_t at)
{
    source_close(&stats->sources[at]);
    memmove(&stats->sources[at], &stats->sources[at + 1], (stats->n_sources - at - 1) * sizeof(struct source));
    stats->n_sources--;
    stats->changed = true;
}

/* Every stream has been asked for; now their answers' heads. */
static int receive_heads(struct stats *stats, struct bh_error *error)
{
    struct http_head head;
    for (size_t i = 0; i < stats->n_sources; i++) {
        if (engine_stream_receive(stats->sources[i].connection, &head, error) < 0) {
            return -1;
        }
    }
    return 0;
}

static int take_event(void *argument, const json_t *event, struct bh_error *error)
{
    struct stats *stats = argument;
    const char *action = field_text(event, "Action"), *id = field_text(event, "Actor.ID");
    const char *comes = stats->options->all ? "create" : "start", *goes = stats->options->all ? "destroy" : "die";
    struct http_head head;
    if (strcmp(action, comes) == 0) {
        if (add_source(stats, id, error) < 0) {
            return -1;
        }
        if (engine_stream_receive(stats->sources[stats->n_sources - 1].connection, &head, NULL) < 0) {
            remove_source(stats, stats->n_sources - 1); /* gone already */
        }
    }
    for (size_t i = 0; strcmp(action, goes) == 0 && i < stats->n_sources; i++) {
        if (strcmp(stats->sources[i].reference, id) == 0) {
            remove_source(stats, i);
        }
    }
    return 0;
}

/* Where the engine has no events, the list stays as it was at the beginning. */
static void follow_events(struct stats *stats)
{
    static const char path[] = "/events?filters=%7B%22type%22%3A%7B%22container%22%3Atrue%7D%7D";
    struct http_head head;
    if (engine_stream(stats->cli->engine, &(struct engine_question){.method = "GET", .path = path}, &stats->events,
                      &head, NULL) < 0) {
        stats->events = NULL;
    }
}

static int choose(struct stats *stats, const struct strings *arguments, struct bh_error *error)
{
    json_auto json_t *containers = NULL;
    for (size_t i = 0; i < arguments->count; i++) {
        if (add_source(stats, arguments->items[i], error) < 0) {
            return -1;
        }
    }
    if (arguments->count > 0) {
        return receive_heads(stats, error);
    }
    if (!stats->options->no_stream) {
        follow_events(stats);
    }
    if (engine_ask(stats->cli->engine, "GET", stats->options->all ? "/containers/json?all=1" : "/containers/json", NULL,
                   &containers, error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < json_array_size(containers); i++) {
        if (add_source(stats, field_text(json_array_get(containers, i), "Id"), error) < 0) {
            return -1;
        }
    }
    return receive_heads(stats, error);
}

static int take_sample(void *argument, const json_t *message, struct bh_error *error)
{
    struct source *source = argument;
    (void)error;
    json_decref(source->sample);
    source->sample = json_incref((json_t *)(uintptr_t)message);
    return 0;
}

static int draw(struct stats *stats, struct bh_error *error)
{
    static const struct table_heading headings_list[] = {{"Container", "CONTAINER"},
                                                         {"ID", "CONTAINER ID"},
                                                         {"Name", "NAME"},
                                                         {"CPUPerc", "CPU %"},
                                                         {"MemUsage", "MEM USAGE / LIMIT"},
                                                         {"MemPerc", "MEM %"},
                                                         {"NetIO", "NET I/O"},
                                                         {"BlockIO", "BLOCK I/O"},
                                                         {"PIDs", "PIDS"},
                                                         {0}};
    json_auto json_t *rows = json_array(), *headings = table_headings(headings_list);
    for (size_t i = 0; i < stats->n_sources; i++) {
        const struct source *source = &stats->sources[i];
        json_t *row = container_usage_row(source->sample, source->reference, stats->options->no_trunc);
        if (field_append(rows, row, error) < 0) {
            return -1;
        }
    }
    if (!stats->options->no_stream && isatty(STDOUT_FILENO)) {
        (void)fputs("\033[2J\033[H", stdout);
    }
    const struct table table = {.format = stats->options->format, .columns = COLUMNS, .headings = headings};
    int result = table_print(&table, rows, stdout, error);
    (void)fflush(stdout);
    stats->changed = false;
    return result;
}

static int read_source(struct stats *stats, size_t at, struct bh_error *error)
{
    struct source *source = &stats->sources[at];
    bool end = false;
    if (json_lines_read(&source->lines, source->connection, take_sample, source, &end, error) < 0) {
        return -1;
    }
    stats->changed = true;
    if (end && stats->options->no_stream) {
        http_free(source->connection); /* this was its only sample */
        source->connection = NULL;
    } else if (end) {
        remove_source(stats, at);
    }
    return 0;
}

/* One round: waits for anything, and takes what has arrived. *ret_open is how many streams there still are. */
static int take_round(struct stats *stats, int timeout_ms, size_t *ret_open, struct bh_error *error)
{
    static struct pollfd fds[SOURCES_MAX + 2];
    size_t count = stats->n_sources, open = stats->events != NULL;
    for (size_t i = 0; i < count; i++) {
        const struct http_connection *connection = stats->sources[i].connection;
        fds[i] = (struct pollfd){.fd = connection ? http_descriptor(connection) : -1, .events = POLLIN};
        open += connection != NULL;
        timeout_ms = connection && http_has_buffered(connection) ? 0 : timeout_ms;
    }
    fds[count] = (struct pollfd){.fd = stats->events ? http_descriptor(stats->events) : -1, .events = POLLIN};
    *ret_open = open;
    if (open == 0) {
        return 0;
    }
    if (poll(fds, (nfds_t)count + 1, timeout_ms) < 0 && errno != EINTR) {
        return bh_error_errno(error, errno, "wait for the engine");
    }
    for (size_t i = count; i-- > 0;) {
        const struct http_connection *connection = stats->sources[i].connection;
        bool ready = connection && (fds[i].revents || http_has_buffered(connection));
        if (ready && read_source(stats, i, error) < 0) {
            return -1;
        }
    }
    bool end = false;
    if (stats->events && fds[count].revents &&
        json_lines_read(&stats->event_lines, stats->events, take_event, stats, &end, error) < 0) {
        return -1;
    }
    if (end) {
        http_free(stats->events);
        stats->events = NULL;
    }
    return 0;
}

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    static struct stats storage;
    bh_cleanup(stats_cleanup) struct stats *stats = &storage;
    stats->cli = cli;
    stats->options = values;
    if (choose(stats, arguments, error) < 0) {
        return -1;
    }
    uint64_t drawn = bh_now_ms();
    for (size_t open = 1; open > 0;) {
        uint64_t passed = bh_now_ms() - drawn;
        bool due = passed >= REDRAW_MS;
        if (stats->changed && due && !stats->options->no_stream) {
            if (draw(stats, error) < 0) {
                return -1;
            }
            drawn = bh_now_ms();
        }
        int timeout_ms = stats->changed && !stats->options->no_stream && !due ? (int)(REDRAW_MS - passed) : -1;
        if (take_round(stats, timeout_ms, &open, error) < 0) {
            return -1;
        }
    }
    return draw(stats, error);
}

#define AT(field) offsetof(struct stats_options, field)
static const struct option options_table[] = {
    {OPTION_FLAG, "all", 'a', AT(all), NULL, "Show all containers (default: those that run)"},
    {OPTION_TEXT, "format", 0, AT(format), "string", "table, json, or a Go template"},
    {OPTION_FLAG, "no-stream", 0, AT(no_stream), NULL, "Show the usage once and end"},
    {OPTION_FLAG, "no-trunc", 0, AT(no_trunc), NULL, "Do not shorten the output"},
    {0},
};

const struct command stats_command = {
    .name = "stats",
    .aliases = "container stats",
    .usage = "[OPTIONS] [CONTAINER...]",
    .summary = "Show what containers use of processors, memory and devices",
    .example = "bulkhead stats\nbulkhead stats --no-stream --format '{{.Name}}: {{.MemUsage}}' web",
    .options = options_table,
    .values_bytes = sizeof(struct stats_options),
    .arguments_max = SIZE_MAX,
    .completes = COMPLETE_RUNNING,
    .run = run,
};
