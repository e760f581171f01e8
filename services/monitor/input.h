/* SPDX-License-Identifier: Apache-2.0
 *
 * The container's stdin, fed by whichever attached client has something to say. What was read from a client and not yet
 * taken by the container waits in one buffer; clients wait meanwhile.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client.h"
#include "common/error.h"

struct input {
    int fd;            /* the container's stdin, to write; -1: not open, or closed */
    bool close_at_end; /* the end of a client's stdin is the end of the container's */
    uint8_t *buffer;
    size_t start, end; /* what waits in it */
};

/* Takes over `fd`, closing it if the container's stdin is not to be open. */
int input_open(struct input *input, int fd, bool open_stdin, bool close_at_end, struct bh_error *error);

/* Whether the container has yet to take something. */
bool input_is_behind(const struct input *input);

/* Reads from a client and passes on what the container takes. */
void input_read(struct input *input, struct client *client, struct client_table *clients);
/* Passes on what waits. */
void input_write(struct input *input, struct client_table *clients);

/* The container reads no more: clients' stdins are closed, which tells them. */
void input_close(struct input *input, struct client_table *clients);

void input_idle(struct input *input);
