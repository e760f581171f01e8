/* SPDX-License-Identifier: Apache-2.0
 *
 * Starts of containers with links, between executor and netd: whoever fails or dies at whatever point, the program runs
 * with its links or not at all, nothing is left of a start that failed, and the engine hears why.
 */
#include <criterion/criterion.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "door.h"
#include "peers.h"

#define TENANT 1000U

static struct peers peers;
static struct door_spec spec;
static Bulkhead__Attachment attachment;
static Bulkhead__Endpoint endpoint, *endpoints[1];
static Bulkhead__PublishedPort port, *ports[1];
static uint8_t network[32], mac[6] = {2, 0x42, 172, 17, 0, 2}, address[4] = {172, 17, 0, 2};
static int waiting = -1; /* the executor's end of the pipe */
static struct bh_error error;

static void set_up(void)
{
    static char name[] = "eth0";
    memset(network, 7, sizeof(network));
    peers = (struct peers){.listed_tenant = TENANT};
    memcpy(peers.listed_network, network, sizeof(network));
    peers_open(&peers);
    door_spec(&spec, 1, TENANT);
    bulkhead__attachment__init(&attachment);
    bulkhead__endpoint__init(&endpoint);
    bulkhead__published_port__init(&port);
    endpoint.id = (ProtobufCBinaryData){.len = 32, .data = spec.id};
    endpoint.network = (ProtobufCBinaryData){.len = 32, .data = network};
    endpoint.mac = (ProtobufCBinaryData){.len = 6, .data = mac};
    endpoint.address4 = (ProtobufCBinaryData){.len = 4, .data = address};
    endpoint.interface_name = name;
    port.transport = BULKHEAD__TRANSPORT__TRANSPORT_TCP;
    port.container_port = 80;
    port.first_host_port = port.last_host_port = 8080;
    endpoints[0] = &endpoint;
    ports[0] = &port;
    attachment.endpoints = endpoints;
    attachment.n_endpoints = 1;
    attachment.ports = ports;
    attachment.n_ports = 1;
    spec.spec.network = BULKHEAD__NETWORK_MODE__NETWORK_MODE_LINKED;
    spec.spec.attachment = &attachment;
}

static void tear_down(void)
{
    bh_close(&waiting);
    peers_close(&peers);
}

TestSuite(policyd_links, .init = set_up, .fini = tear_down, .timeout = 60);

/* ---- steps ---------------------------------------------------------------------------------------------------- */

static struct bh_call *ask(uint32_t deadline_ms)
{
    Bulkhead__StartContainer start = BULKHEAD__START_CONTAINER__INIT;
    start.spec = &spec.spec;
    Bulkhead__EngineToPolicyd packet = BULKHEAD__ENGINE_TO_POLICYD__INIT;
    packet.body_case = BULKHEAD__ENGINE_TO_POLICYD__BODY_START_CONTAINER;
    packet.start_container = &start;
    return peers_call(&peers, &packet, deadline_ms);
}

static int finish(struct bh_call *call)
{
    return peers_finish(&peers, call, BULKHEAD__POLICYD_TO_ENGINE__BODY_CONTAINER_STARTED, NULL, &error);
}

static void await_executor(void)
{
    struct bh_request *request =
        peers_await(&peers, BH_ROLE_EXECUTOR, BULKHEAD__POLICYD_TO_EXECUTOR__BODY_START_CONTAINER);
    cr_assert_eq(bh_request_message(request)->n_fds, 1, "the pipe");
    waiting = bh_request_take_fd(request, 0);
}

static void await_link(void)
{
    (void)peers_await(&peers, BH_ROLE_NETD, BULKHEAD__POLICYD_TO_NETD__BODY_LINK_CONTAINER);
}

/* Up to netd's question. */
static struct bh_call *reach_netd(uint32_t deadline_ms)
{
    struct bh_call *call = ask(deadline_ms);
    await_executor();
    peers_open_network(&peers, 3, false);
    await_link();
    return call;
}

/* What the executor's pipe says: 1 the byte, 0 the end. */
static ssize_t read_pipe(void)
{
    char byte;
    struct pollfd said = {.fd = waiting, .events = POLLIN};
    cr_assert_eq(poll(&said, 1, 10000), 1);
    return read(waiting, &byte, 1);
}

static void expect_silence(void)
{
    struct pollfd said = {.fd = waiting, .events = POLLIN};
    cr_expect_eq(poll(&said, 1, 0), 0, "nothing is said yet");
}

/* The executor gives up, as it does at the end of the pipe. */
static void give_up(void)
{
    cr_assert_eq(read_pipe(), 0);
    peers_fail(&peers, BH_ROLE_EXECUTOR, BH_UNAVAILABLE, "the network was not set up");
}

