/* SPDX-License-Identifier: Apache-2.0
 *
 * Networks on the engine's side: which addresses it gives, and that netd is told again whenever it knows nothing.
 */
#include <stdio.h>
#include <string.h>

#include "world.h"

#define ENGINES(name) BULKHEAD__ENGINE_TO_API__BODY_##name
#define TEXT(text)    ((char *)(uintptr_t)(text))

static struct world world;

static void begin(void)
{
    world_start(&world);
    pull(world.root, "busybox:latest");
}

static void end(void)
{
    world_stop(&world);
}

TestSuite(networks, .init = begin, .fini = end, .timeout = 60);

static enum bh_code make_network(struct bh_channel *api, const char *name, struct bh_error *error)
{
    Bulkhead__AddressRange range = BULKHEAD__ADDRESS_RANGE__INIT, *ranges = &range;
    Bulkhead__NetworkRequest request = BULKHEAD__NETWORK_REQUEST__INIT;
    Bulkhead__CreateNetwork body = BULKHEAD__CREATE_NETWORK__INIT;
    request.name = TEXT(name);
    request.driver = TEXT("bridge");
    request.ipv4 = true;
    request.ranges = &ranges;
    request.n_ranges = 1;
    body.request = &request;
    API(packet, CREATE_NETWORK, create_network, &body);
    bh_automessage struct bh_message *message = ask(api, &packet, NULL, 0, ENGINES(NETWORK_CREATED), error);
    return message ? BH_OK : error->code;
}

/* The network's subnet and how many containers it has. */
static void look_at(struct bh_channel *api, const char *name, uint8_t ret_subnet[static 4], size_t *ret_members)
{
    struct bh_error error;
    Bulkhead__LookUpNetwork body = BULKHEAD__LOOK_UP_NETWORK__INIT;
    body.reference = TEXT(name);
    API(packet, LOOK_UP_NETWORK, look_up_network, &body);
    bh_automessage struct bh_message *message = ask(api, &packet, NULL, 0, ENGINES(NETWORK_DETAILS), &error);
    cr_assert(message, "%s", error.message);
    const Bulkhead__NetworkDetails *details = bh_message_body(message);
    cr_assert_eq(details->request->n_ranges, 1);
    memcpy(ret_subnet, details->request->ranges[0]->subnet.data, 4);
    *ret_members = details->n_members;
}

static enum bh_code create_on(const char *name, const char *network, struct bh_error *error)
{
    Bulkhead__CreateContainer body = BULKHEAD__CREATE_CONTAINER__INIT;
    Bulkhead__ContainerRequest request = BULKHEAD__CONTAINER_REQUEST__INIT;
    request.image = TEXT("busybox");
    request.network = BULKHEAD__NETWORK_MODE__NETWORK_MODE_LINKED;
    request.network_mode = TEXT(network);
    request.seccomp = BULKHEAD__SECCOMP_MODE__SECCOMP_MODE_DEFAULT;
    body.name = TEXT(name);
    body.request = &request;
    API(packet, CREATE_CONTAINER, create_container, &body);
    bh_automessage struct bh_message *message = ask(world.root, &packet, NULL, 0, ENGINES(CONTAINER_CREATED), error);
    return message ? BH_OK : error->code;
}

static void expect_subnet(const char *network, const uint8_t want[static 4])
{
    uint8_t subnet[4];
    size_t members;
    look_at(world.root, network, subnet, &members);
    cr_assert_arr_eq(subnet, want, 4, "%u.%u.%u.%u", subnet[0], subnet[1], subnet[2], subnet[3]);
}

Test(networks, a_subnet_of_the_hosts_is_avoided)
{
    struct bh_error error;
    expect_subnet("bridge", (uint8_t[]){172, 16, 0, 0});
    fake_policyd_overlap(world.policyd, 2);
    cr_assert_eq(make_network(world.root, "moved", &error), BH_OK, "%s", error.message);
    expect_subnet("moved", (uint8_t[]){172, 16, 48, 0});
    cr_assert_eq(make_network(world.root, "next", &error), BH_OK);
    expect_subnet("next", (uint8_t[]){172, 16, 16, 0}); /* the host's route may be gone by now */
    cr_assert_eq(make_network(world.root, "next", &error), BH_ALREADY_EXISTS);
    fake_policyd_overlap(world.policyd, 1000);
    cr_assert_eq(make_network(world.root, "never", &error), BH_PERMISSION_DENIED);
    fake_policyd_overlap(world.policyd, 0);
    cr_assert_eq(make_network(world.root, "never", &error), BH_OK, "its name is free again");
}

