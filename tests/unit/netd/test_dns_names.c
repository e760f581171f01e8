/* SPDX-License-Identifier: Apache-2.0
 *
 * Who may learn which name: a container sees its own networks, and nothing of others.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/netd/dns_names.h"

static struct dns_names names;

/* A container with one endpoint: its last number, and its network's. */
static struct dns_container *put(uint8_t id, uint8_t network, const char *first, const char *second)
{
    struct dns_container *container = calloc(1, sizeof(*container));
    struct dns_endpoint *endpoint = calloc(1, sizeof(*endpoint));
    container->id[0] = id;
    container->endpoints = endpoint;
    container->n_endpoints = 1;
    endpoint->network[0] = network;
    endpoint->network_name = strdup(network == 1 ? "front" : "back");
    endpoint->has_address4 = true;
    endpoint->address4[0] = 10;
    endpoint->address4[3] = id;
    endpoint->names = calloc(2, sizeof(char *));
    endpoint->names[endpoint->n_names++] = strdup(first);
    if (second) {
        endpoint->names[endpoint->n_names++] = strdup(second);
    }
    dns_names_put(&names, container);
    return container;
}

/* How many records are in the answer, and of addresses the last numbers, in their order; -1: not answered here. */
static int ask(const struct dns_container *asker, const char *name, uint16_t type, uint8_t *ret_numbers)
{
    static uint8_t asked[512], bytes[4096];
    struct dns_question question = {.type = type, .class = ns_c_in, .end = 12, .udp_bytes = 512};
    (void)snprintf(question.name, sizeof(question.name), "%s", name);
    size_t n = dns_names_answer(&names, asker, asked, &question, bytes, sizeof(bytes));
    if (n == 0) {
        return -1;
    }
    /* The header is followed by the records: what was asked had no question to repeat. */
    int count = (int)ns_get16(bytes + 6);
    for (int i = 0; i < count && type == ns_t_a; i++) {
        ret_numbers[i] = bytes[12 + 16 * (size_t)i + 15];
    }
    return count;
}

static void clear(void)
{
    dns_names_clear(&names);
}

TestSuite(dns_names, .fini = clear);

Test(dns_names, in_one_network)
{
    uint8_t numbers[8];
    const struct dns_container *web = put(1, 1, "web", "www");
    const struct dns_container *db = put(2, 1, "db", NULL);
    cr_assert_eq(ask(web, "db", ns_t_a, numbers), 1);
    cr_assert_eq(numbers[0], 2);
    cr_assert_eq(ask(db, "www", ns_t_a, numbers), 1);
    cr_assert_eq(numbers[0], 1);
    cr_assert_eq(ask(db, "db", ns_t_a, numbers), 1, "itself");
    cr_assert_eq(ask(db, "web.front", ns_t_a, numbers), 1);
    cr_assert_eq(ask(db, "web.back", ns_t_a, numbers), -1);
    cr_assert_eq(ask(db, "nobody", ns_t_a, numbers), -1);
    cr_assert_eq(ask(db, "we", ns_t_a, numbers), -1);
}

Test(dns_names, not_of_another_network)
{
    uint8_t numbers[8];
    const struct dns_container *web = put(1, 1, "web", NULL);
    (void)put(2, 2, "db", NULL);
    cr_assert_eq(ask(web, "db", ns_t_a, numbers), -1);
    cr_assert_eq(ask(web, "db.back", ns_t_a, numbers), -1);
    cr_assert_eq(ask(web, "2.0.0.10.in-addr.arpa", ns_t_ptr, numbers), -1);
    cr_assert_eq(ask(web, "1.0.0.10.in-addr.arpa", ns_t_ptr, numbers), 1);
    cr_assert_eq(ask(web, "_5432._tcp.db", ns_t_srv, numbers), -1);
}

Test(dns_names, other_types_of_what_is_known_stay_here)
{
    uint8_t numbers[8];
    const struct dns_container *web = put(1, 1, "web", NULL);
    cr_assert_eq(ask(web, "web", ns_t_aaaa, numbers), 0);
    cr_assert_eq(ask(web, "web", ns_t_mx, numbers), 0);
    cr_assert_eq(ask(web, "_80._tcp.web", ns_t_srv, numbers), 1);
    cr_assert_eq(ask(web, "_0._tcp.web", ns_t_srv, numbers), -1);
    cr_assert_eq(ask(web, "_http._tcp.web", ns_t_srv, numbers), -1);
}

Test(dns_names, one_name_of_several_takes_turns)
{
    uint8_t first[8], second[8];
    const struct dns_container *asker = put(1, 1, "asker", NULL);
    (void)put(2, 1, "a", "app");
    (void)put(3, 1, "b", "app");
    cr_assert_eq(ask(asker, "app", ns_t_a, first), 2);
    cr_assert_eq(ask(asker, "app", ns_t_a, second), 2);
    cr_assert_neq(first[0], second[0]);
    cr_assert_eq(first[0], second[1]);
}

Test(dns_names, links_are_ones_own)
{
    uint8_t numbers[8];
    struct dns_container *web = put(1, 1, "web", NULL);
    const struct dns_container *db = put(2, 1, "postgres", NULL);
    struct dns_endpoint *endpoint = web->endpoints;
    endpoint->links = calloc(1, sizeof(*endpoint->links));
    endpoint->links[0].name = strdup("db");
    endpoint->links[0].container[0] = 2;
    endpoint->n_links = 1;
    cr_assert_eq(ask(web, "db", ns_t_a, numbers), 1);
    cr_assert_eq(numbers[0], 2);
    cr_assert_eq(ask(db, "db", ns_t_a, numbers), -1);
}

Test(dns_names, put_again_and_removed)
{
    uint8_t numbers[8];
    const uint8_t id[DNS_ID_BYTES] = {2};
    const struct dns_container *web = put(1, 1, "web", NULL);
    (void)put(2, 1, "old", NULL);
    cr_assert_eq(ask(web, "old", ns_t_a, numbers), 1);
    (void)put(2, 1, "new", NULL);
    cr_assert_eq(ask(web, "old", ns_t_a, numbers), -1);
    cr_assert_eq(ask(web, "new", ns_t_a, numbers), 1);
    dns_names_remove(&names, id);
    cr_assert_eq(ask(web, "new", ns_t_a, numbers), -1);
    cr_assert_null(dns_names_find(&names, id));
}
