/* SPDX-License-Identifier: Apache-2.0
 *
 * The skeleton of every helper; see service.h. Trusts the supervisor at descriptor 3 and nobody else.
 */
#include "common/service.h"

#include <event2/thread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/breach.h"
#include "common/cleanup.h"
#include "common/io.h"
#include "common/log.h"
#include "common/service_internal.h"

struct bh_channel *bh_service_peer(const struct bh_service_context *context, enum bh_role role)
{
    return ((const struct bh_service_internal *)(const void *)context)->channels[role];
}

int bh_service_control(struct bh_service_context *context, const struct bh_control *record, struct bh_error *error)
{
    (void)context;
    return bh_control_send(BH_CONTROL_FD, record, -1, error);
}

void bh_service_quit(struct bh_service_context *context)
{
    (void)event_base_loopbreak(context->base);
}

static const struct bh_peer *find_peer(const struct bh_service *service, uint32_t role)
{
    for (const struct bh_peer *peer = service->peers; peer && peer->role != BH_ROLE_NONE; peer++) {
        if (peer->role == role) {
            return peer;
        }
    }
    return NULL;
}

/* ---- peers ------------------------------------------------------------------------------------ */

static void on_many_closed(struct bh_channel *channel, void *owner)
{
    (void)owner;
    struct bh_service_internal *internal = bh_service_current();
    if (internal->context.service->on_peer_gone) {
        internal->context.service->on_peer_gone(&internal->context, channel);
    }
}

static int wire_many(struct bh_service_internal *internal, const struct bh_peer *peer, uint32_t tenant_uid, int fd,
                     struct bh_error *error)
{
    struct bh_channel *channel = NULL;
    struct bh_service_context *context = &internal->context;
    if (bh_channel_new_on_loop(peer->protocol, context->base, context, &channel, error) < 0) {
        bh_close(&fd);
        return -1;
    }
    bh_channel_on_close(channel, on_many_closed);
    if (context->service->on_peer(context, peer->role, tenant_uid, channel, error) < 0 ||
        bh_channel_wire(channel, fd, error) < 0) {
        bh_channel_free(channel);
        return -1;
    }
    return 0;
}

static int wire_peer(struct bh_service_internal *internal, const struct bh_control *record, int fd,
                     struct bh_error *error)
{
    struct bh_service_context *context = &internal->context;
    const struct bh_peer *peer = find_peer(context->service, record->role);
    if (!peer || fd < 0) {
        bh_close(&fd);
        return bh_error_set(error, BH_INVALID_ARGUMENT, "a channel to %s, which this service does not have",
                            bh_role_name((enum bh_role)record->role));
    }
    if (peer->many) {
        return wire_many(internal, peer, record->tenant_uid, fd, error);
    }
    bool again = internal->wired[peer->role];
    internal->wired[peer->role] = true;
    if (bh_channel_wire(internal->channels[peer->role], fd, error) < 0) {
        return -1;
    }
    if (again && context->service->on_rewired) {
        context->service->on_rewired(context, peer->role);
    }
    return 0;
}

static int make_channels(struct bh_service_internal *internal, struct bh_error *error)
{
    struct bh_service_context *context = &internal->context;
    for (const struct bh_peer *peer = context->service->peers; peer && peer->role != BH_ROLE_NONE; peer++) {
        if (!peer->many && bh_channel_new_on_loop(peer->protocol, context->base, context,
                                                  &internal->channels[peer->role], error) < 0) {
            return -1;
        }
    }
    return 0;
}

