/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead port
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "fields.h"
#include "query.h"

static void print_address(const json_t *binding)
{
    const char *host = field_text(binding, "HostIp");
    bool ipv6 = strchr(host, ':') != NULL;
    (void)printf("%s%s%s:%s\n", ipv6 ? "[" : "", host, ipv6 ? "]" : "", field_text(binding, "HostPort"));
}

/* 443/tcp before 8080/tcp: by number, then protocol. */
static int by_port(const void *left, const void *right)
{
    const char *a = *(const char *const *)left, *b = *(const char *const *)right;
    long difference = strtol(a, NULL, 10) - strtol(b, NULL, 10);
    return difference ? (difference < 0 ? -1 : 1) : strcmp(a, b);
}

static int print_all(json_t *ports, struct bh_error *error)
{
    bh_autofree const char **names = calloc(json_object_size(ports) + 1, sizeof(*names));
    size_t n_names = 0;
    const char *name;
    json_t *bindings;
    if (!names) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "out of memory");
    }
    json_object_foreach(ports, name, bindings)
    {
        names[n_names++] = name;
    }
    qsort(names, n_names, sizeof(*names), by_port);
    for (size_t i = 0; i < n_names; i++) {
        bindings = json_object_get(ports, names[i]);
        for (size_t at = 0; at < json_array_size(bindings); at++) {
            (void)printf("%s -> ", names[i]);
            print_address(json_array_get(bindings, at));
        }
    }
    return 0;
}

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    (void)values;
    bh_autofree char *port = NULL;
    json_auto json_t *details = NULL;
    if (query_container(cli->engine, arguments->items[0], &details, error) < 0) {
        return -1;
    }
    json_t *ports = field_at(details, "NetworkSettings.Ports");
    if (arguments->count == 1) {
        return print_all(ports, error);
    }
    const char *wanted = arguments->items[1];
    if (strings_format(&port, error, "%s%s", wanted, strchr(wanted, '/') ? "" : "/tcp") < 0) {
        return -1;
    }
    json_t *bindings = json_object_get(ports, port);
    if (json_array_size(bindings) == 0) {
        return bh_error_set(error, BH_NOT_FOUND, "no public port '%s' published for %s", port, arguments->items[0]);
    }
    for (size_t i = 0; i < json_array_size(bindings); i++) {
        print_address(json_array_get(bindings, i));
    }
    return 0;
}

const struct command port_command = {
    .name = "port",
    .aliases = "container port",
    .usage = "CONTAINER [PRIVATE_PORT[/PROTO]]",
    .summary = "Show which of the host's ports lead into a container",
    .arguments_min = 1,
    .arguments_max = 2,
    .completes = COMPLETE_CONTAINERS,
    .run = run,
};
