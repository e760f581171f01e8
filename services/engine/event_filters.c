/* SPDX-License-Identifier: Apache-2.0
 *
 * Matching events; see event_filters.h. Docker's rules, with their oddities: an object's filter compares with the actor
 * of every event, of whatever type, and with its attribute `name`; `image` also finds the containers of an image.
 */
#include "services/engine/event_filters.h"

#include <stdio.h>
#include <string.h>

#include "common/limits.h"
#include "services/engine/filters.h"

static const char *const known[] = {"type",  "event", "container", "image",   "volume", "network", "plugin", "daemon",
                                    "label", "scope", "node",      "service", "secret", "config",  NULL};

/* Filters that compare an actor's id, or the start of it, or its name. */
static const char *const by_object[] = {"container", "volume",  "network", "plugin", "daemon",
                                        "node",      "service", "secret",  "config", NULL};

/* Actions that carry more than their word: then the start of the action is compared. */
static const char *const with_more[] = {"health_status", "exec_create", "exec_start", NULL};

int event_filters_check(Bulkhead__Filter *const *filters, size_t n_filters, struct bh_error *error)
{
    return filters_check(filters, n_filters, known, error);
}

const char *event_type_name(Bulkhead__EventType type)
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

static const char *attribute(const Bulkhead__Event *event, const char *key)
{
    for (size_t i = 0; i < event->n_attributes; i++) {
        if (strcmp(event->attributes[i]->key, key) == 0) {
            return event->attributes[i]->value;
        }
    }
    return "";
}

static bool match_action(const Bulkhead__Filter *filter, const char *action)
{
    for (size_t i = 0; filter && with_more[i]; i++) {
        if (filters_match_exactly(filter, with_more[i])) {
            return filters_match_prefix(filter, action);
        }
    }
    return filters_match_exactly(filter, action);
}

/* "registry:5000/app:1" without its tag, "app@sha256:..." without its digest. */
static bool match_without_tag(const Bulkhead__Filter *filter, const char *name)
{
    char stripped[BH_REFERENCE_BYTES_MAX + BH_REFERENCE_BYTES_MAX];
    (void)snprintf(stripped, sizeof stripped, "%s", name);
    char *slash = strrchr(stripped, '/');
    char *end = strpbrk(slash ? slash : stripped, ":@");
    if (end) {
        *end = '\0';
    }
    return filters_match_exactly(filter, stripped);
}

static bool match_image(const Bulkhead__Filter *filter, const Bulkhead__Event *event)
{
    const char *name = attribute(event, event->type == BULKHEAD__EVENT_TYPE__EVENT_TYPE_IMAGE ? "name" : "image");
    return !filter || filters_match_exactly(filter, event->actor) || filters_match_exactly(filter, name) ||
           match_without_tag(filter, event->actor) || match_without_tag(filter, name);
}

bool event_filters_match(Bulkhead__Filter *const *filters, size_t n_filters, const Bulkhead__Event *event)
{
    for (size_t i = 0; by_object[i]; i++) {
        const Bulkhead__Filter *filter = filters_find(filters, n_filters, by_object[i]);
        if (filter && !filters_match_prefix(filter, event->actor) &&
            !filters_match_prefix(filter, attribute(event, "name"))) {
            return false;
        }
    }
    return match_action(filters_find(filters, n_filters, "event"), event->action) &&
           filters_match_exactly(filters_find(filters, n_filters, "type"), event_type_name(event->type)) &&
           filters_match_exactly(filters_find(filters, n_filters, "scope"), "local") &&
           match_image(filters_find(filters, n_filters, "image"), event) &&
           filters_match_labels(filters_find(filters, n_filters, "label"), event->attributes, event->n_attributes);
}
