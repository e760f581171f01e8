/* SPDX-License-Identifier: Apache-2.0
 *
 * GET /containers/{id}/logs. Log files come as descriptors from the engine; following goes straight to the container's
 * monitor. The log's content is the container's and passes through as bytes.
 */
#include "logs.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/io.h"
#include "common/docker_time.h"
#include "engine_call.h"
#include "engine_monitor.pb-c.h"
#include "frames.h"
#include "handlers.h"
#include "log_details.h"

#define OUT_BYTES     (32U * 1024U)
#define NS_PER_MS     1000000LL
#define REOPEN_MS     250 /* between two questions to an engine that is starting again */
#define REOPEN_TRIES  120
#define FOLLOW_MAX_MS 60000 /* how long one wait lasts when `until` bounds the whole */

static const struct bh_protocol monitor_protocol = {
    .name = "engine_monitor",
    .incoming = &bulkhead__monitor_to_engine__descriptor,
    .outgoing = &bulkhead__engine_to_monitor__descriptor,
};

int logs_open(struct request *request, bool follow, bool details, struct log_wish *wish, struct log_reader *ret_reader,
              int *ret_follow_fd, struct bh_error *error)
{
    bh_automessage struct bh_message *answer = NULL;
    int files[BH_MESSAGE_FDS_MAX];
    Bulkhead__ReadLogs question = BULKHEAD__READ_LOGS__INIT;
    question.reference = request->name;
    question.follow = follow;
    ENGINE_PACKET(packet, READ_LOGS, read_logs, &question);
    if (engine_ask(request, &packet, 0, BULKHEAD__ENGINE_TO_API__BODY_LOGS_OPENED, &answer, error) < 0) {
        return -1;
    }
    const Bulkhead__LogsOpened *opened = bh_message_body(answer);
    if (details && log_details_make(opened->attributes, opened->n_attributes, &wish->details, error) < 0) {
        return -1;
    }
    size_t first = opened->following ? 1 : 0;
    if (answer->n_fds != first + opened->files) {
        return bh_error_set(error, BH_INTERNAL, "the engine sent %zu log files where it said %u", answer->n_fds,
                            opened->files);
    }
    for (size_t i = first; i < answer->n_fds; i++) {
        files[i - first] = bh_message_take_fd(answer, i);
    }
    const struct log_format *format =
        opened->driver == BULKHEAD__LOG_DRIVER__LOG_DRIVER_JSON_FILE ? &log_format_json : &log_format_records;
    if (log_reader_init(ret_reader, format, files, opened->files, error) < 0) {
        return -1;
    }
    *ret_follow_fd = opened->following ? bh_message_take_fd(answer, 0) : -1;
    wish->tty = opened->tty;
    return 0;
}

/* Output is gathered, so that a log of short lines is not sent line by line. */
struct gathered {
    struct request *request;
    const struct log_wish *wish;
    char *bytes;
    size_t n_bytes;
};

static int flush(struct gathered *out, struct bh_error *error)
{
    size_t n_bytes = out->n_bytes;
    out->n_bytes = 0;
    if (n_bytes > 0 && out->wish->send(out->request->connection, out->bytes, n_bytes) < 0) {
        return bh_error_set(error, BH_CANCELLED, "the client is gone");
    }
    return 0;
}

static int put(struct gathered *out, const void *bytes, size_t n_bytes, struct bh_error *error)
{
    if (n_bytes > OUT_BYTES - out->n_bytes && flush(out, error) < 0) {
        return -1;
    }
    if (n_bytes > OUT_BYTES) {
        return out->wish->send(out->request->connection, bytes, n_bytes) < 0
                   ? bh_error_set(error, BH_CANCELLED, "the client is gone")
                   : 0;
    }
    memcpy(out->bytes + out->n_bytes, bytes, n_bytes);
    out->n_bytes += n_bytes;
    return 0;
}

static int put_line(struct gathered *out, const struct log_line *line, struct bh_error *error)
{
    unsigned char head[FRAME_HEAD_BYTES];
    char stamp[DOCKER_TIME_SIZE + 1] = "";
    if (out->wish->timestamps) {
        docker_time_fixed(line->time_ns, stamp);
        strcat(stamp, " ");
    }
    const char *details = out->wish->details ? out->wish->details : "";
    size_t n_stamp = strlen(stamp), n_details = strlen(details);
    frame_head(head, line->stream, n_stamp + n_details + line->n_text);
    if (!out->wish->tty && put(out, head, sizeof(head), error) < 0) {
        return -1;
    }
    return put(out, stamp, n_stamp, error) < 0 || put(out, details, n_details, error) < 0 ||
                   put(out, line->text, line->n_text, error) < 0
               ? -1
               : 0;
}

