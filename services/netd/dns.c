/* SPDX-License-Identifier: Apache-2.0
 *
 * See dns.h. What a worker was told is kept, with its sockets, to be told to the next one.
 */
#include "dns.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/channel.h"
#include "common/cleanup.h"
#include "common/io.h"
#include "common/log.h"
#include "common/service.h"
#include "dns_worker.h"
#include "netd_dns.pb-c.h"
#include "sandbox.h"

#define CONTAINERS_MAX 4096 /* of one tenant: each may hold three descriptors */
#define AGAIN_MS       1000 /* between two starts of a worker that dies */
#define IDLE_SECONDS   300 /* that a worker is kept without a container: starting one takes longer than all of a link */

/* One container, as the worker is told of it. */
struct dns_told {
    LIST_ENTRY(dns_told) next;
    uint8_t id[32];
    int fds[3]; /* -1: it has no sockets */
    Bulkhead__ServeContainer *message;
};

struct dns_tenant {
    LIST_ENTRY(dns_tenant) next;
    struct dns *dns;
    uint32_t uid;
    struct bh_channel *channel; /* NULL: no worker runs */
    struct event *again, *idle;
    uint64_t started_at_ms;
    LIST_HEAD(, dns_told) told;
    size_t n_told;
};

static const struct bh_protocol protocol = {
    .name = "netd_dns",
    .incoming = &bulkhead__dns_to_netd__descriptor,
    .outgoing = &bulkhead__netd_to_dns__descriptor,
};

/* ---- what was told ----------------------------------------------------------------------------------------- */

static void told_free(struct dns_told *told)
{
    if (told) {
        for (size_t i = 0; i < 3; i++) {
            bh_close(&told->fds[i]);
        }
        if (told->message) {
            bulkhead__serve_container__free_unpacked(told->message, NULL);
        }
        free(told);
    }
}

static void cleanup_told(struct dns_told **told)
{
    told_free(*told);
}

static struct dns_told *told_find(const struct dns_tenant *tenant, const uint8_t *id)
{
    struct dns_told *told;
    LIST_FOREACH(told, &tenant->told, next)
    {
        if (memcmp(told->id, id, sizeof(told->id)) == 0) {
            return told;
        }
    }
    return NULL;
}

static void told_remove(struct dns_tenant *tenant, struct dns_told *told)
{
    LIST_REMOVE(told, next);
    tenant->n_told--;
    told_free(told);
}

/* A copy by way of its bytes: the caller's message is gone when the worker has to be told again. */
static int copy_message(const uint8_t *container, const Bulkhead__Attachment *attachment,
                        const struct dns_network_name *networks, size_t n_networks,
                        Bulkhead__ServeContainer **ret_message, struct bh_error *error)
{
    Bulkhead__ServeContainer message = BULKHEAD__SERVE_CONTAINER__INIT;
    bh_autofree Bulkhead__DnsNetwork *names = calloc(n_networks + 1, sizeof(*names));
    bh_autofree Bulkhead__DnsNetwork **list = calloc(n_networks + 1, sizeof(Bulkhead__DnsNetwork *));
    if (!names || !list) {
        return bh_error_errno(error, ENOMEM, "keep a container's names");
    }
    for (size_t i = 0; i < n_networks; i++) {
        names[i] = (Bulkhead__DnsNetwork)BULKHEAD__DNS_NETWORK__INIT;
        names[i].id = (ProtobufCBinaryData){.len = 32, .data = (uint8_t *)(uintptr_t)networks[i].id};
        names[i].name = (char *)(uintptr_t)networks[i].name;
        list[i] = &names[i];
    }
    message.container = (ProtobufCBinaryData){.len = 32, .data = (uint8_t *)(uintptr_t)container};
    message.attachment = (Bulkhead__Attachment *)(uintptr_t)attachment;
    message.networks = list;
    message.n_networks = n_networks;
    size_t n_bytes = bulkhead__serve_container__get_packed_size(&message);
    bh_autofree uint8_t *bytes = malloc(n_bytes + 1);
    if (bytes) {
        (void)bulkhead__serve_container__pack(&message, bytes);
        *ret_message = bulkhead__serve_container__unpack(NULL, n_bytes, bytes);
    }
    return bytes && *ret_message ? 0 : bh_error_errno(error, ENOMEM, "keep a container's names");
}

