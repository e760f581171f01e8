/* SPDX-License-Identifier: Apache-2.0
 *
 * Plays policyd; see fake_policyd.h. One mutex; a thread for each channel it serves.
 */
#include "fake_policyd.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/channel.h"
#include "common/cleanup.h"
#include "common/io.h"
#include "engine_monitor.pb-c.h"
#include "engine_policyd.pb-c.h"

#define CONTAINERS_MAX 64
#define THREADS_MAX    512

struct fake_container {
    bool known, running, has_exit;
    uint8_t id[32];
    uint32_t tenant_uid;
    int32_t exit_code;
    int64_t started_ns, finished_ns;
    struct bh_request *watch; /* the engine's WatchExit */
    int monitor;              /* our end, to cut */
};

struct served;

struct fake_policyd {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct fake_container containers[CONTAINERS_MAX];
    struct bh_error refuse_judge, refuse_start;
    bool hold_starts, lose_start, ignore_term;
    size_t starting, starts, attached;
    unsigned overlaps;
    uint64_t netd_generation;
    struct bh_request *awaits_netd; /* the engine's long question */
    struct fake_links links;
    struct served *served;
    pthread_t threads[THREADS_MAX];
    size_t n_threads;
};

struct served {
    struct served *next; /* all of them, kept until the end: requests outlive their channels */
    struct fake_policyd *fake;
    struct bh_channel *channel;
    int index; /* of the container, for a monitor */
};

/* ---- threads ------------------------------------------------------------------------------------ */

static void *serve_main(void *argument)
{
    struct served *served = argument;
    struct bh_error error;
    (void)bh_channel_serve(served->channel, &error);
    (void)pthread_mutex_lock(&served->fake->mutex);
    if (served->index >= 0) {
        struct fake_container *container = &served->fake->containers[served->index];
        if (container->watch && bh_request_channel(container->watch) == served->channel) {
            bh_request_unref(bh_steal_pointer(&container->watch));
        }
    }
    (void)pthread_mutex_unlock(&served->fake->mutex);
    bh_channel_free(served->channel);
    return NULL;
}

/* Called with the lock held. */
static void serve(struct fake_policyd *fake, const struct bh_protocol *protocol, int fd, int index)
{
    struct bh_error error;
    struct served *served = calloc(1, sizeof *served);
    *served = (struct served){.next = fake->served, .fake = fake, .index = index};
    fake->served = served;
    if (bh_channel_new(protocol, served, &served->channel, &error) < 0 ||
        bh_channel_wire(served->channel, fd, &error) < 0 || fake->n_threads == THREADS_MAX ||
        pthread_create(&fake->threads[fake->n_threads++], NULL, serve_main, served) != 0) {
        abort();
    }
}

/* ---- monitors ----------------------------------------------------------------------------------- */

static void reply_done_to_engine(struct bh_request *request)
{
    Bulkhead__Done done = BULKHEAD__DONE__INIT;
    Bulkhead__MonitorToEngine packet = BULKHEAD__MONITOR_TO_ENGINE__INIT;
    packet.body_case = BULKHEAD__MONITOR_TO_ENGINE__BODY_DONE;
    packet.done = &done;
    (void)bh_request_reply(request, &packet.base, NULL, 0);
}

/* Called with the lock held. */
static void tell_exit(struct fake_container *container)
{
    struct bh_request *watch = bh_steal_pointer(&container->watch);
    if (!watch) {
        return;
    }
    Bulkhead__ContainerExited exited = BULKHEAD__CONTAINER_EXITED__INIT;
    Bulkhead__MonitorToEngine packet = BULKHEAD__MONITOR_TO_ENGINE__INIT;
    exited.exit_code = container->exit_code;
    exited.finished_at_ns = container->finished_ns;
    packet.body_case = BULKHEAD__MONITOR_TO_ENGINE__BODY_CONTAINER_EXITED;
    packet.container_exited = &exited;
    (void)bh_request_reply(watch, &packet.base, NULL, 0);
    bh_request_unref(watch);
}