int logs_send(struct request *request, const struct log_wish *wish, struct log_reader *reader, struct bh_error *error)
{
    struct log_line line;
    struct gathered out = {.request = request, .wish = wish};
    bh_autofree char *buffer = malloc(OUT_BYTES);
    int got;
    if (!buffer) {
        return out_of_memory(error);
    }
    out.bytes = buffer;
    while ((got = log_reader_next(reader, &line, error)) > 0) {
        if (wish->until_ns != 0 && line.time_ns > wish->until_ns) {
            return flush(&out, error) < 0 ? -1 : 1;
        }
        bool wanted = line.stream == 1 ? wish->stdout_wanted : wish->stderr_wanted;
        if (wanted && line.time_ns >= wish->since_ns && put_line(&out, &line, error) < 0) {
            return -1;
        }
    }
    return got < 0 || flush(&out, error) < 0 ? -1 : 0;
}

/* Waits until the monitor says something or the client goes. 1: something; 0: the time is up; -1: gone. */
static int wait_for_monitor(struct request *request, struct bh_channel *channel, int64_t until_ns,
                            struct bh_error *error)
{
    for (;;) {
        struct pollfd fds[2] = {{.fd = bh_channel_fd(channel), .events = POLLIN}, {.fd = request->connection->fd}};
        int timeout_ms = -1;
        if (until_ns != 0) {
            int64_t left_ms = (until_ns - bh_wall_ns()) / NS_PER_MS;
            if (left_ms <= 0) {
                return 0;
            }
            timeout_ms = left_ms < FOLLOW_MAX_MS ? (int)left_ms + 1 : FOLLOW_MAX_MS;
        }
        int n = poll(fds, 2, timeout_ms);
        if (n < 0 && errno != EINTR) {
            return bh_error_errno(error, errno, "wait for the log to grow");
        }
        if (fds[1].revents) {
            return bh_error_set(error, BH_CANCELLED, "the client is gone");
        }
        if (fds[0].revents) {
            return 1;
        }
    }
}

/* The engine may be about to come back: its death ends no log that somebody follows. */
static int open_again(struct request *request, struct log_wish *wish, struct log_reader *ret_reader, int *ret_follow_fd,
                      struct bh_error *error)
{
    for (int tries = 0;; tries++) {
        bh_error_clear(error);
        int result = logs_open(request, false, false, wish, ret_reader, ret_follow_fd, error);
        if (result == 0 || error->code != BH_UNAVAILABLE || tries == REOPEN_TRIES) {
            return result;
        }
        struct pollfd client = {.fd = request->connection->fd};
        if (poll(&client, 1, REOPEN_MS) > 0) {
            return bh_error_set(error, BH_CANCELLED, "the client is gone");
        }
    }
}

/* Sends what is new. `rotated`: the file may have been rotated away below us, and what is newest be in another. 1:
 * `until` was reached. */
static int send_growth(struct request *request, const struct log_wish *wish, struct log_reader *reader, bool rotated,
                       struct bh_error *error)
{
    int sent = logs_send(request, wish, reader, error);
    if (sent != 0 || !rotated) {
        return sent;
    }
    struct log_wish same = *wish;
    struct log_reader now;
    int follow_fd;
    bool moved;
    if (open_again(request, &same, &now, &follow_fd, error) < 0) {
        return error->code == BH_NOT_FOUND ? 0 : -1; /* removed meanwhile: what we hold is all there is */
    }
    int newest_first[BH_MESSAGE_FDS_MAX];
    size_t n_files = now.n_files;
    for (size_t i = 0; i < n_files; i++) {
        newest_first[i] = now.files[n_files - 1 - i];
    }
    now.n_files = 0; /* handed over */
    log_reader_free(&now);
    if (log_reader_rotated(reader, newest_first, n_files, &moved, error) < 0) {
        return -1;
    }
    return moved ? logs_send(request, wish, reader, error) : 0;
}