/* ---- the worker -------------------------------------------------------------------------------------------- */

static void on_answer(struct bh_message *message, const struct bh_error *error, void *argument)
{
    (void)argument;
    bh_automessage struct bh_message *answer = message;
    if (!answer && error->code != BH_UNAVAILABLE) { /* its end is seen by the channel */
        bh_log_failure(BH_LOG_WARNING, error, "tell the DNS worker of a container");
    }
}

static int tell(const struct dns_tenant *tenant, const struct dns_told *told, struct bh_error *error)
{
    Bulkhead__NetdToDns packet = BULKHEAD__NETD_TO_DNS__INIT;
    packet.body_case = BULKHEAD__NETD_TO_DNS__BODY_SERVE_CONTAINER;
    packet.serve_container = told->message;
    return bh_call_async(tenant->channel, &packet.base, told->fds, told->fds[0] < 0 ? 0 : 3, 0, on_answer, NULL, NULL,
                         error);
}

static void tell_to_forget(const struct dns_tenant *tenant, const uint8_t *id)
{
    Bulkhead__ForgetContainer message = BULKHEAD__FORGET_CONTAINER__INIT;
    message.container = (ProtobufCBinaryData){.len = 32, .data = (uint8_t *)(uintptr_t)id};
    Bulkhead__NetdToDns packet = BULKHEAD__NETD_TO_DNS__INIT;
    packet.body_case = BULKHEAD__NETD_TO_DNS__BODY_FORGET_CONTAINER;
    packet.forget_container = &message;
    struct bh_error error;
    if (tenant->channel &&
        bh_call_async(tenant->channel, &packet.base, NULL, 0, 0, on_answer, NULL, NULL, &error) < 0) {
        bh_log_failure(BH_LOG_WARNING, &error, "tell the DNS worker to forget a container");
    }
}

static void start_later(struct dns_tenant *tenant)
{
    uint64_t since_ms = bh_now_ms() - tenant->started_at_ms;
    uint64_t wait_ms = since_ms < AGAIN_MS ? AGAIN_MS - since_ms : 0;
    const struct timeval wait = {.tv_sec = (time_t)(wait_ms / 1000), .tv_usec = (suseconds_t)(wait_ms % 1000 * 1000)};
    if (event_add(tenant->again, &wait) < 0) {
        bh_log_error("the DNS worker of tenant %u cannot be started again", tenant->uid);
    }
}

/* It died, or broke the rules: what it was told is told to another one. */
static void on_close(struct bh_channel *channel, void *owner)
{
    (void)channel;
    start_later(owner);
}

static int start(struct dns_tenant *tenant, struct bh_error *error)
{
    static const struct bh_worker worker = {.sandbox = &netd_dns_sandbox, .name = "dns", .work = dns_work};
    struct bh_service_context *context = tenant->dns->context;
    struct bh_channel *channel = NULL;
    int ends[2];
    pid_t pid;
    if (bh_channel_pair(ends, error) < 0) {
        return -1;
    }
    bh_autoclose int mine = ends[0], its = ends[1];
    tenant->started_at_ms = bh_now_ms();
    if (bh_worker_fork(context, &worker, its, NULL, &pid, error) < 0 ||
        bh_channel_new_on_loop(&protocol, context->base, tenant, &channel, error) < 0) {
        return -1;
    }
    bh_channel_on_close(channel, on_close);
    if (bh_channel_wire(channel, bh_steal_fd(&mine), error) < 0) {
        bh_channel_free(channel);
        return -1;
    }
    tenant->channel = channel;
    const struct dns_told *told;
    LIST_FOREACH(told, &tenant->told, next)
    {
        if (tell(tenant, told, error) < 0) {
            return -1;
        }
    }
    return 0;
}

static void on_again(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    struct dns_tenant *tenant = argument;
    struct bh_error error;
    if (tenant->channel) {
        bh_channel_free(tenant->channel);
        tenant->channel = NULL;
    }
    if (start(tenant, &error) < 0) {
        bh_log_failure(BH_LOG_ERROR, &error, "start a DNS worker again");
        start_later(tenant);
    }
}

/* ---- tenants ----------------------------------------------------------------------------------------------- */