static void on_watch(struct bh_request *request)
{
    struct served *served = bh_request_owner(request);
    struct fake_container *container = &served->fake->containers[served->index];
    (void)pthread_mutex_lock(&served->fake->mutex);
    bh_request_unref(container->watch);
    container->watch = bh_request_ref(request);
    if (container->has_exit) {
        tell_exit(container);
    }
    (void)pthread_cond_broadcast(&served->fake->changed);
    (void)pthread_mutex_unlock(&served->fake->mutex);
}

static void on_attach(struct bh_request *request)
{
    struct served *served = bh_request_owner(request);
    (void)pthread_mutex_lock(&served->fake->mutex);
    served->fake->attached++;
    (void)pthread_mutex_unlock(&served->fake->mutex);
    Bulkhead__StreamsAttached attached = BULKHEAD__STREAMS_ATTACHED__INIT;
    Bulkhead__MonitorToEngine packet = BULKHEAD__MONITOR_TO_ENGINE__INIT;
    packet.body_case = BULKHEAD__MONITOR_TO_ENGINE__BODY_STREAMS_ATTACHED;
    packet.streams_attached = &attached;
    (void)bh_request_reply(request, &packet.base, NULL, 0);
}

static const struct bh_handler monitor_handlers[] = {
    {BULKHEAD__ENGINE_TO_MONITOR__BODY_WATCH_EXIT, "watch", ~0u, 0, 0, on_watch},
    {BULKHEAD__ENGINE_TO_MONITOR__BODY_ATTACH_STREAMS, "attach", ~0u, 3, 3, on_attach},
    {BULKHEAD__ENGINE_TO_MONITOR__BODY_RESIZE_TERMINAL, "resize", ~0u, 0, 0, reply_done_to_engine},
    {0},
};
static const struct bh_protocol monitor_protocol = {
    .name = "fake_monitor",
    .incoming = &bulkhead__engine_to_monitor__descriptor,
    .outgoing = &bulkhead__monitor_to_engine__descriptor,
    .handlers = monitor_handlers,
};

/* Called with the lock held: a connection to the container's monitor; the engine's end. */
static int connect_monitor(struct fake_policyd *fake, int index)
{
    int ends[2];
    struct bh_error error;
    if (bh_channel_pair(ends, &error) < 0) {
        abort();
    }
    fake->containers[index].monitor = ends[0];
    serve(fake, &monitor_protocol, ends[0], index);
    return ends[1];
}

/* Called with the lock held. */
static void end_container(struct fake_container *container, int32_t exit_code)
{
    container->running = false;
    container->has_exit = true;
    container->exit_code = exit_code;
    container->finished_ns = bh_wall_ns();
    tell_exit(container);
}

/* ---- policyd ------------------------------------------------------------------------------------- */

static void reply_done(struct bh_request *request)
{
    Bulkhead__Done done = BULKHEAD__DONE__INIT;
    Bulkhead__PolicydToEngine packet = BULKHEAD__POLICYD_TO_ENGINE__INIT;
    packet.body_case = BULKHEAD__POLICYD_TO_ENGINE__BODY_DONE;
    packet.done = &done;
    (void)bh_request_reply(request, &packet.base, NULL, 0);
}

static void reply_not_found(struct bh_request *request)
{
    struct bh_error error;
    (void)bh_error_set(&error, BH_NOT_FOUND, "no such container here");
    (void)bh_request_fail(request, &error);
}

/* Called with the lock held: the entry of that id, or (`add`) a new one. */
static int find(struct fake_policyd *fake, const uint8_t *id, bool add)
{
    int unused = -1;
    for (int i = 0; i < CONTAINERS_MAX; i++) {
        if (fake->containers[i].known && memcmp(fake->containers[i].id, id, 32) == 0) {
            return i;
        }
        unused = !fake->containers[i].known && unused < 0 ? i : unused;
    }
    return add ? unused : -1;
}

