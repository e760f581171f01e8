/* SPDX-License-Identifier: Apache-2.0
 *
 * The one door's sides: engine_policyd as a dispatch table, policyd_executor and policyd_netd to call. Requests about a
 * container that is there are checked for its tenant, written down and passed on; those that rules are about are in
 * admission.c.
 */
#include "service.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "admission.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "engine_policyd.pb-c.h"
#include "judge.h"
#include "links.h"
#include "networks.h"
#include "policyd.h"
#include "policyd_netd.pb-c.h"
#include "relay.h"
#include "rules_file.h"
#include "spec_check.h"
#include "verification.h"
#include "volumes.h"

#define SIGNAL_MAX 64U

/* ---- requests about a container -------------------------------------------------------------------- */

static void on_removed(struct policyd *policyd, const uint8_t id[static 32], const struct bh_message *answer)
{
    (void)answer;
    known_remove(&policyd->known, id);
}

static void on_found(struct policyd *policyd, const uint8_t id[static 32], const struct bh_message *answer)
{
    (void)id;
    relay_learn_from(policyd, answer);
}

/* One kind of request: what it is called, what a good answer is, whether it is worth a line in the audit log if
 * allowed. */
struct operation {
    uint32_t kind;
    const char *name;
    bool quiet;
    struct relay_kind relay;
};

#define ASKED(name)    BULKHEAD__ENGINE_TO_POLICYD__BODY_##name
#define ANSWERED(name) BULKHEAD__EXECUTOR_TO_POLICYD__BODY_##name

static const struct operation operations[] = {
    {ASKED(SIGNAL_CONTAINER), "SignalContainer", false, {.reply = ANSWERED(DONE)}},
    {ASKED(OPEN_MONITOR), "OpenMonitor", false, {.reply = ANSWERED(MONITOR_OPENED), .fds_min = 1, .fds_max = 1}},
    {ASKED(OPEN_LOG), "OpenLog", false, {.reply = ANSWERED(LOG_OPENED), .fds_min = 1, .fds_max = BH_MESSAGE_FDS_MAX}},
    {ASKED(FREEZE_CONTAINER), "FreezeContainer", false, {.reply = ANSWERED(DONE)}},
    {ASKED(UPDATE_CONTAINER), "UpdateContainer", false, {.reply = ANSWERED(DONE)}},
    {ASKED(REMOVE_CONTAINER), "RemoveContainer", false, {.reply = ANSWERED(DONE), .on_answer = on_removed}},
    {ASKED(INSPECT_CONTAINER), "InspectContainer", true, {.reply = ANSWERED(CONTAINER_FOUND), .on_answer = on_found}},
    {ASKED(OPEN_EXEC_MONITOR),
     "OpenExecMonitor",
     true,
     {.reply = ANSWERED(MONITOR_OPENED), .fds_min = 1, .fds_max = 1}},
    {ASKED(SIGNAL_EXEC), "SignalExec", false, {.reply = ANSWERED(DONE)}},
    {ASKED(INSPECT_EXEC), "InspectExec", true, {.reply = ANSWERED(EXEC_FOUND)}},
    {ASKED(REMOVE_EXEC), "RemoveExec", true, {.reply = ANSWERED(DONE)}},
    {ASKED(READ_STATS), "ReadStats", true, {.reply = ANSWERED(STATS_READ), .fds_max = 1}},
    {ASKED(LIST_PROCESSES), "ListProcesses", false, {.reply = ANSWERED(PROCESSES_LISTED), .fds_min = 1, .fds_max = 1}},
};

static const struct operation *find_operation(uint32_t kind)
{
    const struct operation *operation = operations;
    while (operation->kind != kind) {
        operation++; /* the dispatch table names no other kind */
    }
    return operation;
}