static void tenant_free(struct dns_tenant *tenant)
{
    while (!LIST_EMPTY(&tenant->told)) {
        told_remove(tenant, LIST_FIRST(&tenant->told));
    }
    if (tenant->channel) {
        bh_channel_free(tenant->channel); /* with its end the worker's loop ends */
    }
    event_free(tenant->again);
    event_free(tenant->idle);
    LIST_REMOVE(tenant, next);
    free(tenant);
}

static void free_event(struct event *event)
{
    if (event) {
        event_free(event);
    }
}

/* No container has come for it. */
static void on_idle(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    struct dns_tenant *tenant = argument;
    if (LIST_EMPTY(&tenant->told)) {
        tenant_free(tenant);
    }
}

static struct dns_tenant *tenant_find(const struct dns *dns, uint32_t uid)
{
    struct dns_tenant *tenant;
    LIST_FOREACH(tenant, &dns->tenants, next)
    {
        if (tenant->uid == uid) {
            return tenant;
        }
    }
    return NULL;
}

static int tenant_get(struct dns *dns, uint32_t uid, struct dns_tenant **ret_tenant, struct bh_error *error)
{
    if ((*ret_tenant = tenant_find(dns, uid))) {
        return 0;
    }
    struct dns_tenant *tenant = calloc(1, sizeof(*tenant));
    struct event *again = evtimer_new(dns->context->base, on_again, tenant);
    struct event *idle = evtimer_new(dns->context->base, on_idle, tenant);
    if (!tenant || !again || !idle) {
        free(tenant);
        free_event(again);
        free_event(idle);
        return bh_error_errno(error, ENOMEM, "hold a tenant's names");
    }
    *tenant = (struct dns_tenant){.dns = dns, .uid = uid, .again = again, .idle = idle};
    LIST_INSERT_HEAD(&dns->tenants, tenant, next);
    *ret_tenant = tenant;
    return 0;
}

int dns_serve(struct dns *dns, uint32_t tenant_uid, const uint8_t container[static 32],
              const Bulkhead__Attachment *attachment, const struct dns_network_name *networks, size_t n_networks,
              const int *fds, struct bh_error *error)
{
    struct dns_tenant *tenant;
    bh_cleanup(cleanup_told) struct dns_told *told = calloc(1, sizeof(*told));
    if (!told) {
        return bh_error_errno(error, ENOMEM, "keep a container's names");
    }
    *told = (struct dns_told){.fds = {-1, -1, -1}};
    memcpy(told->id, container, sizeof(told->id));
    if (tenant_get(dns, tenant_uid, &tenant, error) < 0 ||
        copy_message(container, attachment, networks, n_networks, &told->message, error) < 0) {
        return -1;
    }
    struct dns_told *before = told_find(tenant, container);
    if (!before && tenant->n_told >= CONTAINERS_MAX) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "more than %d containers of tenant %u have names",
                            CONTAINERS_MAX, tenant_uid);
    }
    for (size_t i = 0; i < 3; i++) {
        int fd = fds ? fds[i] : before ? before->fds[i] : -1;
        if (fd >= 0 && (told->fds[i] = fcntl(fd, F_DUPFD_CLOEXEC, 3)) < 0) {
            return bh_error_errno(error, errno, "keep a container's sockets");
        }
    }
    if (before) {
        told_remove(tenant, before);
    }
    LIST_INSERT_HEAD(&tenant->told, told, next);
    tenant->n_told++;
    const struct dns_told *kept = bh_steal_pointer(&told);
    if (!tenant->channel) {
        return start(tenant, error);
    }
    /* One that has died is followed by one that is told of all. */
    return bh_channel_is_wired(tenant->channel) ? tell(tenant, kept, error) : 0;
}

void dns_forget(struct dns *dns, uint32_t tenant_uid, const uint8_t container[static 32])
{
    struct dns_tenant *tenant = tenant_find(dns, tenant_uid);
    struct dns_told *told = tenant ? told_find(tenant, container) : NULL;
    if (!told) {
        return;
    }
    static const struct timeval idle = {.tv_sec = IDLE_SECONDS};
    told_remove(tenant, told);
    tell_to_forget(tenant, container);
    if (LIST_EMPTY(&tenant->told) && event_add(tenant->idle, &idle) < 0) {
        tenant_free(tenant);
    }
}

void dns_clear(struct dns *dns)
{
    while (!LIST_EMPTY(&dns->tenants)) {
        tenant_free(LIST_FIRST(&dns->tenants));
    }
}
