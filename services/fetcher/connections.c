/* SPDX-License-Identifier: Apache-2.0
 *
 * Sockets from the dialer; see connections.h.
 */
#include "connections.h"

#include <string.h>

#include "common/channel.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "fetcher_dialer.pb-c.h"

struct connections {
    struct bh_channel *dialer;
    char registry[URL_AUTHORITY_SIZE];
    struct known_origin known[CONNECTIONS_ORIGINS_MAX];
    size_t n_known;
};

static const struct bh_protocol dialer_protocol = {
    .name = "fetcher_dialer job",
    .incoming = &bulkhead__dialer_to_fetcher__descriptor,
    .outgoing = &bulkhead__fetcher_to_dialer__descriptor,
};

int connections_new(int job_fd, struct connections **ret_connections, struct bh_error *error)
{
    bh_autoclose int fd = job_fd;
    bh_autofree struct connections *connections = calloc(1, sizeof(*connections));
    if (!connections) {
        return bh_error_errno(error, ENOMEM, "hold connections");
    }
    if (bh_channel_new(&dialer_protocol, NULL, &connections->dialer, error) < 0) {
        return -1;
    }
    if (bh_channel_wire(connections->dialer, bh_steal_fd(&fd), error) < 0) {
        bh_channel_free(connections->dialer);
        return -1;
    }
    *ret_connections = bh_steal_pointer(&connections);
    return 0;
}

int connections_set_registry(struct connections *connections, const char *registry, struct bh_error *error)
{
    size_t length = strlen(registry);
    if (length >= sizeof(connections->registry)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "registry \"%.64s...\" is too long", registry);
    }
    memcpy(connections->registry, registry, length + 1);
    return 0;
}

void connections_free(struct connections *connections)
{
    if (!connections) {
        return;
    }
    for (size_t i = 0; i < connections->n_known; i++) {
        bh_close(&connections->known[i].spare);
        certs_clear(&connections->known[i].certs);
    }
    bh_channel_free(connections->dialer);
    free(connections);
}

static int dial(struct connections *connections, const struct origin *origin, int *ret_fd, bool *ret_insecure,
                struct bh_error *error)
{
    char host[URL_HOST_SIZE];
    memcpy(host, origin->host, sizeof(host));
    Bulkhead__Connect connect = BULKHEAD__CONNECT__INIT;
    connect.host = host;
    connect.port = origin->port;
    connect.timeout_ms = CONNECTIONS_TIMEOUT_MS;
    connect.registry = connections->registry;
    Bulkhead__FetcherToDialer packet = BULKHEAD__FETCHER_TO_DIALER__INIT;
    packet.body_case = BULKHEAD__FETCHER_TO_DIALER__BODY_CONNECT;
    packet.connect = &connect;
    bh_automessage struct bh_message *message = NULL;
    if (bh_call(connections->dialer, &packet.base, NULL, 0, 2 * CONNECTIONS_TIMEOUT_MS,
                BULKHEAD__DIALER_TO_FETCHER__BODY_CONNECTED, &message, error) < 0) {
        return -1;
    }
    const Bulkhead__Connected *connected = bh_message_body(message);
    *ret_fd = bh_message_take_fd(message, 0);
    if (*ret_fd < 0) {
        return bh_error_set(error, BH_INTERNAL, "the dialer says it connected to %s, and hands nothing over", host);
    }
    *ret_insecure = connected->insecure_allowed;
    bh_log_debug("connected to %s (%s)", host, connected->address);
    return 0;
}

const struct known_origin *connections_find(const struct connections *connections, const struct origin *origin)
{
    for (size_t i = 0; i < connections->n_known; i++) {
        if (origin_equal(&connections->known[i].origin, origin)) {
            return &connections->known[i];
        }
    }
    return NULL;
}

int connections_know(struct connections *connections, const struct origin *origin, struct known_origin **ret_known,
                     struct bh_error *error)
{
    for (size_t i = 0; i < connections->n_known; i++) {
        if (origin_equal(&connections->known[i].origin, origin)) {
            *ret_known = &connections->known[i];
            return 0;
        }
    }
    if (connections->n_known == CONNECTIONS_ORIGINS_MAX) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "registry %s leads to more than %d other hosts",
                            connections->registry, CONNECTIONS_ORIGINS_MAX);
    }
    struct known_origin *known = &connections->known[connections->n_known];
    *known = (struct known_origin){.origin = *origin, .spare = -1};
    if (origin->https && certs_load(origin, &known->certs, error) < 0) {
        return -1;
    }
    if (dial(connections, origin, &known->spare, &known->insecure, error) < 0) {
        certs_clear(&known->certs);
        return -1;
    }
    connections->n_known++;
    *ret_known = known;
    return 0;
}

int connections_take(struct connections *connections, struct known_origin *known, int *ret_fd, struct bh_error *error)
{
    if (known->spare >= 0) {
        *ret_fd = bh_steal_fd(&known->spare);
        return 0;
    }
    bool ignored;
    return dial(connections, &known->origin, ret_fd, &ignored, error);
}