static void expect_unlink(void)
{
    struct bh_request *request =
        peers_await(&peers, BH_ROLE_NETD, BULKHEAD__POLICYD_TO_NETD__BODY_DISCONNECT_CONTAINER);
    const Bulkhead__DisconnectContainer *body = bh_request_body(request);
    cr_expect_eq(memcmp(body->container->id.data, spec.id, 32), 0);
    cr_expect_eq(body->container->tenant_uid, TENANT);
    cr_expect_eq(body->n_endpoints, 0, "all of them");
}

/* ---- the way it should go ------------------------------------------------------------------------------------- */

Test(policyd_links, the_program_runs_when_netd_has_made_the_links)
{
    struct bh_call *call = ask(0);
    await_executor();
    expect_silence();
    peers_open_network(&peers, 3, false);
    struct bh_request *request = peers_await(&peers, BH_ROLE_NETD, BULKHEAD__POLICYD_TO_NETD__BODY_LINK_CONTAINER);
    const Bulkhead__LinkContainer *body = bh_request_body(request);
    cr_expect_eq(bh_request_message(request)->n_fds, 3, "what was opened");
    cr_expect_eq(memcmp(body->container->id.data, spec.id, 32), 0);
    cr_expect_eq(body->container->tenant_uid, TENANT);
    cr_assert_eq(body->attachment->n_endpoints, 1);
    cr_expect_eq(memcmp(body->attachment->endpoints[0]->address4.data, address, 4), 0);
    cr_expect_eq(body->attachment->ports[0]->first_host_port, 8080);
    expect_silence();
    peers_reply_connected(&peers, 8080);
    cr_expect_eq(read_pipe(), 1);
    peers_reply_started(&peers);
    bh_automessage struct bh_message *answer = NULL;
    cr_assert_eq(peers_finish(&peers, call, BULKHEAD__POLICYD_TO_ENGINE__BODY_CONTAINER_STARTED, &answer, &error), 0,
                 "%s", error.message);
    const Bulkhead__ContainerStarted *started = bh_message_body(answer);
    cr_expect_eq(started->pid, 4242);
    cr_expect_eq(answer->n_fds, 1, "its monitor");
    cr_assert_eq(started->n_ports, 1);
    cr_expect_eq(started->ports[0]->first_host_port, 8080);
    peers_expect_nothing(&peers);
}

Test(policyd_links, with_embedded_dns_six_descriptors_go_to_netd)
{
    attachment.embedded_dns = true;
    struct bh_call *call = ask(0);
    await_executor();
    peers_open_network(&peers, 6, false);
    struct bh_request *request = peers_await(&peers, BH_ROLE_NETD, BULKHEAD__POLICYD_TO_NETD__BODY_LINK_CONTAINER);
    cr_expect_eq(bh_request_message(request)->n_fds, 6);
    peers_reply_connected(&peers, 8080);
    cr_expect_eq(read_pipe(), 1);
    peers_reply_started(&peers);
    cr_assert_eq(finish(call), 0, "%s", error.message);
}

/* ---- netd fails ----------------------------------------------------------------------------------------------- */

Test(policyd_links, what_netd_refuses_the_engine_hears_when_the_executor_has_given_up)
{
    struct bh_call *call = reach_netd(0);
    peers_fail(&peers, BH_ROLE_NETD, BH_ALREADY_EXISTS, "Bind for 0.0.0.0:8080 failed: port is already allocated");
    give_up();
    cr_assert_eq(finish(call), -1);
    cr_expect_eq(error.code, BH_ALREADY_EXISTS);
    cr_expect_str_eq(error.message, "Bind for 0.0.0.0:8080 failed: port is already allocated");
    peers_expect_nothing(&peers);
}

Test(policyd_links, netd_dies_at_work)
{
    struct bh_call *call = reach_netd(0);
    peers_hang_up(&peers, BH_ROLE_NETD);
    give_up();
    cr_assert_eq(finish(call), -1);
    cr_expect_eq(error.code, BH_UNAVAILABLE);
    cr_expect_null(strstr(error.message, "the network was not set up"), "the cause, and not what followed: %s",
                   error.message);
}

Test(policyd_links, without_netd_nothing_is_started)
{
    struct bh_call *call = ask(0);
    await_executor();
    peers_hang_up(&peers, BH_ROLE_NETD);
    peers_open_network(&peers, 3, false);
    give_up();
    cr_assert_eq(finish(call), -1);
    cr_expect_eq(error.code, BH_UNAVAILABLE);
}

Test(policyd_links, netd_answers_what_was_not_asked)
{
    struct bh_call *call = reach_netd(0);
    peers_reply_done(&peers, BH_ROLE_NETD);
    give_up();
    expect_unlink();
    peers_reply_done(&peers, BH_ROLE_NETD);
    cr_assert_eq(finish(call), -1);
    cr_expect_eq(error.code, BH_INTERNAL);
}

