/* SPDX-License-Identifier: Apache-2.0
 *
 * See peers.h.
 */
#include "peers.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"

#define WAIT_MS 10000

/* ---- what peers do by themselves --------------------------------------------------------------------------- */

static void keep(struct bh_request *request, enum bh_role role)
{
    struct peers *peers = bh_request_owner(request);
    cr_assert_null(peers->asked[role], "asked twice at a time");
    peers->asked[role] = bh_request_ref(request);
}

static void keep_executor(struct bh_request *request)
{
    keep(request, BH_ROLE_EXECUTOR);
}

static void keep_netd(struct bh_request *request)
{
    keep(request, BH_ROLE_NETD);
}

static void list_containers(struct bh_request *request)
{
    Bulkhead__Done done = BULKHEAD__DONE__INIT;
    Bulkhead__ExecutorToPolicyd packet = BULKHEAD__EXECUTOR_TO_POLICYD__INIT;
    packet.body_case = BULKHEAD__EXECUTOR_TO_POLICYD__BODY_DONE;
    packet.done = &done;
    (void)bh_request_reply(request, &packet.base, NULL, 0);
}

static void list_networks(struct bh_request *request)
{
    struct peers *peers = bh_request_owner(request);
    Bulkhead__NetworkId id = BULKHEAD__NETWORK_ID__INIT;
    Bulkhead__NetworkFound found = BULKHEAD__NETWORK_FOUND__INIT;
    Bulkhead__Done done = BULKHEAD__DONE__INIT;
    Bulkhead__NetdToPolicyd packet = BULKHEAD__NETD_TO_POLICYD__INIT;
    if (peers->listed_tenant) {
        id.id = (ProtobufCBinaryData){.len = 32, .data = peers->listed_network};
        id.tenant_uid = peers->listed_tenant;
        found.network = &id;
        packet.body_case = BULKHEAD__NETD_TO_POLICYD__BODY_NETWORK_FOUND;
        packet.network_found = &found;
        (void)bh_request_progress(request, &packet.base, NULL, 0);
    }
    packet.body_case = BULKHEAD__NETD_TO_POLICYD__BODY_DONE;
    packet.done = &done;
    (void)bh_request_reply(request, &packet.base, NULL, 0);
}

static const struct bh_protocol executor_protocol = {
    .name = "policyd_executor",
    .incoming = &bulkhead__policyd_to_executor__descriptor,
    .outgoing = &bulkhead__executor_to_policyd__descriptor,
    .handlers =
        (const struct bh_handler[]){
            {BULKHEAD__POLICYD_TO_EXECUTOR__BODY_LIST_CONTAINERS, "ListContainers", ~0u, 0, 0, list_containers},
            {BULKHEAD__POLICYD_TO_EXECUTOR__BODY_START_CONTAINER, "StartContainer", ~0u, 0, 16, keep_executor},
            {BULKHEAD__POLICYD_TO_EXECUTOR__BODY_OPEN_NETWORK, "OpenNetwork", ~0u, 0, 0, keep_executor},
            {0},
        },
};

static const struct bh_protocol netd_protocol = {
    .name = "policyd_netd",
    .incoming = &bulkhead__policyd_to_netd__descriptor,
    .outgoing = &bulkhead__netd_to_policyd__descriptor,
    .handlers =
        (const struct bh_handler[]){
            {BULKHEAD__POLICYD_TO_NETD__BODY_LIST_MADE_NETWORKS, "ListMadeNetworks", ~0u, 0, 0, list_networks},
            {BULKHEAD__POLICYD_TO_NETD__BODY_MAKE_NETWORK, "MakeNetwork", ~0u, 0, 0, keep_netd},
            {BULKHEAD__POLICYD_TO_NETD__BODY_DROP_NETWORK, "DropNetwork", ~0u, 0, 0, keep_netd},
            {BULKHEAD__POLICYD_TO_NETD__BODY_LINK_CONTAINER, "LinkContainer", ~0u, 0, 16, keep_netd},
            {BULKHEAD__POLICYD_TO_NETD__BODY_DISCONNECT_CONTAINER, "DisconnectContainer", ~0u, 0, 0, keep_netd},
            {BULKHEAD__POLICYD_TO_NETD__BODY_CHECK_NETWORKS, "CheckNetworks", ~0u, 0, 0, keep_netd},
            {BULKHEAD__POLICYD_TO_NETD__BODY_SETTLE_NETWORKS, "SettleNetworks", ~0u, 0, 0, keep_netd},
            {0},
        },
};

static const struct bh_protocol engine_protocol = {
    .name = "engine_policyd",
    .incoming = &bulkhead__policyd_to_engine__descriptor,
    .outgoing = &bulkhead__engine_to_policyd__descriptor,
};