/* The container a request is about, and the same request as a packet for the executor (which borrows it). */
static const Bulkhead__ContainerId *translate(const Bulkhead__EngineToPolicyd *asked,
                                              Bulkhead__PolicydToExecutor *packet)
{
#define TRANSLATE(upper, lower)                                                                                        \
    case ASKED(upper):                                                                                                 \
        packet->body_case = BULKHEAD__POLICYD_TO_EXECUTOR__BODY_##upper;                                               \
        packet->lower = asked->lower;                                                                                  \
        return asked->lower->container
#define TRANSLATE_EXEC(upper, lower)                                                                                   \
    case ASKED(upper):                                                                                                 \
        packet->body_case = BULKHEAD__POLICYD_TO_EXECUTOR__BODY_##upper;                                               \
        packet->lower = asked->lower;                                                                                  \
        return asked->lower->exec && asked->lower->exec->id.len == BH_DIGEST_BYTES ? asked->lower->exec->container     \
                                                                                   : NULL
    switch (asked->body_case) {
        TRANSLATE(SIGNAL_CONTAINER, signal_container);
        TRANSLATE(OPEN_MONITOR, open_monitor);
        TRANSLATE(OPEN_LOG, open_log);
        TRANSLATE(FREEZE_CONTAINER, freeze_container);
        TRANSLATE(UPDATE_CONTAINER, update_container);
        TRANSLATE(REMOVE_CONTAINER, remove_container);
        TRANSLATE(INSPECT_CONTAINER, inspect_container);
        TRANSLATE(READ_STATS, read_stats);
        TRANSLATE(LIST_PROCESSES, list_processes);
        TRANSLATE_EXEC(OPEN_EXEC_MONITOR, open_exec_monitor);
        TRANSLATE_EXEC(SIGNAL_EXEC, signal_exec);
        TRANSLATE_EXEC(INSPECT_EXEC, inspect_exec);
        TRANSLATE_EXEC(REMOVE_EXEC, remove_exec);
    default:
        return NULL;
    }
#undef TRANSLATE_EXEC
#undef TRANSLATE
}

/* 0 if it sends none. */
static uint32_t signal_of(const Bulkhead__EngineToPolicyd *asked)
{
    return asked->body_case == ASKED(SIGNAL_CONTAINER) ? asked->signal_container->signal
           : asked->body_case == ASKED(SIGNAL_EXEC)    ? asked->signal_exec->signal
                                                       : 0;
}

/* Whether the request makes sense, beside whose container it is. */
static int check(const Bulkhead__EngineToPolicyd *asked, const Bulkhead__ContainerId *container, struct bh_error *error)
{
    if (!container || container->id.len != BH_DIGEST_BYTES || container->tenant_uid == UINT32_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "a container is named by an id of 32 bytes and its tenant");
    }
    uint32_t number = signal_of(asked);
    if ((asked->body_case == ASKED(SIGNAL_CONTAINER) || asked->body_case == ASKED(SIGNAL_EXEC)) &&
        (number == 0 || number > SIGNAL_MAX)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "signal %u must be between 1 and %u", number, SIGNAL_MAX);
    }
    return asked->body_case == ASKED(UPDATE_CONTAINER) ? spec_check_resources(asked->update_container->resources, error)
                                                       : 0;
}

static void judge(const struct policyd *policyd, const struct operation *operation,
                  const Bulkhead__EngineToPolicyd *asked, const Bulkhead__ContainerId *container,
                  struct judgement *judgement)
{
    *judgement = (struct judgement){0};
    const struct known_container *known = known_find(&policyd->known, container->id.data);
    if (known && known->tenant_uid != container->tenant_uid) {
        judge_owner(operation->name, judgement);
    } else if (asked->body_case == ASKED(UPDATE_CONTAINER)) {
        judge_resources(asked->update_container->resources, rule_book_find(&policyd->book, container->tenant_uid),
                        judgement);
    }
}

static int write_down(struct policyd *policyd, const struct bh_request *request, const struct operation *operation,
                      const Bulkhead__ContainerId *container, const Bulkhead__EngineToPolicyd *asked,
                      const struct judgement *judgement, struct bh_error *error)
{
    if (operation->quiet && !judgement->refused) {
        return 0;
    }
    const struct audit_record record = {
        .operation = operation->name,
        .verdict = !judgement->refused     ? "allow"
                   : judgement->audit_only ? "audit-only"
                                           : "refuse",
        .trace = bh_request_trace(request),
        .has_tenant = true,
        .tenant_uid = container->tenant_uid,
        .container = container->id.data,
        .rule = judgement->refused ? rule_name(judgement->rule) : NULL,
        .origin = judgement->refused ? judgement->origin : NULL,
        .reason = judgement->refused ? judgement->reason : NULL,
        .number = signal_of(asked)                              ? (int64_t)signal_of(asked)
                  : asked->body_case == ASKED(FREEZE_CONTAINER) ? (int64_t)asked->freeze_container->frozen
                                                                : -1,
    };
    return audit_append(&policyd->audit, &record, error);
}