/* What was handed over before GO: peers that exist once before the service starts, the others after. */
static int wire_early(struct bh_service_internal *internal, bool many, struct bh_error *error)
{
    for (size_t i = 0; i < internal->n_early; i++) {
        const struct bh_peer *peer = find_peer(internal->context.service, internal->early[i].record.role);
        bool is_many = peer && peer->many;
        if (is_many == many &&
            wire_peer(internal, &internal->early[i].record, bh_steal_fd(&internal->early[i].fd), error) < 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- control records -------------------------------------------------------------------------- */

static int take_config(struct bh_service_internal *internal, const struct bh_control *record, int fd,
                       struct bh_error *error)
{
    bh_autofree void *bytes = NULL;
    size_t n_bytes = 0;
    if (bh_memfd_read(fd, 1024 * 1024, &bytes, &n_bytes, error) < 0) {
        return -1;
    }
    Bulkhead__Config *config = bulkhead__config__unpack(NULL, n_bytes, bytes);
    if (!config) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "the configuration cannot be read");
    }
    internal->context.config = config;
    internal->context.tenant_uid = record->tenant_uid;
    bh_log_init(bh_role_name(internal->context.service->sandbox->role), (enum bh_log_level)config->log_level);
    return 0;
}

/* Before GO: everything is kept for later. Returns 1 at GO. */
static int take_early(struct bh_service_internal *internal, const struct bh_control *record, int received,
                      struct bh_error *error)
{
    bh_autoclose int fd = received;
    switch ((enum bh_control_kind)record->kind) {
    case BH_CONTROL_CONFIG:
        return take_config(internal, record, fd, error);
    case BH_CONTROL_FOLDER:
        if (record->value == 0 || record->value >= BH_FOLDER_COUNT || fd < 0) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "folder %llu is none", (unsigned long long)record->value);
        }
        internal->context.folders[record->value] = bh_steal_fd(&fd);
        return 0;
    case BH_CONTROL_PEER:
        if (internal->n_early == BH_EARLY_MAX) {
            return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "too many channels at start");
        }
        internal->early[internal->n_early].record = *record;
        internal->early[internal->n_early++].fd = bh_steal_fd(&fd);
        return 0;
    case BH_CONTROL_GO:
        internal->context.replaces = record->value > 0;
        return internal->context.config ? 1 : bh_error_set(error, BH_FAILED_PRECONDITION, "GO without a configuration");
    default:
        return bh_error_set(error, BH_FAILED_PRECONDITION, "control record %u before GO", record->kind);
    }
}

static int take_inherited(struct bh_service_internal *internal, struct bh_error *error)
{
    for (;;) {
        struct bh_control record;
        int fd = -1;
        int received = bh_control_receive(BH_CONTROL_FD, &record, &fd, error);
        if (received == 0) {
            return bh_error_set(error, BH_UNAVAILABLE, "the supervisor hung up before GO");
        }
        int taken = received < 0 ? -1 : take_early(internal, &record, fd, error);
        if (taken != 0) {
            return taken < 0 ? -1 : 0;
        }
    }
}

static void handle_record(struct bh_service_internal *internal, const struct bh_control *record, int received)
{
    struct bh_service_context *context = &internal->context;
    const struct bh_service *service = context->service;
    bh_autoclose int fd = received;
    struct bh_error error;
    switch ((enum bh_control_kind)record->kind) {
    case BH_CONTROL_PEER:
        if (wire_peer(internal, record, bh_steal_fd(&fd), &error) < 0) {
            bh_log_failure(BH_LOG_ERROR, &error, "wire a peer");
        }
        return;
    case BH_CONTROL_CLIENT:
        if (service->on_client && fd >= 0) {
            service->on_client(context, bh_steal_fd(&fd), record->tenant_uid, record->value);
        }
        return;
    case BH_CONTROL_RELOAD:
        if (service->on_reload) {
            service->on_reload(context);
        }
        return;
    case BH_CONTROL_PRIVILEGES:
        if (service->on_privileges) {
            service->on_privileges(context, bh_steal_fd(&fd), record->value);
        }
        return;
    case BH_CONTROL_STOP:
        bh_service_quit(context);
        return;
    default:
        bh_log_warning("control record %u makes no sense here", record->kind);
    }
}