/* ---- life --------------------------------------------------------------------------------------------------- */

static const struct bh_protocol *protocol_of(enum bh_role role)
{
    return role == BH_ROLE_NETD ? &netd_protocol : role == BH_ROLE_EXECUTOR ? &executor_protocol : &engine_protocol;
}

void peers_open(struct peers *peers)
{
    struct harness_options options = {.program = "bulkhead-policyd",
                                      .role = BH_ROLE_POLICYD,
                                      .peers = {BH_ROLE_ENGINE, BH_ROLE_EXECUTOR, BH_ROLE_NETD},
                                      .folders = {BH_FOLDER_STATE, BH_FOLDER_POLICY}};
    harness_start(&peers->harness, &options);
    for (size_t i = 0; options.peers[i]; i++) {
        (void)harness_channel(&peers->harness, options.peers[i], protocol_of(options.peers[i]));
    }
}

static void forget(struct peers *peers, enum bh_role role)
{
    if (peers->asked[role]) {
        bh_request_unref(peers->asked[role]);
        peers->asked[role] = NULL;
    }
}

void peers_close(struct peers *peers)
{
    forget(peers, BH_ROLE_EXECUTOR);
    forget(peers, BH_ROLE_NETD);
    (void)harness_stop(&peers->harness);
}

void peers_hang_up(struct peers *peers, enum bh_role role)
{
    (void)shutdown(bh_channel_fd(peers->harness.channels[role]), SHUT_RDWR);
    forget(peers, role);
    bh_channel_free(peers->harness.channels[role]);
    peers->harness.channels[role] = NULL;
}

void peers_rewire(struct peers *peers, enum bh_role role)
{
    struct bh_error error;
    int ends[2];
    const struct bh_control record = {.kind = BH_CONTROL_PEER, .role = role};
    cr_assert_eq(bh_channel_pair(ends, &error), 0);
    cr_assert_eq(bh_control_send(peers->harness.control, &record, ends[1], &error), 0);
    bh_close(&ends[1]);
    peers->harness.peers[role] = ends[0];
    (void)harness_channel(&peers->harness, role, protocol_of(role));
}

/* ---- questions and answers ---------------------------------------------------------------------------------- */

/* Takes what executor and netd are asked. Returns whether the engine has an answer, if it waits for one. */
static bool serve(struct peers *peers, bool engine)
{
    static const enum bh_role roles[] = {BH_ROLE_ENGINE, BH_ROLE_EXECUTOR, BH_ROLE_NETD};
    struct pollfd waits[3];
    struct bh_error error = {0};
    for (size_t i = 0; i < 3; i++) {
        struct bh_channel *channel = peers->harness.channels[roles[i]];
        waits[i] = (struct pollfd){.fd = channel && (i > 0 || engine) ? bh_channel_fd(channel) : -1, .events = POLLIN};
    }
    cr_assert_gt(poll(waits, 3, WAIT_MS), 0, "nobody is asked or answered anything");
    for (size_t i = 1; i < 3; i++) {
        if (waits[i].revents) {
            cr_assert_geq(bh_channel_poll(peers->harness.channels[roles[i]], 0, &error), 0, "%s", error.message);
        }
    }
    return waits[0].revents != 0;
}

struct bh_request *peers_await(struct peers *peers, enum bh_role role, uint32_t kind)
{
    while (!peers->asked[role]) {
        (void)serve(peers, false);
    }
    cr_assert_eq(bh_request_message(peers->asked[role])->kind, kind, "it was asked %u, not %u",
                 bh_request_message(peers->asked[role])->kind, kind);
    return peers->asked[role];
}

void peers_expect_nothing(struct peers *peers)
{
    Bulkhead__CheckNetworks check = BULKHEAD__CHECK_NETWORKS__INIT;
    Bulkhead__EngineToPolicyd packet = BULKHEAD__ENGINE_TO_POLICYD__INIT;
    packet.body_case = BULKHEAD__ENGINE_TO_POLICYD__BODY_CHECK_NETWORKS;
    packet.check_networks = &check;
    struct bh_call *call = peers_call(peers, &packet, 0);
    (void)peers_await(peers, BH_ROLE_NETD, BULKHEAD__POLICYD_TO_NETD__BODY_CHECK_NETWORKS);
    Bulkhead__NetworksChecked checked = BULKHEAD__NETWORKS_CHECKED__INIT;
    Bulkhead__NetdToPolicyd answer = BULKHEAD__NETD_TO_POLICYD__INIT;
    answer.body_case = BULKHEAD__NETD_TO_POLICYD__BODY_NETWORKS_CHECKED;
    answer.networks_checked = &checked;
    peers_reply(peers, BH_ROLE_NETD, &answer.base, 0);
    struct bh_error error;
    cr_assert_eq(peers_finish(peers, call, BULKHEAD__POLICYD_TO_ENGINE__BODY_NETWORKS_CHECKED, NULL, &error), 0, "%s",
                 error.message);
}

