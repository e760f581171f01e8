/* SPDX-License-Identifier: Apache-2.0
 *
 * Networks at the one door: who may make which, whose they are, links of running containers, and the wait for netd.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "peers.h"

static struct peers peers;
static struct bh_error error;
static Bulkhead__NetworkSpec network;
static uint8_t network_id[32], container_id[32];

static void set_up(void)
{
    static char name[] = "front";
    peers = (struct peers){0};
    peers_open(&peers);
    memset(network_id, 7, sizeof(network_id));
    memset(container_id, 3, sizeof(container_id));
    bulkhead__network_spec__init(&network);
    network.id = (ProtobufCBinaryData){.len = 32, .data = network_id};
    network.tenant_uid = 1000;
    network.name = name;
    network.driver = BULKHEAD__NETWORK_DRIVER__NETWORK_DRIVER_BRIDGE;
}

static void tear_down(void)
{
    peers_close(&peers);
}

TestSuite(policyd_networks, .init = set_up, .fini = tear_down, .timeout = 60);

/* ---- questions ----------------------------------------------------------------------------------------------------
 */

static struct bh_call *ask_make(void)
{
    Bulkhead__MakeNetwork make = BULKHEAD__MAKE_NETWORK__INIT;
    make.network = &network;
    Bulkhead__EngineToPolicyd packet = BULKHEAD__ENGINE_TO_POLICYD__INIT;
    packet.body_case = BULKHEAD__ENGINE_TO_POLICYD__BODY_MAKE_NETWORK;
    packet.make_network = &make;
    return peers_call(&peers, &packet, 0);
}

static struct bh_call *ask_drop(uint32_t tenant_uid)
{
    Bulkhead__NetworkId id = BULKHEAD__NETWORK_ID__INIT;
    Bulkhead__DropNetwork drop = BULKHEAD__DROP_NETWORK__INIT;
    id.id = network.id;
    id.tenant_uid = tenant_uid;
    drop.network = &id;
    drop.name = network.name;
    Bulkhead__EngineToPolicyd packet = BULKHEAD__ENGINE_TO_POLICYD__INIT;
    packet.body_case = BULKHEAD__ENGINE_TO_POLICYD__BODY_DROP_NETWORK;
    packet.drop_network = &drop;
    return peers_call(&peers, &packet, 0);
}

static struct bh_call *ask_connect(uint32_t tenant_uid)
{
    static char eth1[] = "eth1";
    uint8_t mac[6] = {2, 0x42, 10, 1, 0, 2}, address[16] = {0xfd, [15] = 2};
    Bulkhead__Endpoint endpoint = BULKHEAD__ENDPOINT__INIT, *endpoints[] = {&endpoint};
    Bulkhead__Attachment attachment = BULKHEAD__ATTACHMENT__INIT;
    Bulkhead__ContainerId container = BULKHEAD__CONTAINER_ID__INIT;
    Bulkhead__ConnectContainer body = BULKHEAD__CONNECT_CONTAINER__INIT;
    endpoint.id = network.id;
    endpoint.network = network.id;
    endpoint.mac = (ProtobufCBinaryData){.len = 6, .data = mac};
    endpoint.address6 = (ProtobufCBinaryData){.len = 16, .data = address};
    endpoint.interface_name = eth1;
    attachment.endpoints = endpoints;
    attachment.n_endpoints = 1;
    container.id = (ProtobufCBinaryData){.len = 32, .data = container_id};
    container.tenant_uid = tenant_uid;
    body.container = &container;
    body.attachment = &attachment;
    body.name = network.name;
    Bulkhead__EngineToPolicyd packet = BULKHEAD__ENGINE_TO_POLICYD__INIT;
    packet.body_case = BULKHEAD__ENGINE_TO_POLICYD__BODY_CONNECT_CONTAINER;
    packet.connect_container = &body;
    return peers_call(&peers, &packet, 0);
}

static struct bh_call *ask_disconnect(void)
{
    Bulkhead__ContainerId container = BULKHEAD__CONTAINER_ID__INIT;
    Bulkhead__DisconnectContainer body = BULKHEAD__DISCONNECT_CONTAINER__INIT;
    container.id = (ProtobufCBinaryData){.len = 32, .data = container_id};
    container.tenant_uid = 1000;
    body.container = &container;
    body.endpoints = &network.id;
    body.n_endpoints = 1;
    Bulkhead__EngineToPolicyd packet = BULKHEAD__ENGINE_TO_POLICYD__INIT;
    packet.body_case = BULKHEAD__ENGINE_TO_POLICYD__BODY_DISCONNECT_CONTAINER;
    packet.disconnect_container = &body;
    return peers_call(&peers, &packet, 0);
}