static void on_control(evutil_socket_t socket, short what, void *argument)
{
    (void)what;
    struct bh_service_internal *internal = argument;
    struct bh_control record;
    struct bh_error error;
    int fd = -1;
    int received = bh_control_receive(socket, &record, &fd, &error);
    if (received == 1) {
        handle_record(internal, &record, fd);
    } else {
        /* Without a supervisor nobody could re-wire us; a new one starts everybody anew. */
        bh_service_quit(&internal->context);
    }
}

/* ---- life ------------------------------------------------------------------------------------- */

static int prepare(struct bh_service_internal *internal, struct bh_error *error)
{
    struct bh_service_context *context = &internal->context;
    const struct bh_service *service = context->service;
    if (take_inherited(internal, error) < 0) {
        return bh_error_wrap(error, "take over from the supervisor");
    }
    struct event_config *options = event_config_new();
    if (!options || evthread_use_pthreads() < 0 || event_config_set_flag(options, EVENT_BASE_FLAG_PRECISE_TIMER) < 0) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "prepare the event loop");
    }
    context->base = event_base_new_with_config(options);
    event_config_free(options);
    if (!context->base || bh_service_watch_children(internal, error) < 0) {
        return bh_error_wrap(error, "make the event loop");
    }
    if (service->init && service->init(context, error) < 0) {
        return bh_error_wrap(error, "init");
    }
    const struct bh_sandbox_context sandbox = {
        .uid = context->config->uid, .gid = context->config->gid, .folders = context->folders};
    if (bh_sandbox_enter(service->sandbox, &sandbox, error) < 0) {
        return bh_error_wrap(error, "enter the sandbox");
    }
    if (make_channels(internal, error) < 0 || wire_early(internal, false, error) < 0) {
        return bh_error_wrap(error, "wire the peers");
    }
    if (service->start && service->start(context, error) < 0) {
        return bh_error_wrap(error, "start");
    }
    return wire_early(internal, true, error);
}

static int run(struct bh_service_internal *internal, struct bh_error *error)
{
    if (prepare(internal, error) < 0) {
        return -1;
    }
    struct event *control =
        event_new(internal->context.base, BH_CONTROL_FD, EV_READ | EV_PERSIST, on_control, internal);
    if (!control || event_add(control, NULL) < 0) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "watch the supervisor");
    }
    const struct bh_control ready = {.kind = BH_CONTROL_READY,
                                     .role = (uint32_t)internal->context.service->sandbox->role};
    if (bh_control_send(BH_CONTROL_FD, &ready, -1, error) < 0) {
        return -1;
    }
    if (event_base_dispatch(internal->context.base) < 0) {
        return bh_error_set(error, BH_INTERNAL, "the event loop failed");
    }
    return 0;
}

static struct bh_service_internal current;

struct bh_service_internal *bh_service_current(void)
{
    return &current;
}

int bh_service_run(const struct bh_service *service, int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--sandbox") == 0) {
        return bh_sandbox_show(service->sandbox);
    }
    if (argc != 1) {
        (void)fprintf(stderr, "usage: %s [--sandbox]\n(started by bulkheadd, which talks to it at descriptor %d)\n",
                      argv[0], BH_CONTROL_FD);
        return EXIT_FAILURE;
    }
    bh_log_init(bh_role_name(service->sandbox->role), BH_LOG_INFO);
    bh_breach_open();
    (void)signal(SIGPIPE, SIG_IGN);
    if (service->sandbox->limits.file_bytes) {
        (void)signal(SIGXFSZ, SIG_IGN); /* a file at its limit is an error like others */
    }
    current.context.service = service;
    for (int i = 0; i < BH_FOLDER_COUNT; i++) {
        current.context.folders[i] = -1;
    }
    struct bh_error error;
    int result = run(&current, &error);
    if (result < 0) {
        bh_log_failure(BH_LOG_ERROR, &error, "cannot serve");
    }
    if (service->stop) {
        service->stop(&current.context);
    }
    return result < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
