/* SPDX-License-Identifier: Apache-2.0
 *
 * See dns_serve.h. Whatever comes in is a container's; at worst it wastes its own share of answers.
 */
#include "dns_serve.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "common/log.h"
#include "dns_forward.h"

#define QUESTIONS_PER_TURN 32 /* then other containers have their turn */
#define IDLE_SECONDS       10
#define LENGTH_BYTES       2
#define UNREAD_MAX         (256 * 1024) /* answers that a connection has not taken */

struct dns_stream {
    LIST_ENTRY(dns_stream) next;
    struct dns_served *served;
    struct bufferevent *events;
};

/* ---- answers ---------------------------------------------------------------------------------------------- */

static void send_stream(const struct dns_stream *stream, const uint8_t *bytes, size_t n_bytes)
{
    const uint8_t length[LENGTH_BYTES] = {(uint8_t)(n_bytes >> 8), (uint8_t)n_bytes};
    /* What cannot be queued is an answer that does not come. */
    if (bufferevent_write(stream->events, length, sizeof(length)) == 0) {
        (void)bufferevent_write(stream->events, bytes, n_bytes);
    }
}

void dns_serve_answer(const struct dns_client *client, const struct dns_question *question, uint8_t *bytes,
                      size_t n_bytes)
{
    if (client->stream) {
        send_stream(client->stream, bytes, n_bytes);
        return;
    }
    if (n_bytes > question->udp_bytes) {
        struct dns_answer answer;
        dns_answer_begin(&answer, bytes, DNS_UDP_BYTES, bytes, question, ns_r_noerror);
        answer.truncated = true;
        n_bytes = dns_answer_end(&answer);
    }
    (void)sendto(client->served->udp, bytes, n_bytes, MSG_DONTWAIT, (const struct sockaddr *)&client->address,
                 sizeof(client->address));
}

/* ---- questions -------------------------------------------------------------------------------------------- */

/* A bucket that fills with time: a flood of questions costs the host no more than its rate. */
static bool may_ask(struct dns_served *served)
{
    uint64_t now_ms = bh_now_ms();
    served->tokens += (double)(now_ms - served->counted_at_ms) * DNS_RATE / 1000.0;
    served->counted_at_ms = now_ms;
    if (served->tokens > DNS_BURST) {
        served->tokens = DNS_BURST;
    }
    if (served->tokens < 1.0) {
        return false;
    }
    served->tokens -= 1.0;
    return true;
}

static void answer_code(const struct dns_client *client, const uint8_t *asked, const struct dns_question *question,
                        int code)
{
    uint8_t bytes[DNS_UDP_BYTES];
    struct dns_answer answer;
    dns_answer_begin(&answer, bytes, sizeof(bytes), asked, question, code);
    dns_serve_answer(client, question, bytes, dns_answer_end(&answer));
}

static void on_question(const struct dns_client *client, const uint8_t *asked, size_t n_asked)
{
    static uint8_t bytes[DNS_TCP_BYTES_MAX]; /* of the one thread there is */
    struct dns_served *served = client->served;
    struct dns_worker *worker = served->worker;
    const struct dns_container *asker = dns_names_find(&worker->names, served->id);
    struct dns_question question;
    if (!may_ask(served)) {
        return;
    }
    int code = dns_question_read(asked, n_asked, &question);
    if (code < 0 || !asker) {
        return;
    }
    if (code > 0) {
        answer_code(client, asked, &question, code);
        return;
    }
    size_t limit = client->stream ? sizeof(bytes) : question.udp_bytes;
    size_t length = dns_names_answer(&worker->names, asker, asked, &question, bytes, limit);
    if (length > 0) {
        dns_serve_answer(client, &question, bytes, length);
    } else if (asker->internal) {
        answer_code(client, asked, &question, ns_r_nxdomain);
    } else if (dns_forward(client, &question, asked, n_asked) < 0) {
        answer_code(client, asked, &question, ns_r_servfail);
    }
}

static void on_datagram(evutil_socket_t fd, short what, void *argument)
{
    (void)what;
    struct dns_served *served = argument;
    for (int i = 0; i < QUESTIONS_PER_TURN; i++) {
        uint8_t bytes[DNS_QUESTION_MAX];
        struct dns_client client = {.served = served};
        socklen_t address_bytes = sizeof(client.address);
        ssize_t n =
            recvfrom(fd, bytes, sizeof(bytes), MSG_DONTWAIT, (struct sockaddr *)&client.address, &address_bytes);
        if (n < 0) {
            return;
        }
        if (address_bytes == sizeof(client.address) && client.address.sin_family == AF_INET) {
            on_question(&client, bytes, (size_t)n);
        }
    }
}

/* ---- connections ------------------------------------------------------------------------------------------ */

static void stream_close(struct dns_stream *stream)
{
    dns_forward_forget(stream->served, stream);
    LIST_REMOVE(stream, next);
    stream->served->n_streams--;
    bufferevent_free(stream->events);
    free(stream);
}

