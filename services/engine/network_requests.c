/* SPDX-License-Identifier: Apache-2.0
 *
 * What clients ask about networks: create, list, inspect, delete, prune; see networks.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/digest.h"
#include "common/io.h"
#include "common/log.h"
#include "services/engine/adopt.h"
#include "services/engine/database_endpoints.h"
#include "services/engine/events.h"
#include "services/engine/filters.h"
#include "services/engine/network_options.h"
#include "services/engine/networks.h"
#include "services/engine/prune.h"

#define SHORT_ID 12

static const char *hex_of(const uint8_t *id, char hex[static BH_DIGEST_HEX_SIZE])
{
    struct bh_digest digest;
    memcpy(digest.bytes, id, sizeof digest.bytes);
    return bh_digest_hex(&digest, hex);
}

/* ---- create -------------------------------------------------------------------------------------- */

/* What Docker's rules say of the network as a whole. */
static int check_request(const Bulkhead__NetworkRequest *request, struct bh_error *error)
{
    static const char *const fixed[] = {"bridge", "host", "none", "default"};
    static const char *const single[] = {"host", "null"};
    struct network_options options;
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++) {
        if (strcmp(request->name, fixed[i]) == 0) {
            return bh_error_set(error, BH_PERMISSION_DENIED, "operation is not permitted on predefined %s network",
                                request->name);
        }
    }
    for (size_t i = 0; i < sizeof single / sizeof single[0]; i++) {
        if (strcmp(request->driver, single[i]) == 0) {
            return bh_error_set(error, BH_PERMISSION_DENIED, "only one instance of \"%s\" network is allowed",
                                request->driver);
        }
    }
    if (strcmp(request->driver, "bridge") != 0 && strcmp(request->driver, "macvlan") != 0) {
        return bh_error_set(error, BH_NOT_FOUND,
                            "could not find plugin %.64s in v1 plugin registry: plugin not found: networks have the "
                            "driver bridge or macvlan",
                            request->driver);
    }
    if (strlen(request->name) > BH_NETWORK_NAME_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "the network's name has %zu characters, at most %d",
                            strlen(request->name), BH_NETWORK_NAME_MAX);
    }
    return network_options_read(request, &options, error);
}

int create_network(struct job *job, struct bh_error *error)
{
    const Bulkhead__CreateNetwork *question = job_body(job);
    network_row_auto struct network_row row = {0};
    if (!question->request) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "a network needs a request");
    }
    if (adoption_wait(job, error) < 0 || networks_ensure(job, job->tenant_uid, error) < 0 ||
        check_request(question->request, error) < 0 || network_create(job, question->request, &row, error) < 0) {
        return -1;
    }
    Bulkhead__NetworkCreated created = BULKHEAD__NETWORK_CREATED__INIT;
    Bulkhead__EngineToApi packet = BULKHEAD__ENGINE_TO_API__INIT;
    created.id = (ProtobufCBinaryData){.len = sizeof row.id, .data = row.id};
    packet.body_case = BULKHEAD__ENGINE_TO_API__BODY_NETWORK_CREATED;
    packet.network_created = &created;
    (void)job_reply(job, &packet);
    return 0;
}

/* ---- details ------------------------------------------------------------------------------------- */

/* The containers that are linked to one, for `inspect`. */
struct members {
    struct endpoint_row *rows;
    struct container_row *containers;
    Bulkhead__NetworkMember *members;
    Bulkhead__NetworkMember **pointers;
    size_t n_rows, n_members;
};

static void members_free(struct members *members)
{
    if (members->containers) {
        for (size_t i = 0; i < members->n_rows; i++) {
            container_row_clear(&members->containers[i]);
        }
    }
    endpoint_rows_free(members->rows, members->n_rows);
    free(members->containers);
    free(members->members);
    free(members->pointers);
}
#define members_auto bh_cleanup(members_free)

static int read_members(struct job *job, const struct network_row *network, struct members *members,
                        struct bh_error *error)
{
    if (database_network_endpoints(job->engine->database, network->id, &members->rows, &members->n_rows, error) < 0) {
        return -1;
    }
    const size_t n = members->n_rows + 1;
    members->containers = calloc(n, sizeof *members->containers);
    members->members = calloc(n, sizeof *members->members);
    members->pointers = calloc(n, sizeof *members->pointers);
    if (!members->containers || !members->members || !members->pointers) {
        return bh_error_errno(error, ENOMEM, "list the containers of a network");
    }
    for (size_t i = 0; i < members->n_rows; i++) {
        struct container_row *container = &members->containers[i];
        struct bh_error gone = {0};
        if (database_container(job->engine->database, members->rows[i].container, container, &gone) < 0) {
            continue; /* removed meanwhile */
        }
        Bulkhead__NetworkMember *member = &members->members[members->n_members];
        bulkhead__network_member__init(member);
        member->container = (ProtobufCBinaryData){.len = sizeof container->id, .data = container->id};
        member->name = container->name;
        member->endpoint = members->rows[i].endpoint;
        members->pointers[members->n_members++] = member;
    }
    return 0;
}

