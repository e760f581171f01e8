/* SPDX-License-Identifier: Apache-2.0
 *
 * Published ports: bindings and exposed ports as clients and images write them.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "services/engine/ports.h"

#define TEXT(text) ((char *)(uintptr_t)(text))
#define TCP        BULKHEAD__TRANSPORT__TRANSPORT_TCP
#define UDP        BULKHEAD__TRANSPORT__TRANSPORT_UDP

static const struct ip everywhere = {.n_bytes = 0};

static int read_one(const char *port, const char *address, const char *host_port, Bulkhead__PublishedPort ***ret_ports,
                    size_t *ret_n_ports, struct bh_error *error)
{
    Bulkhead__PortBinding binding = BULKHEAD__PORT_BINDING__INIT, *bindings = &binding;
    Bulkhead__ContainerRequest request = BULKHEAD__CONTAINER_REQUEST__INIT;
    binding.port = TEXT(port);
    binding.host_address = TEXT(address);
    binding.host_port = TEXT(host_port);
    request.port_bindings = &bindings;
    request.n_port_bindings = 1;
    return ports_read(&request, NULL, 0, &everywhere, ret_ports, ret_n_ports, error);
}

Test(ports, bindings)
{
    static const struct {
        const char *port, *address, *host_port;
        uint32_t first, last;
        Bulkhead__Transport transport;
    } rows[] = {
        {"80/tcp", "", "8080", 8080, 8080, TCP},
        {"80", "", "", PORT_RANDOM_FIRST, PORT_RANDOM_LAST, TCP},
        {"53/udp", "127.0.0.1", "0", PORT_RANDOM_FIRST, PORT_RANDOM_LAST, UDP},
        {"80/tcp", "::1", "8000-8010", 8000, 8010, TCP},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bh_error error = {0};
        Bulkhead__PublishedPort **ports = NULL;
        size_t n_ports = 0;
        cr_assert_eq(read_one(rows[i].port, rows[i].address, rows[i].host_port, &ports, &n_ports, &error), 0);
        cr_assert_eq(n_ports, 1);
        cr_assert_eq(ports[0]->first_host_port, rows[i].first);
        cr_assert_eq(ports[0]->last_host_port, rows[i].last);
        cr_assert_eq(ports[0]->transport, rows[i].transport);
        cr_assert_eq(ports[0]->host_address.len, rows[i].address[0] == '\0'     ? 0
                                                 : strchr(rows[i].address, ':') ? 16
                                                                                : 4);
        ports_free(ports, n_ports);
    }
}

Test(ports, ranges_of_one_length_go_pair_by_pair)
{
    struct bh_error error = {0};
    Bulkhead__PublishedPort **ports = NULL;
    size_t n_ports = 0;
    cr_assert_eq(read_one("80-82/tcp", "", "8080-8082", &ports, &n_ports, &error), 0);
    cr_assert_eq(n_ports, 3);
    for (uint32_t i = 0; i < 3; i++) {
        cr_assert_eq(ports[i]->container_port, 80 + i);
        cr_assert_eq(ports[i]->first_host_port, 8080 + i);
        cr_assert_eq(ports[i]->last_host_port, 8080 + i);
    }
    ports_free(ports, n_ports);
}

Test(ports, words_that_are_none)
{
    static const char *const bad[][3] = {
        {"", "", ""},          {"0", "", ""},          {"80/x", "", ""},    {"90-80", "", ""},       {"70000", "", ""},
        {"80", "x", ""},       {"80", "", "x"},        {"80", "", "70000"}, {"80", "", "8081-8080"}, {"80", "", "80 "},
        {"80", "1.2.3", "80"}, {"80/tcp/udp", "", ""}, {"-80/tcp", "", ""}, {"80", "", "-1"},        {"80-", "", ""}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct bh_error error = {0};
        Bulkhead__PublishedPort **ports = NULL;
        size_t n_ports = 0;
        cr_assert_eq(read_one(bad[i][0], bad[i][1], bad[i][2], &ports, &n_ports, &error), -1, "row %zu", i);
        cr_assert_eq(error.code, BH_INVALID_ARGUMENT);
    }
}

Test(ports, all_exposed_ones_that_are_not_bound_yet)
{
    struct bh_error error = {0};
    char *exposed[] = {TEXT("80/tcp"), TEXT("53/udp")}, *of_image[] = {TEXT("53/udp"), TEXT("90-91"), TEXT("nonsense")};
    Bulkhead__PortBinding binding = BULKHEAD__PORT_BINDING__INIT, *bindings = &binding;
    Bulkhead__ContainerRequest request = BULKHEAD__CONTAINER_REQUEST__INIT;
    Bulkhead__PublishedPort **ports = NULL;
    size_t n_ports = 0;
    struct ip here;
    cr_assert(ip_parse("127.0.0.1", &here));
    binding.port = TEXT("80/tcp");
    binding.host_port = TEXT("8080");
    request.port_bindings = &bindings;
    request.n_port_bindings = 1;
    request.exposed_ports = exposed;
    request.n_exposed_ports = 2;
    request.publish_all_ports = true;
    cr_assert_eq(ports_read(&request, of_image, 3, &here, &ports, &n_ports, &error), 0, "%s", error.message);
    cr_assert_eq(n_ports, 4);
    static const uint32_t numbers[] = {53, 80, 90, 91};
    for (size_t i = 0; i < n_ports; i++) {
        cr_assert_eq(ports[i]->container_port, numbers[i]);
        cr_assert_eq(ports[i]->host_address.len, 4, "the network's own host address");
    }
    ports_free(ports, n_ports);
}
