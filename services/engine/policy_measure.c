/* SPDX-License-Identifier: Apache-2.0
 *
 * Questions to policyd that change limits, or only look: see policy.h.
 */
#include <string.h>

#include "services/engine/policy.h"
#include "services/engine/policy_packets.h"

int policy_update(struct job *job, const struct container_row *row, Bulkhead__Resources *resources,
                  struct bh_error *error)
{
    CONTAINER(container, row->id, row->tenant_uid);
    Bulkhead__UpdateContainer body = BULKHEAD__UPDATE_CONTAINER__INIT;
    body.container = &container;
    body.resources = resources;
    PACKET(packet, UPDATE_CONTAINER, update_container, &body);
    return job_ask_again(job, policy_door(job), &packet.base, BULKHEAD__POLICYD_TO_ENGINE__BODY_DONE, NULL, error);
}

int policy_read_stats(struct job *job, const uint8_t *id, uint32_t tenant_uid, struct bh_message **ret_message,
                      struct bh_error *error)
{
    CONTAINER(container, id, tenant_uid);
    Bulkhead__ReadStats body = BULKHEAD__READ_STATS__INIT;
    body.container = &container;
    PACKET(packet, READ_STATS, read_stats, &body);
    return job_ask_again(job, policy_door(job), &packet.base, BULKHEAD__POLICYD_TO_ENGINE__BODY_STATS_READ, ret_message,
                         error);
}

int policy_list_processes(struct job *job, const uint8_t *id, uint32_t tenant_uid, struct bh_message **ret_message,
                          struct bh_error *error)
{
    CONTAINER(container, id, tenant_uid);
    Bulkhead__ListProcesses body = BULKHEAD__LIST_PROCESSES__INIT;
    body.container = &container;
    PACKET(packet, LIST_PROCESSES, list_processes, &body);
    return job_ask_again(job, policy_door(job), &packet.base, BULKHEAD__POLICYD_TO_ENGINE__BODY_PROCESSES_LISTED,
                         ret_message, error);
}

int policy_describe_kernel(struct job *job, struct bh_message **ret_message, struct bh_error *error)
{
    Bulkhead__DescribeKernel body = BULKHEAD__DESCRIBE_KERNEL__INIT;
    PACKET(packet, DESCRIBE_KERNEL, describe_kernel, &body);
    return job_ask_again(job, policy_door(job), &packet.base, BULKHEAD__POLICYD_TO_ENGINE__BODY_KERNEL_DESCRIBED,
                         ret_message, error);
}
