/* SPDX-License-Identifier: Apache-2.0
 *
 * POST /containers/{id}/update: limits and the restart policy of a container that is there. The rows are those of
 * create; what they read is a ContainerRequest, of which only the limits go on.
 */
#include <stdlib.h>
#include <string.h>

#include "create.h"
#include "engine_call.h"
#include "handlers.h"

#define PIDS_LIMIT_SINCE 40 /* before, the field was read and had no meaning here */

static const char at_creation[] = "this is settled when a container is created";

static const struct field update_fields[] = {
    {"Memory", FIELD_READ, .read = read_memory},
    {"MemorySwap", FIELD_READ, .read = read_memory_swap},
    {"MemoryReservation", FIELD_READ, .read = read_memory_reservation},
    {"NanoCpus", FIELD_READ, .read = read_nano_cpus},
    {"CpuQuota", FIELD_READ, .read = read_cpu_quota},
    {"CpuPeriod", FIELD_READ, .read = read_cpu_period},
    {"CpuShares", FIELD_READ, .read = read_cpu_shares},
    {"CpuRealtimePeriod", FIELD_READ, .read = read_realtime_period},
    {"CpuRealtimeRuntime", FIELD_READ, .read = read_realtime_runtime},
    {"CpusetCpus", FIELD_READ, .read = read_cpuset_cpus},
    {"CpusetMems", FIELD_READ, .read = read_cpuset_mems},
    {"PidsLimit", FIELD_READ, .read = read_pids_limit},
    {"BlkioWeight", FIELD_READ, .read = read_blkio_weight},
    {"KernelMemory", FIELD_READ, .read = read_kernel_memory},
    {"KernelMemoryTCP", FIELD_READ, .read = read_kernel_memory_tcp},
    {"RestartPolicy", FIELD_READ, .read = read_restart_policy},
    {"MemorySwappiness", FIELD_REFUSED, .without = at_creation},
    {"OomKillDisable", FIELD_REFUSED, .without = at_creation},
    {"CgroupParent", FIELD_REFUSED, .without = at_creation},
    {"BlkioWeightDevice", FIELD_REFUSED, .without = at_creation},
    {"BlkioDeviceReadBps", FIELD_REFUSED, .without = at_creation},
    {"BlkioDeviceWriteBps", FIELD_REFUSED, .without = at_creation},
    {"BlkioDeviceReadIOps", FIELD_REFUSED, .without = at_creation},
    {"BlkioDeviceWriteIOps", FIELD_REFUSED, .without = at_creation},
    {"Devices", FIELD_REFUSED, .without = at_creation},
    {"DeviceCgroupRules", FIELD_REFUSED, .without = at_creation},
    {"DeviceRequests", FIELD_REFUSED, .without = at_creation},
    {"Ulimits", FIELD_REFUSED, .without = at_creation},
    {"CpuCount", FIELD_REFUSED, .without = "this is an option for Windows"},
    {"CpuPercent", FIELD_REFUSED, .without = "this is an option for Windows"},
    {"IOMaximumIOps", FIELD_REFUSED, .without = "this is an option for Windows"},
    {"IOMaximumBandwidth", FIELD_REFUSED, .without = "this is an option for Windows"},
    {"Init", FIELD_REFUSED, .without = at_creation},
    {0},
};

static int answer_changed(struct request *request, const struct create *create,
                          const Bulkhead__ContainerChanged *changed, struct bh_error *error)
{
    auto_json_writer writer = {0};
    write_object(&writer, NULL);
    write_array(&writer, "Warnings");
    for (size_t i = 0; i < create->n_warnings; i++) {
        write_string(&writer, NULL, create->warnings[i]);
    }
    for (size_t i = 0; i < changed->n_warnings; i++) {
        write_string(&writer, NULL, changed->warnings[i]);
    }
    write_array_end(&writer);
    write_object_end(&writer);
    return request_answer_json(request, 200, &writer, error);
}

static int read_and_change(struct request *request, struct create *create, const json_t *body, struct bh_error *error)
{
    bh_automessage struct bh_message *answer = NULL;
    Bulkhead__ChangeContainer question = BULKHEAD__CHANGE_CONTAINER__INIT;
    const Bulkhead__ContainerRequest *wanted = create->request;
    if (read_fields(create, update_fields, body, "", NULL, error) < 0 || resources_finish(create, error) < 0) {
        return -1;
    }
    question.reference = request->name;
    question.resources = wanted->resources;
    question.nano_cpus = wanted->nano_cpus;
    question.restart_policy = wanted->restart_policy;
    question.restart_retries = wanted->restart_retries;
    question.pids_limit_set = wanted->pids_limit_set && request->version >= PIDS_LIMIT_SINCE;
    question.pids_limit = wanted->pids_limit;
    if (!question.pids_limit_set) {
        wanted->resources->pids_max = 0;
    } else if (wanted->pids_limit == 0) {
        wanted->resources->pids_max = UINT64_MAX;
    }
    ENGINE_PACKET(packet, CHANGE_CONTAINER, change_container, &question);
    return engine_ask(request, &packet, 0, BULKHEAD__ENGINE_TO_API__BODY_CONTAINER_CHANGED, &answer, error) < 0
               ? -1
               : answer_changed(request, create, bh_message_body(answer), error);
}

int handle_container_update(struct request *request, struct bh_error *error)
{
    auto_json *body = NULL;
    if (request_container_name(request, error) < 0 || request_read_object(request, false, &body, error) < 0) {
        return -1;
    }
    struct create create = {.api = request->api, .request = create_new_request(), .update = true};
    if (!create.request) {
        return out_of_memory(error);
    }
    int result = read_and_change(request, &create, body, error);
    bulkhead__container_request__free_unpacked(create.request, NULL);
    return result;
}
