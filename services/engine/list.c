/* SPDX-License-Identifier: Apache-2.0
 *
 * Lists of containers and their filters; see inspect.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "services/engine/adopt.h"
#include "services/engine/containers.h"
#include "services/engine/database.h"
#include "services/engine/database_endpoints.h"
#include "services/engine/endpoint_details.h"
#include "services/engine/filters.h"
#include "services/engine/health_check.h"
#include "services/engine/inspect.h"
#include "services/engine/inspect_parts.h"
#include "services/engine/links.h"
#include "services/engine/list_filters.h"
#include "services/engine/merge.h"
#include "services/engine/mounts.h"
#include "services/engine/ports.h"
#include "services/engine/resolve.h"

static const char *const known_filters[] = {"id",       "name",    "label",  "status",  "exited",
                                            "ancestor", "before",  "since",  "health",  "network",
                                            "volume",   "publish", "expose", "is-task", NULL};

/* Docker's words for a status. */
static const char *status_word(Bulkhead__ContainerStatus status)
{
    static const char *const words[] = {"", "created", "running", "paused", "exited", "removing", "dead", "restarting"};
    return (size_t)status < sizeof words / sizeof *words ? words[status] : "";
}

/* One list under way. Images repeat: the last one read is kept. */
struct listing {
    struct job *job;
    const Bulkhead__ListContainersOf *question;
    const Bulkhead__Filter *id, *name, *label, *status, *exited, *ancestor, *expose, *publish, *network, *volume,
        *health;
    bool none;      /* a filter that no container can fit: tasks are swarm's */
    bool by_status; /* a filter names states: all are looked at */
    int64_t before_ns, since_ns;
    struct bh_digest *ancestors;
    size_t n_ancestors;
    struct image_row image;
    struct container_row *rows;
    size_t n_rows;
    bool linked; /* some container has links: only then others have names by them */
};

static void listing_end(struct listing *listing)
{
    free(listing->ancestors);
    image_row_clear(&listing->image);
    container_rows_free(listing->rows, listing->n_rows);
}

static int find_time(struct listing *listing, const char *key, int64_t *ret_ns, struct bh_error *error)
{
    const Bulkhead__Filter *filter = filters_find(listing->question->filters, listing->question->n_filters, key);
    container_row_auto struct container_row row = {0};
    if (!filter) {
        return 0;
    }
    if (resolve_container(listing->job, filter->values[0], &row, error) < 0) {
        return -1;
    }
    *ret_ns = row.created_ns;
    return 0;
}

/* The images that `ancestor` names. An unknown one matches nothing. */
static int find_ancestors(struct listing *listing, struct bh_error *error)
{
    if (!listing->ancestor) {
        return 0;
    }
    listing->ancestors = calloc(listing->ancestor->n_values, sizeof *listing->ancestors);
    if (!listing->ancestors) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "no memory for a list");
    }
    for (size_t i = 0; i < listing->ancestor->n_values; i++) {
        char name[BH_REFERENCE_BYTES_MAX + 1];
        struct bh_error unknown;
        if (resolve_image(listing->job->engine->database, listing->job->tenant_uid, listing->ancestor->values[i],
                          &listing->ancestors[listing->n_ancestors], name, &unknown) == 0) {
            listing->n_ancestors++;
        }
    }
    return 0;
}

static int check_values(const struct listing *listing, struct bh_error *error)
{
    static const char *const healths[] = {"none", "starting", "healthy", "unhealthy"};
    for (size_t i = 0; listing->status && i < listing->status->n_values; i++) {
        const char *word = listing->status->values[i];
        bool valid = false;
        for (int status = 1; status <= BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_RESTARTING && !valid; status++) {
            valid = strcmp(word, status_word((Bulkhead__ContainerStatus)status)) == 0;
        }
        if (!valid) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid filter 'status=%s'", word);
        }
    }
    for (size_t i = 0; listing->health && i < listing->health->n_values; i++) {
        size_t k = 0;
        while (k < sizeof healths / sizeof healths[0] && strcmp(healths[k], listing->health->values[i]) != 0) {
            k++;
        }
        if (k == sizeof healths / sizeof healths[0]) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "Unrecognised filter value for health: %s",
                                listing->health->values[i]);
        }
    }
    for (size_t i = 0; listing->exited && i < listing->exited->n_values; i++) {
        char *end;
        (void)strtol(listing->exited->values[i], &end, 10);
        if (end == listing->exited->values[i] || *end) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid filter 'exited=%s': it is an exit code",
                                listing->exited->values[i]);
        }
    }
    return list_filter_check_names(listing->name, error) < 0 || list_filter_check_ports(listing->expose, error) < 0 ||
                   list_filter_check_ports(listing->publish, error) < 0
               ? -1
               : 0;
}

