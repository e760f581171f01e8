/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests about volumes: decode, call volumes.c, answer.
 */
#include "volume_requests.h"

#include "answer.h"
#include "policyd_executor.pb-c.h"
#include "volumes.h"

void volume_handle_make(struct bh_request *request)
{
    struct bh_error error = {0};
    if (volume_make(answer_executor(request), request, bh_request_body(request), &error) < 0) {
        (void)bh_request_fail(request, &error);
    }
}

void volume_handle_drop(struct bh_request *request)
{
    struct bh_error error = {0};
    answer_result(request, volume_drop(answer_executor(request), bh_request_body(request), &error), &error);
}

static void tell(uint32_t tenant_uid, const uint8_t id[static 32], void *argument)
{
    Bulkhead__VolumeId volume = BULKHEAD__VOLUME_ID__INIT;
    Bulkhead__VolumeFound found = BULKHEAD__VOLUME_FOUND__INIT;
    Bulkhead__ExecutorToPolicyd packet = BULKHEAD__EXECUTOR_TO_POLICYD__INIT;
    volume.id = (ProtobufCBinaryData){.len = 32, .data = (uint8_t *)(uintptr_t)id};
    volume.tenant_uid = tenant_uid;
    found.volume = &volume;
    packet.body_case = BULKHEAD__EXECUTOR_TO_POLICYD__BODY_VOLUME_FOUND;
    packet.volume_found = &found;
    (void)bh_request_progress(argument, &packet.base, NULL, 0);
}

void volume_handle_list(struct bh_request *request)
{
    struct bh_error error = {0};
    answer_result(request, volumes_list(answer_executor(request), tell, request, &error), &error);
}