/* ---- the executor fails ---------------------------------------------------------------------------------------- */

Test(policyd_links, a_program_that_cannot_be_executed_leaves_no_links)
{
    struct bh_call *call = reach_netd(0);
    peers_reply_connected(&peers, 8080);
    cr_expect_eq(read_pipe(), 1);
    peers_fail(&peers, BH_ROLE_EXECUTOR, BH_NOT_FOUND, "exec: \"nothing\": executable file not found in $PATH");
    expect_unlink();
    struct pollfd answered = {.fd = bh_channel_fd(peers.harness.channels[BH_ROLE_ENGINE]), .events = POLLIN};
    cr_expect_eq(poll(&answered, 1, 0), 0, "the engine hears nothing before the links are gone");
    peers_reply_done(&peers, BH_ROLE_NETD);
    cr_assert_eq(finish(call), -1);
    cr_expect_eq(error.code, BH_NOT_FOUND);
    peers_expect_nothing(&peers);
}

Test(policyd_links, links_that_cannot_be_taken_away_change_no_reason)
{
    struct bh_call *call = reach_netd(0);
    peers_reply_connected(&peers, 8080);
    cr_expect_eq(read_pipe(), 1);
    peers_fail(&peers, BH_ROLE_EXECUTOR, BH_NOT_FOUND, "the executor's own words");
    expect_unlink();
    peers_hang_up(&peers, BH_ROLE_NETD);
    cr_assert_eq(finish(call), -1);
    cr_expect_str_eq(error.message, "the executor's own words");
}

Test(policyd_links, the_executor_fails_while_netd_works)
{
    struct bh_call *call = reach_netd(0);
    peers_fail(&peers, BH_ROLE_EXECUTOR, BH_RESOURCE_EXHAUSTED, "the executor's own words");
    cr_assert_eq(read_pipe(), 0);
    peers_reply_connected(&peers, 8080);
    expect_unlink();
    peers_reply_done(&peers, BH_ROLE_NETD);
    cr_assert_eq(finish(call), -1);
    cr_expect_eq(error.code, BH_RESOURCE_EXHAUSTED);
    cr_expect_str_eq(error.message, "the executor's own words");
}

Test(policyd_links, both_fail)
{
    struct bh_call *call = reach_netd(0);
    peers_fail(&peers, BH_ROLE_EXECUTOR, BH_RESOURCE_EXHAUSTED, "the executor's own words");
    cr_assert_eq(read_pipe(), 0);
    peers_fail(&peers, BH_ROLE_NETD, BH_ALREADY_EXISTS, "netd's");
    cr_assert_eq(finish(call), -1);
    cr_expect_eq(error.code, BH_RESOURCE_EXHAUSTED, "the first one counts");
    peers_expect_nothing(&peers);
}

Test(policyd_links, the_executor_fails_before_it_opens_anything)
{
    struct bh_call *call = ask(0);
    await_executor();
    peers_fail(&peers, BH_ROLE_EXECUTOR, BH_FAILED_PRECONDITION, "container is already running");
    cr_assert_eq(finish(call), -1);
    cr_expect_eq(error.code, BH_FAILED_PRECONDITION);
    peers_expect_nothing(&peers);
}

Test(policyd_links, the_executor_dies_while_netd_works)
{
    struct bh_call *call = reach_netd(0);
    peers_hang_up(&peers, BH_ROLE_EXECUTOR);
    cr_assert_eq(read_pipe(), 0, "what it had begun gives up");
    peers_reply_connected(&peers, 8080);
    expect_unlink();
    peers_reply_done(&peers, BH_ROLE_NETD);
    cr_assert_eq(finish(call), -1);
    cr_expect_eq(error.code, BH_UNAVAILABLE);
}

Test(policyd_links, a_container_that_may_run_keeps_its_links)
{
    struct bh_call *call = reach_netd(0);
    peers_reply_connected(&peers, 8080);
    cr_expect_eq(read_pipe(), 1);
    peers_hang_up(&peers, BH_ROLE_EXECUTOR);
    cr_assert_eq(finish(call), -1);
    cr_expect_eq(error.code, BH_UNAVAILABLE);
    peers_expect_nothing(&peers);
}

Test(policyd_links, an_executor_that_offers_what_was_not_asked)
{
    static const size_t wrong[] = {0, 2, 4, 6};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct bh_call *call = ask(0);
        await_executor();
        peers_open_network(&peers, wrong[i], false);
        give_up();
        cr_assert_eq(finish(call), -1);
        cr_expect_eq(error.code, BH_INTERNAL, "%s", error.message);
        bh_close(&waiting);
    }
    peers_expect_nothing(&peers);
}