static int answer(struct job *job, struct network_row *row, const struct members *members, bool more)
{
    Bulkhead__NetworkDetails details = BULKHEAD__NETWORK_DETAILS__INIT;
    Bulkhead__EngineToApi packet = BULKHEAD__ENGINE_TO_API__INIT;
    details.id = (ProtobufCBinaryData){.len = sizeof row->id, .data = row->id};
    details.created_ns = row->created_ns;
    details.request = row->request;
    if (members) {
        details.members = members->pointers;
        details.n_members = members->n_members;
    }
    packet.body_case = BULKHEAD__ENGINE_TO_API__BODY_NETWORK_DETAILS;
    packet.network_details = &details;
    (void)(more ? job_more(job, &packet) : job_reply(job, &packet));
    return 0;
}

int look_up_network(struct job *job, struct bh_error *error)
{
    const Bulkhead__LookUpNetwork *question = job_body(job);
    network_row_auto struct network_row row = {0};
    members_auto struct members members = {0};
    if (adoption_wait(job, error) < 0 || network_find(job, job->tenant_uid, question->reference, &row, error) < 0 ||
        read_members(job, &row, &members, error) < 0) {
        return -1;
    }
    return answer(job, &row, &members, false);
}

/* ---- the list ------------------------------------------------------------------------------------ */

static bool matches(const Bulkhead__ListNetworks *question, const struct network_row *row)
{
    char hex[BH_DIGEST_HEX_SIZE];
    Bulkhead__Filter *const *filters = question->filters;
    const size_t n = question->n_filters;
    const Bulkhead__NetworkRequest *request = row->request;
    const Bulkhead__Filter *dangling = filters_find(filters, n, "dangling");
    struct bh_error checked; /* before */
    bool unused = false;
    return (!dangling ||
            (filters_boolean(dangling, &unused, &checked) == 0 && unused == (!row->fixed && row->endpoints == 0))) &&
           filters_match_name(filters_find(filters, n, "name"), request->name) &&
           filters_match_name(filters_find(filters, n, "id"), hex_of(row->id, hex)) &&
           filters_match_exactly(filters_find(filters, n, "driver"), request->driver) &&
           filters_match_exactly(filters_find(filters, n, "scope"), "local") &&
           filters_match_exactly(filters_find(filters, n, "type"), row->fixed ? "builtin" : "custom") &&
           filters_match_labels(filters_find(filters, n, "label"), request->labels, request->n_labels);
}

static int check_filters(const Bulkhead__ListNetworks *question, struct bh_error *error)
{
    static const char *const known[] = {"dangling", "driver", "id", "label", "name", "scope", "type", NULL};
    const Bulkhead__Filter *type = filters_find(question->filters, question->n_filters, "type");
    const Bulkhead__Filter *dangling = filters_find(question->filters, question->n_filters, "dangling");
    bool ignored;
    for (size_t i = 0; type && i < type->n_values; i++) {
        if (strcmp(type->values[i], "builtin") != 0 && strcmp(type->values[i], "custom") != 0) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid filter: 'type'='%.64s'", type->values[i]);
        }
    }
    if (dangling && (dangling->n_values > 1 || filters_boolean(dangling, &ignored, error) < 0)) {
        return bh_error_set(
            error, BH_INVALID_ARGUMENT,
            "invalid value for filter 'dangling', must be \"true\" (or \"1\"), or \"false\" (or \"0\")");
    }
    return filters_check(question->filters, question->n_filters, known, error);
}

