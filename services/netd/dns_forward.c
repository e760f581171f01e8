/* SPDX-License-Identifier: Apache-2.0
 *
 * See dns_forward.h. Each question to the host's resolvers has a socket of its own, connected, with a port that the
 * kernel chose and an id that is random: a forged answer would have to hit both. Over TCP if the client came by TCP.
 */
#include "dns_forward.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "dns_serve.h"

#define TRY_MS             2000
#define TRIES_MAX          4
#define WORKER_PENDING_MAX 768 /* of all containers together; each takes a descriptor */

struct dns_pending {
    LIST_ENTRY(dns_pending) next;
    struct dns_client client;
    struct dns_question question;
    union dns_server server; /* whom it was asked last */
    size_t tries;
    uint16_t id; /* as it was asked */
    int fd;      /* -1: the container's own socket, or a stream */
    struct event *readable, *timer;
    struct bufferevent *stream;
    size_t n_asked;
    uint8_t asked[]; /* with `id` */
};

static void try_next(struct dns_pending *pending);

/* ---- an end ------------------------------------------------------------------------------------------------ */

static void hang_up(struct dns_pending *pending)
{
    if (pending->readable) {
        event_free(pending->readable);
        pending->readable = NULL;
    }
    if (pending->stream) {
        bufferevent_free(pending->stream);
        pending->stream = NULL;
    }
    bh_close(&pending->fd);
}

static void pending_free(struct dns_pending *pending)
{
    hang_up(pending);
    if (pending->timer) {
        event_free(pending->timer);
    }
    LIST_REMOVE(pending, next);
    pending->client.served->n_pending--;
    pending->client.served->worker->n_pending--;
    free(pending);
}

void dns_forward_forget(struct dns_served *served, const struct dns_stream *stream)
{
    struct dns_pending *pending = LIST_FIRST(&served->pending);
    while (pending) {
        struct dns_pending *next = LIST_NEXT(pending, next);
        if (!stream || pending->client.stream == stream) {
            pending_free(pending);
        }
        pending = next;
    }
}

static void fail(struct dns_pending *pending)
{
    uint8_t bytes[DNS_UDP_BYTES];
    struct dns_answer answer;
    dns_answer_begin(&answer, bytes, sizeof(bytes), pending->asked, &pending->question, ns_r_servfail);
    dns_serve_answer(&pending->client, &pending->question, bytes, dns_answer_end(&answer));
    pending_free(pending);
}

/* What came may be anything, from anybody: only what answers this question counts. */
static void on_answer(struct dns_pending *pending, uint8_t *bytes, size_t n_bytes)
{
    if (n_bytes < 4 || ns_get16(bytes) != pending->id || !dns_is_answer(bytes, n_bytes, &pending->question)) {
        return;
    }
    unsigned int code = bytes[3] & 0x0fU;
    if ((code == ns_r_servfail || code == ns_r_refused || code == ns_r_notimpl) && pending->tries < TRIES_MAX) {
        try_next(pending);
        return;
    }
    ns_put16(pending->question.id, bytes);
    dns_serve_answer(&pending->client, &pending->question, bytes, n_bytes);
    pending_free(pending);
}

/* ---- over UDP ---------------------------------------------------------------------------------------------- */

static void on_readable(evutil_socket_t fd, short what, void *argument)
{
    (void)what;
    uint8_t bytes[DNS_UDP_BYTES_MAX];
    ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
    if (n >= 0) {
        on_answer(argument, bytes, (size_t)n);
    } else if (errno != EAGAIN && errno != EINTR) { /* nobody listens there */
        try_next(argument);
    }
}

static int ask_datagram(struct dns_pending *pending)
{
    int fd = socket(pending->server.any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    pending->fd = fd;
    if (fd < 0 || connect(fd, &pending->server.any, dns_server_bytes(&pending->server)) < 0 ||
        send(fd, pending->asked, pending->n_asked, MSG_DONTWAIT) < 0) {
        return -1;
    }
    pending->readable = event_new(pending->client.served->worker->base, fd, EV_READ | EV_PERSIST, on_readable, pending);
    return pending->readable ? event_add(pending->readable, NULL) : -1;
}

static int ask_own(struct dns_pending *pending)
{
    return sendto(pending->client.served->own, pending->asked, pending->n_asked, MSG_DONTWAIT, &pending->server.any,
                  dns_server_bytes(&pending->server)) < 0
               ? -1
               : 0;
}

static bool is_same_server(const union dns_server *a, const union dns_server *b)
{
    return a->any.sa_family == b->any.sa_family &&
           (a->any.sa_family == AF_INET
                ? a->ipv4.sin_port == b->ipv4.sin_port && a->ipv4.sin_addr.s_addr == b->ipv4.sin_addr.s_addr
                : a->ipv6.sin6_port == b->ipv6.sin6_port &&
                      memcmp(&a->ipv6.sin6_addr, &b->ipv6.sin6_addr, sizeof(a->ipv6.sin6_addr)) == 0);
}

/* A socket of both families tells of an IPv4 address as one that is mapped into IPv6. */
static void unmap(union dns_server *server)
{
    if (server->any.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&server->ipv6.sin6_addr)) {
        const struct sockaddr_in6 mapped = server->ipv6;
        *server = (union dns_server){.ipv4 = {.sin_family = AF_INET, .sin_port = mapped.sin6_port}};
        memcpy(&server->ipv4.sin_addr, &mapped.sin6_addr.s6_addr[12], 4);
    }
}