static int follow_on(struct request *request, const struct log_wish *wish, struct log_reader *reader,
                     struct bh_channel *channel, struct bh_error *error)
{
    bh_autocall struct bh_call *call = NULL;
    Bulkhead__FollowLog question = BULKHEAD__FOLLOW_LOG__INIT;
    Bulkhead__EngineToMonitor packet = BULKHEAD__ENGINE_TO_MONITOR__INIT;
    packet.body_case = BULKHEAD__ENGINE_TO_MONITOR__BODY_FOLLOW_LOG;
    packet.follow_log = &question;
    if (bh_call_start(channel, &packet.base, NULL, 0, ENGINE_FOR_EVER_MS, &call, error) < 0) {
        /* It has ended meanwhile, and what it wrote last may not have been sent. */
        return error->code != BH_UNAVAILABLE || send_growth(request, wish, reader, true, error) < 0 ? -1 : 0;
    }
    uint64_t rotations = UINT64_MAX; /* at first: how many there were when the files were opened nobody has said */
    for (bool more = true; more;) {
        bh_automessage struct bh_message *answer = NULL;
        int ready = wait_for_monitor(request, channel, wish->until_ns, error);
        if (ready <= 0) {
            return ready;
        }
        /* The monitor ends with its container: its silence is the log's end as much as its word. */
        more = bh_call_next(call, &answer, error) == 0 && answer->more;
        const Bulkhead__LogGrew *grew = more ? bh_message_body(answer) : NULL;
        bool rotated = !grew || grew->rotations != rotations;
        rotations = grew ? grew->rotations : rotations;
        int sent = send_growth(request, wish, reader, rotated, error);
        if (sent != 0) {
            return sent < 0 ? -1 : 0;
        }
    }
    return 0;
}

static int follow(struct request *request, const struct log_wish *wish, struct log_reader *reader, int follow_fd,
                  struct bh_error *error)
{
    struct bh_channel *channel = NULL;
    if (bh_channel_new(&monitor_protocol, request, &channel, error) < 0) {
        bh_close(&follow_fd);
        return -1;
    }
    int result = bh_channel_wire(channel, follow_fd, error);
    if (result == 0) {
        result = follow_on(request, wish, reader, channel, error);
    }
    bh_channel_free(channel);
    return result;
}

static int read_wish(struct request *request, struct log_wish *wish, bool *ret_follow, bool *ret_details,
                     struct bh_error *error)
{
    const struct http_target *target = &request->target;
    const char *since = http_parameter(target, "since");
    const char *until = http_parameter(target, "until");
    const char *tail = http_parameter(target, "tail");
    int64_t lines = -1;
    if (request_container_name(request, error) < 0) {
        return -1;
    }
    *wish = (struct log_wish){
        .stdout_wanted = http_parameter_bool(target, "stdout", false),
        .stderr_wanted = http_parameter_bool(target, "stderr", false),
        .timestamps = http_parameter_bool(target, "timestamps", false),
        .send = connection_stream_write,
    };
    *ret_follow = http_parameter_bool(target, "follow", false);
    *ret_details = http_parameter_bool(target, "details", false);
    if (!wish->stdout_wanted && !wish->stderr_wanted) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "Bad parameters: you must choose at least one stream");
    }
    if ((since && *since && docker_time_parse_stamp("since", since, &wish->since_ns, error) < 0) ||
        (until && *until && docker_time_parse_stamp("until", until, &wish->until_ns, error) < 0)) {
        return -1;
    }
    /* What is no number, as "all", and anything below zero mean everything, as in Docker. */
    struct bh_error no_number;
    if (tail && http_parameter_int(target, "tail", INT64_MIN, INT64_MAX, &lines, &no_number) < 0) {
        lines = -1;
    }
    wish->has_tail = lines >= 0;
    wish->tail = lines >= 0 ? (uint64_t)lines : 0;
    return 0;
}

static int stream_logs(struct request *request, const struct log_wish *wish, struct log_reader *reader, int follow_fd,
                       struct bh_error *error)
{
    bh_autoclose int owned = follow_fd;
    if (wish->has_tail && log_reader_seek_tail(reader, wish->tail, error) < 0) {
        return -1;
    }
    if (connection_stream_begin(request->connection, 200, stream_media_type(request->version, wish->tty)) < 0) {
        return 0;
    }
    int sent = logs_send(request, wish, reader, error);
    if (sent == 0 && owned >= 0) {
        sent = follow(request, wish, reader, bh_steal_fd(&owned), error);
    }
    if (sent < 0) {
        return -1;
    }
    (void)connection_stream_end(request->connection);
    return 0;
}

int handle_container_logs(struct request *request, struct bh_error *error)
{
    struct log_wish wish;
    struct log_reader reader;
    bool following, details;
    int follow_fd;
    if (read_wish(request, &wish, &following, &details, error) < 0) {
        return -1;
    }
    int result = logs_open(request, following, details, &wish, &reader, &follow_fd, error);
    if (result == 0) {
        result = stream_logs(request, &wish, &reader, follow_fd, error);
        log_reader_free(&reader);
    }
    free(wish.details);
    return result;
}