static void on_judge(struct bh_request *request)
{
    struct served *served = bh_request_owner(request);
    (void)pthread_mutex_lock(&served->fake->mutex);
    struct bh_error refusal = served->fake->refuse_judge;
    (void)pthread_mutex_unlock(&served->fake->mutex);
    if (refusal.code) {
        (void)bh_request_fail(request, &refusal);
    } else {
        reply_done(request);
    }
}

static void reply_started(struct bh_request *request, int monitor, int64_t started_ns)
{
    Bulkhead__ContainerStarted started = BULKHEAD__CONTAINER_STARTED__INIT;
    Bulkhead__PolicydToEngine packet = BULKHEAD__POLICYD_TO_ENGINE__INIT;
    started.pid = 4242;
    started.started_at_ns = started_ns;
    packet.body_case = BULKHEAD__POLICYD_TO_ENGINE__BODY_CONTAINER_STARTED;
    packet.container_started = &started;
    (void)bh_request_reply(request, &packet.base, &monitor, 1);
}

static void *start_main(void *argument)
{
    struct bh_request *request = argument;
    struct served *served = bh_request_owner(request);
    struct fake_policyd *fake = served->fake;
    const Bulkhead__StartContainer *question = bh_request_body(request);
    bh_autoclose int monitor = -1;
    (void)pthread_mutex_lock(&fake->mutex);
    fake->starting++;
    (void)pthread_cond_broadcast(&fake->changed);
    while (fake->hold_starts) {
        (void)pthread_cond_wait(&fake->changed, &fake->mutex);
    }
    fake->starting--;
    if (fake->refuse_start.code) {
        (void)bh_request_fail(request, &fake->refuse_start);
    } else {
        int index = find(fake, question->spec->id.data, true);
        struct fake_container *container = &fake->containers[index];
        *container = (struct fake_container){.known = true, .running = true, .started_ns = bh_wall_ns()};
        memcpy(container->id, question->spec->id.data, 32);
        container->tenant_uid = question->spec->tenant_uid;
        fake->starts++;
        fake->attached += question->attachments;
        if (fake->lose_start) {
            fake->lose_start = false;
            struct bh_error lost;
            (void)bh_error_set(&lost, BH_UNAVAILABLE, "the executor died");
            (void)bh_request_fail(request, &lost);
        } else {
            monitor = connect_monitor(fake, index);
            reply_started(request, monitor, container->started_ns);
        }
    }
    (void)pthread_mutex_unlock(&fake->mutex);
    bh_request_unref(request);
    return NULL;
}

static void on_start(struct bh_request *request)
{
    struct served *served = bh_request_owner(request);
    (void)pthread_mutex_lock(&served->fake->mutex);
    if (pthread_create(&served->fake->threads[served->fake->n_threads++], NULL, start_main, bh_request_ref(request)) !=
        0) {
        abort();
    }
    (void)pthread_mutex_unlock(&served->fake->mutex);
}

static void on_signal(struct bh_request *request)
{
    struct served *served = bh_request_owner(request);
    const Bulkhead__SignalContainer *question = bh_request_body(request);
    (void)pthread_mutex_lock(&served->fake->mutex);
    int index = find(served->fake, question->container->id.data, false);
    if (index < 0 || !served->fake->containers[index].running) {
        reply_not_found(request);
    } else {
        reply_done(request);
        if (question->signal == SIGKILL || !served->fake->ignore_term) {
            end_container(&served->fake->containers[index], 128 + (int32_t)question->signal);
        }
    }
    (void)pthread_mutex_unlock(&served->fake->mutex);
}

static void on_remove(struct bh_request *request)
{
    struct served *served = bh_request_owner(request);
    const Bulkhead__RemoveContainer *question = bh_request_body(request);
    (void)pthread_mutex_lock(&served->fake->mutex);
    int index = find(served->fake, question->container->id.data, false);
    if (index >= 0 && served->fake->containers[index].running) {
        struct bh_error error;
        (void)bh_error_set(&error, BH_FAILED_PRECONDITION, "it runs");
        (void)bh_request_fail(request, &error);
    } else {
        if (index >= 0) {
            served->fake->containers[index].known = false;
        }
        reply_done(request);
    }
    (void)pthread_mutex_unlock(&served->fake->mutex);
}