static int listing_begin(struct listing *listing, struct bh_error *error)
{
    Bulkhead__Filter *const *filters = listing->question->filters;
    size_t n_filters = listing->question->n_filters;
    if (filters_check(filters, n_filters, known_filters, error) < 0) {
        return -1;
    }
    listing->id = filters_find(filters, n_filters, "id");
    listing->name = filters_find(filters, n_filters, "name");
    listing->label = filters_find(filters, n_filters, "label");
    listing->status = filters_find(filters, n_filters, "status");
    listing->exited = filters_find(filters, n_filters, "exited");
    listing->ancestor = filters_find(filters, n_filters, "ancestor");
    listing->expose = filters_find(filters, n_filters, "expose");
    listing->publish = filters_find(filters, n_filters, "publish");
    listing->network = filters_find(filters, n_filters, "network");
    listing->volume = filters_find(filters, n_filters, "volume");
    listing->health = filters_find(filters, n_filters, "health");
    listing->by_status = listing->status || listing->exited;
    const Bulkhead__Filter *task = filters_find(filters, n_filters, "is-task");
    if ((task && filters_boolean(task, &listing->none, error) < 0) || check_values(listing, error) < 0) {
        return -1;
    }
    listing->before_ns = INT64_MAX;
    listing->since_ns = INT64_MIN;
    if (find_time(listing, "before", &listing->before_ns, error) < 0 ||
        find_time(listing, "since", &listing->since_ns, error) < 0) {
        return -1;
    }
    return find_ancestors(listing, error);
}

/* Whether the container's image is one of the ancestors, or was made from one. */
static bool descends(const struct listing *listing, const struct container_row *row)
{
    struct bh_digest image = row->image;
    for (int generation = 0; listing->ancestor && generation < BH_LAYERS_MAX; generation++) {
        image_row_auto struct image_row found = {0};
        struct bh_error gone;
        for (size_t i = 0; i < listing->n_ancestors; i++) {
            if (bh_digest_equal(&listing->ancestors[i], &image)) {
                return true;
            }
        }
        if (database_image(listing->job->engine->database, row->tenant_uid, &image, &found, &gone) < 0 ||
            !found.has_parent) {
            return false;
        }
        image = found.parent;
    }
    return !listing->ancestor;
}

/* "8080/tcp" of each of the host's ports that leads to it now. */
static bool publishes(const struct listing *listing, const struct container_row *row)
{
    Bulkhead__Attachment *attachment = NULL;
    struct bh_error error = {0};
    bool fits = !listing->publish;
    if (fits || !container_runs(&row->state) ||
        database_attachment(listing->job->engine->database, row->id, &attachment, &error) != 1) {
        return fits;
    }
    for (size_t i = 0; i < attachment->n_ports && !fits; i++) {
        const Bulkhead__PublishedPort *port = attachment->ports[i];
        char text[32], *texts = text;
        (void)snprintf(text, sizeof text, "%u/%s", port->first_host_port, ports_transport_word(port->transport));
        fits = list_filter_ports(listing->publish, &texts, 1);
    }
    bulkhead__attachment__free_unpacked(attachment, NULL);
    return fits;
}

