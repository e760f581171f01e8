/* SPDX-License-Identifier: Apache-2.0
 *
 * See links.h.
 */
#include "services/engine/links.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/fields.h"
#include "common/ip.h"
#include "services/engine/containers.h"
#include "services/engine/database_change.h"
#include "services/engine/database_endpoints.h"
#include "services/engine/networks.h"
#include "services/engine/ports.h"
#include "services/engine/resolve.h"

#define SHORT_ID      12
#define VARIABLE_SIZE 512

/* One link: "container[:alias]". */
struct link {
    char container[BH_DIGEST_HEX_SIZE + BH_NAME_BYTES_MAX];
    char alias[BH_NAME_BYTES_MAX + 1];
};

static int parse(const char *text, struct link *ret_link, struct bh_error *error)
{
    const char *name = text[0] == '/' ? text + 1 : text;
    size_t length = strcspn(name, ":");
    const char *alias = name[length] ? name + length + 1 : name;
    if (*alias == '/') {
        alias = strrchr(alias, '/') + 1; /* "/container:/linked/alias", as inspect shows it */
    }
    size_t alias_length = name[length] ? strlen(alias) : length;
    bool valid =
        length > 0 && length < sizeof ret_link->container && alias_length > 0 && alias_length < sizeof ret_link->alias;
    for (size_t i = 0; valid && i < alias_length; i++) {
        valid = isalnum((unsigned char)alias[i]) || strchr("-_.", alias[i]);
    }
    if (!valid) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "bad format for links: %.128s: it is CONTAINER[:ALIAS]", text);
    }
    (void)snprintf(ret_link->container, sizeof ret_link->container, "%.*s", (int)length, name);
    (void)snprintf(ret_link->alias, sizeof ret_link->alias, "%.*s", (int)alias_length, alias);
    return 0;
}

static int find(struct job *job, const struct link *link, struct container_row *ret_row, struct bh_error *error)
{
    if (resolve_container(job, link->container, ret_row, error) == 0) {
        return 0;
    }
    return error->code == BH_NOT_FOUND
               ? bh_error_set(error, BH_INVALID_ARGUMENT, "could not get container for %s: No such container: %s",
                              link->container, link->container)
               : -1;
}

/* Only a container on the default network has links of its own; elsewhere its endpoints have. */
static bool has_links(const Bulkhead__ContainerRequest *request)
{
    return request->network == BULKHEAD__NETWORK_MODE__NETWORK_MODE_LINKED && request->n_endpoints > 0 &&
           strcmp(request->endpoints[0]->network, NETWORK_DEFAULT) == 0;
}

int links_check(struct job *job, const Bulkhead__ContainerRequest *request, struct bh_error *error)
{
    for (size_t i = 0; has_links(request) && i < request->n_links; i++) {
        struct link link;
        container_row_auto struct container_row row = {0};
        if (parse(request->links[i], &link, error) < 0 || find(job, &link, &row, error) < 0) {
            return -1;
        }
        if (row.request->network == BULKHEAD__NETWORK_MODE__NETWORK_MODE_HOST) {
            return bh_error_set(error, BH_INVALID_ARGUMENT,
                                "conflicting options: host type networking can't be used with links. This would result "
                                "in undefined behavior");
        }
    }
    return 0;
}

/* ---- removal -------------------------------------------------------------------------------------- */

int links_remove(struct job *job, struct container_row *row, const char *alias, struct bh_error *error)
{
    Bulkhead__ContainerRequest *request = row->request;
    for (size_t i = 0; i < request->n_links; i++) {
        struct link link;
        if (parse(request->links[i], &link, error) < 0) {
            return -1;
        }
        if (strcmp(link.alias, alias) == 0) {
            free(request->links[i]);
            request->n_links--;
            memmove(&request->links[i], &request->links[i + 1], (request->n_links - i) * sizeof *request->links);
            return database_change_request(job->engine->database, row->id, request, true, error);
        }
    }
    return bh_error_set(error, BH_NOT_FOUND, "No such link: /%s/%.128s", row->name, alias);
}

/* ---- the list ------------------------------------------------------------------------------------- */

static bool means(const struct link *link, const struct container_row *row)
{
    struct bh_digest id;
    char hex[BH_DIGEST_HEX_SIZE];
    memcpy(id.bytes, row->id, sizeof id.bytes);
    return strcmp(link->container, row->name) == 0 ||
           (strlen(link->container) >= SHORT_ID &&
            strncmp(link->container, bh_digest_hex(&id, hex), strlen(link->container)) == 0);
}

int links_names(const struct container_row *rows, size_t n_rows, const struct container_row *row, char ***names,
                size_t *n_names, struct bh_error *error)
{
    for (size_t i = 0; i < n_rows; i++) {
        const Bulkhead__ContainerRequest *request = rows[i].request;
        for (size_t k = 0; k < request->n_links && has_links(request); k++) {
            struct link link;
            struct bh_error ignored; /* it was looked at when it was created */
            char name[2 * BH_NAME_BYTES_MAX + 2];
            if (parse(request->links[k], &link, &ignored) < 0 || !means(&link, row)) {
                continue;
            }
            (void)snprintf(name, sizeof name, "%s/%s", rows[i].name, link.alias);
            if (strings_append(names, n_names, name, error) < 0) {
                return -1;
            }
        }
    }
    return 0;
}