/* A container's limits as they will be: whatever the engine leaves out, the quotas stay. Borrows from `asked`. */
struct filled_update {
    Bulkhead__UpdateContainer body;
    Bulkhead__Resources resources;
};

static void fill_update(const Bulkhead__UpdateContainer *asked, const struct rules *rules,
                        struct filled_update *ret_filled)
{
    ret_filled->body = *asked;
    ret_filled->resources = *asked->resources;
    ret_filled->body.resources = &ret_filled->resources;
    judge_fill_resources(rules, &ret_filled->resources);
}

static void handle_operation(struct bh_request *request)
{
    const struct bh_service_context *context = bh_request_owner(request);
    struct policyd *policyd = context->state;
    const struct bh_message *message = bh_request_message(request);
    const Bulkhead__EngineToPolicyd *asked = (const Bulkhead__EngineToPolicyd *)(const void *)message->packet;
    const struct operation *operation = find_operation(message->kind);
    Bulkhead__PolicydToExecutor packet = BULKHEAD__POLICYD_TO_EXECUTOR__INIT;
    const Bulkhead__ContainerId *container = translate(asked, &packet);
    struct filled_update filled;
    struct judgement judgement;
    struct bh_error error = {0};
    if (check(asked, container, &error) < 0) {
        (void)bh_request_fail(request, &error);
        return;
    }
    if (asked->body_case == ASKED(UPDATE_CONTAINER)) {
        fill_update(asked->update_container, rule_book_find(&policyd->book, container->tenant_uid), &filled);
        packet.update_container = &filled.body;
    }
    judge(policyd, operation, asked, container, &judgement);
    if (write_down(policyd, request, operation, container, asked, &judgement, &error) < 0) {
        (void)bh_request_fail(request, &error);
    } else if (judgement_passes(&judgement)) {
        relay(policyd, request, &packet.base, &operation->relay, container->id.data);
    } else {
        (void)bh_error_set(&error, BH_PERMISSION_DENIED, "%s", judgement.reason);
        (void)bh_request_fail(request, &error);
    }
}

static void handle_list(struct bh_request *request)
{
    static const struct relay_kind kind = {
        .reply = ANSWERED(DONE), .progress = ANSWERED(CONTAINER_FOUND), .on_answer = on_found};
    const struct bh_service_context *context = bh_request_owner(request);
    Bulkhead__ListContainers list = BULKHEAD__LIST_CONTAINERS__INIT;
    Bulkhead__PolicydToExecutor packet = BULKHEAD__POLICYD_TO_EXECUTOR__INIT;
    packet.body_case = BULKHEAD__POLICYD_TO_EXECUTOR__BODY_LIST_CONTAINERS;
    packet.list_containers = &list;
    relay(context->state, request, &packet.base, &kind, NULL);
}

/* The same for everybody, and of nobody: what the host's kernel can do. */
static void handle_describe_kernel(struct bh_request *request)
{
    static const struct relay_kind kind = {.reply = ANSWERED(KERNEL_DESCRIBED)};
    const struct bh_service_context *context = bh_request_owner(request);
    Bulkhead__DescribeKernel describe = BULKHEAD__DESCRIBE_KERNEL__INIT;
    Bulkhead__PolicydToExecutor packet = BULKHEAD__POLICYD_TO_EXECUTOR__INIT;
    packet.body_case = BULKHEAD__POLICYD_TO_EXECUTOR__BODY_DESCRIBE_KERNEL;
    packet.describe_kernel = &describe;
    relay(context->state, request, &packet.base, &kind, NULL);
}

/* ---- channels ---------------------------------------------------------------------------------------- */

