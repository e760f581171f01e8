/* SPDX-License-Identifier: Apache-2.0
 *
 * See dns_worker.h. netd's messages become the tables; the loop runs until netd hangs up.
 */
#include "dns_worker.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/channel.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "common/service.h"
#include "dns_serve.h"
#include "netd_dns.pb-c.h"

#define NAME_BYTES_MAX 255

/* ---- from messages ----------------------------------------------------------------------------------------- */

static void cleanup_container(struct dns_container **container)
{
    dns_container_free(*container);
}

static int copy_name(const char *name, char **ret_name, struct bh_error *error)
{
    if (strlen(name) > NAME_BYTES_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "a name is longer than %d bytes", NAME_BYTES_MAX);
    }
    *ret_name = strdup(name);
    if (!*ret_name) {
        return bh_error_errno(error, ENOMEM, "keep a name");
    }
    for (char *letter = *ret_name; *letter; letter++) {
        *letter = (char)tolower((unsigned char)*letter);
    }
    return 0;
}

/* An address may be absent. */
static int copy_address(const ProtobufCBinaryData *bytes, size_t n_bytes, uint8_t *address, bool *ret_has,
                        struct bh_error *error)
{
    if (bytes->len != 0 && bytes->len != n_bytes) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "an address of %zu bytes instead of %zu", bytes->len, n_bytes);
    }
    *ret_has = bytes->len != 0;
    if (*ret_has) {
        memcpy(address, bytes->data, n_bytes);
    }
    return 0;
}

static int copy_id(const ProtobufCBinaryData *bytes, uint8_t id[static DNS_ID_BYTES], struct bh_error *error)
{
    if (bytes->len != DNS_ID_BYTES) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "an id of %zu bytes instead of %d", bytes->len, DNS_ID_BYTES);
    }
    memcpy(id, bytes->data, DNS_ID_BYTES);
    return 0;
}

static int copy_links(const Bulkhead__Endpoint *from, struct dns_endpoint *endpoint, struct bh_error *error)
{
    endpoint->links = calloc(from->n_links + 1, sizeof(*endpoint->links));
    if (!endpoint->links) {
        return bh_error_errno(error, ENOMEM, "keep %zu links", from->n_links);
    }
    for (size_t i = 0; i < from->n_links; i++) {
        struct dns_link *link = &endpoint->links[endpoint->n_links];
        if (copy_name(from->links[i]->name, &link->name, error) < 0) {
            return -1;
        }
        endpoint->n_links++;
        if (copy_id(&from->links[i]->container, link->container, error) < 0) {
            return -1;
        }
    }
    return 0;
}

static const char *network_name(const Bulkhead__ServeContainer *message, const uint8_t *id)
{
    for (size_t i = 0; i < message->n_networks; i++) {
        const Bulkhead__DnsNetwork *network = message->networks[i];
        if (network->id.len == DNS_ID_BYTES && memcmp(network->id.data, id, DNS_ID_BYTES) == 0) {
            return network->name;
        }
    }
    return "";
}

static int copy_endpoint(const Bulkhead__ServeContainer *message, const Bulkhead__Endpoint *from,
                         struct dns_endpoint *endpoint, struct bh_error *error)
{
    if (copy_id(&from->network, endpoint->network, error) < 0 ||
        copy_address(&from->address4, 4, endpoint->address4, &endpoint->has_address4, error) < 0 ||
        copy_address(&from->address6, 16, endpoint->address6, &endpoint->has_address6, error) < 0 ||
        copy_name(network_name(message, endpoint->network), &endpoint->network_name, error) < 0) {
        return -1;
    }
    endpoint->names = calloc(from->n_names + 1, sizeof(*endpoint->names));
    if (!endpoint->names) {
        return bh_error_errno(error, ENOMEM, "keep %zu names", from->n_names);
    }
    for (; endpoint->n_names < from->n_names; endpoint->n_names++) {
        if (copy_name(from->names[endpoint->n_names], &endpoint->names[endpoint->n_names], error) < 0) {
            return -1;
        }
    }
    return copy_links(from, endpoint, error);
}

static int copy_container(const Bulkhead__ServeContainer *message, struct dns_container **ret_container,
                          struct bh_error *error)
{
    bh_cleanup(cleanup_container) struct dns_container *container = calloc(1, sizeof(*container));
    const Bulkhead__Attachment *attachment = message->attachment;
    if (!container) {
        return bh_error_errno(error, ENOMEM, "keep a container's names");
    }
    if (!attachment) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "ServeContainer without an attachment");
    }
    if (copy_id(&message->container, container->id, error) < 0) {
        return -1;
    }
    container->internal = attachment->internal_dns;
    container->endpoints = calloc(attachment->n_endpoints + 1, sizeof(*container->endpoints));
    if (!container->endpoints) {
        return bh_error_errno(error, ENOMEM, "keep %zu endpoints", attachment->n_endpoints);
    }
    while (container->n_endpoints < attachment->n_endpoints) {
        size_t i = container->n_endpoints++;
        if (copy_endpoint(message, attachment->endpoints[i], &container->endpoints[i], error) < 0) {
            return -1;
        }
    }
    *ret_container = bh_steal_pointer(&container);
    return 0;
}