/* ---- the start ----------------------------------------------------------------------------------- */

/* The address of a container on the default network of its tenant. False: it has none there. */
static bool find_address(struct job *job, const struct container_row *row, struct ip *ret_ip)
{
    network_row_auto struct network_row network = {0};
    struct endpoint_row *rows = NULL;
    size_t n_rows = 0;
    struct bh_error error = {0};
    bool found = false;
    if (database_find_network(job->engine->database, row->tenant_uid, NETWORK_DEFAULT, &network, &error) != 1 ||
        database_container_endpoints(job->engine->database, row->id, &rows, &n_rows, &error) < 0) {
        return false;
    }
    for (size_t i = 0; i < n_rows && !found; i++) {
        const Bulkhead__Endpoint *endpoint = rows[i].endpoint;
        if (memcmp(endpoint->network.data, network.id, sizeof network.id) == 0) {
            *ret_ip = ip_from_bytes(endpoint->address4.data, endpoint->address4.len);
            found = ip_is_set(ret_ip);
        }
    }
    endpoint_rows_free(rows, n_rows);
    return found;
}

static int add_variable(Bulkhead__Process *process, const char *prefix, const char *name, const char *value,
                        struct bh_error *error)
{
    bh_autofree char *text = NULL;
    if (asprintf(&text, "%s_%s=%s", prefix, name, value) < 0) {
        text = NULL;
        return bh_error_errno(error, ENOMEM, "link a container");
    }
    /* What the container was given by its creator counts more. */
    for (size_t i = 0; i < process->n_env; i++) {
        size_t length = strcspn(text, "=");
        if (strncmp(process->env[i], text, length + 1) == 0) {
            return 0;
        }
    }
    return strings_append(&process->env, &process->n_env, text, error);
}

