/* SPDX-License-Identifier: Apache-2.0
 *
 * GET /containers/{id}/stats: one sample a second for as long as the client reads, or one. The engine samples; what the
 * container's network counts is read here, from the kernel's own file.
 */
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "common/io.h"
#include "engine_call.h"
#include "handlers.h"
#include "stats_json.h"

#define PERIOD_MS         1000
#define NETWORK_BYTES_MAX 65536

struct watch {
    struct request *request;
    struct bh_message *now, *before; /* Stats; owned */
};

static void watch_free(struct watch *watch)
{
    bh_message_free(watch->now);
    bh_message_free(watch->before);
}

static const Bulkhead__Stats *stats_of(const struct bh_message *message)
{
    return message ? bh_message_body(message) : NULL;
}

static const Bulkhead__StatsRead *sample_of(const struct bh_message *message)
{
    const Bulkhead__Stats *stats = stats_of(message);
    return stats && stats->running ? stats->sample : NULL;
}

/* The next sample; the one before is kept beside it. */
static int next_sample(struct watch *watch, struct bh_error *error)
{
    Bulkhead__GetStats question = BULKHEAD__GET_STATS__INIT;
    struct bh_message *answer = NULL;
    const Bulkhead__StatsRead *last = sample_of(watch->now);
    question.reference = watch->request->name;
    question.next_after_ns = last ? last->read_ns : 0;
    ENGINE_PACKET(packet, GET_STATS, get_stats, &question);
    if (engine_ask(watch->request, &packet, 0, BULKHEAD__ENGINE_TO_API__BODY_STATS, &answer, error) < 0) {
        return -1;
    }
    bh_message_free(watch->before);
    watch->before = watch->now;
    watch->now = answer;
    return 0;
}

static size_t read_networks(struct bh_message *message, struct network_numbers *ret_numbers)
{
    static _Thread_local char text[NETWORK_BYTES_MAX];
    size_t n = 0;
    bh_autoclose int fd = message->n_fds > 0 ? bh_message_take_fd(message, 0) : -1;
    if (fd < 0 || lseek(fd, 0, SEEK_SET) < 0 ||
        bh_read_full(fd, text, sizeof(text) - 1, &n, "/proc/PID/net/dev", NULL) < 0) {
        return 0; /* it has ended meanwhile */
    }
    text[n] = '\0';
    return network_parse(text, ret_numbers, NETWORK_INTERFACES_MAX);
}

static void write_now(struct watch *watch, struct json_writer *writer)
{
    struct network_numbers networks[NETWORK_INTERFACES_MAX];
    size_t n_networks = read_networks(watch->now, networks);
    write_stats(writer, stats_of(watch->now), sample_of(watch->now), sample_of(watch->before), networks, n_networks);
}

/* False if the client has gone away meanwhile. */
static bool wait_a_period(const struct request *request)
{
    struct pollfd end = {.fd = request->connection->fd, .events = POLLRDHUP};
    return poll(&end, 1, PERIOD_MS) == 0 || !(end.revents & (POLLRDHUP | POLLHUP | POLLERR));
}

static int answer_once(struct watch *watch, bool with_two, struct bh_error *error)
{
    auto_json_writer writer = {0};
    if (with_two && sample_of(watch->now) && wait_a_period(watch->request) && next_sample(watch, error) < 0) {
        return -1;
    }
    write_now(watch, &writer);
    return request_answer_json(watch->request, 200, &writer, error);
}

static int answer_stream(struct watch *watch, struct bh_error *error)
{
    struct connection *connection = watch->request->connection;
    if (connection_stream_begin(connection, 200, "application/json") < 0) {
        return 0;
    }
    for (;;) {
        auto_json_writer writer = {0};
        write_now(watch, &writer);
        write_line_end(&writer);
        if (writer.failed || connection_stream_write(connection, writer.bytes, writer.n_bytes) < 0 ||
            !wait_a_period(watch->request)) {
            return connection_stream_end(connection);
        }
        if (next_sample(watch, error) < 0) { /* it is gone: the stream ends, as Docker's does */
            bh_error_clear(error);
            return connection_stream_end(connection);
        }
    }
}

int handle_container_stats(struct request *request, struct bh_error *error)
{
    bh_cleanup(watch_free) struct watch watch = {.request = request};
    if (request_container_name(request, error) < 0) {
        return -1;
    }
    bool stream = http_parameter_bool(&request->target, "stream", true);
    bool one_shot = http_parameter_bool(&request->target, "one-shot", false);
    if (stream && one_shot) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "cannot have stream=true and one-shot=true");
    }
    if (next_sample(&watch, error) < 0) {
        return -1;
    }
    return stream ? answer_stream(&watch, error) : answer_once(&watch, !one_shot, error);
}