static void on_open_monitor(struct bh_request *request)
{
    struct served *served = bh_request_owner(request);
    const Bulkhead__OpenMonitor *question = bh_request_body(request);
    (void)pthread_mutex_lock(&served->fake->mutex);
    int index = find(served->fake, question->container->id.data, false);
    if (index < 0 || !served->fake->containers[index].running) {
        reply_not_found(request);
    } else {
        Bulkhead__MonitorOpened opened = BULKHEAD__MONITOR_OPENED__INIT;
        Bulkhead__PolicydToEngine packet = BULKHEAD__POLICYD_TO_ENGINE__INIT;
        packet.body_case = BULKHEAD__POLICYD_TO_ENGINE__BODY_MONITOR_OPENED;
        packet.monitor_opened = &opened;
        bh_autoclose int monitor = connect_monitor(served->fake, index);
        (void)bh_request_reply(request, &packet.base, &monitor, 1);
    }
    (void)pthread_mutex_unlock(&served->fake->mutex);
}

/* Called with the lock held. */
static void tell_found(struct bh_request *request, struct fake_container *container, bool more)
{
    Bulkhead__ContainerId id = BULKHEAD__CONTAINER_ID__INIT;
    Bulkhead__ContainerFound found = BULKHEAD__CONTAINER_FOUND__INIT;
    Bulkhead__PolicydToEngine packet = BULKHEAD__POLICYD_TO_ENGINE__INIT;
    id.id = (ProtobufCBinaryData){.len = 32, .data = container->id};
    id.tenant_uid = container->tenant_uid;
    found.container = &id;
    found.running = container->running;
    found.pid = container->running ? 4242 : 0;
    found.started_at_ns = container->started_ns;
    found.has_exit = container->has_exit;
    found.exit_code = container->exit_code;
    found.finished_at_ns = container->finished_ns;
    packet.body_case = BULKHEAD__POLICYD_TO_ENGINE__BODY_CONTAINER_FOUND;
    packet.container_found = &found;
    if (more) {
        (void)bh_request_progress(request, &packet.base, NULL, 0);
    } else {
        (void)bh_request_reply(request, &packet.base, NULL, 0);
    }
}

static void on_list(struct bh_request *request)
{
    struct served *served = bh_request_owner(request);
    (void)pthread_mutex_lock(&served->fake->mutex);
    for (int i = 0; i < CONTAINERS_MAX; i++) {
        if (served->fake->containers[i].known) {
            tell_found(request, &served->fake->containers[i], true);
        }
    }
    (void)pthread_mutex_unlock(&served->fake->mutex);
    reply_done(request);
}

static void on_inspect(struct bh_request *request)
{
    struct served *served = bh_request_owner(request);
    const Bulkhead__InspectContainer *question = bh_request_body(request);
    (void)pthread_mutex_lock(&served->fake->mutex);
    int index = find(served->fake, question->container->id.data, false);
    if (index < 0) {
        reply_not_found(request);
    } else {
        tell_found(request, &served->fake->containers[index], false);
    }
    (void)pthread_mutex_unlock(&served->fake->mutex);
}

/* ---- networks ------------------------------------------------------------------------------------ */

static void on_make_network(struct bh_request *request)
{
    struct served *served = bh_request_owner(request);
    struct bh_error error;
    (void)pthread_mutex_lock(&served->fake->mutex);
    served->fake->links.made++;
    bool overlaps = served->fake->overlaps > 0;
    served->fake->overlaps -= overlaps;
    (void)pthread_mutex_unlock(&served->fake->mutex);
    if (overlaps) {
        (void)bh_error_set(&error, BH_ALREADY_EXISTS, "the subnet overlaps with a route of the host's");
        (void)bh_request_fail(request, &error);
    } else {
        reply_done(request);
    }
}

