/* SPDX-License-Identifier: Apache-2.0
 *
 * See event_json.h. Events of containers and images carry the fields of API 1.21 and older, too: clients still read
 * them.
 */
#include "event_json.h"

#include <string.h>

#define NS_PER_SECOND 1000000000LL

static const char *type_word(Bulkhead__EventType type)
{
    switch (type) {
    case BULKHEAD__EVENT_TYPE__EVENT_TYPE_CONTAINER:
        return "container";
    case BULKHEAD__EVENT_TYPE__EVENT_TYPE_IMAGE:
        return "image";
    case BULKHEAD__EVENT_TYPE__EVENT_TYPE_VOLUME:
        return "volume";
    case BULKHEAD__EVENT_TYPE__EVENT_TYPE_NETWORK:
        return "network";
    case BULKHEAD__EVENT_TYPE__EVENT_TYPE_DAEMON:
        return "daemon";
    case BULKHEAD__EVENT_TYPE__EVENT_TYPE_BUILDER:
        return "builder";
    default:
        return "";
    }
}

static void write_old_fields(struct json_writer *writer, const Bulkhead__Event *event)
{
    bool container = event->type == BULKHEAD__EVENT_TYPE__EVENT_TYPE_CONTAINER;
    if (!container && event->type != BULKHEAD__EVENT_TYPE__EVENT_TYPE_IMAGE) {
        return;
    }
    write_string(writer, "status", event->action);
    if (event->actor[0]) {
        write_string(writer, "id", event->actor);
    }
    for (size_t i = 0; container && i < event->n_attributes; i++) {
        if (strcmp(event->attributes[i]->key, "image") == 0) {
            write_string(writer, "from", event->attributes[i]->value);
        }
    }
}

void write_event(struct json_writer *writer, const Bulkhead__Event *event)
{
    write_object(writer, NULL);
    write_old_fields(writer, event);
    write_string(writer, "Type", type_word(event->type));
    write_string(writer, "Action", event->action);
    write_object(writer, "Actor");
    write_string(writer, "ID", event->actor);
    write_object(writer, "Attributes");
    for (size_t i = 0; i < event->n_attributes; i++) {
        write_string(writer, event->attributes[i]->key, event->attributes[i]->value);
    }
    write_object_end(writer);
    write_object_end(writer);
    write_string(writer, "scope", "local");
    write_int(writer, "time", event->time_ns / NS_PER_SECOND);
    write_int(writer, "timeNano", event->time_ns);
    write_object_end(writer);
}