static const struct bh_protocol engine_protocol = {
    .name = "engine_policyd",
    .incoming = &bulkhead__engine_to_policyd__descriptor,
    .outgoing = &bulkhead__policyd_to_engine__descriptor,
    .handlers =
        (const struct bh_handler[]){
            {ASKED(ADMIT_IMAGE), "AdmitImage", ~0u, 0, 0, admission_image},
            {ASKED(ADMIT_PUSH), "AdmitPush", ~0u, 0, 0, admission_push},
            {ASKED(ADMIT_TRANSFER), "AdmitTransfer", ~0u, 0, 0, admission_transfer},
            {ASKED(ADMIT_LAYERS), "AdmitLayers", ~0u, 0, 0, admission_layers},
            {ASKED(JUDGE_CONTAINER), "JudgeContainer", ~0u, 0, 0, admission_judge},
            {ASKED(START_CONTAINER), "StartContainer", ~0u, 0, 3 * BH_ATTACHMENTS_MAX, admission_start},
            {ASKED(SIGNAL_CONTAINER), "SignalContainer", ~0u, 0, 0, handle_operation},
            {ASKED(OPEN_MONITOR), "OpenMonitor", ~0u, 0, 0, handle_operation},
            {ASKED(OPEN_LOG), "OpenLog", ~0u, 0, 0, handle_operation},
            {ASKED(OPEN_COPIER), "OpenCopier", ~0u, 1, 1, admission_open_copier},
            {ASKED(FREEZE_CONTAINER), "FreezeContainer", ~0u, 0, 0, handle_operation},
            {ASKED(UPDATE_CONTAINER), "UpdateContainer", ~0u, 0, 0, handle_operation},
            {ASKED(REMOVE_CONTAINER), "RemoveContainer", ~0u, 0, 0, handle_operation},
            {ASKED(INSPECT_CONTAINER), "InspectContainer", ~0u, 0, 0, handle_operation},
            {ASKED(READ_STATS), "ReadStats", ~0u, 0, 0, handle_operation},
            {ASKED(LIST_PROCESSES), "ListProcesses", ~0u, 0, 0, handle_operation},
            {ASKED(DESCRIBE_KERNEL), "DescribeKernel", ~0u, 0, 0, handle_describe_kernel},
            {ASKED(LIST_CONTAINERS), "ListContainers", ~0u, 0, 0, handle_list},
            {ASKED(START_EXEC), "StartExec", ~0u, 0, 3 * BH_ATTACHMENTS_MAX, admission_start_exec},
            {ASKED(JUDGE_EXEC), "JudgeExec", ~0u, 0, 0, admission_judge_exec},
            {ASKED(OPEN_EXEC_MONITOR), "OpenExecMonitor", ~0u, 0, 0, handle_operation},
            {ASKED(SIGNAL_EXEC), "SignalExec", ~0u, 0, 0, handle_operation},
            {ASKED(INSPECT_EXEC), "InspectExec", ~0u, 0, 0, handle_operation},
            {ASKED(REMOVE_EXEC), "RemoveExec", ~0u, 0, 0, handle_operation},
            {ASKED(VERIFY_AUDIT), "VerifyAudit", ~0u, 0, 0, verification_handle},
            {ASKED(MAKE_VOLUME), "MakeVolume", ~0u, 0, 0, volumes_make},
            {ASKED(DROP_VOLUME), "DropVolume", ~0u, 0, 0, volumes_drop},
            {ASKED(FILL_VOLUMES), "FillVolumes", ~0u, 0, 0, admission_fill_volumes},
            {ASKED(LIST_MADE_VOLUMES), "ListMadeVolumes", ~0u, 0, 0, volumes_list},
            {ASKED(MEASURE_VOLUME), "MeasureVolume", ~0u, 0, 0, volumes_measure},
            {ASKED(MAKE_NETWORK), "MakeNetwork", ~0u, 0, 0, networks_make},
            {ASKED(DROP_NETWORK), "DropNetwork", ~0u, 0, 0, networks_drop},
            {ASKED(CONNECT_CONTAINER), "ConnectContainer", ~0u, 0, 0, links_connect},
            {ASKED(DISCONNECT_CONTAINER), "DisconnectContainer", ~0u, 0, 0, networks_disconnect},
            {ASKED(CHECK_NETWORKS), "CheckNetworks", ~0u, 0, 0, networks_check},
            {ASKED(SETTLE_NETWORKS), "SettleNetworks", ~0u, 0, 0, networks_settle},
            {ASKED(AWAIT_NETD), "AwaitNetd", ~0u, 0, 0, netd_watch_handle},
            {0},
        },
};

static const struct bh_protocol executor_protocol = {
    .name = "policyd_executor",
    .incoming = &bulkhead__executor_to_policyd__descriptor,
    .outgoing = &bulkhead__policyd_to_executor__descriptor,
};