static struct bh_call *ask_await(uint64_t generation)
{
    Bulkhead__AwaitNetd body = BULKHEAD__AWAIT_NETD__INIT;
    body.generation = generation;
    Bulkhead__EngineToPolicyd packet = BULKHEAD__ENGINE_TO_POLICYD__INIT;
    packet.body_case = BULKHEAD__ENGINE_TO_POLICYD__BODY_AWAIT_NETD;
    packet.await_netd = &body;
    return peers_call(&peers, &packet, 0);
}

static int done(struct bh_call *call)
{
    return peers_finish(&peers, call, BULKHEAD__POLICYD_TO_ENGINE__BODY_DONE, NULL, &error);
}

static void make(void)
{
    struct bh_call *call = ask_make();
    (void)peers_await(&peers, BH_ROLE_NETD, BULKHEAD__POLICYD_TO_NETD__BODY_MAKE_NETWORK);
    peers_reply_done(&peers, BH_ROLE_NETD);
    cr_assert_eq(done(call), 0, "%s", error.message);
}

/* ---- networks -----------------------------------------------------------------------------------------------------
 */

Test(policyd_networks, made_as_asked_with_the_tenants_quota)
{
    struct bh_call *call = ask_make();
    struct bh_request *request = peers_await(&peers, BH_ROLE_NETD, BULKHEAD__POLICYD_TO_NETD__BODY_MAKE_NETWORK);
    const Bulkhead__MakeNetwork *body = bh_request_body(request);
    cr_expect_eq(body->most, 32);
    cr_expect_eq(memcmp(body->network->id.data, network_id, 32), 0);
    cr_expect_str_eq(body->network->name, "front");
    peers_reply_done(&peers, BH_ROLE_NETD);
    cr_assert_eq(done(call), 0, "%s", error.message);
}

Test(policyd_networks, netds_refusal_comes_back)
{
    struct bh_call *call = ask_make();
    (void)peers_await(&peers, BH_ROLE_NETD, BULKHEAD__POLICYD_TO_NETD__BODY_MAKE_NETWORK);
    peers_fail(&peers, BH_ROLE_NETD, BH_ALREADY_EXISTS, "172.16.0.0/20 overlaps with a route of the host's");
    cr_assert_eq(done(call), -1);
    cr_expect_eq(error.code, BH_ALREADY_EXISTS);
    network.tenant_uid = 1001; /* what was not made is nobody's */
    make();
}

Test(policyd_networks, one_belongs_to_one_tenant)
{
    make();
    make(); /* again, after netd was started anew, say */
    network.tenant_uid = 1001;
    cr_assert_eq(done(ask_make()), -1);
    cr_expect_eq(error.code, BH_PERMISSION_DENIED);
    cr_assert_eq(done(ask_drop(1001)), -1);
    cr_expect_eq(error.code, BH_PERMISSION_DENIED);
    struct bh_call *call = ask_drop(1000);
    (void)peers_await(&peers, BH_ROLE_NETD, BULKHEAD__POLICYD_TO_NETD__BODY_DROP_NETWORK);
    peers_reply_done(&peers, BH_ROLE_NETD);
    cr_assert_eq(done(call), 0, "%s", error.message);
    make(); /* it was dropped */
}

Test(policyd_networks, rules_say_which_may_be_made)
{
    static char name[] = "br-lan", parent[] = "eth0";
    network.bridge_name = name;
    cr_assert_eq(done(ask_make()), -1);
    cr_expect_eq(error.code, BH_PERMISSION_DENIED);
    cr_expect(strstr(error.message, "\"bridge_names\""), "%s", error.message);
    network.bridge_name = (char *)(uintptr_t)protobuf_c_empty_string;
    network.driver = BULKHEAD__NETWORK_DRIVER__NETWORK_DRIVER_MACVLAN;
    network.macvlan_mode_presence_case = BULKHEAD__NETWORK_SPEC__MACVLAN_MODE_PRESENCE_MACVLAN_MODE;
    network.macvlan_mode = BULKHEAD__MACVLAN_MODE__MACVLAN_MODE_BRIDGE;
    network.parent = parent;
    cr_assert_eq(done(ask_make()), -1);
    cr_expect_eq(error.code, BH_PERMISSION_DENIED);
    cr_expect(strstr(error.message, "network macvlan is not allowed; none or bridge is"), "%s", error.message);
    network.tenant_uid = 0;
    make();
}

Test(policyd_networks, what_makes_no_sense_is_refused)
{
    network.id.len = 31;
    cr_assert_eq(done(ask_make()), -1);
    cr_expect_eq(error.code, BH_INVALID_ARGUMENT);
    network.id.len = 32;
    cr_assert_eq(done(ask_drop(UINT32_MAX)), -1);
    cr_expect_eq(error.code, BH_INVALID_ARGUMENT);
    peers_expect_nothing(&peers);
}

