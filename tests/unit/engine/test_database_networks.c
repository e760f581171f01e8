/* SPDX-License-Identifier: Apache-2.0
 *
 * Networks and endpoints in the database: no address twice, whatever is closed, opened or deleted in between.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "services/engine/database_endpoints.h"
#include "services/engine/database_events.h"
#include "services/engine/network_ranges.h"

#define TEXT(text) ((char *)(uintptr_t)(text))

static char path[] = "/tmp/bh-engine-XXXXXX";
static struct database *database;

static void open_again(void)
{
    struct bh_error error = {0};
    database_close(database);
    database = NULL;
    cr_assert_eq(database_open(path, &database, &error), 0, "%s", error.message);
}

static void add_image(void)
{
    struct bh_error error = {0};
    const char *name = "docker.io/library/busybox:latest";
    Bulkhead__ImageConfig config = BULKHEAD__IMAGE_CONFIG__INIT;
    const struct image_row row = {.id = {{1}}, .manifest = {{2}}, .config = &config};
    cr_assert_eq(database_add_image(database, &row, &name, 1, 42, NULL, 0, NULL, &error), 0, "%s", error.message);
}

static void begin(void)
{
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    (void)close(fd);
    open_again();
    add_image();
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

TestSuite(database_networks, .init = begin, .fini = end);

static void add_container(uint8_t id)
{
    struct bh_error error = {0};
    Bulkhead__ContainerRequest request = BULKHEAD__CONTAINER_REQUEST__INIT;
    Bulkhead__ContainerSpec spec = BULKHEAD__CONTAINER_SPEC__INIT;
    struct container_row row = {.id = {id},
                                .image = {{1}},
                                .request = &request,
                                .spec = &spec,
                                .state.status = BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_CREATED};
    request.image = TEXT("busybox");
    (void)snprintf(row.name, sizeof row.name, "c%u", id);
    cr_assert_eq(database_add_container(database, &row, NULL, &error), 0, "%s", error.message);
}

static struct ip ip(const char *text)
{
    struct ip ip = {.n_bytes = 0};
    cr_assert(ip_parse(text, &ip));
    return ip;
}

/* A network of that subnet ("": one is chosen). */
static int add_network(uint8_t id, uint32_t tenant_uid, const char *name, const char *text, struct bh_error *error)
{
    struct ip_subnet subnet = {.prefix = 0};
    Bulkhead__AddressRange *range = malloc(sizeof *range);
    Bulkhead__NetworkRequest *request = malloc(sizeof *request);
    bulkhead__address_range__init(range);
    bulkhead__network_request__init(request);
    request->name = strdup(name);
    request->driver = strdup("bridge");
    request->ipv4 = true;
    request->ranges = malloc(sizeof range);
    request->ranges[0] = range;
    request->n_ranges = 1;
    if (text[0]) {
        cr_assert(ip_parse_subnet(text, &subnet));
        range->prefix = subnet.prefix;
        range->subnet.len = 4;
        range->subnet.data = malloc(4);
        memcpy(range->subnet.data, subnet.ip.bytes, 4);
    }
    network_row_auto struct network_row row = {.id = {id}, .tenant_uid = tenant_uid, .request = request};
    const Bulkhead__Config config = BULKHEAD__CONFIG__INIT;
    struct ip_pools defaults;
    ip_pools_read(&config, &defaults);
    const struct network_pools pools = {.pools = defaults.list, .n_pools = defaults.n};
    return database_add_network(database, &row, &pools, error);
}

/* Links a container; *ret_address is what it got. */
static int link_one(uint8_t container, uint8_t network_id, const char *wanted, char ret_address[static IP_TEXT_SIZE],
                    struct bh_error *error)
{
    network_row_auto struct network_row network = {0};
    const uint8_t id[ENGINE_ID_BYTES] = {network_id}, container_id[ENGINE_ID_BYTES] = {container};
    Bulkhead__Attachment attachment = BULKHEAD__ATTACHMENT__INIT;
    Bulkhead__Endpoint *endpoint = malloc(sizeof *endpoint);
    bulkhead__endpoint__init(endpoint);
    cr_assert_eq(database_network(database, id, &network, error), 1);
    struct endpoint_wish wish = {.network = &network, .endpoint = endpoint};
    if (wanted[0]) {
        wish.address4 = ip(wanted);
    }
    int result = database_add_endpoints(database, container_id, &wish, 1, &attachment, false, error);
    const struct ip got = ip_from_bytes(endpoint->address4.data, endpoint->address4.len);
    (void)ip_text(&got, ret_address);
    bulkhead__endpoint__free_unpacked(endpoint, NULL);
    return result;
}

static void unlink_all(uint8_t container)
{
    struct bh_error error = {0};
    const uint8_t id[ENGINE_ID_BYTES] = {container};
    struct endpoint_row *rows = NULL;
    size_t n_rows = 0;
    cr_assert_eq(database_container_endpoints(database, id, &rows, &n_rows, &error), 0);
    cr_assert_eq(database_drop_endpoints(database, rows, n_rows, &error), 0, "%s", error.message);
    endpoint_rows_free(rows, n_rows);
}