Test(networks, the_default_network_moves_until_it_is_made)
{
    struct bh_error error;
    expect_subnet("bridge", (uint8_t[]){172, 16, 0, 0});
    fake_policyd_overlap(world.policyd, 1);
    cr_assert_eq(create_on("web", "default", &error), BH_OK, "%s", error.message);
    expect_subnet("bridge", (uint8_t[]){172, 16, 16, 0});
}

Test(networks, of_two_tenants_do_not_overlap)
{
    struct bh_error error;
    uint8_t one[4], other[4];
    size_t members;
    cr_assert_eq(make_network(world.root, "same", &error), BH_OK);
    cr_assert_eq(make_network(world.other, "same", &error), BH_OK);
    look_at(world.root, "same", one, &members);
    look_at(world.other, "same", other, &members);
    cr_assert_neq(memcmp(one, other, 4), 0);
}

Test(networks, netd_is_told_everything_when_it_is_started_again)
{
    struct bh_error error;
    uint8_t subnet[4];
    size_t members;
    fake_policyd_await_settled(world.policyd, 1);
    cr_assert_eq(make_network(world.root, "backend", &error), BH_OK);
    cr_assert_eq(create_on("web", "backend", &error), BH_OK);
    cr_assert_eq(create_on("idle", "backend", &error), BH_OK);
    cr_assert_eq(start(world.root, "web", &error), BH_OK, "%s", error.message);
    struct fake_links before = fake_policyd_links(world.policyd);
    fake_policyd_restart_netd(world.policyd);
    fake_policyd_await_settled(world.policyd, before.settled + 1);
    struct fake_links after = fake_policyd_links(world.policyd);
    cr_assert_eq(after.made, before.made + 1, "one network");
    cr_assert_eq(after.connected, before.connected + 1, "one container runs");
    world_restart(&world);
    fake_policyd_await_settled(world.policyd, after.settled + 1);
    cr_assert_eq(fake_policyd_links(world.policyd).connected, after.connected + 1, "a new engine does the same");
    look_at(world.root, "backend", subnet, &members);
    cr_assert_eq(members, 1);
}

Test(networks, an_end_frees_the_address_whoever_sees_it)
{
    struct bh_error error;
    uint8_t subnet[4];
    size_t members;
    cr_assert_eq(make_network(world.root, "backend", &error), BH_OK);
    cr_assert_eq(create_on("web", "backend", &error), BH_OK);
    cr_assert_eq(start(world.root, "web", &error), BH_OK);
    look_at(world.root, "backend", subnet, &members);
    cr_assert_eq(members, 1);
    cr_assert_eq(kill_one(world.root, "web", "KILL", &error), BH_OK);
    look_at(world.root, "backend", subnet, &members);
    cr_assert_eq(members, 0);
    cr_assert_eq(start(world.root, "web", &error), BH_OK);
    fake_policyd_kill_monitors(world.policyd, true, 3); /* nobody tells the engine */
    world_restart(&world);
    look_at(world.root, "backend", subnet, &members);
    cr_assert_eq(members, 0, "the new engine finds out");
}

Test(networks, a_start_that_fails_leaves_nothing)
{
    struct bh_error error;
    uint8_t subnet[4];
    size_t members;
    cr_assert_eq(make_network(world.root, "backend", &error), BH_OK);
    cr_assert_eq(create_on("web", "backend", &error), BH_OK);
    fake_policyd_refuse_start(world.policyd, BH_ALREADY_EXISTS,
                              "Bind for 0.0.0.0:80 failed: port is already allocated");
    cr_assert_eq(start(world.root, "web", &error), BH_INTERNAL);
    cr_assert(strstr(error.message, "driver failed programming external connectivity on endpoint web ("), "%s",
              error.message);
    look_at(world.root, "backend", subnet, &members);
    cr_assert_eq(members, 0);
    fake_policyd_refuse_start(world.policyd, BH_OK, "");
    cr_assert_eq(start(world.root, "web", &error), BH_OK, "%s", error.message);
}