static int set_servers(struct dns_served *served, const Bulkhead__Attachment *attachment, struct bh_error *error)
{
    served->n_servers = 0;
    for (size_t i = 0; i < attachment->n_dns_servers && served->n_servers < DNS_RESOLVERS_MAX; i++) {
        const ProtobufCBinaryData *address = &attachment->dns_servers[i];
        if (dns_server_set(&served->servers[served->n_servers], address->data, address->len) < 0) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "a resolver's address of %zu bytes", address->len);
        }
        served->n_servers++;
    }
    return 0;
}

/* ---- the channel ------------------------------------------------------------------------------------------- */

static void answer_done(struct bh_request *request)
{
    Bulkhead__Done done = BULKHEAD__DONE__INIT;
    Bulkhead__DnsToNetd packet = BULKHEAD__DNS_TO_NETD__INIT;
    packet.body_case = BULKHEAD__DNS_TO_NETD__BODY_DONE;
    packet.done = &done;
    (void)bh_request_reply(request, &packet.base, NULL, 0);
}

static int serve(struct bh_request *request, struct bh_error *error)
{
    struct dns_worker *worker = bh_request_owner(request);
    const Bulkhead__ServeContainer *message = bh_request_body(request);
    size_t n_fds = bh_request_message(request)->n_fds;
    struct dns_container *container = NULL;
    if (n_fds != 0 && n_fds != 3) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "a container is served with 3 sockets or none, not %zu", n_fds);
    }
    if (copy_container(message, &container, error) < 0) {
        return -1;
    }
    dns_names_put(&worker->names, container);
    struct dns_served *served = dns_serve_find(worker, message->container.data);
    if (n_fds == 3) {
        int fds[3];
        for (size_t i = 0; i < 3; i++) {
            fds[i] = bh_request_take_fd(request, i);
        }
        if (served) {
            dns_serve_end(served);
        }
        if (dns_serve_begin(worker, message->container.data, fds, &served, error) < 0) {
            return -1;
        }
    }
    return served ? set_servers(served, message->attachment, error) : 0;
}

static void handle_serve(struct bh_request *request)
{
    struct bh_error error = {0};
    if (serve(request, &error) < 0) {
        (void)bh_request_fail(request, &error);
    } else {
        answer_done(request);
    }
}

static void handle_forget(struct bh_request *request)
{
    struct dns_worker *worker = bh_request_owner(request);
    const Bulkhead__ForgetContainer *message = bh_request_body(request);
    struct bh_error error = {0};
    uint8_t id[DNS_ID_BYTES];
    if (copy_id(&message->container, id, &error) < 0) {
        (void)bh_request_fail(request, &error);
        return;
    }
    struct dns_served *served = dns_serve_find(worker, id);
    if (served) {
        dns_serve_end(served);
    }
    dns_names_remove(&worker->names, id);
    answer_done(request);
}

static const struct bh_protocol protocol = {
    .name = "netd_dns",
    .incoming = &bulkhead__netd_to_dns__descriptor,
    .outgoing = &bulkhead__dns_to_netd__descriptor,
    .handlers =
        (const struct bh_handler[]){
            {BULKHEAD__NETD_TO_DNS__BODY_SERVE_CONTAINER, "ServeContainer", ~0u, 0, 3, handle_serve},
            {BULKHEAD__NETD_TO_DNS__BODY_FORGET_CONTAINER, "ForgetContainer", ~0u, 0, 0, handle_forget},
            {0},
        },
};

static void on_close(struct bh_channel *channel, void *owner)
{
    (void)channel;
    struct dns_worker *worker = owner;
    (void)event_base_loopbreak(worker->base);
}

/* ---- life -------------------------------------------------------------------------------------------------- */

static int run(struct dns_worker *worker, int job_fd, struct bh_error *error)
{
    bh_autoclose int fd = job_fd;
    struct bh_channel *channel = NULL;
    worker->base = event_base_new();
    if (!worker->base) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "no event loop");
    }
    if (bh_channel_new_on_loop(&protocol, worker->base, worker, &channel, error) < 0) {
        return -1;
    }
    bh_channel_on_close(channel, on_close);
    int result = bh_channel_wire(channel, bh_steal_fd(&fd), error);
    if (result == 0 && event_base_dispatch(worker->base) < 0) {
        result = bh_error_set(error, BH_INTERNAL, "the event loop failed");
    }
    while (!LIST_EMPTY(&worker->served)) {
        dns_serve_end(LIST_FIRST(&worker->served));
    }
    dns_names_clear(&worker->names);
    bh_channel_free(channel);
    return result;
}

int dns_work(struct bh_service_context *context, int job_fd, void *argument)
{
    (void)context;
    (void)argument;
    static struct dns_worker worker;
    struct bh_error error = {0};
    int result = run(&worker, job_fd, &error);
    if (result < 0) {
        bh_log_failure(BH_LOG_ERROR, &error, "answer containers' questions about names");
    }
    if (worker.base) {
        event_base_free(worker.base);
    }
    return result < 0;
}