Test(database_networks, names_and_subnets_are_taken_once)
{
    struct bh_error error = {0};
    cr_assert_eq(add_network(1, 0, "one", "10.9.0.0/24", &error), 0, "%s", error.message);
    cr_assert_eq(add_network(2, 0, "one", "10.10.0.0/24", &error), -1);
    cr_assert_eq(error.code, BH_ALREADY_EXISTS);
    cr_assert_eq(add_network(2, 1000, "one", "10.9.0.128/25", &error), -1);
    cr_assert_eq(error.code, BH_PERMISSION_DENIED, "%s", error.message);
    cr_assert_eq(add_network(2, 1000, "one", "", &error), 0, "%s", error.message);
    open_again();
    network_row_auto struct network_row row = {0};
    cr_assert_eq(database_find_network(database, 1000, "one", &row, &error), 1);
    cr_assert(row.request->ranges[0]->chosen);
    const struct ip_subnet subnet = range_subnet(row.request->ranges[0]);
    char text[IP_SUBNET_TEXT_SIZE];
    cr_assert_str_eq(ip_subnet_text(&subnet, text), "172.16.0.0/20");
    cr_assert_eq(database_delete_network(database, row.id, NULL, &error), 0);
    cr_assert_eq(database_delete_network(database, row.id, NULL, &error), -1);
    cr_assert_eq(error.code, BH_NOT_FOUND);
    cr_assert_eq(add_network(3, 0, "again", "172.16.0.0/20", &error), 0, "%s", error.message);
}

Test(database_networks, addresses_are_given_once_and_again_after_a_round)
{
    struct bh_error error = {0};
    char address[IP_TEXT_SIZE];
    cr_assert_eq(add_network(1, 0, "tiny", "10.9.0.0/29", &error), 0);
    for (uint8_t i = 1; i <= 7; i++) {
        add_container(i);
    }
    static const char *const first[] = {"10.9.0.2", "10.9.0.3", "10.9.0.4"};
    for (uint8_t i = 1; i <= 3; i++) {
        cr_assert_eq(link_one(i, 1, "", address, &error), 0, "%s", error.message);
        cr_assert_str_eq(address, first[i - 1]);
    }
    unlink_all(2);
    open_again();
    cr_assert_eq(link_one(4, 1, "", address, &error), 0);
    cr_assert_str_eq(address, "10.9.0.5", "behind the last, over a restart");
    cr_assert_eq(link_one(5, 1, "10.9.0.4", address, &error), -1);
    cr_assert_eq(error.code, BH_FAILED_PRECONDITION);
    cr_assert_eq(link_one(5, 1, "10.9.0.6", address, &error), 0);
    cr_assert_eq(link_one(6, 1, "", address, &error), 0);
    cr_assert_str_eq(address, "10.9.0.3", "what was given back comes last");
    cr_assert_eq(link_one(7, 1, "", address, &error), -1);
    cr_assert_eq(error.code, BH_RESOURCE_EXHAUSTED);
    cr_assert_eq(link_one(1, 1, "", address, &error), -1, "a container is linked to a network once");
}

Test(database_networks, what_is_linked_to_keeps_its_network)
{
    struct bh_error error = {0};
    char address[IP_TEXT_SIZE];
    const uint8_t network[ENGINE_ID_BYTES] = {1}, container[ENGINE_ID_BYTES] = {1};
    cr_assert_eq(add_network(1, 0, "kept", "10.9.0.0/29", &error), 0);
    add_container(1);
    cr_assert_eq(link_one(1, 1, "", address, &error), 0);
    cr_assert_eq(database_delete_network(database, network, NULL, &error), -1);
    cr_assert_eq(error.code, BH_FAILED_PRECONDITION);
    Bulkhead__Attachment *attachment = NULL;
    cr_assert_eq(database_attachment(database, container, &attachment, &error), 1);
    cr_assert_eq(attachment->n_endpoints, 1);
    bulkhead__attachment__free_unpacked(attachment, NULL);
    cr_assert_eq(database_delete_container(database, container, NULL, 0, &error), 0);
    cr_assert_eq(database_delete_network(database, network, NULL, &error), 0, "%s: its endpoint went with it",
                 error.message);
    cr_assert_eq(database_attachment(database, container, &attachment, &error), 0);
}

Test(database_networks, links_are_told_with_their_change)
{
    struct bh_error error = {0};
    char address[IP_TEXT_SIZE];
    Bulkhead__Event *events[BH_EVENT_BATCH_MAX];
    size_t n_events = 0;
    uint64_t place;
    const struct event_range range = {.until_ns = INT64_MAX};
    cr_assert_eq(add_network(1, 0, "told", "10.9.0.0/29", &error), 0);
    add_container(1);
    cr_assert_eq(link_one(1, 1, "", address, &error), 0);
    cr_assert_eq(link_one(1, 1, "", address, &error), -1); /* nothing happened, nothing is told */
    unlink_all(1);
    unlink_all(1);
    cr_assert_eq(database_events(database, 0, &range, events, &n_events, &place, &error), 0);
    cr_assert_eq(n_events, 2);
    cr_assert_str_eq(events[0]->action, "connect");
    cr_assert_str_eq(events[1]->action, "disconnect");
    for (size_t i = 0; i < n_events; i++) {
        cr_assert_eq(events[i]->type, BULKHEAD__EVENT_TYPE__EVENT_TYPE_NETWORK);
        cr_assert_eq(events[i]->n_attributes, 3);
        bulkhead__event__free_unpacked(events[i], NULL);
    }
}
