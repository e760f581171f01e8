/* SPDX-License-Identifier: Apache-2.0
 *
 * One output stream; see output.h.
 */
#include "output.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "memory.h"

/* A pipe's usual size: one read empties it. */
#define PIECE_BYTES (64U * 1024U)
/* A pipe holds 1 MiB at most unless an administrator raised it; what a drained stream may cost. */
#define DRAIN_BYTES (4U * 1024U * 1024U)

int output_open(struct output *output, enum monitor_stream stream, int fd, struct bh_error *error)
{
    *output = (struct output){.stream = stream, .fd = fd};
    if (client_is_null_device(fd)) {
        bh_close(&output->fd);
        return 0;
    }
    output->capacity = PIECE_BYTES;
    output->buffer = memory_reserve(PIECE_BYTES);
    if (!output->buffer) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "no memory for an output stream");
    }
    return client_set_nonblocking(fd, error);
}

uint64_t output_position(const struct output *output)
{
    return output->base + output->n_bytes;
}

bool output_wants_input(const struct output *output, bool draining)
{
    return output->fd >= 0 && !output->hung_up && (output->n_bytes == 0 || (draining && output->n_bytes < DRAIN_BYTES));
}

/* Makes room for another piece behind what is kept. */
static bool make_room(struct output *output)
{
    if (output->n_bytes < output->capacity) {
        return true;
    }
    uint8_t *larger = memory_grow(output->buffer, output->capacity, 2 * output->capacity);
    if (!larger) {
        return false;
    }
    output->buffer = larger;
    output->capacity *= 2;
    return true;
}

static void keep(struct kept_output *kept, const uint8_t *bytes, size_t n_bytes)
{
    size_t room = kept->max_bytes - kept->n_bytes;
    size_t taken = n_bytes < room ? n_bytes : room;
    if (taken > 0) {
        memcpy(kept->bytes + kept->n_bytes, bytes, taken);
    }
    kept->n_bytes += taken;
    kept->cut = kept->cut || taken < n_bytes;
}

void output_read(struct output *output, struct log_file *log, struct kept_output *kept, bool draining)
{
    if (!make_room(output)) {
        output_end(output, log);
        return;
    }
    uint8_t *piece = output->buffer + output->n_bytes;
    ssize_t n = read(output->fd, piece, output->capacity - output->n_bytes);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (n < 0 && errno == EIO && !draining) { /* a terminal whose last user closed it; an init may open it again */
        output->hung_up = true;
        return;
    }
    if (n <= 0) {
        output_end(output, log);
        return;
    }
    log_file_write(log, output->stream, piece, (size_t)n, bh_wall_ns());
    keep(kept, piece, (size_t)n);
    output->n_bytes += (size_t)n;
}

void output_end(struct output *output, struct log_file *log)
{
    if (output->fd >= 0) {
        bh_close(&output->fd);
        log_file_end(log, output->stream, bh_wall_ns());
    }
}

bool output_is_behind(const struct output *output, const struct client *client)
{
    return client->outputs[output->stream] >= 0 && client->positions[output->stream] < output_position(output);
}

/* Writes what the client's pipe has room for. */
static void copy_to(const struct output *output, struct client *client)
{
    while (output_is_behind(output, client)) {
        uint64_t *position = &client->positions[output->stream];
        size_t taken = (size_t)(*position - output->base);
        ssize_t n = write(client->outputs[output->stream], output->buffer + taken, output->n_bytes - taken);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 && errno == EAGAIN) {
            return;
        }
        if (n <= 0) {
            client_close_output(client, output->stream);
            return;
        }
        *position += (uint64_t)n;
        client->progress_at_ms = bh_now_ms();
    }
}

void output_copy(struct output *output, struct client_table *clients, bool runs)
{
    bool behind = false;
    for (size_t i = 0; i < MONITOR_CLIENTS_MAX; i++) {
        struct client *client = &clients->rows[i];
        if (client->outputs[output->stream] < 0) {
            continue;
        }
        copy_to(output, client);
        if (output_is_behind(output, client)) {
            behind = true;
        } else if (output->fd < 0 && !runs) { /* the end of the stream, told to the client */
            client_close_output(client, output->stream);
        }
    }
    if (!behind) {
        output->base += output->n_bytes;
        output->n_bytes = 0;
    }
}

void output_idle(struct output *output)
{
    if (output->buffer && output->n_bytes == 0) {
        memory_forget(output->buffer, output->capacity);
    }
}
