/* SPDX-License-Identifier: Apache-2.0
 *
 * Networks at the one door; see networks.h.
 */
#include "networks.h"

#include <stdlib.h>
#include <string.h>

#include "admission.h"
#include "common/limits.h"
#include "common/log.h"
#include "engine_policyd.pb-c.h"
#include "judge.h"
#include "policyd_netd.pb-c.h"
#include "relay.h"
#include "spec_check.h"

#define ANSWERED(name)  BULKHEAD__NETD_TO_POLICYD__BODY_##name
#define PASSED_AS(name) BULKHEAD__POLICYD_TO_ENGINE__BODY_##name

static struct policyd *policyd_of(const struct bh_request *request)
{
    const struct bh_service_context *context = bh_request_owner(request);
    return context->state;
}

/* ---- whose they are --------------------------------------------------------------------------------------- */

bool networks_are_unknown(const struct policyd *policyd, const Bulkhead__Attachment *attachment)
{
    for (size_t i = 0; attachment && i < attachment->n_endpoints; i++) {
        if (!known_find(&policyd->networks, attachment->endpoints[i]->network.data)) {
            return true;
        }
    }
    return false;
}

const uint8_t *networks_find_foreign(const struct policyd *policyd, const Bulkhead__Attachment *attachment,
                                     uint32_t tenant_uid)
{
    for (size_t i = 0; attachment && i < attachment->n_endpoints; i++) {
        const uint8_t *id = attachment->endpoints[i]->network.data;
        const struct known_container *known = known_find(&policyd->networks, id);
        if (!known || known->tenant_uid != tenant_uid) {
            return id;
        }
    }
    return NULL;
}

struct lesson {
    struct policyd *policyd;
    void (*then)(struct policyd *policyd, void *argument);
    void *argument;
    uint64_t trace;
};

static void learn_from(struct policyd *policyd, const struct bh_message *answer)
{
    if (answer->kind != ANSWERED(NETWORK_FOUND)) {
        return;
    }
    const Bulkhead__NetworkFound *found = bh_message_body(answer);
    if (found->network && found->network->id.len == BH_DIGEST_BYTES) {
        (void)known_add(&policyd->networks, found->network->id.data, found->network->tenant_uid);
    }
}

static void on_lesson(struct bh_message *message, const struct bh_error *error, void *argument)
{
    struct lesson *lesson = argument;
    bh_automessage struct bh_message *answer = message;
    if (answer && answer->more) {
        learn_from(lesson->policyd, answer);
        return;
    }
    if (!answer && error) {
        bh_log_failure(BH_LOG_WARNING, error, "ask netd for its networks");
    }
    bh_log_set_trace(lesson->trace);
    if (lesson->then) {
        lesson->then(lesson->policyd, lesson->argument);
    }
    bh_log_set_trace(0);
    free(lesson);
}

void networks_learn(struct policyd *policyd, void (*then)(struct policyd *policyd, void *argument), void *argument)
{
    Bulkhead__ListMadeNetworks list = BULKHEAD__LIST_MADE_NETWORKS__INIT;
    Bulkhead__PolicydToNetd packet = BULKHEAD__POLICYD_TO_NETD__INIT;
    packet.body_case = BULKHEAD__POLICYD_TO_NETD__BODY_LIST_MADE_NETWORKS;
    packet.list_made_networks = &list;
    struct bh_error error;
    struct lesson *lesson = calloc(1, sizeof(*lesson));
    if (lesson) {
        *lesson = (struct lesson){.policyd = policyd, .then = then, .argument = argument, .trace = bh_log_trace()};
        if (bh_call_async(bh_service_peer(policyd->context, BH_ROLE_NETD), &packet.base, NULL, 0, 0, on_lesson, lesson,
                          NULL, &error) == 0) {
            return;
        }
        free(lesson);
    }
    if (then) {
        then(policyd, argument);
    }
}

/* ---- made and dropped ------------------------------------------------------------------------------------- */

static int write_down(struct policyd *policyd, const struct bh_request *request, const char *operation,
                      uint32_t tenant_uid, const char *name, const struct judgement *judgement, struct bh_error *error)
{
    struct audit_record record = {.operation = operation,
                                  .trace = bh_request_trace(request),
                                  .has_tenant = true,
                                  .tenant_uid = tenant_uid,
                                  .network = name,
                                  .number = -1};
    return admission_record(policyd, &record, judgement, error);
}

