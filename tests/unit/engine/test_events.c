/* SPDX-License-Identifier: Apache-2.0
 *
 * What an event's record holds, and which filters find it.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "common/limits.h"
#include "services/engine/database.h"
#include "services/engine/event_filters.h"
#include "services/engine/event_record.h"

#define TEXT(text) ((char *)(uintptr_t)(text))

static const char *attribute(const Bulkhead__Event *event, const char *key)
{
    for (size_t i = 0; i < event->n_attributes; i++) {
        if (strcmp(event->attributes[i]->key, key) == 0) {
            return event->attributes[i]->value;
        }
    }
    return NULL;
}

/* ---- records ------------------------------------------------------------------------------------ */

static Bulkhead__Event *record_of_container(size_t n_labels, Bulkhead__KeyValue **labels, const char *action)
{
    struct bh_error error = {0};
    Bulkhead__ContainerRequest request = BULKHEAD__CONTAINER_REQUEST__INIT;
    struct container_row row = {.id = {0xab, 0xcd}, .tenant_uid = 7, .name = "web", .request = &request};
    const struct engine_event_attribute attributes[] = {{"signal", "9"}};
    struct engine_event event = EVENT_OF_CONTAINER(&row, action);
    Bulkhead__Event *record = NULL;
    request.image = TEXT("busybox");
    request.labels = labels;
    request.n_labels = n_labels;
    event.attributes = attributes;
    event.n_attributes = 1;
    cr_assert_eq(event_record(&event, &record, &error), 0, "%s", error.message);
    return record;
}

Test(events, attributes_are_sorted_and_the_actions_own_count_more_than_labels)
{
    Bulkhead__KeyValue labels[3] = {BULKHEAD__KEY_VALUE__INIT, BULKHEAD__KEY_VALUE__INIT, BULKHEAD__KEY_VALUE__INIT};
    Bulkhead__KeyValue *pointers[] = {&labels[0], &labels[1], &labels[2]};
    labels[0].key = TEXT("zone"), labels[0].value = TEXT("a");
    labels[1].key = TEXT("name"), labels[1].value = TEXT("liar");
    labels[2].key = TEXT("signal"), labels[2].value = TEXT("0");
    Bulkhead__Event *record = record_of_container(3, pointers, "kill");
    cr_assert_eq(record->n_attributes, 4);
    for (size_t i = 1; i < record->n_attributes; i++) {
        cr_assert_lt(strcmp(record->attributes[i - 1]->key, record->attributes[i]->key), 0);
    }
    cr_assert_str_eq(attribute(record, "name"), "web");
    cr_assert_str_eq(attribute(record, "image"), "busybox");
    cr_assert_str_eq(attribute(record, "signal"), "9");
    cr_assert_str_eq(attribute(record, "zone"), "a");
    cr_assert_eq(strlen(record->actor), 64);
    cr_assert_eq(strncmp(record->actor, "abcd0000", 8), 0);
    bulkhead__event__free_unpacked(record, NULL);
}

Test(events, are_bounded)
{
    enum { LABELS = 100, LONG = 4000 };
    Bulkhead__KeyValue labels[LABELS], *pointers[LABELS];
    char keys[LABELS][16], value[LONG + 1], action[LONG * 3];
    memset(value, 'v', LONG);
    value[LONG] = '\0';
    memset(action, 'x', sizeof action - 1);
    action[sizeof action - 1] = '\0';
    for (int i = 0; i < LABELS; i++) {
        bulkhead__key_value__init(&labels[i]);
        (void)snprintf(keys[i], sizeof keys[i], "label%d", i);
        labels[i].key = keys[i];
        labels[i].value = value;
        pointers[i] = &labels[i];
    }
    Bulkhead__Event *record = record_of_container(LABELS, pointers, action);
    cr_assert_leq(bulkhead__event__get_packed_size(record), BH_EVENT_BYTES_MAX + 8 * BH_KIB);
    cr_assert_not_null(attribute(record, "signal"));
    cr_assert_not_null(attribute(record, "name"));
    cr_assert_eq(strlen(record->action), 4096);
    bulkhead__event__free_unpacked(record, NULL);
}

Test(events, are_not_cut_within_a_character)
{
    char action[5000] = "";
    for (size_t i = 0; i + 2 < sizeof action; i += 2) {
        memcpy(action + i, "\xc3\xa9", 3);
    }
    action[0] = 'x'; /* shifted by one: the bound falls into a character */
    memmove(action + 1, action + 2, strlen(action + 2) + 1);
    Bulkhead__Event *record = record_of_container(0, NULL, action);
    size_t length = strlen(record->action);
    cr_assert_eq(length % 2, 1);
    cr_assert_eq((unsigned char)record->action[length - 1], 0xa9);
    bulkhead__event__free_unpacked(record, NULL);
}

