/* SPDX-License-Identifier: Apache-2.0
 *
 * The container's stdin; see input.h.
 */
#include "input.h"

#include <errno.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "memory.h"

#define INPUT_BYTES (64U * 1024U)

int input_open(struct input *input, int fd, bool open_stdin, bool close_at_end, struct bh_error *error)
{
    *input = (struct input){.fd = fd, .close_at_end = close_at_end};
    if (!open_stdin) {
        bh_close(&input->fd);
        return 0;
    }
    input->buffer = memory_reserve(INPUT_BYTES);
    if (!input->buffer) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "no memory for stdin");
    }
    return client_set_nonblocking(fd, error);
}

bool input_is_behind(const struct input *input)
{
    return input->fd >= 0 && input->start < input->end;
}

void input_close(struct input *input, struct client_table *clients)
{
    bh_close(&input->fd);
    input->start = input->end = 0;
    client_table_close_inputs(clients);
}

void input_write(struct input *input, struct client_table *clients)
{
    while (input_is_behind(input)) {
        ssize_t n = write(input->fd, input->buffer + input->start, input->end - input->start);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 && errno == EAGAIN) {
            return;
        }
        if (n <= 0) {
            input_close(input, clients);
            return;
        }
        input->start += (size_t)n;
    }
}

void input_read(struct input *input, struct client *client, struct client_table *clients)
{
    ssize_t n = read(client->input, input->buffer, INPUT_BYTES);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (n <= 0) {
        bh_close(&client->input);
        if (input->close_at_end) {
            input_close(input, clients);
        }
        return;
    }
    input->start = 0;
    input->end = (size_t)n;
    input_write(input, clients);
}

void input_idle(struct input *input)
{
    if (input->buffer && input->start == input->end) {
        memory_forget(input->buffer, INPUT_BYTES);
    }
}
