/* SPDX-License-Identifier: Apache-2.0
 *
 * Ports in few words. Pure.
 */
#include "container_ports.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "fields.h"

struct port {
    const char *address, *type;
    int64_t container, host;
};

static int by_place(const void *left, const void *right)
{
    const struct port *a = left, *b = right;
    if (a->container != b->container) {
        return a->container < b->container ? -1 : 1;
    }
    int address = strcmp(a->address, b->address);
    if (address != 0) {
        return address;
    }
    return a->host != b->host ? (a->host < b->host ? -1 : 1) : strcmp(a->type, b->type);
}

/* Published under a number of its own: shown by itself. */
static bool is_mapped(const struct port *port)
{
    return *port->address && port->host != port->container;
}

static void print_address(const char *address, FILE *stream)
{
    bool ipv6 = strchr(address, ':') != NULL;
    (void)fprintf(stream, "%s%s%s", ipv6 ? "[" : "", address, ipv6 ? "]" : "");
}

/* "80-82/tcp", or "0.0.0.0:80-82->80-82/tcp" */
static void print_group(const struct port *first, int64_t last, FILE *stream)
{
    char numbers[48];
    (void)snprintf(numbers, sizeof(numbers), last > first->container ? "%lld-%lld" : "%lld",
                   (long long)first->container, (long long)last);
    if (*first->address) {
        print_address(first->address, stream);
        (void)fprintf(stream, ":%s->", numbers);
    }
    (void)fprintf(stream, "%s/%s", numbers, first->type);
}

/* Prints the run of neighbours that begins at `at`, and marks them as done by an empty type. */
static void print_run(struct port *ports, size_t count, size_t at, FILE *stream)
{
    int64_t last = ports[at].container;
    for (size_t i = at + 1; i < count; i++) {
        bool alike = *ports[i].type && !is_mapped(&ports[i]) && strcmp(ports[i].type, ports[at].type) == 0 &&
                     strcmp(ports[i].address, ports[at].address) == 0;
        if (alike && ports[i].container <= last + 1) {
            last = ports[i].container;
            ports[i].type = "";
        }
    }
    print_group(&ports[at], last, stream);
}

static void print_ports(struct port *ports, size_t count, FILE *stream)
{
    const char *separator = "";
    for (size_t i = 0; i < count; i++) {
        if (*ports[i].type && !is_mapped(&ports[i])) {
            (void)fputs(separator, stream);
            print_run(ports, count, i, stream);
            separator = ", ";
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (*ports[i].type && is_mapped(&ports[i])) {
            (void)fputs(separator, stream);
            print_address(ports[i].address, stream);
            (void)fprintf(stream, ":%lld->%lld/%s", (long long)ports[i].host, (long long)ports[i].container,
                          ports[i].type);
            separator = ", ";
        }
    }
}

json_t *container_ports_text(const json_t *ports)
{
    size_t count = json_array_size(ports), n_text = 0;
    bh_autofree struct port *sorted = calloc(count + 1, sizeof(*sorted));
    char *text = NULL;
    FILE *stream = sorted ? open_memstream(&text, &n_text) : NULL;
    if (!stream) {
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        const json_t *port = json_array_get(ports, i);
        sorted[i] = (struct port){field_text(port, "IP"), field_text(port, "Type"), field_integer(port, "PrivatePort"),
                                  field_integer(port, "PublicPort")};
    }
    qsort(sorted, count, sizeof(*sorted), by_place);
    print_ports(sorted, count, stream);
    (void)fclose(stream);
    json_t *json = json_string(text);
    free(text);
    return json;
}