void peers_fail(struct peers *peers, enum bh_role role, enum bh_code code, const char *message)
{
    struct bh_error error;
    (void)bh_error_set(&error, code, "%s", message);
    (void)bh_request_fail(peers->asked[role], &error);
    forget(peers, role);
}

void peers_reply(struct peers *peers, enum bh_role role, ProtobufCMessage *packet, size_t n_fds)
{
    bh_autoclose int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    const int fds[] = {null, null, null, null, null, null, null, null};
    (void)bh_request_reply(peers->asked[role], packet, fds, n_fds);
    forget(peers, role);
}

void peers_reply_done(struct peers *peers, enum bh_role role)
{
    Bulkhead__Done done = BULKHEAD__DONE__INIT;
    Bulkhead__NetdToPolicyd packet = BULKHEAD__NETD_TO_POLICYD__INIT;
    packet.body_case = BULKHEAD__NETD_TO_POLICYD__BODY_DONE;
    packet.done = &done;
    peers_reply(peers, role, &packet.base, 0);
}

void peers_open_network(struct peers *peers, size_t n_fds, bool final)
{
    bh_autoclose int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    const int fds[] = {null, null, null, null, null, null, null, null};
    Bulkhead__NetworkOpened opened = BULKHEAD__NETWORK_OPENED__INIT;
    Bulkhead__ExecutorToPolicyd packet = BULKHEAD__EXECUTOR_TO_POLICYD__INIT;
    packet.body_case = BULKHEAD__EXECUTOR_TO_POLICYD__BODY_NETWORK_OPENED;
    packet.network_opened = &opened;
    if (final) {
        peers_reply(peers, BH_ROLE_EXECUTOR, &packet.base, n_fds);
    } else {
        (void)bh_request_progress(peers->asked[BH_ROLE_EXECUTOR], &packet.base, fds, n_fds);
    }
}

void peers_reply_started(struct peers *peers)
{
    Bulkhead__ContainerStarted started = BULKHEAD__CONTAINER_STARTED__INIT;
    Bulkhead__ExecutorToPolicyd packet = BULKHEAD__EXECUTOR_TO_POLICYD__INIT;
    started.pid = 4242;
    packet.body_case = BULKHEAD__EXECUTOR_TO_POLICYD__BODY_CONTAINER_STARTED;
    packet.container_started = &started;
    peers_reply(peers, BH_ROLE_EXECUTOR, &packet.base, 1);
}

void peers_reply_connected(struct peers *peers, uint32_t host_port)
{
    Bulkhead__PublishedPort port = BULKHEAD__PUBLISHED_PORT__INIT, *ports[] = {&port};
    Bulkhead__ContainerConnected connected = BULKHEAD__CONTAINER_CONNECTED__INIT;
    Bulkhead__NetdToPolicyd packet = BULKHEAD__NETD_TO_POLICYD__INIT;
    port.transport = BULKHEAD__TRANSPORT__TRANSPORT_TCP;
    port.container_port = 80;
    port.first_host_port = port.last_host_port = host_port;
    connected.ports = ports;
    connected.n_ports = 1;
    packet.body_case = BULKHEAD__NETD_TO_POLICYD__BODY_CONTAINER_CONNECTED;
    packet.container_connected = &connected;
    peers_reply(peers, BH_ROLE_NETD, &packet.base, 0);
}

struct bh_call *peers_call(struct peers *peers, Bulkhead__EngineToPolicyd *packet, uint32_t deadline_ms)
{
    struct bh_call *call = NULL;
    struct bh_error error = {0};
    cr_assert_eq(bh_call_start(peers->harness.channels[BH_ROLE_ENGINE], &packet->base, NULL, 0,
                               deadline_ms ? deadline_ms : WAIT_MS, &call, &error),
                 0, "%s", error.message);
    return call;
}

int peers_finish(struct peers *peers, struct bh_call *call, uint32_t kind, struct bh_message **ret_answer,
                 struct bh_error *error)
{
    bh_automessage struct bh_message *answer = NULL;
    bh_error_clear(error);
    while (!serve(peers, true)) {
    }
    int result = bh_call_next(call, &answer, error);
    bh_call_free(call);
    if (result < 0) {
        return -1;
    }
    cr_assert_eq(answer->kind, kind, "it was answered %u", answer->kind);
    if (ret_answer) {
        *ret_answer = bh_steal_pointer(&answer);
    }
    return 0;
}