void dns_forward_on_own(evutil_socket_t fd, short what, void *argument)
{
    (void)what;
    const struct dns_served *served = argument;
    uint8_t bytes[DNS_UDP_BYTES_MAX];
    union dns_server from = {0};
    socklen_t from_bytes = sizeof(from);
    ssize_t n = recvfrom(fd, bytes, sizeof(bytes), MSG_DONTWAIT, &from.any, &from_bytes);
    if (n < 4) {
        return;
    }
    unmap(&from);
    struct dns_pending *pending;
    LIST_FOREACH(pending, &served->pending, next)
    {
        if (pending->fd < 0 && !pending->stream && pending->id == ns_get16(bytes) &&
            is_same_server(&pending->server, &from)) {
            on_answer(pending, bytes, (size_t)n);
            return;
        }
    }
}

/* ---- over TCP ---------------------------------------------------------------------------------------------- */

static void on_stream(struct bufferevent *events, void *argument)
{
    static uint8_t bytes[DNS_TCP_BYTES_MAX]; /* of the one thread there is */
    struct evbuffer *input = bufferevent_get_input(events);
    uint8_t length_bytes[2];
    if (evbuffer_copyout(input, length_bytes, sizeof(length_bytes)) < (ssize_t)sizeof(length_bytes)) {
        return;
    }
    size_t length = (size_t)length_bytes[0] << 8 | length_bytes[1];
    if (evbuffer_get_length(input) >= sizeof(length_bytes) + length) {
        (void)evbuffer_drain(input, sizeof(length_bytes));
        (void)evbuffer_remove(input, bytes, length);
        on_answer(argument, bytes, length);
    }
}

static void on_stream_event(struct bufferevent *events, short what, void *argument)
{
    (void)events;
    if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) {
        try_next(argument);
    }
}

static int ask_stream(struct dns_pending *pending)
{
    const uint8_t length[2] = {(uint8_t)(pending->n_asked >> 8), (uint8_t)pending->n_asked};
    pending->stream = bufferevent_socket_new(pending->client.served->worker->base, -1,
                                             BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
    if (!pending->stream) {
        return -1;
    }
    bufferevent_setcb(pending->stream, on_stream, NULL, on_stream_event, pending);
    bufferevent_setwatermark(pending->stream, EV_READ, 0, 2 + DNS_TCP_BYTES_MAX);
    return bufferevent_write(pending->stream, length, sizeof(length)) < 0 ||
                   bufferevent_write(pending->stream, pending->asked, pending->n_asked) < 0 ||
                   bufferevent_enable(pending->stream, EV_READ | EV_WRITE) < 0 ||
                   bufferevent_socket_connect(pending->stream, &pending->server.any,
                                              (int)dns_server_bytes(&pending->server)) < 0
               ? -1
               : 0;
}

/* ---- one after another ------------------------------------------------------------------------------------- */

/* The resolvers of this question; its own ones exclude the host's. */
static const union dns_server *servers_of(const struct dns_served *served, size_t *ret_n)
{
    *ret_n = served->n_servers ? served->n_servers : served->worker->resolvers.n;
    return served->n_servers ? served->servers : served->worker->resolvers.servers;
}

static int ask(struct dns_pending *pending)
{
    const struct dns_served *served = pending->client.served;
    const struct timeval wait = {.tv_sec = TRY_MS / 1000, .tv_usec = TRY_MS % 1000 * 1000};
    size_t n;
    const union dns_server *servers = servers_of(served, &n);
    if (n == 0 || event_add(pending->timer, &wait) < 0) {
        return -1;
    }
    pending->server = servers[pending->tries++ % n];
    /* No TCP socket can be had inside the container; its own resolvers' long answers come truncated. */
    return served->n_servers ? ask_own(pending) : pending->client.stream ? ask_stream(pending) : ask_datagram(pending);
}

/* May free what it is given. */
static void try_next(struct dns_pending *pending)
{
    hang_up(pending);
    while (pending->tries < TRIES_MAX) {
        if (ask(pending) == 0) {
            return;
        }
        hang_up(pending);
    }
    fail(pending);
}

static void on_timeout(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    try_next(argument);
}

int dns_forward(const struct dns_client *client, const struct dns_question *question, const uint8_t *asked,
                size_t n_asked)
{
    struct dns_served *served = client->served;
    struct dns_worker *worker = served->worker;
    size_t n;
    dns_resolvers_refresh(&worker->resolvers);
    (void)servers_of(served, &n);
    if (n == 0 || served->n_pending >= DNS_PENDING_MAX || worker->n_pending >= WORKER_PENDING_MAX) {
        return -1;
    }
    bh_autofree struct dns_pending *pending = calloc(1, sizeof(*pending) + n_asked);
    if (!pending) {
        return -1;
    }
    *pending = (struct dns_pending){.client = *client, .question = *question, .fd = -1, .n_asked = n_asked};
    if (getrandom(&pending->id, sizeof(pending->id), 0) != (ssize_t)sizeof(pending->id)) {
        return -1;
    }
    memcpy(pending->asked, asked, n_asked);
    ns_put16(pending->id, pending->asked);
    pending->timer = evtimer_new(worker->base, on_timeout, pending);
    if (!pending->timer) {
        return -1;
    }
    LIST_INSERT_HEAD(&served->pending, pending, next);
    served->n_pending++;
    worker->n_pending++;
    try_next(bh_steal_pointer(&pending));
    return 0;
}
