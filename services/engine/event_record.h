/* SPDX-License-Identifier: Apache-2.0
 *
 * What happened, and how it is written down: the attributes of the object and of the action become one sorted list, as
 * Docker's clients expect it, bounded whatever labels and commands say. Pure.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "api_engine.pb-c.h"
#include "common/error.h"

struct container_row;

/* Given, not kept: everything is borrowed for the call. */
struct engine_event_attribute {
    const char *key, *value;
};
struct engine_event {
    uint32_t tenant_uid;
    Bulkhead__EventType type;
    const char *action;                    /* Docker's word */
    const char *actor;                     /* the object's id or name; with `container` it may be NULL */
    const struct container_row *container; /* its image, name and labels are attributes, too */
    Bulkhead__KeyValue *const *labels;     /* an image's */
    size_t n_labels;
    const struct engine_event_attribute *attributes; /* count more than labels of the same name */
    size_t n_attributes;
};

/* What happened to a container. */
#define EVENT_OF_CONTAINER(row, word)                                                                                  \
    ((struct engine_event){.tenant_uid = (row)->tenant_uid,                                                            \
                           .type = BULKHEAD__EVENT_TYPE__EVENT_TYPE_CONTAINER,                                         \
                           .action = (word),                                                                           \
                           .container = (row)})

/* The message for the journal; time_ns is left to it. Freed with bulkhead__event__free_unpacked(). */
int event_record(const struct engine_event *event, Bulkhead__Event **ret_record, struct bh_error *error);