static bool fits(const struct listing *listing, const struct container_row *row)
{
    const Bulkhead__ImageConfig *image = listing->image.config;
    bool exposed = list_filter_ports(listing->expose, row->request->exposed_ports, row->request->n_exposed_ports) ||
                   (image && list_filter_ports(listing->expose, image->exposed_ports, image->n_exposed_ports));
    return exposed && publishes(listing, row) &&
           list_filter_network(listing->network, row->request->endpoints, row->request->n_endpoints) &&
           list_filter_volume(listing->volume, row->spec->mounts, row->spec->n_mounts);
}

static bool matches(const struct listing *listing, const struct container_row *row, Bulkhead__KeyValue *const *labels,
                    size_t n_labels)
{
    struct bh_digest id;
    char hex[BH_DIGEST_HEX_SIZE], code[16];
    memcpy(id.bytes, row->id, sizeof id.bytes);
    (void)bh_digest_hex(&id, hex);
    (void)snprintf(code, sizeof code, "%d", row->state.exit_code);
    bool shown = listing->question->all || listing->question->limit > 0 || listing->by_status ||
                 container_is_active(&row->state);
    bool exited_so = !listing->exited || (filters_match_exactly(listing->exited, code) &&
                                          row->state.status == BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_EXITED);
    return shown && !listing->none && descends(listing, row) && exited_so && row->created_ns < listing->before_ns &&
           row->created_ns > listing->since_ns && filters_match_prefix(listing->id, hex) &&
           filters_match_name(listing->name, row->name) && filters_match_labels(listing->label, labels, n_labels) &&
           filters_match_exactly(listing->status, status_word(row->state.status)) && fits(listing, row);
}

/* The image's name as the client wrote it, unless that means another image by now. */
static const char *shown_image(struct listing *listing, struct container_row *row, char *buffer)
{
    struct bh_digest now;
    char name[BH_REFERENCE_BYTES_MAX + 1];
    struct bh_error unknown;
    if (resolve_image(listing->job->engine->database, listing->job->tenant_uid, row->request->image, &now, name,
                      &unknown) == 0 &&
        bh_digest_equal(&now, &row->image)) {
        return row->request->image;
    }
    return bh_digest_text(&row->image, buffer);
}

/* The client's and the image's; borrowed. */
static int list_exposed(const struct listing *listing, const struct container_row *row, char ***ret_exposed,
                        size_t *ret_n_exposed, struct bh_error *error)
{
    const Bulkhead__ContainerRequest *request = row->request;
    const Bulkhead__ImageConfig *image = listing->image.config;
    const size_t n_image = image ? image->n_exposed_ports : 0;
    char **exposed = calloc(request->n_exposed_ports + n_image + 1, sizeof *exposed);
    if (!exposed) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "no memory for a list");
    }
    for (size_t i = 0; i < request->n_exposed_ports; i++) {
        exposed[i] = request->exposed_ports[i];
    }
    for (size_t i = 0; i < n_image; i++) {
        exposed[request->n_exposed_ports + i] = image->exposed_ports[i];
    }
    *ret_exposed = exposed;
    *ret_n_exposed = request->n_exposed_ports + n_image;
    return 0;
}

struct names {
    char **list;
    size_t n;
};

static void free_names(struct names *names)
{
    for (size_t i = 0; i < names->n; i++) {
        free(names->list[i]);
    }
    free(names->list);
}

