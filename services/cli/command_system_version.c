/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead version
 */
#include <stddef.h>
#include <stdio.h>
#include <sys/utsname.h>

#include "commands.h"
#include "fields.h"
#include "table.h"

#define CLIENT_API_VERSION "1.47"

struct version_options {
    const char *format;
};

/* {"Client": {...}, "Server": {...}}; without an answer from the engine there is no Server. */
static json_t *collect(json_t *server)
{
    struct utsname system = {0};
    (void)uname(&system);
    json_t *versions = json_pack("{s:{s:s, s:s, s:s, s:s}}", "Client", "Version", BH_VERSION, "ApiVersion",
                                 CLIENT_API_VERSION, "Os", "linux", "Arch", system.machine);
    if (server) {
        (void)json_object_set(versions, "Server", server);
    }
    return versions;
}

static void print_line(const char *label, const char *value)
{
    if (*value) {
        (void)printf(" %-18s%s\n", label, value);
    }
}

static void print_side(const char *title, const json_t *side)
{
    (void)printf("%s\n", title);
    print_line("Version:", field_text(side, "Version"));
    if (*field_text(side, "MinAPIVersion")) {
        (void)printf(" %-18s%s (minimum version %s)\n", "API version:", field_text(side, "ApiVersion"),
                     field_text(side, "MinAPIVersion"));
    } else {
        print_line("API version:", field_text(side, "ApiVersion"));
    }
    (void)printf(" %-18s%s/%s\n", "OS/Arch:", field_text(side, "Os"), field_text(side, "Arch"));
    print_line("Kernel version:", field_text(side, "KernelVersion"));
}

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    (void)arguments;
    const struct version_options *options = values;
    json_auto json_t *server = NULL;
    bool reached = engine_ask(cli->engine, "GET", "/version", NULL, &server, error) == 0;
    json_auto json_t *versions = collect(server);
    if (options->format) {
        if (table_print_object(options->format, versions, stdout, reached ? error : NULL) < 0) {
            return -1;
        }
    } else {
        print_side("Client: Bulkhead", field_at(versions, "Client"));
        if (reached) {
            (void)putchar('\n');
            print_side("Server: Bulkhead", server);
        }
    }
    return reached ? 0 : -1;
}

static const struct option options_table[] = {
    {OPTION_TEXT, "format", 'f', offsetof(struct version_options, format), "string", "json, or a Go template"},
    {0},
};

const struct command version_command = {
    .name = "version",
    .usage = "[OPTIONS]",
    .summary = "Show the versions of client and engine",
    .options = options_table,
    .values_bytes = sizeof(struct version_options),
    .run = run,
};