static bool is_foreign(const struct policyd *policyd, const uint8_t *id, uint32_t tenant_uid)
{
    const struct known_container *known = known_find(&policyd->networks, id);
    return known && known->tenant_uid != tenant_uid;
}

static const struct relay_kind done_relay = {.peer = BH_ROLE_NETD, .reply = ANSWERED(DONE)};

static void on_made(struct policyd *policyd, const uint8_t id[static 32], const struct bh_message *answer)
{
    (void)answer;
    struct known_container *known = known_find(&policyd->networks, id);
    if (known) {
        known->starting = false;
    }
}

/* One that was made before stays known. */
static void on_not_made(struct policyd *policyd, const uint8_t id[static 32])
{
    const struct known_container *known = known_find(&policyd->networks, id);
    if (known && known->starting) {
        known_remove(&policyd->networks, id);
    }
}

static const struct relay_kind make_relay = {
    .peer = BH_ROLE_NETD, .reply = ANSWERED(DONE), .on_answer = on_made, .on_failure = on_not_made};

static int remember(struct policyd *policyd, const Bulkhead__NetworkSpec *network, struct bh_error *error)
{
    if (known_find(&policyd->networks, network->id.data)) {
        return 0;
    }
    struct known_container *known = known_add(&policyd->networks, network->id.data, network->tenant_uid);
    if (!known) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "too many networks are known; remove some");
    }
    known->starting = true;
    return 0;
}

/* Judges, writes down, fills in, passes on. */
static int make(struct policyd *policyd, struct bh_request *request, const Bulkhead__MakeNetwork *body,
                struct bh_error *error)
{
    const Bulkhead__NetworkSpec *network = body->network;
    const struct rules *rules = rule_book_find(&policyd->book, network->tenant_uid);
    struct judgement judgement;
    if (is_foreign(policyd, network->id.data, network->tenant_uid)) {
        judge_network_owner(network->id.data, &judgement);
    } else {
        judge_network(network, rules, &policyd->pools, &judgement);
    }
    if (write_down(policyd, request, "MakeNetwork", network->tenant_uid, network->name, &judgement, error) < 0) {
        return -1;
    }
    if (!judgement_passes(&judgement)) {
        return bh_error_set(error, BH_PERMISSION_DENIED, "%s", judgement.reason);
    }
    if (remember(policyd, network, error) < 0) {
        return -1;
    }
    Bulkhead__MakeNetwork filled = *body;
    filled.most = rules->audit_only ? 0 : (uint32_t)rules->quotas.networks;
    Bulkhead__PolicydToNetd packet = BULKHEAD__POLICYD_TO_NETD__INIT;
    packet.body_case = BULKHEAD__POLICYD_TO_NETD__BODY_MAKE_NETWORK;
    packet.make_network = &filled;
    relay(policyd, request, &packet.base, &make_relay, network->id.data);
    return 0;
}

void networks_make(struct bh_request *request)
{
    const Bulkhead__MakeNetwork *body = bh_request_body(request);
    struct bh_error error = {0};
    int result = spec_check_network(body->network, &error);
    if (result == 0 && body->most) {
        result =
            bh_error_set(&error, BH_INVALID_ARGUMENT, "the tenant's quota is policyd's to fill in; leave it empty");
    }
    if (result < 0 || make(policyd_of(request), request, body, &error) < 0) {
        (void)bh_request_fail(request, &error);
    }
}

static void on_dropped(struct policyd *policyd, const uint8_t id[static 32], const struct bh_message *answer)
{
    (void)answer;
    known_remove(&policyd->networks, id);
}

void networks_drop(struct bh_request *request)
{
    static const struct relay_kind kind = {.peer = BH_ROLE_NETD, .reply = ANSWERED(DONE), .on_answer = on_dropped};
    struct policyd *policyd = policyd_of(request);
    Bulkhead__DropNetwork body = *(const Bulkhead__DropNetwork *)bh_request_body(request);
    const Bulkhead__NetworkId *network = body.network;
    struct judgement judgement = {0};
    struct bh_error error = {0};
    if (!network || network->id.len != BH_DIGEST_BYTES || network->tenant_uid == UINT32_MAX ||
        !spec_is_network_name(body.name)) {
        (void)bh_error_set(&error, BH_INVALID_ARGUMENT, "a network is named by an id of 32 bytes, its tenant and name");
        (void)bh_request_fail(request, &error);
        return;
    }
    if (is_foreign(policyd, network->id.data, network->tenant_uid)) {
        judge_network_owner(network->id.data, &judgement);
    }
    if (write_down(policyd, request, "DropNetwork", network->tenant_uid, body.name, &judgement, &error) < 0) {
        (void)bh_request_fail(request, &error);
    } else if (judgement.refused) {
        (void)bh_error_set(&error, BH_PERMISSION_DENIED, "%s", judgement.reason);
        (void)bh_request_fail(request, &error);
    } else {
        Bulkhead__PolicydToNetd packet = BULKHEAD__POLICYD_TO_NETD__INIT;
        packet.body_case = BULKHEAD__POLICYD_TO_NETD__BODY_DROP_NETWORK;
        packet.drop_network = &body;
        relay(policyd, request, &packet.base, &kind, network->id.data);
    }
}