int list_networks(struct job *job, struct bh_error *error)
{
    const Bulkhead__ListNetworks *question = job_body(job);
    struct network_row *rows = NULL;
    size_t n_rows = 0;
    if (adoption_wait(job, error) < 0 || check_filters(question, error) < 0 ||
        networks_ensure(job, job->tenant_uid, error) < 0 ||
        database_networks(job->engine->database, job->tenant_uid, false, &rows, &n_rows, error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < n_rows; i++) {
        if ((rows[i].fixed || rows[i].made) && matches(question, &rows[i])) {
            (void)answer(job, &rows[i], NULL, true);
        }
    }
    network_rows_free(rows, n_rows);
    return job_reply_done(job);
}

/* ---- delete and prune ---------------------------------------------------------------------------- */

/* "... has active endpoints (name:"web" id:"0123456789ab", ...)" */
static int refuse_used(struct job *job, const struct network_row *row, struct bh_error *error)
{
    members_auto struct members members = {0};
    char hex[BH_DIGEST_HEX_SIZE], text[BH_ERROR_MESSAGE_SIZE / 2] = "";
    size_t used = 0;
    if (read_members(job, row, &members, error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < members.n_members && used + BH_NAME_BYTES_MAX + 32 < sizeof text; i++) {
        char id[BH_DIGEST_HEX_SIZE];
        used += (size_t)snprintf(text + used, sizeof text - used, "%sname:\"%s\" id:\"%.*s\"", i ? ", " : "",
                                 members.members[i].name, SHORT_ID, hex_of(members.members[i].endpoint->id.data, id));
    }
    return bh_error_set(error, BH_PERMISSION_DENIED,
                        "error while removing network: network %s id %s has active endpoints (%s)", row->request->name,
                        hex_of(row->id, hex), text);
}

int delete_network(struct job *job, struct bh_error *error)
{
    const Bulkhead__DeleteNetwork *question = job_body(job);
    network_row_auto struct network_row row = {0};
    if (adoption_wait(job, error) < 0 || network_find(job, job->tenant_uid, question->reference, &row, error) < 0) {
        return -1;
    }
    if (row.fixed) {
        return bh_error_set(error, BH_PERMISSION_DENIED, "%s is a pre-defined network and cannot be removed",
                            row.request->name);
    }
    if (network_remove(job, &row, error) < 0) {
        return error->code == BH_FAILED_PRECONDITION ? refuse_used(job, &row, error)
               : error->code == BH_NOT_FOUND
                   ? bh_error_set(error, BH_NOT_FOUND, "network %s not found", question->reference)
                   : -1;
    }
    return job_reply_done(job);
}

/* As with Docker, one that cannot be removed does not keep the others. */
static void prune(struct job *job, const struct prune_filters *filters, const struct network_row *rows, size_t n_rows,
                  Bulkhead__NetworksPruned *pruned)
{
    for (size_t i = 0; i < n_rows; i++) {
        const struct network_row *row = &rows[i];
        struct bh_error failure = {0};
        if (row->fixed || !row->made || row->endpoints > 0 ||
            !prune_filters_match(filters, row->created_ns, row->request->labels, row->request->n_labels)) {
            continue;
        }
        if (network_remove(job, row, &failure) == 0) {
            pruned->names[pruned->n_names++] = row->request->name;
        } else if (failure.code != BH_FAILED_PRECONDITION && failure.code != BH_NOT_FOUND) {
            bh_log_failure(BH_LOG_WARNING, &failure, row->request->name);
        }
    }
}

int prune_networks(struct job *job, struct bh_error *error)
{
    const Bulkhead__PruneNetworks *question = job_body(job);
    struct prune_filters filters;
    struct network_row *rows = NULL;
    size_t n_rows = 0;
    Bulkhead__NetworksPruned pruned = BULKHEAD__NETWORKS_PRUNED__INIT;
    Bulkhead__EngineToApi packet = BULKHEAD__ENGINE_TO_API__INIT;
    if (adoption_wait(job, error) < 0 ||
        prune_filters_read(question->filters, question->n_filters, bh_wall_ns(), &filters, error) < 0 ||
        database_networks(job->engine->database, job->tenant_uid, false, &rows, &n_rows, error) < 0) {
        return -1;
    }
    bh_autofree char **names = calloc(n_rows + 1, sizeof *names);
    if (!names) {
        network_rows_free(rows, n_rows);
        return bh_error_errno(error, ENOMEM, "list %zu networks", n_rows);
    }
    pruned.names = names;
    prune(job, &filters, rows, n_rows, &pruned);
    events_emit_object(job->engine, job->tenant_uid, BULKHEAD__EVENT_TYPE__EVENT_TYPE_NETWORK, "prune", "",
                       (const char *[]){"reclaimed", "0", NULL});
    packet.body_case = BULKHEAD__ENGINE_TO_API__BODY_NETWORKS_PRUNED;
    packet.networks_pruned = &pruned;
    (void)job_reply(job, &packet);
    network_rows_free(rows, n_rows);
    return 0;
}
