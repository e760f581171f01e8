/* SPDX-License-Identifier: Apache-2.0
 *
 * GET /events. The engine keeps a journal and this asks it piece by piece: what came after the last piece, once that
 * one has been written to the client. A client that reads slowly is asked for slowly, and one whose engine is being
 * restarted goes on where it was.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "common/docker_when.h"
#include "common/io.h"
#include "engine_call.h"
#include "event_json.h"
#include "handlers.h"

#define NS_PER_MS       1000000LL
#define AGAIN_MS        100
#define AGAIN_TIMES     300 /* thirty seconds: a supervisor that starts an engine again is faster */
#define WAIT_MS_AT_MOST 0xf0000000LL

struct stream {
    struct request *request;
    Bulkhead__ReadEvents question;
    bool has_until;
    int64_t until_ns;
};

static bool client_is_gone(const struct request *request)
{
    struct pollfd end = {.fd = request->connection->fd, .events = POLLRDHUP};
    return poll(&end, 1, AGAIN_MS) > 0 && (end.revents & (POLLRDHUP | POLLHUP | POLLERR));
}

/* One question. While the engine is started again it is put again, as long as the client is there. */
static int ask(struct stream *stream, uint32_t deadline_ms, struct bh_message **ret_answer, struct bh_error *error)
{
    ENGINE_PACKET(packet, READ_EVENTS, read_events, &stream->question);
    for (int attempt = 0;; attempt++) {
        int result = engine_ask(stream->request, &packet, deadline_ms, BULKHEAD__ENGINE_TO_API__BODY_EVENTS_READ,
                                ret_answer, error);
        if (result == 0 || error->code != BH_UNAVAILABLE || attempt == AGAIN_TIMES) {
            return result;
        }
        if (client_is_gone(stream->request)) {
            bh_error_clear(error);
            return bh_error_set(error, BH_CANCELLED, "the client is gone");
        }
        bh_error_clear(error);
    }
}

static int pass_on(struct stream *stream, const Bulkhead__EventsRead *read, struct bh_error *error)
{
    struct connection *connection = stream->request->connection;
    auto_json_writer writer = {0};
    for (size_t i = 0; i < read->n_events; i++) {
        write_event(&writer, read->events[i]);
        write_line_end(&writer);
    }
    stream->question.after = read->place;
    stream->question.from_now = false;
    if (writer.failed) {
        return out_of_memory(error);
    }
    if (!connection->streaming && connection_stream_begin(connection, 200, "application/json") < 0) {
        return bh_error_set(error, BH_CANCELLED, "the client is gone");
    }
    if (writer.n_bytes > 0 && connection_stream_write(connection, writer.bytes, writer.n_bytes) < 0) {
        return bh_error_set(error, BH_CANCELLED, "the client is gone");
    }
    return 0;
}

/* Everything that is there now. */
static int read_journal(struct stream *stream, struct bh_error *error)
{
    stream->question.wait = false;
    for (bool more = true; more;) {
        bh_automessage struct bh_message *answer = NULL;
        if (ask(stream, 0, &answer, error) < 0) {
            return -1;
        }
        const Bulkhead__EventsRead *read = bh_message_body(answer);
        more = read->more;
        if (pass_on(stream, read, error) < 0) {
            return -1;
        }
    }
    return 0;
}

/* Waits for the next piece. 0: until is reached. */
static int wait_for_more(struct stream *stream, struct bh_error *error)
{
    bh_automessage struct bh_message *answer = NULL;
    int64_t left_ms = WAIT_MS_AT_MOST;
    if (stream->has_until) {
        left_ms = (stream->until_ns - bh_wall_ns()) / NS_PER_MS + 1;
        left_ms = left_ms > WAIT_MS_AT_MOST ? WAIT_MS_AT_MOST : left_ms;
        if (left_ms <= 1) {
            return 0;
        }
    }
    stream->question.wait = true;
    if (ask(stream, (uint32_t)left_ms, &answer, error) == 0) {
        return pass_on(stream, bh_message_body(answer), error) < 0 ? -1 : 1;
    }
    if (error->code == BH_DEADLINE_EXCEEDED) {
        bh_error_clear(error);
        return 1;
    }
    return -1;
}

static int stream_events(struct stream *stream, struct bh_error *error)
{
    if (read_journal(stream, error) < 0) {
        return -1;
    }
    int waited;
    while ((waited = wait_for_more(stream, error)) > 0) {
    }
    if (waited < 0 || read_journal(stream, error) < 0) { /* what came in the last moment is told, too */
        return -1;
    }
    (void)connection_stream_end(stream->request->connection);
    return 0;
}

static int read_bounds(struct stream *stream, struct bh_error *error)
{
    const char *since = http_parameter(&stream->request->target, "since");
    const char *until = http_parameter(&stream->request->target, "until");
    const int64_t now_ns = bh_wall_ns();
    bool has_since = since && *since;
    stream->has_until = until && *until;
    if ((has_since && docker_when_parse("since", since, now_ns, &stream->question.since_ns, error) < 0) ||
        (stream->has_until && docker_when_parse("until", until, now_ns, &stream->until_ns, error) < 0)) {
        return -1;
    }
    if (stream->has_until && stream->until_ns < stream->question.since_ns) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "`since` time (%.64s) cannot be after `until` time (%.64s)",
                            since, until);
    }
    stream->question.from_now = !has_since && !stream->has_until;
    if (stream->has_until) {
        stream->question.until_ns_presence_case = BULKHEAD__READ_EVENTS__UNTIL_NS_PRESENCE_UNTIL_NS;
        stream->question.until_ns = stream->until_ns;
    }
    return 0;
}

int handle_events(struct request *request, struct bh_error *error)
{
    static const char *const allowed[] = {"type",    "event",   "container", "image",  "volume",
                                          "network", "plugin",  "daemon",    "label",  "scope",
                                          "node",    "service", "secret",    "config", NULL};
    struct request_filters filters;
    struct stream stream = {.request = request, .question = BULKHEAD__READ_EVENTS__INIT};
    if (read_bounds(&stream, error) < 0 || request_filters_read(request, allowed, &filters, error) < 0) {
        return -1;
    }
    stream.question.filters = filters.filters;
    stream.question.n_filters = filters.n_filters;
    int result = stream_events(&stream, error);
    request_filters_free(&filters);
    return result;
}
