/* SPDX-License-Identifier: Apache-2.0
 *
 * Linking a container that runs; see links.h. One question after the other: what the executor opens goes to netd.
 */
#include <errno.h>
#include <stdlib.h>

#include "admission.h"
#include "common/io.h"
#include "common/log.h"
#include "engine_policyd.pb-c.h"
#include "links.h"
#include "links_parts.h"
#include "networks.h"
#include "policyd_executor.pb-c.h"
#include "policyd_netd.pb-c.h"
#include "spec_check.h"

#define FDS_PLAIN 3U /* the namespace and two netlink sockets */
#define FDS_DNS   6U /* and three for names */

/* ---- what a start asks, too -------------------------------------------------------------------------------- */

int links_check_opened(const struct bh_message *answer, const Bulkhead__Attachment *attachment, struct bh_error *error)
{
    size_t wanted = attachment->embedded_dns ? FDS_DNS : FDS_PLAIN;
    return answer->kind == BULKHEAD__EXECUTOR_TO_POLICYD__BODY_NETWORK_OPENED && answer->n_fds == wanted
               ? 0
               : bh_error_set(error, BH_INTERNAL,
                              "the executor opened a network with message %u and %zu descriptors; %zu were wanted",
                              answer->kind, answer->n_fds, wanted);
}

int links_check_connected(const struct bh_message *answer, struct bh_error *error)
{
    return answer->kind == BULKHEAD__NETD_TO_POLICYD__BODY_CONTAINER_CONNECTED && answer->n_fds == 0 && !answer->more
               ? 0
               : bh_error_set(error, BH_INTERNAL,
                              "netd answered with message %u and %zu descriptors, which is not what was asked for",
                              answer->kind, answer->n_fds);
}

static Bulkhead__ContainerId name_of(const ProtobufCBinaryData *id, uint32_t tenant_uid)
{
    Bulkhead__ContainerId name = BULKHEAD__CONTAINER_ID__INIT;
    name.id = *id;
    name.tenant_uid = tenant_uid;
    return name;
}

int links_ask_link(struct policyd *policyd, const ProtobufCBinaryData *id, uint32_t tenant_uid,
                   Bulkhead__Attachment *attachment, const struct bh_message *opened, uint32_t deadline_ms,
                   bh_call_notify notify, void *argument, struct bh_error *error)
{
    Bulkhead__ContainerId name = name_of(id, tenant_uid);
    Bulkhead__LinkContainer link = BULKHEAD__LINK_CONTAINER__INIT;
    Bulkhead__PolicydToNetd packet = BULKHEAD__POLICYD_TO_NETD__INIT;
    link.container = &name;
    link.attachment = attachment;
    packet.body_case = BULKHEAD__POLICYD_TO_NETD__BODY_LINK_CONTAINER;
    packet.link_container = &link;
    return bh_call_async(bh_service_peer(policyd->context, BH_ROLE_NETD), &packet.base, opened->fds, opened->n_fds,
                         deadline_ms, notify, argument, NULL, error);
}

int links_ask_unlink(struct policyd *policyd, const ProtobufCBinaryData *id, uint32_t tenant_uid, bh_call_notify notify,
                     void *argument, struct bh_error *error)
{
    Bulkhead__ContainerId name = name_of(id, tenant_uid);
    Bulkhead__DisconnectContainer disconnect = BULKHEAD__DISCONNECT_CONTAINER__INIT;
    Bulkhead__PolicydToNetd packet = BULKHEAD__POLICYD_TO_NETD__INIT;
    disconnect.container = &name;
    packet.body_case = BULKHEAD__POLICYD_TO_NETD__BODY_DISCONNECT_CONTAINER;
    packet.disconnect_container = &disconnect;
    return bh_call_async(bh_service_peer(policyd->context, BH_ROLE_NETD), &packet.base, NULL, 0, 0, notify, argument,
                         NULL, error);
}

/* ---- a connection ------------------------------------------------------------------------------------------ */

struct connection {
    struct policyd *policyd;
    struct bh_request
        *request; /* given up by the engine: goes on, and the engine asks for the links to be taken away */
};

static const Bulkhead__ConnectContainer *asked_of(const struct connection *connection)
{
    return bh_request_body(connection->request);
}

static void finish(struct connection *connection, const struct bh_error *error)
{
    if (error) {
        (void)bh_request_fail(connection->request, error);
    }
    bh_request_unref(connection->request);
    free(connection);
}

static uint32_t time_left_ms(const struct bh_request *request)
{
    uint64_t now = bh_now_ms(), end = bh_request_deadline_at_ms(request);
    return end > now ? (uint32_t)(end - now) : 1;
}

static void on_linked(struct bh_message *message, const struct bh_error *error, void *argument)
{
    struct connection *connection = argument;
    bh_automessage struct bh_message *answer = message;
    struct bh_error failure = {0};
    bh_log_set_trace(bh_request_trace(connection->request));
    if (answer && links_check_connected(answer, &failure) == 0) {
        Bulkhead__PolicydToEngine packet = BULKHEAD__POLICYD_TO_ENGINE__INIT;
        packet.body_case = BULKHEAD__POLICYD_TO_ENGINE__BODY_CONTAINER_CONNECTED;
        packet.container_connected = (Bulkhead__ContainerConnected *)(uintptr_t)bh_message_body(answer);
        (void)bh_request_reply(connection->request, &packet.base, NULL, 0);
        error = NULL;
    } else {
        error = answer ? &failure : error;
    }
    finish(connection, error);
    bh_log_set_trace(0);
}

