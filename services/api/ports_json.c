/* SPDX-License-Identifier: Apache-2.0
 *
 * See ports_json.h.
 */
#include "ports_json.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/ip.h"
#include "common/limits.h"
#include "create.h"

#define PORT_MAX      65535UL
#define PORT_KEY_SIZE 24 /* "65535/sctp" */

static const char *const transports[] = {"", "tcp", "udp", "sctp"};

static const char *transport_word(Bulkhead__Transport transport)
{
    return (size_t)transport < sizeof(transports) / sizeof(transports[0]) ? transports[transport] : "";
}

/* ---- reading ------------------------------------------------------------------------------------- */

/* "80" or "80-90"; *ret_rest is what follows. */
static bool parse_range(const char *text, unsigned long *ret_first, unsigned long *ret_last, const char **ret_rest)
{
    char *end;
    if (!isdigit((unsigned char)*text)) {
        return false;
    }
    *ret_first = strtoul(text, &end, 10);
    *ret_last = *ret_first;
    if (*end == '-' && isdigit((unsigned char)end[1])) {
        *ret_last = strtoul(end + 1, &end, 10);
    }
    *ret_rest = end;
    return *ret_first <= *ret_last && *ret_last <= PORT_MAX;
}

static int check_key(const char *key, struct bh_error *error)
{
    unsigned long first, last;
    const char *rest = "";
    bool valid = strlen(key) < PORT_KEY_SIZE && parse_range(key, &first, &last, &rest) && first > 0 &&
                 (*rest == '\0' || *rest == '/');
    bool known = valid && *rest == '\0';
    for (size_t i = 1; valid && i < sizeof(transports) / sizeof(transports[0]); i++) {
        known = known || strcmp(rest, "") == 0 || strcmp(rest + 1, transports[i]) == 0;
    }
    return known ? 0
                 : bh_error_set(error, BH_INVALID_ARGUMENT, "invalid port specification: \"%.*s\"",
                                (int)strcspn(key, "/") < 64 ? (int)strcspn(key, "/") : 64, key);
}

static int check_binding(const Bulkhead__PortBinding *binding, struct bh_error *error)
{
    unsigned long first, last;
    struct ip ip;
    const char *rest = "";
    if (*binding->host_port && (!parse_range(binding->host_port, &first, &last, &rest) || *rest)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid port specification: \"%.64s\"", binding->host_port);
    }
    return *binding->host_address == '\0' || ip_parse(binding->host_address, &ip)
               ? 0
               : bh_error_set(error, BH_INVALID_ARGUMENT, "invalid IP address: %.64s", binding->host_address);
}

static int add_binding(struct create *create, const char *key, const json_t *value, const char *where,
                       struct bh_error *error)
{
    Bulkhead__ContainerRequest *request = create->request;
    if (request->n_port_bindings >= BH_PORTS_MAX) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "%s has more than %d entries", where, BH_PORTS_MAX);
    }
    Bulkhead__PortBinding **larger =
        reallocarray(request->port_bindings, request->n_port_bindings + 1, sizeof(*larger));
    Bulkhead__PortBinding *binding = larger ? malloc(sizeof(*binding)) : NULL;
    request->port_bindings = larger ? larger : request->port_bindings;
    if (!binding) {
        return out_of_memory(error);
    }
    bulkhead__port_binding__init(binding);
    request->port_bindings[request->n_port_bindings++] = binding;
    binding->none = value == NULL;
    const json_t *address = value ? json_object_get(value, "HostIp") : NULL;
    const json_t *port = value ? json_object_get(value, "HostPort") : NULL;
    if (value && !json_is_object(value)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid JSON: %s must hold arrays of objects", where);
    }
    return set_string(&binding->port, key, error) < 0 ||
                   (address && take_string(address, "HostIp", &binding->host_address, error) < 0) ||
                   (port && take_string(port, "HostPort", &binding->host_port, error) < 0) ||
                   check_binding(binding, error) < 0
               ? -1
               : 0;
}

int read_port_bindings(struct create *create, const json_t *value, const char *where, struct bh_error *error)
{
    union {
        const json_t *constant;
        json_t *plain;
    } walk = {.constant = value};
    const char *key;
    json_t *list;
    if (json_is_null(value)) {
        return 0;
    }
    if (!json_is_object(value)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid JSON: %s must be an object", where);
    }
    json_object_foreach(walk.plain, key, list)
    {
        if (!json_is_array(list) && !json_is_null(list)) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid JSON: %s must hold arrays", where);
        }
        if (check_key(key, error) < 0 ||
            (json_array_size(list) == 0 && add_binding(create, key, NULL, where, error) < 0)) {
            return -1;
        }
        for (size_t i = 0; i < json_array_size(list); i++) {
            if (add_binding(create, key, json_array_get(list, i), where, error) < 0) {
                return -1;
            }
        }
    }
    return 0;
}

