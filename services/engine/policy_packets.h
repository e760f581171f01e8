/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside of policy.c and policy_measure.c: how packets for policyd are put together.
 */
#pragma once

#include "services/engine/policy.h"

#define PACKET(name, kind, field, body)                                                                                \
    Bulkhead__EngineToPolicyd name = BULKHEAD__ENGINE_TO_POLICYD__INIT;                                                \
    name.body_case = BULKHEAD__ENGINE_TO_POLICYD__BODY_##kind;                                                         \
    name.field = (body)
#define CONTAINER(name, bytes, uid)                                                                                    \
    Bulkhead__ContainerId name = BULKHEAD__CONTAINER_ID__INIT;                                                         \
    name.id = (ProtobufCBinaryData){.len = ENGINE_ID_BYTES, .data = (uint8_t *)(uintptr_t)(bytes)};                    \
    name.tenant_uid = (uid)

struct bh_channel *policy_door(const struct job *job);
