/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead info
 */
#include <stddef.h>
#include <stdio.h>

#include "commands.h"
#include "fields.h"
#include "human.h"
#include "table.h"

struct info_options {
    const char *format;
};

/* What is shown, in this order. */
enum shown_as { AS_TEXT, AS_NUMBER, AS_BYTES, AS_LIST };
static const struct {
    const char *label, *field;
    enum shown_as as;
} lines[] = {
    {"Containers", "Containers", AS_NUMBER},
    {" Running", "ContainersRunning", AS_NUMBER},
    {" Paused", "ContainersPaused", AS_NUMBER},
    {" Stopped", "ContainersStopped", AS_NUMBER},
    {"Images", "Images", AS_NUMBER},
    {"Server Version", "ServerVersion", AS_TEXT},
    {"Storage Driver", "Driver", AS_TEXT},
    {"Logging Driver", "LoggingDriver", AS_TEXT},
    {"Cgroup Driver", "CgroupDriver", AS_TEXT},
    {"Cgroup Version", "CgroupVersion", AS_TEXT},
    {"Security Options", "SecurityOptions", AS_LIST},
    {"Kernel Version", "KernelVersion", AS_TEXT},
    {"Operating System", "OperatingSystem", AS_TEXT},
    {"OSType", "OSType", AS_TEXT},
    {"Architecture", "Architecture", AS_TEXT},
    {"CPUs", "NCPU", AS_NUMBER},
    {"Total Memory", "MemTotal", AS_BYTES},
    {"Name", "Name", AS_TEXT},
    {"ID", "ID", AS_TEXT},
    {"Root Dir", "DockerRootDir", AS_TEXT},
    {"Insecure Registries", "RegistryConfig.InsecureRegistryCIDRs", AS_LIST},
};

static void print_info(const json_t *info)
{
    char buffer[HUMAN_BYTES];
    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
        const json_t *value = field_at(info, lines[i].field);
        if (!value || json_is_null(value)) {
            continue;
        }
        (void)printf(" %s:", lines[i].label);
        if (lines[i].as == AS_LIST) {
            for (size_t at = 0; at < json_array_size(value); at++) {
                const char *item = json_string_value(json_array_get(value, at));
                (void)printf("\n  %s", item ? item : "");
            }
        } else if (lines[i].as == AS_BYTES) {
            (void)printf(" %s", human_size_binary((uint64_t)json_integer_value(value), buffer));
        } else if (lines[i].as == AS_NUMBER) {
            (void)printf(" %lld", (long long)json_integer_value(value));
        } else {
            (void)printf(" %s", json_string_value(value) ? json_string_value(value) : "");
        }
        (void)putchar('\n');
    }
}

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    (void)arguments;
    const struct info_options *options = values;
    json_auto json_t *info = NULL;
    if (engine_ask(cli->engine, "GET", "/info", NULL, &info, error) < 0) {
        return -1;
    }
    if (options->format) {
        return table_print_object(options->format, info, stdout, error);
    }
    (void)printf("Client: Bulkhead\n Version: %s\n Host: %s\n\nServer:\n", BH_VERSION, engine_host(cli->engine));
    print_info(info);
    return 0;
}

static const struct option options_table[] = {
    {OPTION_TEXT, "format", 'f', offsetof(struct info_options, format), "string", "json, or a Go template"},
    {0},
};

const struct command info_command = {
    .name = "info",
    .aliases = "system info",
    .usage = "[OPTIONS]",
    .summary = "Show what the engine says about itself",
    .options = options_table,
    .values_bytes = sizeof(struct info_options),
    .run = run,
};