/* ---- links of a container --------------------------------------------------------------------------------- */

void networks_disconnect(struct bh_request *request)
{
    struct policyd *policyd = policyd_of(request);
    Bulkhead__DisconnectContainer body = *(const Bulkhead__DisconnectContainer *)bh_request_body(request);
    const Bulkhead__ContainerId *container = body.container;
    struct judgement judgement = {0};
    struct bh_error error = {0};
    bool fits = container && container->id.len == BH_DIGEST_BYTES && container->tenant_uid != UINT32_MAX &&
                body.n_endpoints <= BH_ENDPOINTS_MAX;
    for (size_t i = 0; fits && i < body.n_endpoints; i++) {
        fits = body.endpoints[i].len == BH_DIGEST_BYTES;
    }
    if (!fits) {
        (void)bh_error_set(&error, BH_INVALID_ARGUMENT,
                           "a container is named by an id of 32 bytes and its tenant, and each of at most %d links by "
                           "its id",
                           BH_ENDPOINTS_MAX);
        (void)bh_request_fail(request, &error);
        return;
    }
    const struct known_container *known = known_find(&policyd->known, container->id.data);
    if (known && known->tenant_uid != container->tenant_uid) {
        judge_owner("disconnect", &judgement);
    }
    struct audit_record record = {.operation = "DisconnectContainer",
                                  .trace = bh_request_trace(request),
                                  .has_tenant = true,
                                  .tenant_uid = container->tenant_uid,
                                  .container = container->id.data,
                                  .number = -1};
    if (admission_record(policyd, &record, &judgement, &error) < 0) {
        (void)bh_request_fail(request, &error);
    } else if (judgement.refused) {
        (void)bh_error_set(&error, BH_PERMISSION_DENIED, "%s", judgement.reason);
        (void)bh_request_fail(request, &error);
    } else {
        Bulkhead__PolicydToNetd packet = BULKHEAD__POLICYD_TO_NETD__INIT;
        packet.body_case = BULKHEAD__POLICYD_TO_NETD__BODY_DISCONNECT_CONTAINER;
        packet.disconnect_container = &body;
        relay(policyd, request, &packet.base, &done_relay, NULL);
    }
}

/* ---- all of them ------------------------------------------------------------------------------------------ */

/* The host's rules as they are and as they should be: of nobody in particular. */
void networks_check(struct bh_request *request)
{
    static const struct relay_kind kind = {
        .peer = BH_ROLE_NETD, .reply = ANSWERED(NETWORKS_CHECKED), .passed_as = PASSED_AS(NETWORKS_CHECKED)};
    Bulkhead__CheckNetworks body = BULKHEAD__CHECK_NETWORKS__INIT;
    Bulkhead__PolicydToNetd packet = BULKHEAD__POLICYD_TO_NETD__INIT;
    packet.body_case = BULKHEAD__POLICYD_TO_NETD__BODY_CHECK_NETWORKS;
    packet.check_networks = &body;
    relay(policyd_of(request), request, &packet.base, &kind, NULL);
}

void networks_settle(struct bh_request *request)
{
    struct policyd *policyd = policyd_of(request);
    const struct audit_record record = {
        .operation = "SettleNetworks", .verdict = "allow", .trace = bh_request_trace(request), .number = -1};
    struct bh_error error = {0};
    if (audit_append(&policyd->audit, &record, &error) < 0) {
        (void)bh_request_fail(request, &error);
        return;
    }
    Bulkhead__SettleNetworks body = BULKHEAD__SETTLE_NETWORKS__INIT;
    Bulkhead__PolicydToNetd packet = BULKHEAD__POLICYD_TO_NETD__INIT;
    packet.body_case = BULKHEAD__POLICYD_TO_NETD__BODY_SETTLE_NETWORKS;
    packet.settle_networks = &body;
    relay(policyd, request, &packet.base, &done_relay, NULL);
}