/* As many whole messages as have come. */
static void on_stream(struct bufferevent *events, void *argument)
{
    struct dns_stream *stream = argument;
    struct evbuffer *input = bufferevent_get_input(events);
    uint8_t length_bytes[LENGTH_BYTES], bytes[DNS_QUESTION_MAX];
    while (evbuffer_copyout(input, length_bytes, sizeof(length_bytes)) == (ssize_t)sizeof(length_bytes)) {
        size_t length = (size_t)length_bytes[0] << 8 | length_bytes[1];
        if (length > sizeof(bytes) || evbuffer_get_length(bufferevent_get_output(events)) > UNREAD_MAX) {
            stream_close(stream);
            return;
        }
        if (evbuffer_get_length(input) < sizeof(length_bytes) + length) {
            return;
        }
        (void)evbuffer_drain(input, sizeof(length_bytes));
        (void)evbuffer_remove(input, bytes, length);
        const struct dns_client client = {.served = stream->served, .stream = stream};
        on_question(&client, bytes, length);
    }
}

static void on_stream_event(struct bufferevent *events, short what, void *argument)
{
    (void)events;
    (void)what; /* its end, an error, or silence */
    stream_close(argument);
}

static void on_pause_over(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    const struct dns_served *served = argument;
    (void)event_add(served->on_tcp, NULL);
}

/* The connection stays in the queue, and would be tried again at once. */
static void pause_listening(struct dns_served *served)
{
    const struct timeval pause = {.tv_sec = 1};
    bh_log_warning("accept a connection of a container: %s; again in a second", strerror(errno));
    if (event_add(served->listen_again, &pause) == 0) {
        (void)event_del(served->on_tcp);
    }
}

static void on_connection(evutil_socket_t fd, short what, void *argument)
{
    (void)what;
    struct dns_served *served = argument;
    bh_autoclose int connection = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (connection < 0 && errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
        pause_listening(served);
    }
    if (connection < 0 || served->n_streams >= DNS_STREAMS_MAX) {
        return;
    }
    bh_autofree struct dns_stream *stream = calloc(1, sizeof(*stream));
    if (!stream) {
        return;
    }
    stream->events = bufferevent_socket_new(served->worker->base, connection, BEV_OPT_CLOSE_ON_FREE);
    if (!stream->events) {
        return;
    }
    (void)bh_steal_fd(&connection);
    const struct timeval idle = {.tv_sec = IDLE_SECONDS};
    stream->served = served;
    LIST_INSERT_HEAD(&served->streams, stream, next);
    served->n_streams++;
    bufferevent_setwatermark(stream->events, EV_READ, 0, LENGTH_BYTES + DNS_QUESTION_MAX);
    bufferevent_setcb(stream->events, on_stream, NULL, on_stream_event, stream);
    (void)bufferevent_set_timeouts(stream->events, &idle, &idle);
    (void)bufferevent_enable(stream->events, EV_READ | EV_WRITE);
    (void)bh_steal_pointer(&stream);
}

/* ---- a container ------------------------------------------------------------------------------------------ */

struct dns_served *dns_serve_find(const struct dns_worker *worker, const uint8_t id[static DNS_ID_BYTES])
{
    struct dns_served *served;
    LIST_FOREACH(served, &worker->served, next)
    {
        if (memcmp(served->id, id, DNS_ID_BYTES) == 0) {
            return served;
        }
    }
    return NULL;
}

static void free_event(struct event *event)
{
    if (event) {
        event_free(event);
    }
}

void dns_serve_end(struct dns_served *served)
{
    while (!LIST_EMPTY(&served->streams)) {
        stream_close(LIST_FIRST(&served->streams));
    }
    dns_forward_forget(served, NULL);
    free_event(served->on_udp);
    free_event(served->on_tcp);
    free_event(served->on_own);
    free_event(served->listen_again);
    bh_close(&served->udp);
    bh_close(&served->tcp);
    bh_close(&served->own);
    LIST_REMOVE(served, next);
    free(served);
}

static int watch(struct dns_served *served, int fd, event_callback_fn callback, struct event **ret_event)
{
    *ret_event = event_new(served->worker->base, fd, EV_READ | EV_PERSIST, callback, served);
    return *ret_event ? event_add(*ret_event, NULL) : -1;
}

int dns_serve_begin(struct dns_worker *worker, const uint8_t id[static DNS_ID_BYTES], const int fds[static 3],
                    struct dns_served **ret_served, struct bh_error *error)
{
    bh_autoclose int udp = fds[0], tcp = fds[1], own = fds[2];
    struct dns_served *served = calloc(1, sizeof(*served));
    if (!served) {
        return bh_error_errno(error, ENOMEM, "serve a container's names");
    }
    *served = (struct dns_served){.worker = worker, .tokens = DNS_BURST, .counted_at_ms = bh_now_ms()};
    served->udp = bh_steal_fd(&udp);
    served->tcp = bh_steal_fd(&tcp);
    served->own = bh_steal_fd(&own);
    memcpy(served->id, id, DNS_ID_BYTES);
    LIST_INSERT_HEAD(&worker->served, served, next);
    served->listen_again = evtimer_new(worker->base, on_pause_over, served);
    if (!served->listen_again || evutil_make_socket_nonblocking(served->udp) < 0 ||
        evutil_make_socket_nonblocking(served->tcp) < 0 || evutil_make_socket_nonblocking(served->own) < 0 ||
        watch(served, served->udp, on_datagram, &served->on_udp) < 0 ||
        watch(served, served->tcp, on_connection, &served->on_tcp) < 0 ||
        watch(served, served->own, dns_forward_on_own, &served->on_own) < 0) {
        dns_serve_end(served);
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "watch a container's sockets");
    }
    *ret_served = served;
    return 0;
}
