/* SPDX-License-Identifier: Apache-2.0
 *
 * See pump.h. One thread, one poll(2): neither direction can block the other, and a side that does not read stops only
 * its own.
 */
#include "pump.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "frames.h"

#define PIECE_BYTES WEBSOCKET_PAYLOAD_MAX /* what one frame of any kind can hold */
#define HEAD_BYTES  8U                    /* room for the longest head before it */

_Static_assert(HEAD_BYTES >= FRAME_HEAD_BYTES && HEAD_BYTES >= WEBSOCKET_HEAD_BYTES, "every head has room");

/* One direction's bytes that were read and are not yet written. */
struct pending {
    unsigned char *bytes;
    size_t start, end;
};

struct pumping {
    struct pump *pump;
    struct pending in, out;
    bool client_sends; /* its side is not shut down */
    bool client_reads; /* it has not hung up */
    unsigned turn;     /* which output is looked at first: neither starves the other */
    bool detached;
};

static bool is_empty(const struct pending *pending)
{
    return pending->start == pending->end;
}

static bool try_again(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

/* Takes `n_bytes` typed by the client into the pending input. */
static void accept_input(struct pumping *pumping, unsigned char *bytes, size_t n_bytes)
{
    struct pending *in = &pumping->in;
    in->start = 0;
    if (pumping->pump->websocket) {
        n_bytes = websocket_read(pumping->pump->websocket, bytes, n_bytes);
    }
    if (pumping->pump->tty) {
        pumping->detached = detach_keys_filter(&pumping->pump->keys, bytes, n_bytes, in->bytes, &in->end);
    } else {
        memcpy(in->bytes, bytes, n_bytes);
        in->end = n_bytes;
    }
    if (pumping->pump->stdin_to < 0) {
        in->end = 0; /* a WebSocket is read for its control frames alone */
    }
}

static int read_client(struct pumping *pumping, unsigned char *scratch)
{
    size_t n_bytes = pumping->pump->n_early < PIECE_BYTES ? pumping->pump->n_early : PIECE_BYTES;
    if (n_bytes > 0) {
        memcpy(scratch, pumping->pump->early, n_bytes);
        accept_input(pumping, scratch, n_bytes);
        pumping->pump->early += n_bytes;
        pumping->pump->n_early -= n_bytes;
        return 0;
    }
    ssize_t n = recv(pumping->pump->client, scratch, PIECE_BYTES, MSG_DONTWAIT);
    if (n > 0) {
        accept_input(pumping, scratch, (size_t)n);
    } else if (n == 0 || !try_again()) {
        pumping->client_sends = false;
    }
    return 0;
}

static void write_stdin(struct pumping *pumping)
{
    struct pending *in = &pumping->in;
    ssize_t n = write(pumping->pump->stdin_to, in->bytes + in->start, in->end - in->start);
    if (n > 0) {
        in->start += (size_t)n;
    } else if (!try_again()) {
        in->start = in->end = 0; /* the container reads no more: the rest is nobody's */
        bh_close(&pumping->pump->stdin_to);
    }
}

static void read_output(struct pumping *pumping, unsigned index)
{
    struct pending *out = &pumping->out;
    unsigned char *bytes = out->bytes + HEAD_BYTES;
    ssize_t n = read(pumping->pump->out_from[index], bytes, PIECE_BYTES);
    if (n > 0) {
        size_t head = 0;
        if (pumping->pump->websocket) {
            head = websocket_head(bytes, (size_t)n);
        } else if (!pumping->pump->tty) {
            head = FRAME_HEAD_BYTES;
            frame_head(bytes - head, index + 1, (size_t)n);
        }
        out->start = HEAD_BYTES - head;
        out->end = HEAD_BYTES + (size_t)n;
    } else if (n == 0 || !try_again()) {
        bh_close(&pumping->pump->out_from[index]);
    }
}

static void write_client(struct pumping *pumping)
{
    struct pending *out = &pumping->out;
    ssize_t n =
        send(pumping->pump->client, out->bytes + out->start, out->end - out->start, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n > 0) {
        out->start += (size_t)n;
    } else if (!try_again()) {
        pumping->client_reads = false;
    }
}

/* What a WebSocket has to say by itself goes between two pieces of output; behind its closing frame there is nothing.
 */
static void reply(struct pumping *pumping)
{
    struct websocket *websocket = pumping->pump->websocket;
    struct pending *out = &pumping->out;
    if (!websocket || !is_empty(out)) {
        return;
    }
    if (websocket->n_reply > 0) {
        memcpy(out->bytes, websocket->reply, websocket->n_reply);
        out->start = 0;
        out->end = websocket->n_reply;
        websocket->n_reply = 0;
    } else if (websocket->closed) {
        pumping->client_reads = pumping->client_sends = false;
    }
}

/* A client that is gone gets nothing more; what it sent before still goes in. */
static void drop_outputs(struct pumping *pumping)
{
    pumping->out.start = pumping->out.end = 0;
    bh_close(&pumping->pump->out_from[0]);
    bh_close(&pumping->pump->out_from[1]);
}

static bool is_over(const struct pumping *pumping, bool had_outputs)
{
    const struct pump *pump = pumping->pump;
    bool outputs = pump->out_from[0] >= 0 || pump->out_from[1] >= 0 || !is_empty(&pumping->out);
    if (pumping->detached && is_empty(&pumping->in)) {
        return true;
    }
    if (!pumping->client_reads || !had_outputs) {
        return pump->stdin_to < 0;
    }
    return !outputs;
}

enum { CLIENT, STDIN, STDOUT, STDERR, COUNT };

static void choose(const struct pumping *pumping, struct pollfd fds[static COUNT])
{
    const struct pump *pump = pumping->pump;
    bool room_in = is_empty(&pumping->in) && !pumping->detached;
    bool room_out = is_empty(&pumping->out);
    bool wants_input = (pump->stdin_to >= 0 || pump->websocket) && pumping->client_sends && room_in;
    fds[CLIENT] = (struct pollfd){.fd = pumping->client_reads || wants_input ? pump->client : -1};
    if (wants_input) {
        fds[CLIENT].events |= POLLIN;
    }
    if (!room_out) {
        fds[CLIENT].events |= POLLOUT;
    }
    fds[STDIN] = (struct pollfd){.fd = pump->stdin_to, .events = is_empty(&pumping->in) ? 0 : POLLOUT};
    fds[STDOUT] = (struct pollfd){.fd = room_out ? pump->out_from[0] : -1, .events = POLLIN};
    fds[STDERR] = (struct pollfd){.fd = room_out ? pump->out_from[1] : -1, .events = POLLIN};
}

static void act(struct pumping *pumping, const struct pollfd fds[static COUNT], unsigned char *scratch)
{
    if (fds[STDIN].revents & (POLLOUT | POLLERR)) {
        if (is_empty(&pumping->in)) {
            bh_close(&pumping->pump->stdin_to); /* the container closed its end */
        } else {
            write_stdin(pumping);
        }
    }
    if ((fds[CLIENT].revents & POLLIN) && is_empty(&pumping->in)) {
        read_client(pumping, scratch);
    }
    if (fds[CLIENT].revents & POLLOUT) {
        write_client(pumping);
    }
    for (unsigned i = 0; i < 2 && is_empty(&pumping->out); i++) {
        unsigned index = (pumping->turn + i) % 2;
        if (pumping->pump->out_from[index] >= 0 && fds[STDOUT + index].revents) {
            read_output(pumping, index);
            pumping->turn = index + 1;
        }
    }
    if (fds[CLIENT].revents & (POLLHUP | POLLERR)) {
        pumping->client_reads = false;
        if (!(fds[CLIENT].revents & POLLIN) && is_empty(&pumping->in)) {
            pumping->client_sends = false;
        }
    }
}

static int run(struct pumping *pumping, unsigned char *scratch, struct bh_error *error)
{
    struct pump *pump = pumping->pump;
    bool had_outputs = pump->out_from[0] >= 0 || pump->out_from[1] >= 0;
    if (pump->n_early > 0 && pump->stdin_to >= 0) {
        read_client(pumping, scratch);
    }
    reply(pumping);
    while (!is_over(pumping, had_outputs)) {
        struct pollfd fds[COUNT];
        choose(pumping, fds);
        if (poll(fds, COUNT, -1) < 0 && errno != EINTR) {
            return bh_error_errno(error, errno, "wait for an attached client");
        }
        act(pumping, fds, scratch);
        if (pump->n_early > 0 && is_empty(&pumping->in)) {
            read_client(pumping, scratch);
        }
        reply(pumping);
        if (!pumping->client_sends && is_empty(&pumping->in) && pump->n_early == 0) {
            bh_close(&pump->stdin_to);
        }
        if (!pumping->client_reads) {
            drop_outputs(pumping);
        }
    }
    return 0;
}

int pump_run(struct pump *pump, struct bh_error *error)
{
    struct pumping pumping = {.pump = pump, .client_sends = true, .client_reads = true};
    bh_autofree unsigned char *scratch = malloc(PIECE_BYTES);
    bh_autofree unsigned char *in = malloc(PIECE_BYTES + DETACH_KEYS_MAX);
    bh_autofree unsigned char *out = malloc(PIECE_BYTES + HEAD_BYTES);
    int result = -1;
    pumping.in.bytes = in;
    pumping.out.bytes = out;
    if (scratch && in && out) {
        result = run(&pumping, scratch, error);
    } else {
        bh_error_errno(error, ENOMEM, "attach");
    }
    pump->detached = pumping.detached;
    pump->gone = !pumping.client_reads;
    bh_close(&pump->stdin_to);
    drop_outputs(&pumping);
    if (result == 0 && pump->websocket && pumping.client_reads) {
        websocket_close(pump->websocket);
        (void)!send(pump->client, pump->websocket->reply, pump->websocket->n_reply, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    return result;
}