/* ---- links of running containers ------------------------------------------------------------------------------------
 */

Test(policyd_networks, what_the_executor_opens_goes_to_netd)
{
    make();
    struct bh_call *call = ask_connect(1000);
    struct bh_request *request =
        peers_await(&peers, BH_ROLE_EXECUTOR, BULKHEAD__POLICYD_TO_EXECUTOR__BODY_OPEN_NETWORK);
    const Bulkhead__OpenNetwork *open = bh_request_body(request);
    cr_expect(open->ipv6);
    cr_expect_eq(memcmp(open->container->id.data, container_id, 32), 0);
    peers_open_network(&peers, 3, true);
    request = peers_await(&peers, BH_ROLE_NETD, BULKHEAD__POLICYD_TO_NETD__BODY_LINK_CONTAINER);
    cr_expect_eq(bh_request_message(request)->n_fds, 3);
    peers_reply_connected(&peers, 8080);
    bh_automessage struct bh_message *answer = NULL;
    cr_assert_eq(peers_finish(&peers, call, BULKHEAD__POLICYD_TO_ENGINE__BODY_CONTAINER_CONNECTED, &answer, &error), 0,
                 "%s", error.message);
    const Bulkhead__ContainerConnected *connected = bh_message_body(answer);
    cr_expect_eq(connected->ports[0]->first_host_port, 8080);
}

static int connected(struct bh_call *call)
{
    return peers_finish(&peers, call, BULKHEAD__POLICYD_TO_ENGINE__BODY_CONTAINER_CONNECTED, NULL, &error);
}

Test(policyd_networks, whoever_fails_is_heard)
{
    make();
    struct bh_call *call = ask_connect(1000);
    (void)peers_await(&peers, BH_ROLE_EXECUTOR, BULKHEAD__POLICYD_TO_EXECUTOR__BODY_OPEN_NETWORK);
    peers_fail(&peers, BH_ROLE_EXECUTOR, BH_FAILED_PRECONDITION, "container 030303030303 is not running");
    cr_assert_eq(connected(call), -1);
    cr_expect_str_eq(error.message, "container 030303030303 is not running");

    call = ask_connect(1000);
    (void)peers_await(&peers, BH_ROLE_EXECUTOR, BULKHEAD__POLICYD_TO_EXECUTOR__BODY_OPEN_NETWORK);
    peers_open_network(&peers, 2, true);
    cr_assert_eq(connected(call), -1);
    cr_expect_eq(error.code, BH_INTERNAL);

    call = ask_connect(1000);
    (void)peers_await(&peers, BH_ROLE_EXECUTOR, BULKHEAD__POLICYD_TO_EXECUTOR__BODY_OPEN_NETWORK);
    peers_open_network(&peers, 3, true);
    (void)peers_await(&peers, BH_ROLE_NETD, BULKHEAD__POLICYD_TO_NETD__BODY_LINK_CONTAINER);
    peers_fail(&peers, BH_ROLE_NETD, BH_ALREADY_EXISTS, "netd's own words");
    cr_assert_eq(connected(call), -1);
    cr_expect_str_eq(error.message, "netd's own words");

    call = ask_connect(1000);
    (void)peers_await(&peers, BH_ROLE_EXECUTOR, BULKHEAD__POLICYD_TO_EXECUTOR__BODY_OPEN_NETWORK);
    peers_open_network(&peers, 3, true);
    (void)peers_await(&peers, BH_ROLE_NETD, BULKHEAD__POLICYD_TO_NETD__BODY_LINK_CONTAINER);
    peers_hang_up(&peers, BH_ROLE_NETD);
    cr_assert_eq(connected(call), -1);
    cr_expect_eq(error.code, BH_UNAVAILABLE);

    call = ask_connect(1000);
    (void)peers_await(&peers, BH_ROLE_EXECUTOR, BULKHEAD__POLICYD_TO_EXECUTOR__BODY_OPEN_NETWORK);
    peers_hang_up(&peers, BH_ROLE_EXECUTOR);
    cr_assert_eq(connected(call), -1);
    cr_expect_eq(error.code, BH_UNAVAILABLE);
}

Test(policyd_networks, a_running_container_is_linked_to_networks_of_its_tenants_alone)
{
    cr_assert_eq(connected(ask_connect(1000)), -1);
    cr_expect_eq(error.code, BH_PERMISSION_DENIED, "nobody made it");
    make();
    cr_assert_eq(connected(ask_connect(1001)), -1);
    cr_expect_eq(error.code, BH_PERMISSION_DENIED, "another tenant's");
    peers_expect_nothing(&peers);
}