static void on_opened(struct bh_message *message, const struct bh_error *error, void *argument)
{
    struct connection *connection = argument;
    bh_automessage struct bh_message *answer = message;
    const Bulkhead__ConnectContainer *asked = asked_of(connection);
    struct bh_error failure = {0};
    bh_log_set_trace(bh_request_trace(connection->request));
    if (!answer) {
        finish(connection, error);
    } else if (answer->more || links_check_opened(answer, asked->attachment, &failure) < 0 ||
               links_ask_link(connection->policyd, &asked->container->id, asked->container->tenant_uid,
                              asked->attachment, answer, time_left_ms(connection->request), on_linked, connection,
                              &failure) < 0) {
        finish(connection, &failure);
    }
    bh_log_set_trace(0);
}

static bool has_ipv6(const Bulkhead__Attachment *attachment)
{
    bool has = false;
    for (size_t i = 0; i < attachment->n_endpoints; i++) {
        has = has || attachment->endpoints[i]->address6.len > 0;
    }
    return has;
}

static int begin(struct policyd *policyd, struct bh_request *request, struct bh_error *error)
{
    const Bulkhead__ConnectContainer *asked = bh_request_body(request);
    struct connection *connection = calloc(1, sizeof(*connection));
    if (!connection) {
        return bh_error_errno(error, ENOMEM, "connect a container");
    }
    *connection = (struct connection){.policyd = policyd, .request = bh_request_ref(request)};
    Bulkhead__OpenNetwork open = BULKHEAD__OPEN_NETWORK__INIT;
    open.container = asked->container;
    open.ipv6 = has_ipv6(asked->attachment);
    Bulkhead__PolicydToExecutor packet = BULKHEAD__POLICYD_TO_EXECUTOR__INIT;
    packet.body_case = BULKHEAD__POLICYD_TO_EXECUTOR__BODY_OPEN_NETWORK;
    packet.open_network = &open;
    if (bh_call_async(bh_service_peer(policyd->context, BH_ROLE_EXECUTOR), &packet.base, NULL, 0, time_left_ms(request),
                      on_opened, connection, NULL, error) < 0) {
        finish(connection, error);
    }
    return 0;
}

/* ---- its judgement ----------------------------------------------------------------------------------------- */

static int check(const Bulkhead__ConnectContainer *asked, struct bh_error *error)
{
    const Bulkhead__ContainerId *container = asked->container;
    if (!container || container->id.len != BH_DIGEST_BYTES || container->tenant_uid == UINT32_MAX ||
        !asked->attachment) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "a container is named by an id of 32 bytes and its tenant, and connected by its links");
    }
    if (asked->name[0] && !spec_is_network_name(asked->name)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "the network's name \"%.100s\" must be one line", asked->name);
    }
    return spec_check_attachment(asked->attachment, error);
}

static void judge(const struct policyd *policyd, const Bulkhead__ConnectContainer *asked, struct judgement *judgement)
{
    uint32_t tenant_uid = asked->container->tenant_uid;
    const struct known_container *known = known_find(&policyd->known, asked->container->id.data);
    const uint8_t *foreign = networks_find_foreign(policyd, asked->attachment, tenant_uid);
    if (known && known->tenant_uid != tenant_uid) {
        judge_owner("connect", judgement);
    } else if (foreign) {
        judge_network_owner(foreign, judgement);
    } else {
        judge_connection(asked->attachment, rule_book_find(&policyd->book, tenant_uid), judgement);
    }
}

static void connect_known(struct policyd *policyd, void *argument)
{
    struct bh_request *request = argument;
    const Bulkhead__ConnectContainer *asked = bh_request_body(request);
    struct judgement judgement;
    struct bh_error error = {0};
    struct audit_record record = {.operation = "ConnectContainer",
                                  .trace = bh_request_trace(request),
                                  .has_tenant = true,
                                  .tenant_uid = asked->container->tenant_uid,
                                  .container = asked->container->id.data,
                                  .network = asked->name,
                                  .number = -1};
    judge(policyd, asked, &judgement);
    int result = admission_record(policyd, &record, &judgement, &error);
    if (result == 0 && !judgement_passes(&judgement)) {
        result = bh_error_set(&error, BH_PERMISSION_DENIED, "%s", judgement.reason);
    }
    if (result < 0 || begin(policyd, request, &error) < 0) {
        (void)bh_request_fail(request, &error);
    }
    bh_request_unref(request);
}

void links_connect(struct bh_request *request)
{
    struct policyd *policyd = admission_policyd(request);
    const Bulkhead__ConnectContainer *asked = bh_request_body(request);
    struct bh_error error = {0};
    if (check(asked, &error) < 0) {
        (void)bh_request_fail(request, &error);
    } else if (networks_are_unknown(policyd, asked->attachment)) {
        networks_learn(policyd, connect_known, bh_request_ref(request));
    } else {
        connect_known(policyd, bh_request_ref(request));
    }
}
