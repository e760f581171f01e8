/* SPDX-License-Identifier: Apache-2.0
 *
 * The dialer's two channels. The fetcher's parent may only ask for a worker; the worker answers one fetcher worker's
 * questions, one after another, until that hangs up.
 */
#include "service.h"

#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "dial.h"
#include "fetcher_dialer.pb-c.h"
#include "resolve.h"
#include "sandbox.h"

/* ---- the job channel, in a worker -------------------------------------------------------------- */

static int validate_connect(const Bulkhead__Connect *message, struct dial_question *ret_question,
                            struct bh_error *error)
{
    if (message->port == 0 || message->port > UINT16_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "port %u must be between 1 and 65535", message->port);
    }
    ret_question->port = (uint16_t)message->port;
    ret_question->timeout_ms = message->timeout_ms;
    if (message->timeout_ms < DIAL_TIMEOUT_MIN_MS || message->timeout_ms > DIAL_TIMEOUT_MAX_MS) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "timeout of %u ms must be between %u and %u ms",
                            message->timeout_ms, DIAL_TIMEOUT_MIN_MS, DIAL_TIMEOUT_MAX_MS);
    }
    if (egress_host(message->host, ret_question->host, error) < 0) {
        return -1;
    }
    return egress_split(message->registry, ret_question->registry_host, &ret_question->registry_port, error);
}

static void handle_connect(struct bh_request *request)
{
    const struct egress_rules *rules = bh_request_owner(request);
    struct bh_error error = {0};
    struct dial_question question;
    struct dial_connection connection;
    if (validate_connect(bh_request_body(request), &question, &error) < 0 ||
        dial(rules, &question, &connection, &error) < 0) {
        bh_log_failure(BH_LOG_INFO, &error, "connect");
        (void)bh_request_fail(request, &error);
        return;
    }
    bh_autoclose int fd = connection.fd;
    bh_log_debug("connected to %s for %s:%u", connection.address, question.host, question.port);
    Bulkhead__Connected connected = BULKHEAD__CONNECTED__INIT;
    connected.address = connection.address;
    connected.insecure_allowed = connection.insecure_allowed;
    Bulkhead__DialerToFetcher packet = BULKHEAD__DIALER_TO_FETCHER__INIT;
    packet.body_case = BULKHEAD__DIALER_TO_FETCHER__BODY_CONNECTED;
    packet.connected = &connected;
    (void)bh_request_reply(request, &packet.base, &fd, 1);
}

static const struct bh_protocol job_protocol = {
    .name = "fetcher_dialer job",
    .incoming = &bulkhead__fetcher_to_dialer__descriptor,
    .outgoing = &bulkhead__dialer_to_fetcher__descriptor,
    .handlers =
        (const struct bh_handler[]){
            {BULKHEAD__FETCHER_TO_DIALER__BODY_CONNECT, "Connect", ~0u, 0, 0, handle_connect},
            {0},
        },
};

static int work(struct bh_service_context *context, int job_fd, void *argument)
{
    (void)argument;
    bh_autoclose int fd = job_fd;
    struct bh_error error = {0};
    struct bh_channel *channel = NULL;
    if (resolve_init(&error) < 0 || bh_channel_new(&job_protocol, context->state, &channel, &error) < 0) {
        bh_log_failure(BH_LOG_ERROR, &error, "start a worker");
        return 1;
    }
    int result = bh_channel_wire(channel, bh_steal_fd(&fd), &error);
    if (result == 0) {
        result = bh_channel_serve(channel, &error);
    }
    if (result < 0) {
        bh_log_failure(BH_LOG_WARNING, &error, "serve a fetcher's worker");
    }
    bh_channel_free(channel);
    return result < 0;
}

/* ---- the main channel, in the parent ------------------------------------------------------------- */

static void handle_spawn(struct bh_request *request)
{
    struct bh_service_context *context = bh_request_owner(request);
    static const struct bh_worker worker = {.sandbox = &dialer_worker_sandbox, .name = "dial", .work = work};
    bh_autoclose int job_fd = bh_request_take_fd(request, 0);
    struct bh_error error = {0};
    pid_t pid;
    if (bh_worker_fork(context, &worker, job_fd, NULL, &pid, &error) < 0) {
        (void)bh_request_fail(request, &error);
        return;
    }
    Bulkhead__Spawned spawned = BULKHEAD__SPAWNED__INIT;
    spawned.pid = pid;
    Bulkhead__DialerToFetcher packet = BULKHEAD__DIALER_TO_FETCHER__INIT;
    packet.body_case = BULKHEAD__DIALER_TO_FETCHER__BODY_SPAWNED;
    packet.spawned = &spawned;
    (void)bh_request_reply(request, &packet.base, NULL, 0);
}

static const struct bh_protocol fetcher_protocol = {
    .name = "fetcher_dialer",
    .incoming = &bulkhead__fetcher_to_dialer__descriptor,
    .outgoing = &bulkhead__dialer_to_fetcher__descriptor,
    .handlers =
        (const struct bh_handler[]){
            {BULKHEAD__FETCHER_TO_DIALER__BODY_SPAWN, "Spawn", ~0u, 1, 1, handle_spawn},
            {0},
        },
};

const struct bh_peer dialer_peers[] = {
    {.role = BH_ROLE_FETCHER, .protocol = &fetcher_protocol},
    {.role = BH_ROLE_NONE},
};

static int add_all(struct egress_rules *rules, char *const *entries, size_t n_entries, bool insecure,
                   struct bh_error *error)
{
    for (size_t i = 0; i < n_entries; i++) {
        if (egress_rules_add(rules, entries[i], insecure, error) < 0) {
            return bh_error_wrap(error, "read %s", insecure ? "insecure_registries" : "private_registries");
        }
    }
    return 0;
}

int dialer_start(struct bh_service_context *context, struct bh_error *error)
{
    const Bulkhead__Config *config = context->config;
    bh_autofree struct egress_rules *rules = calloc(1, sizeof(*rules));
    if (!rules) {
        return bh_error_errno(error, ENOMEM, "hold the egress rules");
    }
    if (add_all(rules, config->insecure_registries, config->n_insecure_registries, true, error) < 0 ||
        add_all(rules, config->private_registries, config->n_private_registries, false, error) < 0) {
        return -1;
    }
    context->state = bh_steal_pointer(&rules);
    return 0;
}

void dialer_stop(struct bh_service_context *context)
{
    free(context->state);
    context->state = NULL;
}
