/* SPDX-License-Identifier: Apache-2.0
 *
 * The journal of events: order, places, bounds, tenants, and what is written together with a container's row.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "services/engine/database_events.h"
#include "services/engine/image_events.h"
#include "services/engine/volumes.h"

#define TEXT(text) ((char *)(uintptr_t)(text))

static char path[] = "/tmp/bh-journal-XXXXXX";
static struct database *database;

static void begin(void)
{
    struct bh_error error = {0};
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    (void)close(fd);
    cr_assert_eq(database_open(path, &database, &error), 0, "%s", error.message);
}

static void end(void)
{
    char beside[sizeof path + 8];
    database_close(database);
    (void)unlink(path);
    (void)snprintf(beside, sizeof beside, "%s-wal", path);
    (void)unlink(beside);
    (void)snprintf(beside, sizeof beside, "%s-shm", path);
    (void)unlink(beside);
}

TestSuite(journal, .init = begin, .fini = end);

static void add(uint32_t tenant_uid, const char *action, size_t n_bytes)
{
    struct bh_error error = {0};
    char *value = calloc(1, n_bytes + 1);
    memset(value, 'x', n_bytes);
    Bulkhead__KeyValue label = BULKHEAD__KEY_VALUE__INIT, *labels[] = {&label};
    label.key = TEXT("label");
    label.value = value;
    const struct engine_event event = {.tenant_uid = tenant_uid,
                                       .type = BULKHEAD__EVENT_TYPE__EVENT_TYPE_IMAGE,
                                       .action = action,
                                       .actor = "image",
                                       .labels = labels,
                                       .n_labels = 1};
    cr_assert_eq(database_add_event(database, &event, &error), 0, "%s", error.message);
    free(value);
}

/* Reads one batch; *ret_place is where to go on. Returns how many, and that times grow. */
static size_t read_batch(uint32_t tenant_uid, struct event_range range, uint64_t *ret_place, char *ret_first)
{
    struct bh_error error = {0};
    Bulkhead__Event *events[BH_EVENT_BATCH_MAX];
    size_t n_events;
    cr_assert_eq(database_events(database, tenant_uid, &range, events, &n_events, ret_place, &error), 0, "%s",
                 error.message);
    for (size_t i = 0; i < n_events; i++) {
        cr_assert(i == 0 || events[i]->time_ns > events[i - 1]->time_ns);
        if (i == 0 && ret_first) {
            (void)snprintf(ret_first, 32, "%s", events[0]->action);
        }
    }
    for (size_t i = 0; i < n_events; i++) {
        bulkhead__event__free_unpacked(events[i], NULL);
    }
    return n_events;
}

static size_t count(uint32_t tenant_uid, char *ret_first)
{
    size_t total = 0, n_events;
    uint64_t place = 0;
    do {
        n_events = read_batch(tenant_uid, (struct event_range){.after = place, .until_ns = INT64_MAX}, &place,
                              total == 0 ? ret_first : NULL);
        total += n_events;
    } while (n_events > 0);
    return total;
}

Test(journal, is_read_in_order_and_from_a_place)
{
    char first[32], action[32];
    uint64_t place;
    for (int i = 0; i < 100; i++) {
        (void)snprintf(action, sizeof action, "action%d", i);
        add(1, action, 10);
    }
    cr_assert_eq(read_batch(1, (struct event_range){.until_ns = INT64_MAX}, &place, first), BH_EVENT_BATCH_MAX);
    cr_assert_str_eq(first, "action0");
    cr_assert_eq(read_batch(1, (struct event_range){.after = place, .until_ns = INT64_MAX}, &place, first),
                 100 - BH_EVENT_BATCH_MAX);
    cr_assert_str_eq(first, "action64");
    cr_assert_eq(read_batch(1, (struct event_range){.after = place, .until_ns = INT64_MAX}, &place, NULL), 0);
    cr_assert_eq(place, 100);
    cr_assert_eq(read_batch(1, (struct event_range){.since_ns = INT64_MAX, .until_ns = INT64_MAX}, &place, NULL), 0);
    cr_assert_eq(read_batch(1, (struct event_range){.until_ns = 1}, &place, NULL), 0);
}

Test(journal, survives_and_is_each_tenants_own)
{
    struct bh_error error = {0};
    uint64_t place;
    add(1, "one", 1);
    add(2, "two", 1);
    add(2, "three", 1);
    database_close(database);
    database = NULL;
    cr_assert_eq(database_open(path, &database, &error), 0);
    cr_assert_eq(count(1, NULL), 1);
    cr_assert_eq(count(2, NULL), 2);
    cr_assert_eq(count(3, NULL), 0);
    cr_assert_eq(database_newest_event(database, 2, &place, &error), 0);
    cr_assert_eq(place, 2);
}