static void on_connect(struct bh_request *request)
{
    struct served *served = bh_request_owner(request);
    const Bulkhead__ConnectContainer *question = bh_request_body(request);
    Bulkhead__ContainerConnected connected = BULKHEAD__CONTAINER_CONNECTED__INIT;
    Bulkhead__PolicydToEngine packet = BULKHEAD__POLICYD_TO_ENGINE__INIT;
    (void)pthread_mutex_lock(&served->fake->mutex);
    served->fake->links.connected++;
    (void)pthread_mutex_unlock(&served->fake->mutex);
    connected.ports = question->attachment->ports;
    connected.n_ports = question->attachment->n_ports;
    packet.body_case = BULKHEAD__POLICYD_TO_ENGINE__BODY_CONTAINER_CONNECTED;
    packet.container_connected = &connected;
    (void)bh_request_reply(request, &packet.base, NULL, 0);
}

static void on_disconnect(struct bh_request *request)
{
    struct served *served = bh_request_owner(request);
    (void)pthread_mutex_lock(&served->fake->mutex);
    served->fake->links.disconnected++;
    (void)pthread_mutex_unlock(&served->fake->mutex);
    reply_done(request);
}

static void on_settle(struct bh_request *request)
{
    struct served *served = bh_request_owner(request);
    reply_done(request);
    (void)pthread_mutex_lock(&served->fake->mutex);
    served->fake->links.settled++;
    (void)pthread_cond_broadcast(&served->fake->changed);
    (void)pthread_mutex_unlock(&served->fake->mutex);
}

/* Called with the lock held. */
static void answer_netd(struct bh_request *request, uint64_t generation)
{
    Bulkhead__NetdReady ready = BULKHEAD__NETD_READY__INIT;
    Bulkhead__PolicydToEngine packet = BULKHEAD__POLICYD_TO_ENGINE__INIT;
    ready.generation = generation;
    packet.body_case = BULKHEAD__POLICYD_TO_ENGINE__BODY_NETD_READY;
    packet.netd_ready = &ready;
    (void)bh_request_reply(request, &packet.base, NULL, 0);
}

static void on_await_netd(struct bh_request *request)
{
    struct served *served = bh_request_owner(request);
    const Bulkhead__AwaitNetd *question = bh_request_body(request);
    struct fake_policyd *fake = served->fake;
    (void)pthread_mutex_lock(&fake->mutex);
    if (fake->netd_generation > question->generation) {
        answer_netd(request, fake->netd_generation);
    } else {
        bh_request_unref(fake->awaits_netd); /* of an engine that is gone */
        fake->awaits_netd = bh_request_ref(request);
    }
    (void)pthread_mutex_unlock(&fake->mutex);
}

void fake_policyd_overlap(struct fake_policyd *fake, unsigned count)
{
    (void)pthread_mutex_lock(&fake->mutex);
    fake->overlaps = count;
    (void)pthread_mutex_unlock(&fake->mutex);
}

void fake_policyd_restart_netd(struct fake_policyd *fake)
{
    (void)pthread_mutex_lock(&fake->mutex);
    fake->netd_generation++;
    if (fake->awaits_netd) {
        answer_netd(fake->awaits_netd, fake->netd_generation);
        bh_request_unref(fake->awaits_netd);
        fake->awaits_netd = NULL;
    }
    (void)pthread_mutex_unlock(&fake->mutex);
}

struct fake_links fake_policyd_links(struct fake_policyd *fake)
{
    (void)pthread_mutex_lock(&fake->mutex);
    struct fake_links links = fake->links;
    (void)pthread_mutex_unlock(&fake->mutex);
    return links;
}

void fake_policyd_await_settled(struct fake_policyd *fake, size_t count)
{
    (void)pthread_mutex_lock(&fake->mutex);
    while (fake->links.settled < count) {
        (void)pthread_cond_wait(&fake->changed, &fake->mutex);
    }
    (void)pthread_mutex_unlock(&fake->mutex);
}