/* ---- writing ------------------------------------------------------------------------------------- */

void write_port_bindings(struct json_writer *writer, const Bulkhead__ContainerRequest *request)
{
    write_object(writer, "PortBindings");
    for (size_t i = 0; i < request->n_port_bindings;) { /* one key's bindings follow one another */
        const char *key = request->port_bindings[i]->port;
        write_array(writer, key);
        for (; i < request->n_port_bindings && strcmp(request->port_bindings[i]->port, key) == 0; i++) {
            if (!request->port_bindings[i]->none) {
                write_object(writer, NULL);
                write_string(writer, "HostIp", request->port_bindings[i]->host_address);
                write_string(writer, "HostPort", request->port_bindings[i]->host_port);
                write_object_end(writer);
            }
        }
        write_array_end(writer);
    }
    write_object_end(writer);
}

/* Host addresses of one port: "" is all of them, which Docker shows as one of each family. */
static size_t host_addresses(const Bulkhead__PublishedPort *port, bool four, bool six, char texts[2][IP_TEXT_SIZE])
{
    size_t n = 0;
    if (port->host_address.len > 0) {
        const struct ip ip = ip_from_bytes(port->host_address.data, port->host_address.len);
        (void)ip_text(&ip, texts[n++]);
        return n;
    }
    if (four || !six) {
        (void)snprintf(texts[n++], IP_TEXT_SIZE, "0.0.0.0");
    }
    if (six) {
        (void)snprintf(texts[n++], IP_TEXT_SIZE, "::");
    }
    return n;
}

static void find_families(Bulkhead__EndpointDetails *const *endpoints, size_t n_endpoints, bool *ret_four,
                          bool *ret_six)
{
    *ret_four = *ret_six = false;
    for (size_t i = 0; i < n_endpoints; i++) {
        const Bulkhead__Endpoint *endpoint = endpoints[i]->endpoint;
        *ret_four = *ret_four || (endpoint && endpoint->address4.len > 0);
        *ret_six = *ret_six || (endpoint && endpoint->address6.len > 0);
    }
}

static bool is_published(Bulkhead__PublishedPort *const *ports, size_t n_ports, const char *key)
{
    for (size_t i = 0; i < n_ports; i++) {
        char text[PORT_KEY_SIZE];
        (void)snprintf(text, sizeof(text), "%u/%s", ports[i]->container_port, transport_word(ports[i]->transport));
        if (strcmp(text, key) == 0) {
            return true;
        }
    }
    return false;
}

/* What client and image expose, and what is published beside. Borrowed, but for the array. */
static size_t list_exposed(const Bulkhead__ContainerRequest *request, const Bulkhead__ImageConfig *image,
                           char ***ret_exposed)
{
    const size_t n_image = image ? image->n_exposed_ports : 0;
    size_t n = 0;
    char **exposed = calloc(request->n_exposed_ports + n_image + request->n_port_bindings + 1, sizeof(*exposed));
    for (size_t i = 0; exposed && i < request->n_exposed_ports; i++) {
        exposed[n++] = request->exposed_ports[i];
    }
    for (size_t i = 0; exposed && i < n_image; i++) {
        exposed[n++] = image->exposed_ports[i];
    }
    for (size_t i = 0; exposed && i < request->n_port_bindings; i++) {
        exposed[n++] = request->port_bindings[i]->port;
    }
    *ret_exposed = exposed;
    return n;
}

/* "80/tcp" and "80" are one port. */
static bool is_same(const char *left, const char *right)
{
    size_t digits = strcspn(left, "/");
    return digits == strcspn(right, "/") && strncmp(left, right, digits) == 0 &&
           strcmp(left[digits] ? left + digits : "/tcp", right[digits] ? right + digits : "/tcp") == 0;
}