/* AL_PORT_80_TCP=tcp://172.17.0.2:80 and its parts; AL_PORT is that of the first one. */
static int add_port(Bulkhead__Process *process, const char *prefix, const char *address, uint32_t port,
                    Bulkhead__Transport transport, struct bh_error *error)
{
    const char *word = ports_transport_word(transport);
    char upper[8], key[64], part[96], url[VARIABLE_SIZE], number[16];
    for (size_t i = 0; i <= strlen(word); i++) {
        upper[i] = (char)toupper((unsigned char)word[i]);
    }
    (void)snprintf(key, sizeof key, "PORT_%u_%s", port, upper);
    (void)snprintf(url, sizeof url, "%s://%s:%u", word, address, port);
    (void)snprintf(number, sizeof number, "%u", port);
    const char *const parts[][2] = {{"", url}, {"_ADDR", address}, {"_PORT", number}, {"_PROTO", word}};
    if (add_variable(process, prefix, "PORT", url, error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        (void)snprintf(part, sizeof part, "%s%s", key, parts[i][0]);
        if (add_variable(process, prefix, part, parts[i][1], error) < 0) {
            return -1;
        }
    }
    return 0;
}

static int add_exposed(struct job *job, const struct container_row *other, Bulkhead__Process *process,
                       const char *prefix, const char *address, struct bh_error *error)
{
    image_row_auto struct image_row image = {0};
    struct bh_error gone = {0};
    (void)database_image(job->engine->database, other->tenant_uid, &other->image, &image, &gone);
    const size_t n_own = other->request->n_exposed_ports, n_image = image.config ? image.config->n_exposed_ports : 0;
    for (size_t i = 0; i < n_own + n_image; i++) {
        const char *text = i < n_own ? other->request->exposed_ports[i] : image.config->exposed_ports[i - n_own];
        uint32_t first, last;
        Bulkhead__Transport transport;
        if (!ports_parse(text, &first, &last, &transport)) {
            continue;
        }
        for (uint32_t port = first; port <= last && port - first < BH_PORTS_MAX; port++) {
            if (add_port(process, prefix, address, port, transport, error) < 0) {
                return -1;
            }
        }
    }
    return 0;
}

static int add_environment(const struct container_row *other, Bulkhead__Process *process, const char *prefix,
                           struct bh_error *error)
{
    const Bulkhead__Process *theirs = other->spec->process;
    for (size_t i = 0; i < theirs->n_env; i++) {
        char name[VARIABLE_SIZE];
        size_t length = strcspn(theirs->env[i], "=");
        bool own = strncmp(theirs->env[i], "PATH=", 5) == 0 || strncmp(theirs->env[i], "HOME=", 5) == 0 ||
                   strncmp(theirs->env[i], "HOSTNAME=", 9) == 0;
        if (own || !theirs->env[i][length] || length + 8 > sizeof name) {
            continue;
        }
        (void)snprintf(name, sizeof name, "ENV_%.*s", (int)length, theirs->env[i]);
        if (add_variable(process, prefix, name, theirs->env[i] + length + 1, error) < 0) {
            return -1;
        }
    }
    return 0;
}

static int add_host(Bulkhead__ContainerSpec *spec, const char *name, const char *address, struct bh_error *error)
{
    char line[BH_DIGEST_HEX_SIZE + BH_NAME_BYTES_MAX + IP_TEXT_SIZE];
    (void)snprintf(line, sizeof line, "%s:%s", name, address);
    return strings_append(&spec->extra_hosts, &spec->n_extra_hosts, line, error);
}

/* One end of a link as it is now. */
struct target {
    struct container_row row;
    char address[IP_TEXT_SIZE]; /* "" if it has none on the default network, as one that shares another's */
};

static int look_at(struct job *job, const struct container_row *row, const struct link *link, struct target *target,
                   struct bh_error *error)
{
    struct ip ip;
    if (find(job, link, &target->row, error) < 0) {
        return -1;
    }
    if (!container_runs(&target->row.state)) {
        return bh_error_set(error, BH_FAILED_PRECONDITION, "Cannot link to a non running container: /%s AS /%s/%s",
                            target->row.name, row->name, link->alias);
    }
    if (find_address(job, &target->row, &ip)) {
        (void)ip_text(&ip, target->address);
    }
    return 0;
}

/* Its alias, its own name of a host, and its name. */
static int add_hosts(Bulkhead__ContainerSpec *spec, const struct link *link, const struct target *target,
                     struct bh_error *error)
{
    const char *host_name = target->row.spec->host_name, *name = target->row.name;
    return add_host(spec, link->alias, target->address, error) < 0 ||
                   (*host_name && add_host(spec, host_name, target->address, error) < 0) ||
                   (strcmp(name, link->alias) != 0 && add_host(spec, name, target->address, error) < 0)
               ? -1
               : 0;
}

static int add_variables(struct job *job, const struct container_row *row, const struct link *link,
                         const struct target *target, Bulkhead__Process *process, struct bh_error *error)
{
    char prefix[BH_NAME_BYTES_MAX + 1], name[2 * BH_NAME_BYTES_MAX + 8];
    for (size_t i = 0; i <= strlen(link->alias); i++) {
        prefix[i] = link->alias[i] == '-' ? '_' : (char)toupper((unsigned char)link->alias[i]);
    }
    (void)snprintf(name, sizeof name, "/%s/%s", row->name, link->alias);
    return add_variable(process, prefix, "NAME", name, error) < 0 ||
                   add_exposed(job, &target->row, process, prefix, target->address, error) < 0 ||
                   add_environment(&target->row, process, prefix, error) < 0
               ? -1
               : 0;
}

static void target_clear(struct target *target)
{
    container_row_clear(&target->row);
}

int links_apply(struct job *job, struct container_row *row, struct bh_error *error)
{
    for (size_t i = 0; has_links(row->request) && i < row->request->n_links; i++) {
        struct link link;
        bh_cleanup(target_clear) struct target target = {.address = ""};
        if (parse(row->request->links[i], &link, error) < 0 || look_at(job, row, &link, &target, error) < 0) {
            return -1;
        }
        if (target.address[0] && (add_hosts(row->spec, &link, &target, error) < 0 ||
                                  add_variables(job, row, &link, &target, row->spec->process, error) < 0)) {
            return -1;
        }
    }
    return 0;
}

int links_describe(struct job *job, const struct container_row *row, Bulkhead__Process *process, struct bh_error *error)
{
    for (size_t i = 0; has_links(row->request) && i < row->request->n_links; i++) {
        struct link link;
        struct bh_error ended; /* meanwhile */
        bh_cleanup(target_clear) struct target target = {.address = ""};
        if (parse(row->request->links[i], &link, &ended) == 0 && look_at(job, row, &link, &target, &ended) == 0 &&
            target.address[0] && add_variables(job, row, &link, &target, process, error) < 0) {
            return -1;
        }
    }
    return 0;
}

int links_of_endpoint(struct job *job, const Bulkhead__EndpointRequest *request, Bulkhead__Endpoint *endpoint,
                      struct bh_error *error)
{
    if (request->n_links == 0) {
        return 0;
    }
    endpoint->links = calloc(request->n_links, sizeof(Bulkhead__EndpointLink *));
    if (!endpoint->links) {
        return bh_error_errno(error, ENOMEM, "link a container");
    }
    for (size_t i = 0; i < request->n_links; i++) {
        struct link link;
        container_row_auto struct container_row other = {0};
        Bulkhead__EndpointLink *made = malloc(sizeof *made);
        if (!made) {
            return bh_error_errno(error, ENOMEM, "link a container");
        }
        bulkhead__endpoint_link__init(made);
        endpoint->links[endpoint->n_links++] = made;
        if (parse(request->links[i], &link, error) < 0 || find(job, &link, &other, error) < 0 ||
            string_set(&made->name, link.alias, error) < 0 ||
            bytes_set(&made->container, other.id, sizeof other.id, error) < 0) {
            return -1;
        }
    }
    return 0;
}
