/* SPDX-License-Identifier: Apache-2.0
 *
 * The attached client. One thread carries stdin in, the main one carries stdout and stderr out and minds signals and
 * the exit code, so that neither direction ever waits for the other.
 */
#include "container_stream.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

#include "common/io.h"
#include "common/limits.h"
#include "detach_keys.h"
#include "fields.h"
#include "query.h"
#include "signals.h"
#include "stream_frames.h"
#include "terminal.h"

#define PIECE_BYTES           65536
#define WAIT_ANSWER_BYTES_MAX 65536

/* What the stdin thread needs. It outlives nothing: the process exits when the main thread is done. */
struct stdin_pump {
    int fd;             /* the hijacked socket, borrowed */
    int detached_event; /* eventfd: the user typed the detach sequence */
    bool watch_keys;
    struct detach_keys keys;
};

int container_signal(struct engine *engine, const char *id, const char *signal_name, struct bh_error *error)
{
    bh_autofree char *path = NULL;
    return strings_format(&path, error, "/containers/%s/kill?signal=%s", id, signal_name) < 0
               ? -1
               : engine_ask(engine, "POST", path, NULL, NULL, error);
}

static int send_all(int fd, const char *bytes, size_t n_bytes)
{
    while (n_bytes > 0) {
        ssize_t sent = send(fd, bytes, n_bytes, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) {
            continue;
        }
        if (sent < 0) {
            return -1;
        }
        bytes += sent;
        n_bytes -= (size_t)sent;
    }
    return 0;
}

static void *pump_stdin(void *argument)
{
    struct stdin_pump *pump = argument;
    static char piece[PIECE_BYTES], filtered[PIECE_BYTES + DETACH_KEYS_MAX];
    for (;;) {
        ssize_t n_read = read(STDIN_FILENO, piece, sizeof(piece));
        if (n_read < 0 && errno == EINTR) {
            continue;
        }
        if (n_read <= 0) {
            break;
        }
        const char *bytes = piece;
        size_t n_bytes = (size_t)n_read;
        if (pump->watch_keys) {
            bool detached = detach_keys_filter(&pump->keys, piece, (size_t)n_read, filtered, &n_bytes);
            bytes = filtered;
            if (detached) {
                const uint64_t one = 1;
                (void)!write(pump->detached_event, &one, sizeof(one));
                return NULL;
            }
        }
        if (send_all(pump->fd, bytes, n_bytes) < 0) {
            return NULL; /* the container has ended: the main thread will see it */
        }
    }
    (void)shutdown(pump->fd, SHUT_WR);
    return NULL;
}

int container_stream_write(void *argument, int fd, const char *bytes, size_t n_bytes, struct bh_error *error)
{
    (void)argument;
    return bh_write_all(fd, bytes, n_bytes, fd == STDERR_FILENO ? "standard error" : "standard output", error);
}

static int open_exec(struct container_stream *stream, struct bh_error *error)
{
    bh_autofree char *path = NULL;
    json_auto json_t *body = json_pack("{s:b, s:b}", "Detach", 0, "Tty", stream->tty);
    struct http_head head = {0};
    if (!body || strings_format(&path, error, "/exec/%s/start", stream->exec_id) < 0) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "out of memory");
    }
    const struct engine_question question = {.method = "POST", .path = path, .body = body, .upgrade = true};
    return engine_stream(stream->engine, &question, &stream->stream, &head, error);
}

int container_stream_open(struct container_stream *stream, const char *condition, struct bh_error *error)
{
    bh_autofree char *attach_path = NULL, *wait_path = NULL;
    const struct container_attachment *attachment = &stream->attachment;
    struct http_head head = {0};
    if (signals_open(stream->exec_id != NULL, &stream->signal_fd, error) < 0) {
        return -1;
    }
    if (stream->exec_id) {
        return open_exec(stream, error);
    }
    if (strings_format(&attach_path, error, "/containers/%s/attach?stream=1%s%s%s", stream->id,
                       attachment->stdin_on ? "&stdin=1" : "", attachment->stdout_on ? "&stdout=1" : "",
                       attachment->stderr_on ? "&stderr=1" : "") < 0 ||
        strings_format(&wait_path, error, "/containers/%s/wait?condition=%s", stream->id, condition) < 0) {
        return -1;
    }
    const struct engine_question attach = {.method = "POST", .path = attach_path, .upgrade = true};
    const struct engine_question wait = {.method = "POST", .path = wait_path};
    if (engine_stream_send(stream->engine, &attach, &stream->stream, error) < 0 ||
        engine_stream_send(stream->engine, &wait, &stream->waiting, error) < 0 ||
        engine_stream_receive(stream->stream, &head, error) < 0) {
        return -1;
    }
    return engine_stream_receive(stream->waiting, &head, error);
}

static void send_size(const struct container_stream *stream)
{
    unsigned int rows = 0, columns = 0;
    bh_autofree char *path = NULL;
    if (terminal_size(&rows, &columns) &&
        strings_format(&path, NULL, "/%s/%s/resize?h=%u&w=%u", stream->exec_id ? "exec" : "containers",
                       stream->exec_id ? stream->exec_id : stream->id, rows, columns) == 0) {
        (void)engine_ask(stream->engine, "POST", path, NULL, NULL, NULL); /* a size that did not arrive is no failure */
    }
}