/* Calls `each` for every exposed port that is not published, once, as "80/tcp". */
static void each_exposed(char *const *exposed, size_t n_exposed, Bulkhead__PublishedPort *const *ports, size_t n_ports,
                         struct json_writer *writer,
                         void (*each)(struct json_writer *writer, unsigned long port, const char *transport))
{
    for (size_t i = 0; i < n_exposed; i++) {
        unsigned long first, last;
        const char *rest = "";
        if (!parse_range(exposed[i], &first, &last, &rest) || (*rest != '/' && *rest != '\0')) {
            continue;
        }
        const char *transport = *rest == '/' ? rest + 1 : "tcp";
        for (unsigned long port = first; port <= last; port++) {
            char key[PORT_KEY_SIZE];
            bool twice = false;
            (void)snprintf(key, sizeof(key), "%lu/%.8s", port, transport);
            for (size_t k = 0; k < i && !twice; k++) {
                twice = is_same(exposed[k], exposed[i]);
            }
            if (!twice && !is_published(ports, n_ports, key)) {
                each(writer, port, transport);
            }
        }
    }
}

static void write_unpublished(struct json_writer *writer, unsigned long port, const char *transport)
{
    char key[PORT_KEY_SIZE];
    (void)snprintf(key, sizeof(key), "%lu/%.8s", port, transport);
    write_null(writer, key);
}

static void write_empty(struct json_writer *writer, unsigned long port, const char *transport)
{
    char key[PORT_KEY_SIZE];
    (void)snprintf(key, sizeof(key), "%lu/%.8s", port, transport);
    write_object(writer, key);
    write_object_end(writer);
}

void write_inspect_ports(struct json_writer *writer, const Bulkhead__ContainerDetails *details)
{
    bool four, six;
    find_families(details->endpoints, details->n_endpoints, &four, &six);
    write_object(writer, "Ports");
    for (size_t i = 0; i < details->n_ports;) { /* sorted by what they are called */
        const Bulkhead__PublishedPort *first = details->ports[i];
        char key[PORT_KEY_SIZE], texts[2][IP_TEXT_SIZE];
        (void)snprintf(key, sizeof(key), "%u/%s", first->container_port, transport_word(first->transport));
        write_array(writer, key);
        for (; i < details->n_ports && details->ports[i]->container_port == first->container_port &&
               details->ports[i]->transport == first->transport;
             i++) {
            size_t n = host_addresses(details->ports[i], four, six, texts);
            for (size_t k = 0; k < n; k++) {
                write_object(writer, NULL);
                write_string(writer, "HostIp", texts[k]);
                write_format(writer, "HostPort", "%u", details->ports[i]->first_host_port);
                write_object_end(writer);
            }
        }
        write_array_end(writer);
    }
    bh_autofree char **exposed = NULL;
    size_t n_exposed = list_exposed(details->request, details->image_config, &exposed);
    if (four || six) { /* it is linked to something they could be published from */
        each_exposed(exposed, n_exposed, details->ports, details->n_ports, writer, write_unpublished);
    }
    write_object_end(writer);
}

void write_exposed_ports(struct json_writer *writer, const Bulkhead__ContainerRequest *request,
                         const Bulkhead__ImageConfig *image)
{
    bh_autofree char **exposed = NULL;
    size_t n_exposed = list_exposed(request, image, &exposed);
    if (n_exposed == 0) {
        return; /* as Docker does */
    }
    write_object(writer, "ExposedPorts");
    each_exposed(exposed, n_exposed, NULL, 0, writer, write_empty);
    write_object_end(writer);
}

static void write_private(struct json_writer *writer, unsigned long port, const char *transport)
{
    write_object(writer, NULL);
    write_uint(writer, "PrivatePort", port);
    write_string(writer, "Type", transport);
    write_object_end(writer);
}

void write_summary_ports(struct json_writer *writer, const Bulkhead__ContainerSummary *container)
{
    bool four, six;
    find_families(container->endpoints, container->n_endpoints, &four, &six);
    write_array(writer, "Ports");
    for (size_t i = 0; i < container->n_ports; i++) {
        const Bulkhead__PublishedPort *port = container->ports[i];
        char texts[2][IP_TEXT_SIZE];
        size_t n = host_addresses(port, four, six, texts);
        for (size_t k = 0; k < n; k++) {
            write_object(writer, NULL);
            write_string(writer, "IP", texts[k]);
            write_uint(writer, "PrivatePort", port->container_port);
            write_uint(writer, "PublicPort", port->first_host_port);
            write_string(writer, "Type", transport_word(port->transport));
            write_object_end(writer);
        }
    }
    if (four || six) {
        each_exposed(container->exposed_ports, container->n_exposed_ports, container->ports, container->n_ports, writer,
                     write_private);
    }
    write_array_end(writer);
}