static const struct bh_handler handlers[] = {
    {BULKHEAD__ENGINE_TO_POLICYD__BODY_ADMIT_IMAGE, "admit", ~0u, 0, 0, reply_done},
    {BULKHEAD__ENGINE_TO_POLICYD__BODY_ADMIT_TRANSFER, "admit", ~0u, 0, 0, reply_done},
    {BULKHEAD__ENGINE_TO_POLICYD__BODY_ADMIT_LAYERS, "admit", ~0u, 0, 0, reply_done},
    {BULKHEAD__ENGINE_TO_POLICYD__BODY_JUDGE_CONTAINER, "judge", ~0u, 0, 0, on_judge},
    {BULKHEAD__ENGINE_TO_POLICYD__BODY_START_CONTAINER, "start", ~0u, 0, 15, on_start},
    {BULKHEAD__ENGINE_TO_POLICYD__BODY_SIGNAL_CONTAINER, "signal", ~0u, 0, 0, on_signal},
    {BULKHEAD__ENGINE_TO_POLICYD__BODY_OPEN_MONITOR, "open monitor", ~0u, 0, 0, on_open_monitor},
    {BULKHEAD__ENGINE_TO_POLICYD__BODY_OPEN_LOG, "open log", ~0u, 0, 0, reply_not_found},
    {BULKHEAD__ENGINE_TO_POLICYD__BODY_FREEZE_CONTAINER, "freeze", ~0u, 0, 0, reply_done},
    {BULKHEAD__ENGINE_TO_POLICYD__BODY_REMOVE_CONTAINER, "remove", ~0u, 0, 0, on_remove},
    {BULKHEAD__ENGINE_TO_POLICYD__BODY_LIST_CONTAINERS, "list", ~0u, 0, 0, on_list},
    {BULKHEAD__ENGINE_TO_POLICYD__BODY_INSPECT_CONTAINER, "inspect", ~0u, 0, 0, on_inspect},
    {BULKHEAD__ENGINE_TO_POLICYD__BODY_MAKE_NETWORK, "make network", ~0u, 0, 0, on_make_network},
    {BULKHEAD__ENGINE_TO_POLICYD__BODY_DROP_NETWORK, "drop network", ~0u, 0, 0, reply_done},
    {BULKHEAD__ENGINE_TO_POLICYD__BODY_CONNECT_CONTAINER, "connect", ~0u, 0, 0, on_connect},
    {BULKHEAD__ENGINE_TO_POLICYD__BODY_DISCONNECT_CONTAINER, "disconnect", ~0u, 0, 0, on_disconnect},
    {BULKHEAD__ENGINE_TO_POLICYD__BODY_SETTLE_NETWORKS, "settle", ~0u, 0, 0, on_settle},
    {BULKHEAD__ENGINE_TO_POLICYD__BODY_AWAIT_NETD, "await netd", ~0u, 0, 0, on_await_netd},
    {0},
};
static const struct bh_protocol protocol = {
    .name = "fake_policyd",
    .incoming = &bulkhead__engine_to_policyd__descriptor,
    .outgoing = &bulkhead__policyd_to_engine__descriptor,
    .handlers = handlers,
};

/* ---- for the tests -------------------------------------------------------------------------------- */

struct fake_policyd *fake_policyd_new(void)
{
    struct fake_policyd *fake = calloc(1, sizeof *fake);
    (void)pthread_mutex_init(&fake->mutex, NULL);
    (void)pthread_cond_init(&fake->changed, NULL);
    fake->netd_generation = 1;
    return fake;
}

void fake_policyd_serve(struct fake_policyd *fake, int fd)
{
    (void)pthread_mutex_lock(&fake->mutex);
    serve(fake, &protocol, fd, -1);
    (void)pthread_mutex_unlock(&fake->mutex);
}

void fake_policyd_free(struct fake_policyd *fake)
{
    fake_policyd_hold_starts(fake, false);
    bh_request_unref(fake->awaits_netd);
    for (size_t i = 0; i < fake->n_threads; i++) {
        (void)pthread_join(fake->threads[i], NULL);
    }
    struct served *served;
    while ((served = fake->served)) {
        fake->served = served->next;
        free(served);
    }
    free(fake);
}