static void take_signals(const struct container_stream *stream)
{
    struct signalfd_siginfo record;
    char name[32];
    while (read(stream->signal_fd, &record, sizeof(record)) == (ssize_t)sizeof(record)) {
        int number = (int)record.ssi_signo;
        if (number == SIGWINCH && stream->tty) {
            send_size(stream);
        } else if (number != SIGWINCH && stream->signals_forwarded) {
            (void)container_signal(stream->engine, stream->id, signals_name(number, name, sizeof(name)), NULL);
        } else if (number != SIGWINCH) {
            /* not ours to forward: end as if it had never been blocked */
            sigset_t set;
            (void)sigemptyset(&set);
            (void)sigaddset(&set, number);
            (void)raise(number);
            (void)sigprocmask(SIG_UNBLOCK, &set, NULL);
        }
    }
}

/* Copies what has arrived to our own descriptors. *ret_end tells that the stream is over. */
static int take_output(struct container_stream *stream, struct stream_frames *frames, bool *ret_end,
                       struct bh_error *error)
{
    static char piece[PIECE_BYTES];
    size_t n_read = 0;
    if (http_read(stream->stream, piece, sizeof(piece), &n_read, error) < 0) {
        return -1;
    }
    *ret_end = n_read == 0;
    return stream->tty ? container_stream_write(NULL, STDOUT_FILENO, piece, n_read, error)
                       : stream_frames_decode(frames, piece, n_read, container_stream_write, NULL, error);
}

static int take_exec_code(struct container_stream *stream, int *ret_code, struct bh_error *error)
{
    json_auto json_t *details = NULL;
    if (query_ask(stream->engine, "GET", "/exec/", stream->exec_id, "/json", &details, error) < 0) {
        return -1;
    }
    *ret_code = (int)(field_integer(details, "ExitCode") & 0xff);
    return 0;
}

static int take_exit_code(struct container_stream *stream, int *ret_code, struct bh_error *error)
{
    bh_autofree char *text = NULL;
    size_t n_text = 0;
    if (http_read_all(stream->waiting, WAIT_ANSWER_BYTES_MAX, &text, &n_text, error) < 0) {
        return -1;
    }
    json_auto json_t *answer = json_loadb(text, n_text, 0, NULL);
    const char *failure = field_text(answer, "Error.Message");
    if (!json_is_integer(field_at(answer, "StatusCode"))) {
        return bh_error_set(error, BH_INTERNAL, "the engine did not tell the container's exit code");
    }
    if (*failure) {
        return bh_error_set(error, BH_UNKNOWN, "error waiting for container: %s", failure);
    }
    *ret_code = (int)(field_integer(answer, "StatusCode") & 0xff);
    return 0;
}

/* Waits for the first of: output (or, once that has ended, the exit code), a signal, the detach keys. */
static int wait_for_any(const struct container_stream *stream, bool stream_ended, int detached_event,
                        struct pollfd fds[static 3], struct bh_error *error)
{
    const struct http_connection *next = stream_ended ? stream->waiting : stream->stream;
    fds[0] = (struct pollfd){.fd = http_descriptor(next), .events = POLLIN};
    fds[1] = (struct pollfd){.fd = stream->signal_fd, .events = POLLIN};
    fds[2] = (struct pollfd){.fd = detached_event, .events = POLLIN};
    if (poll(fds, 3, http_has_buffered(next) ? 0 : -1) < 0) {
        fds[0].revents = fds[1].revents = fds[2].revents = 0;
        return errno == EINTR ? 0 : bh_error_errno(error, errno, "wait for the container");
    }
    fds[0].revents |= http_has_buffered(next) ? POLLIN : 0;
    return 0;
}

/* Until the streams have ended and the exit code is known, or the user detached. */
static int pump(struct container_stream *stream, int detached_event, struct bh_error *error)
{
    struct stream_frames frames = {0};
    bool stream_ended = false, exited = false;
    int code = 0;
    while (!exited) {
        struct pollfd fds[3];
        if (wait_for_any(stream, stream_ended, detached_event, fds, error) < 0) {
            return -1;
        }
        if (fds[1].revents) {
            take_signals(stream);
        }
        if (fds[2].revents) {
            return 0;
        }
        if (!stream_ended) {
            if (fds[0].revents && take_output(stream, &frames, &stream_ended, error) < 0) {
                return -1;
            }
            exited = stream_ended && stream->exec_id;
        } else if (!fds[0].revents) {
            continue;
        } else if (take_exit_code(stream, &code, error) < 0) {
            return -1;
        } else {
            exited = true;
        }
    }
    if (stream->exec_id && take_exec_code(stream, &code, error) < 0) {
        return -1;
    }
    return code;
}

int container_stream_run(struct container_stream *stream, struct bh_error *error)
{
    terminal_auto struct terminal terminal = {0};
    bh_autoclose int detached_event = eventfd(0, EFD_CLOEXEC);
    /* static: the thread may still be blocked in read(2) when this function returns */
    static struct stdin_pump stdin_pump;
    if (detached_event < 0) {
        return bh_error_errno(error, errno, "make an eventfd");
    }
    if (stream->tty && stream->attachment.stdin_on && terminal_make_raw(&terminal, error) < 0) {
        return -1;
    }
    if (stream->tty) {
        send_size(stream);
    }
    if (stream->attachment.stdin_on) {
        pthread_t thread;
        stdin_pump = (struct stdin_pump){
            .fd = http_descriptor(stream->stream), .detached_event = detached_event, .watch_keys = stream->tty};
        if (detach_keys_parse(stream->detach_keys, &stdin_pump.keys, error) < 0) {
            return -1;
        }
        int failed = pthread_create(&thread, NULL, pump_stdin, &stdin_pump);
        if (failed) {
            return bh_error_errno(error, failed, "start a thread for standard input");
        }
        (void)pthread_detach(thread);
    }
    return pump(stream, detached_event, error);
}

void container_stream_close(struct container_stream *stream)
{
    http_free(stream->stream);
    http_free(stream->waiting);
    stream->stream = stream->waiting = NULL;
    bh_close(&stream->signal_fd);
}