Test(policyd_networks, links_are_taken_away)
{
    struct bh_call *call = ask_disconnect();
    struct bh_request *request =
        peers_await(&peers, BH_ROLE_NETD, BULKHEAD__POLICYD_TO_NETD__BODY_DISCONNECT_CONTAINER);
    const Bulkhead__DisconnectContainer *body = bh_request_body(request);
    cr_assert_eq(body->n_endpoints, 1);
    cr_expect_eq(memcmp(body->endpoints[0].data, network_id, 32), 0);
    peers_reply_done(&peers, BH_ROLE_NETD);
    cr_assert_eq(done(call), 0, "%s", error.message);
}

/* ---- netd's life ----------------------------------------------------------------------------------------------------
 */

static uint64_t generation_of(struct bh_call *call)
{
    bh_automessage struct bh_message *answer = NULL;
    cr_assert_eq(peers_finish(&peers, call, BULKHEAD__POLICYD_TO_ENGINE__BODY_NETD_READY, &answer, &error), 0, "%s",
                 error.message);
    return ((const Bulkhead__NetdReady *)bh_message_body(answer))->generation;
}

Test(policyd_networks, whoever_waits_for_netd_hears_of_its_new_start)
{
    cr_expect_eq(generation_of(ask_await(0)), 1);
    struct bh_call *call = ask_await(1), *given_up = ask_await(1);
    bh_call_free(given_up);
    peers_hang_up(&peers, BH_ROLE_NETD);
    peers.listed_tenant = 1000; /* it finds in the kernel what another one made */
    memset(peers.listed_network, 7, 32);
    peers_rewire(&peers, BH_ROLE_NETD);
    cr_expect_eq(generation_of(call), 2);
    cr_expect_eq(generation_of(ask_await(1)), 2, "at once");
    call = ask_connect(1000);
    (void)peers_await(&peers, BH_ROLE_EXECUTOR, BULKHEAD__POLICYD_TO_EXECUTOR__BODY_OPEN_NETWORK);
    peers_fail(&peers, BH_ROLE_EXECUTOR, BH_NOT_FOUND, "no such container");
    cr_assert_eq(connected(call), -1);
    cr_expect_eq(error.code, BH_NOT_FOUND, "whose it is, is known: %s", error.message);
}

/* ---- the audit log
 * --------------------------------------------------------------------------------------------------- */

Test(policyd_networks, all_of_it_is_written_down)
{
    make();
    network.tenant_uid = 1001;
    cr_assert_eq(done(ask_make()), -1);
    struct bh_call *call = ask_connect(1000);
    (void)peers_await(&peers, BH_ROLE_EXECUTOR, BULKHEAD__POLICYD_TO_EXECUTOR__BODY_OPEN_NETWORK);
    peers_fail(&peers, BH_ROLE_EXECUTOR, BH_NOT_FOUND, "no such container");
    cr_assert_eq(connected(call), -1);
    call = ask_disconnect();
    (void)peers_await(&peers, BH_ROLE_NETD, BULKHEAD__POLICYD_TO_NETD__BODY_DISCONNECT_CONTAINER);
    peers_reply_done(&peers, BH_ROLE_NETD);
    cr_assert_eq(done(call), 0);
    Bulkhead__SettleNetworks settle = BULKHEAD__SETTLE_NETWORKS__INIT;
    Bulkhead__EngineToPolicyd packet = BULKHEAD__ENGINE_TO_POLICYD__INIT;
    packet.body_case = BULKHEAD__ENGINE_TO_POLICYD__BODY_SETTLE_NETWORKS;
    packet.settle_networks = &settle;
    call = peers_call(&peers, &packet, 0);
    (void)peers_await(&peers, BH_ROLE_NETD, BULKHEAD__POLICYD_TO_NETD__BODY_SETTLE_NETWORKS);
    peers_reply_done(&peers, BH_ROLE_NETD);
    cr_assert_eq(done(call), 0);

    bh_autoclose int folder = harness_folder(&peers.harness, BH_FOLDER_STATE);
    bh_autoclose int fd = openat(folder, "audit.log", O_RDONLY | O_CLOEXEC);
    bh_autofree char *log = NULL;
    char *text = NULL;
    size_t n = 0;
    cr_assert_eq(bh_read_file(fd, 1 << 20, &text, &n, "audit.log", &error), 0, "%s", error.message);
    log = text;
    static const char *const wanted[] = {
        "\"operation\":\"MakeNetwork\",\"verdict\":\"allow\"",
        "\"operation\":\"MakeNetwork\",\"verdict\":\"refuse\"",
        "\"operation\":\"ConnectContainer\",\"verdict\":\"allow\"",
        "\"operation\":\"DisconnectContainer\"",
        "\"operation\":\"SettleNetworks\"",
        "\"network\":\"front\"",
    };
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        cr_expect(strstr(log, wanted[i]), "%s is not in %s", wanted[i], log);
    }
}
