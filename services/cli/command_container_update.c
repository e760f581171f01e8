/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead update
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "commands.h"
#include "container_options.h"
#include "container_resources.h"
#include "fields.h"
#include "query.h"
#include "references.h"
#include "values.h"

static int build_request(const struct container_options *options, json_t **ret_request, struct bh_error *error)
{
    json_auto json_t *request = json_object();
    json_t *policy = NULL;
    if (!request) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "out of memory");
    }
    if (container_resources_add_limits(request, options, error) < 0 ||
        (options->restart && (value_restart_policy(options->restart, &policy, error) < 0 ||
                              field_set(request, "RestartPolicy", policy, error) < 0))) {
        return -1;
    }
    *ret_request = bh_steal_pointer(&request);
    return 0;
}

static int update_one(struct cli *cli, const char *escaped, const char *reference, const void *values,
                      struct bh_error *error)
{
    (void)escaped;
    const json_t *request = values;
    bh_autofree char *path = NULL;
    json_auto json_t *answer = NULL;
    if (query_path(&path, "/containers/", reference, "/update", error) < 0 ||
        engine_ask(cli->engine, "POST", path, request, &answer, error) < 0) {
        return -1;
    }
    const json_t *warnings = field_at(answer, "Warnings");
    for (size_t i = 0; i < json_array_size(warnings); i++) {
        (void)fprintf(stderr, "WARNING: %s\n", json_string_value(json_array_get(warnings, i)));
    }
    (void)printf("%s\n", reference);
    return 0;
}

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    json_auto json_t *request = NULL;
    if (build_request(values, &request, error) < 0) {
        return -1;
    }
    if (json_object_size(request) == 0) {
        return cli_misuse(cli, error, "you must provide one or more flags when using this command");
    }
    return references_each(cli, arguments, update_one, request, error);
}

#define AT(field) offsetof(struct container_options, field)
static const struct option options_table[] = {
    {OPTION_INTEGER, "blkio-weight", 0, AT(blkio_weight), "uint16", "Block IO weight, 10 to 1000; 0 disables it"},
    {OPTION_INTEGER, "cpu-period", 0, AT(cpu_period), "int", "CFS period in microseconds"},
    {OPTION_INTEGER, "cpu-quota", 0, AT(cpu_quota), "int", "CFS quota in microseconds"},
    {OPTION_INTEGER, "cpu-rt-period", 0, AT(cpu_realtime_period), "int", "Realtime period in microseconds"},
    {OPTION_INTEGER, "cpu-rt-runtime", 0, AT(cpu_realtime_runtime), "int", "Realtime runtime in microseconds"},
    {OPTION_INTEGER, "cpu-shares", 'c', AT(cpu_shares), "int", "CPU shares (relative weight)"},
    {OPTION_TEXT, "cpus", 0, AT(cpus), "decimal", "Number of CPUs"},
    {OPTION_TEXT, "cpuset-cpus", 0, AT(cpuset_cpus), "string", "CPUs in which to allow execution (0-3, 0,1)"},
    {OPTION_TEXT, "cpuset-mems", 0, AT(cpuset_mems), "string", "Memory nodes in which to allow execution"},
    {OPTION_TEXT, "memory", 'm', AT(memory), "bytes", "Memory limit"},
    {OPTION_TEXT, "memory-reservation", 0, AT(memory_reservation), "bytes", "Memory soft limit"},
    {OPTION_TEXT, "memory-swap", 0, AT(memory_swap), "bytes",
     "Limit of memory and swap together, -1 for unlimited swap"},
    {OPTION_INTEGER, "pids-limit", 0, AT(pids_limit), "int", "Limit of processes (-1 for unlimited)"},
    {OPTION_TEXT, "restart", 0, AT(restart), "string", "Restart policy: no, always, unless-stopped, on-failure[:N]"},
    {0},
};

const struct command update_command = {
    .name = "update",
    .aliases = "container update",
    .usage = "[OPTIONS] CONTAINER [CONTAINER...]",
    .summary = "Change limits and restart policy of containers",
    .example = "bulkhead update --memory 512m --cpus 1.5 web",
    .options = options_table,
    .values_bytes = sizeof(struct container_options),
    .arguments_min = 1,
    .arguments_max = SIZE_MAX,
    .completes = COMPLETE_CONTAINERS,
    .run = run,
};
