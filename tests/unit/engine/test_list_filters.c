/* SPDX-License-Identifier: Apache-2.0
 *
 * Filters of ps that look at ports, networks and mounts.
 */
#include <criterion/criterion.h>

#include "services/engine/list_filters.h"

static Bulkhead__Filter filter_of(const char *value, char **slot)
{
    Bulkhead__Filter filter = BULKHEAD__FILTER__INIT;
    slot[0] = (char *)(uintptr_t)value;
    filter.key = (char *)(uintptr_t) "expose";
    filter.values = slot;
    filter.n_values = 1;
    return filter;
}

Test(list_filters, ports)
{
    char *ports[] = {(char *)(uintptr_t) "80/tcp", (char *)(uintptr_t) "53/udp", (char *)(uintptr_t) "9000-9010/tcp"};
    static const struct {
        const char *value;
        bool matches;
    } rows[] = {{"80", true},    {"80/tcp", true}, {"80/udp", false}, {"53/udp", true},
                {"70-90", true}, {"81", false},    {"9005", true},    {"9011-9020/tcp", false}};
    cr_expect(list_filter_ports(NULL, ports, 3));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *slot[1];
        Bulkhead__Filter filter = filter_of(rows[i].value, slot);
        cr_expect_eq(list_filter_ports(&filter, ports, 3), rows[i].matches, "%s", rows[i].value);
    }
    static const char *const wrong[] = {"", "x", "80/icmp", "90-80", "65536", "80-"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char *slot[1];
        struct bh_error error = {0};
        Bulkhead__Filter filter = filter_of(wrong[i], slot);
        cr_expect_eq(list_filter_check_ports(&filter, &error), -1, "%s", wrong[i]);
    }
}

Test(list_filters, networks_and_mounts)
{
    char *slot[1];
    Bulkhead__Mount mount = BULKHEAD__MOUNT__INIT;
    Bulkhead__Mount *mounts[] = {&mount};
    mount.source = (char *)(uintptr_t) "/srv";
    mount.target = (char *)(uintptr_t) "/data";
    Bulkhead__EndpointRequest first = BULKHEAD__ENDPOINT_REQUEST__INIT, second = BULKHEAD__ENDPOINT_REQUEST__INIT;
    Bulkhead__EndpointRequest *endpoints[] = {&first, &second};
    uint8_t id[32] = {0xab, 0xcd};
    first.network = (char *)(uintptr_t) "bridge";
    second.network = (char *)(uintptr_t) "backend";
    second.network_id = (ProtobufCBinaryData){.len = sizeof id, .data = id};
    Bulkhead__Filter filter = filter_of("bridge", slot);
    cr_expect(list_filter_network(&filter, endpoints, 2));
    cr_expect_not(list_filter_network(&filter, endpoints + 1, 1));
    cr_expect_not(list_filter_network(&filter, NULL, 0));
    filter = filter_of("abcd00", slot);
    cr_expect(list_filter_network(&filter, endpoints, 2));
    cr_expect_not(list_filter_network(&filter, endpoints, 1));
    filter = filter_of("/data", slot);
    cr_expect(list_filter_volume(&filter, mounts, 1));
    filter = filter_of("/srv", slot);
    cr_expect(list_filter_volume(&filter, mounts, 1));
    filter = filter_of("/other", slot);
    cr_expect_not(list_filter_volume(&filter, mounts, 1));
    cr_expect_not(list_filter_volume(&filter, NULL, 0));
    mount.source = (char *)(uintptr_t) "";
    mount.volume_name = (char *)(uintptr_t) "treasure";
    filter = filter_of("treasure", slot);
    cr_expect(list_filter_volume(&filter, mounts, 1), "a volume by its name");
}