/* ---- filters ------------------------------------------------------------------------------------ */

struct event_under_test {
    Bulkhead__Event event;
    Bulkhead__KeyValue pairs[3], *pointers[3];
};

static Bulkhead__Event *make(struct event_under_test *made, Bulkhead__EventType type, const char *action,
                             const char *actor, const char *name, const char *image)
{
    bulkhead__event__init(&made->event);
    const char *values[][2] = {{"name", name}, {"image", image}, {"color", "red"}};
    for (size_t i = 0; i < 3; i++) {
        bulkhead__key_value__init(&made->pairs[i]);
        made->pairs[i].key = TEXT(values[i][0]);
        made->pairs[i].value = TEXT(values[i][1]);
        made->pointers[i] = &made->pairs[i];
    }
    made->event.type = type;
    made->event.action = TEXT(action);
    made->event.actor = TEXT(actor);
    made->event.attributes = made->pointers;
    made->event.n_attributes = 3;
    return &made->event;
}

static bool finds(const Bulkhead__Event *event, const char *key, const char *value)
{
    Bulkhead__Filter filter = BULKHEAD__FILTER__INIT, *filters[] = {&filter};
    char *values[] = {TEXT(value)};
    filter.key = TEXT(key);
    filter.values = values;
    filter.n_values = 1;
    return event_filters_match(filters, 1, event);
}

Test(events, filters_of_containers)
{
    struct event_under_test made;
    const Bulkhead__Event *event =
        make(&made, BULKHEAD__EVENT_TYPE__EVENT_TYPE_CONTAINER, "start", "abcdef", "web", "registry:5000/app:2");
    cr_assert(event_filters_match(NULL, 0, event));
    cr_assert(finds(event, "type", "container"));
    cr_assert_not(finds(event, "type", "image"));
    cr_assert(finds(event, "event", "start"));
    cr_assert_not(finds(event, "event", "sta"));
    cr_assert(finds(event, "container", "web"));
    cr_assert(finds(event, "container", "abc"));
    cr_assert_not(finds(event, "container", "bcd"));
    cr_assert(finds(event, "image", "registry:5000/app:2"));
    cr_assert(finds(event, "image", "registry:5000/app"));
    cr_assert_not(finds(event, "image", "registry"));
    cr_assert(finds(event, "label", "color"));
    cr_assert(finds(event, "label", "color=red"));
    cr_assert_not(finds(event, "label", "color=blue"));
    cr_assert(finds(event, "scope", "local"));
    cr_assert_not(finds(event, "scope", "swarm"));
    cr_assert_not(finds(event, "volume", "data"));
}

Test(events, filters_of_actions_that_say_more)
{
    struct event_under_test made;
    const Bulkhead__Event *event =
        make(&made, BULKHEAD__EVENT_TYPE__EVENT_TYPE_CONTAINER, "health_status: healthy", "abc", "web", "app");
    cr_assert(finds(event, "event", "health_status"));
    cr_assert(finds(event, "event", "health_status: healthy"));
    cr_assert_not(finds(event, "event", "health_status: unhealthy"));
    event = make(&made, BULKHEAD__EVENT_TYPE__EVENT_TYPE_CONTAINER, "exec_create: ls -l", "abc", "web", "app");
    cr_assert(finds(event, "event", "exec_create"));
    cr_assert_not(finds(event, "event", "exec_start"));
}

Test(events, filters_of_images)
{
    struct event_under_test made;
    const Bulkhead__Event *event =
        make(&made, BULKHEAD__EVENT_TYPE__EVENT_TYPE_IMAGE, "pull", "app:2", "app", "unrelated");
    cr_assert(finds(event, "image", "app"));
    cr_assert(finds(event, "image", "app:2"));
    cr_assert_not(finds(event, "image", "unrelated"));
}

Test(events, unknown_filters_are_refused)
{
    struct bh_error error = {0};
    Bulkhead__Filter filter = BULKHEAD__FILTER__INIT, *filters[] = {&filter};
    filter.key = TEXT("colour");
    cr_assert_eq(event_filters_check(filters, 1, &error), -1);
    cr_assert_str_eq(error.message, "invalid filter 'colour'");
}