Test(policyd_links, an_executor_that_offers_twice)
{
    struct bh_call *call = reach_netd(0);
    peers_open_network(&peers, 3, false);
    cr_assert_eq(read_pipe(), 0);
    peers_reply_connected(&peers, 8080);
    peers_fail(&peers, BH_ROLE_EXECUTOR, BH_UNAVAILABLE, "the network was not set up");
    expect_unlink();
    peers_reply_done(&peers, BH_ROLE_NETD);
    cr_assert_eq(finish(call), -1);
    cr_expect_eq(error.code, BH_INTERNAL);
}

Test(policyd_links, an_executor_that_does_not_wait)
{
    struct bh_call *call = reach_netd(0);
    peers_reply_started(&peers);
    cr_assert_eq(read_pipe(), 0);
    peers_reply_connected(&peers, 8080);
    expect_unlink();
    peers_reply_done(&peers, BH_ROLE_NETD);
    cr_assert_eq(finish(call), -1);
    cr_expect_eq(error.code, BH_INTERNAL);
}

/* ---- the engine gives up ---------------------------------------------------------------------------------------- */

Test(policyd_links, given_up_while_netd_works)
{
    struct bh_call *call = reach_netd(0);
    bh_call_free(call);
    cr_assert_eq(read_pipe(), 0);
    peers_reply_connected(&peers, 8080);
    peers_fail(&peers, BH_ROLE_EXECUTOR, BH_UNAVAILABLE, "the network was not set up");
    expect_unlink();
    peers_reply_done(&peers, BH_ROLE_NETD);
    peers_expect_nothing(&peers);
}

Test(policyd_links, given_up_before_the_executor_has_opened_anything)
{
    struct bh_call *call = ask(0);
    await_executor();
    bh_call_free(call);
    cr_assert_eq(read_pipe(), 0);
    peers_open_network(&peers, 3, false); /* on its way already */
    peers_fail(&peers, BH_ROLE_EXECUTOR, BH_UNAVAILABLE, "the network was not set up");
    peers_expect_nothing(&peers);
}

Test(policyd_links, a_container_that_runs_when_it_is_given_up_keeps_its_links)
{
    struct bh_call *call = reach_netd(0);
    peers_reply_connected(&peers, 8080);
    cr_expect_eq(read_pipe(), 1);
    bh_call_free(call);
    peers_reply_started(&peers);
    peers_expect_nothing(&peers);
}

Test(policyd_links, no_time_left)
{
    struct bh_call *call = reach_netd(300);
    cr_assert_eq(read_pipe(), 0);
    peers_fail(&peers, BH_ROLE_NETD, BH_DEADLINE_EXCEEDED, "netd's own words");
    peers_fail(&peers, BH_ROLE_EXECUTOR, BH_UNAVAILABLE, "the network was not set up");
    cr_assert_eq(finish(call), -1);
    cr_expect_eq(error.code, BH_DEADLINE_EXCEEDED);
    peers_expect_nothing(&peers);
}

/* ---- policyd dies ------------------------------------------------------------------------------------------------ */

Test(policyd_links, no_program_runs_when_policyd_has_died)
{
    struct bh_call *call = reach_netd(0);
    cr_assert_eq(kill(peers.harness.pid, SIGKILL), 0);
    cr_expect_eq(read_pipe(), 0);
    cr_assert_eq(finish(call), -1);
    cr_expect_eq(error.code, BH_UNAVAILABLE);
}

/* ---- whose network ------------------------------------------------------------------------------------------------
 */

Test(policyd_links, only_to_networks_of_ones_own)
{
    uint8_t other[32] = {9};
    endpoint.network.data = other;
    cr_assert_eq(finish(ask(0)), -1);
    cr_expect_eq(error.code, BH_PERMISSION_DENIED, "nobody made it");
    cr_expect(strstr(error.message, "network 090000000000 is none of this tenant's"), "%s", error.message);
    endpoint.network.data = network;
    spec.spec.tenant_uid = TENANT + 1;
    cr_assert_eq(finish(ask(0)), -1);
    cr_expect_eq(error.code, BH_PERMISSION_DENIED, "another tenant's");
    cr_expect_null(peers.asked[BH_ROLE_EXECUTOR], "the executor was not asked");
}

Test(policyd_links, no_port_that_the_rules_do_not_allow)
{
    port.first_host_port = port.last_host_port = 80;
    cr_assert_eq(finish(ask(0)), -1);
    cr_expect_eq(error.code, BH_PERMISSION_DENIED);
    cr_expect_str_eq(error.message,
                     "publishing on 0.0.0.0:80 is not allowed; on *:1024-65535 it is (rule \"publish\" of "
                     "the built-in rules for other tenants)");
}
