/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading port specifications. Pure.
 */
#include "port_spec.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "csv.h"
#include "fields.h"

struct port_range {
    unsigned int first, last;
};

static int refuse(const char *text, const char *why, struct bh_error *error)
{
    return bh_error_set(error, BH_INVALID_ARGUMENT,
                        "invalid port \"%s\": %s: want [[ip:][host]:]container[/tcp|udp|sctp]", text, why);
}

static bool parse_range(const char *text, struct port_range *ret_range)
{
    char *end = NULL;
    if (*text < '0' || *text > '9') {
        return false;
    }
    unsigned long first = strtoul(text, &end, 10), last = first;
    if (*end == '-') {
        if (end[1] < '0' || end[1] > '9') {
            return false;
        }
        last = strtoul(end + 1, &end, 10);
    }
    *ret_range = (struct port_range){(unsigned int)first, (unsigned int)last};
    return *end == '\0' && first <= last && last <= 65535;
}

/* Cuts "/protocol" off. */
static const char *take_protocol(char *text)
{
    char *slash = strchr(text, '/');
    if (!slash) {
        return "tcp";
    }
    *slash = '\0';
    return slash + 1;
}

static bool known_protocol(const char *protocol)
{
    return strcmp(protocol, "tcp") == 0 || strcmp(protocol, "udp") == 0 || strcmp(protocol, "sctp") == 0;
}

static int expose(json_t *exposed, unsigned int port, const char *protocol, char key[static 24], struct bh_error *error)
{
    (void)snprintf(key, 24, "%u/%s", port, protocol);
    return field_set(exposed, key, json_object(), error);
}

int port_spec_expose(const char *text, json_t *exposed, struct bh_error *error)
{
    bh_autofree char *copy = strdup(text);
    struct port_range range;
    char key[24];
    if (!copy) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "out of memory");
    }
    const char *protocol = take_protocol(copy);
    if (strchr(copy, ':')) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid port format for --expose: %s", text);
    }
    if (!known_protocol(protocol) || !parse_range(copy, &range)) {
        return refuse(text, "no number or range below 65536, or an unknown protocol", error);
    }
    for (unsigned int port = range.first; port <= range.last; port++) {
        if (expose(exposed, port, protocol, key, error) < 0) {
            return -1;
        }
    }
    return 0;
}

static int bind_port(json_t *bindings, const char *key, const char *address, const char *host, struct bh_error *error)
{
    json_t *list = json_object_get(bindings, key);
    if (!list && field_set(bindings, key, list = json_array(), error) < 0) {
        return -1;
    }
    return field_append(list, json_pack("{s:s, s:s}", "HostIp", address, "HostPort", host), error);
}

/* The parts of a specification, cut out of a copy. */
struct parts {
    const char *address, *host, *protocol;
    char *container;
};

static int cut(char *copy, const char *text, struct parts *ret_parts, struct bh_error *error)
{
    struct parts parts = {.address = "", .host = "", .protocol = take_protocol(copy)};
    char *colon = strrchr(copy, ':');
    parts.container = colon ? colon + 1 : copy;
    if (colon) {
        *colon = '\0';
        char *second = strrchr(copy, ':');
        parts.host = second ? second + 1 : copy;
        if (second) {
            *second = '\0';
            parts.address = copy;
        }
    }
    size_t length = strlen(parts.address);
    if (length > 0 && parts.address[0] == '[') {
        if (parts.address[length - 1] != ']') {
            return refuse(text, "the brackets of its address do not match", error);
        }
        copy[length - 1] = '\0';
        parts.address++;
    } else if (strchr(parts.address, ':')) {
        return refuse(text, "an IPv6 address stands in brackets", error);
    }
    *ret_parts = parts;
    return 0;
}

static int publish(const char *text, json_t *exposed, json_t *bindings, struct bh_error *error)
{
    bh_autofree char *copy = strdup(text);
    struct parts parts = {0};
    struct port_range container, host = {0};
    char key[24], number[16];
    if (!copy) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "out of memory");
    }
    if (cut(copy, text, &parts, error) < 0) {
        return -1;
    }
    if (!known_protocol(parts.protocol)) {
        return refuse(text, "an unknown protocol", error);
    }
    if (!parse_range(parts.container, &container) || (*parts.host && !parse_range(parts.host, &host))) {
        return refuse(text, "no number or range below 65536", error);
    }
    bool many = container.first != container.last;
    if (many && *parts.host && host.last - host.first != container.last - container.first) {
        return refuse(text, "the ranges are not of the same length", error);
    }
    for (unsigned int port = container.first; port <= container.last; port++) {
        (void)snprintf(number, sizeof(number), "%u", host.first + (port - container.first));
        const char *bound = many && *parts.host ? number : parts.host;
        if (expose(exposed, port, parts.protocol, key, error) < 0 ||
            bind_port(bindings, key, parts.address, bound, error) < 0) {
            return -1;
        }
    }
    return 0;
}

int port_spec_publish(const char *text, json_t *exposed, json_t *bindings, struct bh_error *error)
{
    strings_auto struct strings fields = {0};
    bh_autofree char *plain = NULL;
    const char *target = "", *published = "", *protocol = "tcp";
    if (!strchr(text, '=')) {
        return publish(text, exposed, bindings, error);
    }
    if (csv_split(text, &fields, error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < fields.count; i++) {
        const char *equals = strchr(fields.items[i], '=');
        size_t length = equals ? (size_t)(equals - fields.items[i]) : 0;
        if (length == 6 && strncmp(fields.items[i], "target", length) == 0) {
            target = equals + 1;
        } else if (length == 9 && strncmp(fields.items[i], "published", length) == 0) {
            published = equals + 1;
        } else if (length == 8 && strncmp(fields.items[i], "protocol", length) == 0) {
            protocol = equals + 1;
        } else if (length != 4 || strncmp(fields.items[i], "mode", length) != 0) {
            return refuse(text, "its fields are target, published, protocol and mode", error);
        }
    }
    return strings_format(&plain, error, "%s%s%s/%s", published, *published ? ":" : "", target, protocol) < 0
               ? -1
               : publish(plain, exposed, bindings, error);
}