static const struct bh_protocol netd_protocol = {
    .name = "policyd_netd",
    .incoming = &bulkhead__netd_to_policyd__descriptor,
    .outgoing = &bulkhead__policyd_to_netd__descriptor,
};

const struct bh_peer policyd_peers[] = {
    {.role = BH_ROLE_ENGINE, .protocol = &engine_protocol},
    {.role = BH_ROLE_EXECUTOR, .protocol = &executor_protocol},
    {.role = BH_ROLE_NETD, .protocol = &netd_protocol},
    {.role = BH_ROLE_NONE},
};

/* ---- life --------------------------------------------------------------------------------------------- */

int policyd_init(struct bh_service_context *context, struct bh_error *error)
{
    struct policyd *policyd = calloc(1, sizeof(*policyd));
    if (!policyd) {
        return bh_error_errno(error, ENOMEM, "hold the policy");
    }
    policyd->context = context;
    policyd->audit.fd = policyd->audit.head_fd = policyd->ranges.fd = -1;
    LIST_INIT(&policyd->netd.waiters);
    lsm_detect(&policyd->lsm);
    context->state = policyd;
    return 0;
}

/* Files that cannot be read stop the engine's start, when somebody is there to read why. When it is already running,
 * and this is another policyd after the death of one, what runs is to stay in somebody's hands: then nothing new is
 * allowed. */
static int load_rules(struct policyd *policyd, struct bh_error *error)
{
    const struct bh_service_context *context = policyd->context;
    if (rules_load(context->folders[BH_FOLDER_POLICY], &policyd->book, error) == 0) {
        return 0;
    }
    if (!context->replaces) {
        return -1;
    }
    const struct bh_error why = *error;
    bh_log_failure(BH_LOG_ERROR, &why, "nothing new is allowed until the rule files can be read; mend and reload them");
    return rule_book_close(&policyd->book, &why, error);
}

int policyd_start(struct bh_service_context *context, struct bh_error *error)
{
    struct policyd *policyd = context->state;
    const Bulkhead__Config *config = context->config;
    int state = context->folders[BH_FOLDER_STATE];
    ip_pools_read(config, &policyd->pools);
    if (load_rules(policyd, error) < 0 ||
        ranges_open(&policyd->ranges, state, config->tenant_id_base, config->tenant_id_count, config->monitor_uid_base,
                    error) < 0 ||
        audit_open(&policyd->audit, state, error) < 0) {
        return -1;
    }
    relay_learn(policyd, NULL, NULL);
    netd_watch_started(&policyd->netd);
    networks_learn(policyd, NULL, NULL);
    return 0;
}

void policyd_on_rewired(struct bh_service_context *context, enum bh_role role)
{
    struct policyd *policyd = context->state;
    if (role == BH_ROLE_EXECUTOR) {
        relay_learn(policyd, NULL, NULL);
    } else if (role == BH_ROLE_NETD) {
        networks_learn(policyd, NULL, NULL);
        netd_watch_started(&policyd->netd);
    }
}

void policyd_on_reload(struct bh_service_context *context)
{
    struct policyd *policyd = context->state;
    struct rule_book book = {0};
    struct bh_error error = {0};
    bool loaded = rules_load(context->folders[BH_FOLDER_POLICY], &book, &error) == 0;
    const struct audit_record record = {.operation = "Reload",
                                        .verdict = loaded ? "allow" : "invalid",
                                        .reason = loaded ? NULL : error.message,
                                        .number = loaded ? (int64_t)book.n_files : -1};
    struct bh_error failure;
    if (audit_append(&policyd->audit, &record, &failure) < 0) {
        bh_log_failure(BH_LOG_ERROR, &failure, "audit a reload");
    }
    if (!loaded) {
        bh_log_failure(BH_LOG_ERROR, &error, "the rules stay as they were");
        return;
    }
    rule_book_free(&policyd->book);
    policyd->book = book;
    bh_log_info("%zu rule files are in force", book.n_files);
}

void policyd_stop(struct bh_service_context *context)
{
    struct policyd *policyd = context->state;
    if (policyd) {
        audit_close(&policyd->audit);
        ranges_close(&policyd->ranges);
        rule_book_free(&policyd->book);
        known_clear(&policyd->known);
        known_clear(&policyd->networks);
    }
}