void fake_policyd_refuse_judge(struct fake_policyd *fake, enum bh_code code, const char *message)
{
    (void)pthread_mutex_lock(&fake->mutex);
    fake->refuse_judge = (struct bh_error){.code = code};
    (void)snprintf(fake->refuse_judge.message, sizeof fake->refuse_judge.message, "%s", message);
    (void)pthread_mutex_unlock(&fake->mutex);
}

void fake_policyd_refuse_start(struct fake_policyd *fake, enum bh_code code, const char *message)
{
    (void)pthread_mutex_lock(&fake->mutex);
    fake->refuse_start = (struct bh_error){.code = code};
    (void)snprintf(fake->refuse_start.message, sizeof fake->refuse_start.message, "%s", message);
    (void)pthread_mutex_unlock(&fake->mutex);
}

void fake_policyd_hold_starts(struct fake_policyd *fake, bool hold)
{
    (void)pthread_mutex_lock(&fake->mutex);
    fake->hold_starts = hold;
    (void)pthread_cond_broadcast(&fake->changed);
    (void)pthread_mutex_unlock(&fake->mutex);
}

void fake_policyd_await_starting(struct fake_policyd *fake)
{
    (void)pthread_mutex_lock(&fake->mutex);
    while (fake->starting == 0) {
        (void)pthread_cond_wait(&fake->changed, &fake->mutex);
    }
    (void)pthread_mutex_unlock(&fake->mutex);
}

void fake_policyd_lose_next_start(struct fake_policyd *fake)
{
    (void)pthread_mutex_lock(&fake->mutex);
    fake->lose_start = true;
    (void)pthread_mutex_unlock(&fake->mutex);
}

void fake_policyd_ignore_term(struct fake_policyd *fake, bool ignore)
{
    (void)pthread_mutex_lock(&fake->mutex);
    fake->ignore_term = ignore;
    (void)pthread_mutex_unlock(&fake->mutex);
}

void fake_policyd_exit_all(struct fake_policyd *fake, int32_t exit_code)
{
    (void)pthread_mutex_lock(&fake->mutex);
    for (int i = 0; i < CONTAINERS_MAX; i++) {
        if (fake->containers[i].known && fake->containers[i].running) {
            end_container(&fake->containers[i], exit_code);
        }
    }
    (void)pthread_mutex_unlock(&fake->mutex);
}

void fake_policyd_kill_monitors(struct fake_policyd *fake, bool container_ends, int32_t exit_code)
{
    (void)pthread_mutex_lock(&fake->mutex);
    for (int i = 0; i < CONTAINERS_MAX; i++) {
        struct fake_container *container = &fake->containers[i];
        if (container->known && container->running) {
            container->running = !container_ends;
            container->has_exit = container_ends;
            container->exit_code = exit_code;
            container->finished_ns = bh_wall_ns();
            (void)shutdown(container->monitor, SHUT_RDWR);
        }
    }
    (void)pthread_mutex_unlock(&fake->mutex);
}

static size_t count(struct fake_policyd *fake, bool only_running)
{
    size_t n = 0;
    (void)pthread_mutex_lock(&fake->mutex);
    for (int i = 0; i < CONTAINERS_MAX; i++) {
        n += fake->containers[i].known && (!only_running || fake->containers[i].running);
    }
    (void)pthread_mutex_unlock(&fake->mutex);
    return n;
}

size_t fake_policyd_running(struct fake_policyd *fake)
{
    return count(fake, true);
}

size_t fake_policyd_known(struct fake_policyd *fake)
{
    return count(fake, false);
}

size_t fake_policyd_starts(struct fake_policyd *fake)
{
    (void)pthread_mutex_lock(&fake->mutex);
    size_t n = fake->starts;
    (void)pthread_mutex_unlock(&fake->mutex);
    return n;
}

size_t fake_policyd_attached(struct fake_policyd *fake)
{
    (void)pthread_mutex_lock(&fake->mutex);
    size_t n = fake->attached;
    (void)pthread_mutex_unlock(&fake->mutex);
    return n;
}