Test(journal, forgets_the_oldest_beyond_its_count)
{
    char first[32];
    for (int i = 0; i < BH_EVENTS_MAX + 640; i++) {
        add(1, i == 640 ? "kept" : "x", 1);
    }
    cr_assert_eq(count(1, first), BH_EVENTS_MAX);
    cr_assert_str_eq(first, "kept");
}

Test(journal, forgets_the_oldest_beyond_its_bytes)
{
    add(2, "of another", 1);
    for (int i = 0; i < 512; i++) {
        add(1, "x", 30000);
    }
    size_t kept = count(1, NULL);
    cr_assert_leq(kept, BH_EVENTS_BYTES_MAX / 30000 + 64);
    cr_assert_geq(kept, BH_EVENTS_BYTES_MAX / 31000);
    cr_assert_eq(count(2, NULL), 1);
}

static unsigned told;
static void on_event(uint32_t tenant_uid, void *argument)
{
    (void)argument;
    told += tenant_uid;
}

Test(journal, of_a_change_that_failed_has_nothing)
{
    struct bh_error error = {0};
    const uint8_t nobody[ENGINE_ID_BYTES] = {1};
    const struct container_state state = {.status = BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_EXITED};
    const struct engine_event event = {
        .tenant_uid = 5, .type = BULKHEAD__EVENT_TYPE__EVENT_TYPE_CONTAINER, .action = "die", .actor = "x"};
    database_on_event(database, on_event, NULL);
    cr_assert_eq(database_set_state(database, nobody, &state, &event, &error), 0);
    cr_assert_eq(count(5, NULL), 0, "there is no such container");
    cr_assert_eq(told, 0);
    cr_assert_eq(database_add_event(database, &event, &error), 0);
    cr_assert_eq(told, 5);
}

Test(journal, of_an_image_is_written_with_its_rows)
{
    struct bh_error error = {0};
    const struct bh_digest id = {{1}}, none = {{2}};
    const char *name = "docker.io/library/a:1";
    Bulkhead__ImageConfig config = BULKHEAD__IMAGE_CONFIG__INIT;
    const struct image_row row = {.tenant_uid = 5, .id = id, .manifest = id, .config = &config};
    struct image_event tag, untag, gone;
    image_event_fill(&tag, 5, &id, &row, "tag", NULL);
    image_event_fill(&untag, 5, &id, &row, "untag", NULL);
    image_event_fill(&gone, 5, &none, NULL, "tag", NULL);
    const struct engine_event *events[] = {&tag.event, &untag.event};
    cr_assert_eq(database_add_image(database, &row, &name, 1, 0, events, 2, NULL, &error), 0, "%s", error.message);
    cr_assert_eq(count(5, NULL), 2);
    cr_assert_eq(database_set_name(database, 5, "docker.io/library/b:1", &none, 0, &gone.event, &error), -1);
    cr_assert_eq(count(5, NULL), 2, "a name for no image");
    cr_assert_eq(database_drop_name(database, 5, "docker.io/library/c:1", &untag.event, &error), 0);
    cr_assert_eq(count(5, NULL), 2, "a name that nobody has");
    cr_assert_eq(database_drop_name(database, 5, name, &untag.event, &error), 0);
    cr_assert_eq(count(5, NULL), 3);
}

Test(journal, a_volume_is_announced_once)
{
    struct bh_error error = {0};
    Bulkhead__CreateVolume details = BULKHEAD__CREATE_VOLUME__INIT;
    const struct volume_row row = {.tenant_uid = 5, .id = {7}, .name = "data", .details = &details};
    const struct engine_event event = volume_event(&row, "create"), destroy = volume_event(&row, "destroy");
    volume_row_auto struct volume_row read = {0};
    cr_assert_eq(database_add_volume(database, &row, &error), 0, "%s", error.message);
    cr_assert_eq(count(5, NULL), 0, "its files are not there yet");
    cr_assert_eq(database_announce_volume(database, &row, &event, &error), 0);
    cr_assert_eq(database_announce_volume(database, &row, &event, &error), 0);
    cr_assert_eq(count(5, NULL), 1);
    cr_assert_eq(database_find_volume(database, 5, "data", &read, &error), 1);
    cr_assert(read.announced);
    cr_assert_eq(database_delete_volume(database, 5, "nobody's", &destroy, &error), -1);
    cr_assert_eq(count(5, NULL), 1);
    cr_assert_eq(database_delete_volume(database, 5, "data", &destroy, &error), 0);
    cr_assert_eq(count(5, NULL), 2);
}