static int tell_summary(struct listing *listing, struct container_row *row, Bulkhead__KeyValue **labels,
                        size_t n_labels, Bulkhead__Health *health, struct bh_error *error)
{
    char image[BH_DIGEST_TEXT_SIZE];
    Bulkhead__MountPoint **points = NULL;
    size_t n_points = 0;
    endpoint_details_auto struct endpoint_details networks = {0};
    bh_autofree char **exposed = NULL;
    size_t n_exposed = 0;
    if (endpoint_details_read(listing->job, row, &networks, error) < 0 ||
        list_exposed(listing, row, &exposed, &n_exposed, error) < 0 ||
        mount_points_of(listing->job, row, &points, &n_points, error) < 0) {
        return -1;
    }
    Bulkhead__ContainerState state = container_state_message(row);
    Bulkhead__ContainerSummary summary = BULKHEAD__CONTAINER_SUMMARY__INIT;
    Bulkhead__ContainerSize size;
    Bulkhead__EngineToApi packet = BULKHEAD__ENGINE_TO_API__INIT;
    bh_cleanup(free_names) struct names called = {0};
    if (listing->linked && links_names(listing->rows, listing->n_rows, row, &called.list, &called.n, error) < 0) {
        mount_points_free(points, n_points);
        return -1;
    }
    summary.link_names = called.list;
    summary.n_link_names = called.n;
    summary.id = (ProtobufCBinaryData){.len = sizeof row->id, .data = row->id};
    summary.name = row->name;
    summary.image = (char *)(uintptr_t)shown_image(listing, row, image);
    summary.image_id = (ProtobufCBinaryData){.len = BH_DIGEST_BYTES, .data = row->image.bytes};
    summary.command = row->spec->process->args;
    summary.n_command = row->spec->process->n_args;
    summary.created_ns = row->created_ns;
    state.health = health;
    summary.state = &state;
    summary.labels = labels;
    summary.n_labels = n_labels;
    summary.network_mode = row->request->network_mode;
    summary.mount_points = points;
    summary.n_mount_points = n_points;
    summary.endpoints = networks.endpoints;
    summary.n_endpoints = networks.n_endpoints;
    summary.ports = networks.ports;
    summary.n_ports = networks.n_ports;
    summary.exposed_ports = exposed;
    summary.n_exposed_ports = n_exposed;
    if (listing->question->size) {
        struct bh_error unmeasured = {0}; /* one that cannot be measured is listed all the same */
        if (container_measure(listing->job, row, &listing->image, &size, &unmeasured) == 0) {
            summary.size = &size;
        } else {
            bh_log_failure(BH_LOG_WARNING, &unmeasured, row->name);
        }
    }
    packet.body_case = BULKHEAD__ENGINE_TO_API__BODY_CONTAINER_SUMMARY;
    packet.container_summary = &summary;
    (void)job_more(listing->job, &packet);
    mount_points_free(points, n_points);
    return 0;
}

/* 1 if it was told, 0 if it did not match. */
static int list_one(struct listing *listing, struct container_row *row, struct bh_error *error)
{
    bh_autofree Bulkhead__KeyValue **labels = NULL;
    size_t n_labels = 0;
    struct bh_error gone;
    if (!listing->image.config || !bh_digest_equal(&listing->image.id, &row->image)) {
        image_row_clear(&listing->image);
        (void)database_image(listing->job->engine->database, row->tenant_uid, &row->image, &listing->image, &gone);
    }
    if (merge_labels(listing->image.config, row->request, &labels, &n_labels, error) < 0) {
        return -1;
    }
    health_auto Bulkhead__Health *health = NULL;
    if (!matches(listing, row, labels, n_labels)) {
        return 0;
    }
    if (container_health_read(listing->job, row, listing->image.config, &health, error) < 0) {
        return -1;
    }
    if (!filters_match_exactly(listing->health, health ? health_word(health->status) : "none")) {
        return 0;
    }
    return tell_summary(listing, row, labels, n_labels, health, error) < 0 ? -1 : 1;
}

int list_containers(struct job *job, struct bh_error *error)
{
    struct listing listing = {.job = job, .question = job_body(job)};
    uint32_t told = 0;
    int result = adoption_wait(job, error);
    if (result == 0) {
        result = listing_begin(&listing, error);
    }
    if (result == 0) {
        result =
            database_containers(job->engine->database, job->tenant_uid, false, &listing.rows, &listing.n_rows, error);
    }
    for (size_t i = 0; i < listing.n_rows && !listing.linked; i++) {
        listing.linked = listing.rows[i].request->n_links > 0;
    }
    for (size_t i = 0;
         result >= 0 && i < listing.n_rows && (!listing.question->limit || told < listing.question->limit); i++) {
        result = list_one(&listing, &listing.rows[i], error);
        told += result == 1;
    }
    listing_end(&listing);
    return result < 0 ? -1 : job_reply_done(job);
}
