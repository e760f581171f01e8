/* SPDX-License-Identifier: Apache-2.0
 *
 * Details of one container; see inspect.h.
 */
#include <stdlib.h>

#include "services/engine/adopt.h"
#include "services/engine/database.h"
#include "services/engine/database_execs.h"
#include "services/engine/endpoint_details.h"
#include "services/engine/health_check.h"
#include "services/engine/inspect.h"
#include "services/engine/inspect_parts.h"
#include "services/engine/mounts.h"
#include "services/engine/resolve.h"

/* Adds the ids of the execs that have not ended. */
static int reply_with_execs(struct job *job, Bulkhead__ContainerDetails *details, Bulkhead__EngineToApi *packet,
                            struct bh_error *error)
{
    struct exec_row *rows = NULL;
    size_t n_rows = 0;
    if (database_execs(job->engine->database, details->id.data, &rows, &n_rows, error) < 0) {
        return -1;
    }
    bh_autofree ProtobufCBinaryData *ids = calloc(n_rows ? n_rows : 1, sizeof *ids);
    for (size_t i = 0; ids && i < n_rows; i++) {
        ids[i] = (ProtobufCBinaryData){.len = sizeof rows[i].id, .data = rows[i].id};
    }
    details->exec_ids = ids;
    details->n_exec_ids = ids ? n_rows : 0;
    int result = ids ? job_reply(job, packet) : bh_error_set(error, BH_RESOURCE_EXHAUSTED, "no memory for a list");
    exec_rows_free(rows, n_rows);
    return result < 0 && !ids ? -1 : 0;
}

int look_up_container(struct job *job, struct bh_error *error)
{
    const Bulkhead__LookUpContainer *question = job_body(job);
    container_row_auto struct container_row row = {0};
    image_row_auto struct image_row image = {0};
    struct bh_error gone;
    if (adoption_wait(job, error) < 0 || resolve_container(job, question->reference, &row, error) < 0) {
        return -1;
    }
    (void)database_image(job->engine->database, row.tenant_uid, &row.image, &image, &gone);
    health_auto Bulkhead__Health *health = NULL;
    Bulkhead__Healthcheck check;
    if (container_health_read(job, &row, image.config, &health, error) < 0) {
        return -1;
    }
    Bulkhead__ContainerState state = container_state_message(&row);
    Bulkhead__ContainerDetails details = BULKHEAD__CONTAINER_DETAILS__INIT;
    Bulkhead__EngineToApi packet = BULKHEAD__ENGINE_TO_API__INIT;
    details.id = (ProtobufCBinaryData){.len = sizeof row.id, .data = row.id};
    details.name = row.name;
    details.image_id = (ProtobufCBinaryData){.len = BH_DIGEST_BYTES, .data = row.image.bytes};
    details.created_ns = row.created_ns;
    details.state = &state;
    details.request = row.request;
    details.spec = row.spec;
    details.image_config = image.config;
    details.healthcheck = health_check_merge(image.config, row.request, &check) ? &check : NULL;
    state.health = health;
    details.restart_count = row.state.restart_count;
    endpoint_details_auto struct endpoint_details networks = {0};
    if (endpoint_details_read(job, &row, &networks, error) < 0 ||
        mount_points_of(job, &row, &details.mount_points, &details.n_mount_points, error) < 0) {
        return -1;
    }
    details.endpoints = networks.endpoints;
    details.n_endpoints = networks.n_endpoints;
    details.ports = networks.ports;
    details.n_ports = networks.n_ports;
    packet.body_case = BULKHEAD__ENGINE_TO_API__BODY_CONTAINER_DETAILS;
    packet.container_details = &details;
    Bulkhead__ContainerSize size;
    int result = question->size ? container_measure(job, &row, &image, &size, error) : 0;
    details.size = question->size ? &size : NULL;
    if (result == 0) {
        result = reply_with_execs(job, &details, &packet, error);
    }
    mount_points_free(details.mount_points, details.n_mount_points);
    return result;
}
