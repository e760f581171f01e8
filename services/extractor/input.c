/* SPDX-License-Identifier: Apache-2.0
 *
 * See input.h. The bytes are untrusted; this file does not look at them.
 */
#include "input.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "bounds.h"

#define WANT_MAX 16

int input_open(int fd, const struct job_end *end, struct input *ret_input, struct bh_error *error)
{
    uint8_t *buffer = malloc(EXTRACTOR_INPUT_BYTES);
    if (!buffer) {
        return bh_error_errno(error, ENOMEM, "allocate an input buffer");
    }
    *ret_input = (struct input){.fd = fd, .end = *end, .buffer = buffer};
    return 0;
}

void input_close(struct input *input)
{
    free(input->buffer);
    input->buffer = NULL;
}

/* Waits until the descriptor can be read (a file always can), or the job is over. */
static int wait_readable(const struct input *input, struct bh_error *error)
{
    for (;;) {
        struct pollfd watched[] = {
            {.fd = input->fd, .events = POLLIN},
            {.fd = input->end.channel_fd, .events = 0},
            {.fd = input->end.stop_fd, .events = POLLIN},
        };
        int timeout_ms = -1;
        if (input->end.deadline_at_ms) {
            uint64_t now = bh_now_ms();
            if (now >= input->end.deadline_at_ms) {
                return bh_error_set(error, BH_DEADLINE_EXCEEDED, "the job's time is over, its input is not");
            }
            uint64_t left = input->end.deadline_at_ms - now;
            timeout_ms = left > 1000000 ? 1000000 : (int)left;
        }
        int ready = poll(watched, sizeof(watched) / sizeof(watched[0]), timeout_ms);
        if (ready < 0 && errno != EINTR) {
            return bh_error_errno(error, errno, "wait for input");
        }
        if (ready <= 0) {
            continue;
        }
        if (watched[1].revents || watched[2].revents) {
            return bh_error_set(error, BH_CANCELLED, "nobody waits for this job any more");
        }
        if (watched[0].revents) {
            return 0;
        }
    }
}

static int read_some(struct input *input, void *buffer, size_t n_bytes, size_t *ret_bytes, struct bh_error *error)
{
    *ret_bytes = 0;
    while (!input->end_of_file) {
        if (wait_readable(input, error) < 0) {
            return -1;
        }
        ssize_t got = read(input->fd, buffer, n_bytes);
        if (got > 0) {
            *ret_bytes = (size_t)got;
            return 0;
        }
        if (got == 0) {
            input->end_of_file = true;
        } else if (errno != EINTR && errno != EAGAIN) {
            return bh_error_errno(error, errno, "read the job's input");
        }
    }
    return 0;
}

int input_want(struct input *input, size_t n_bytes, struct bh_error *error)
{
    if (n_bytes > WANT_MAX) {
        return bh_error_set(error, BH_INTERNAL, "%zu bytes of look-ahead, at most %d are supported", n_bytes, WANT_MAX);
    }
    while (input_available(input) < n_bytes && !input->end_of_file) {
        if (input->first == input->last) {
            input->first = input->last = 0;
        } else if (EXTRACTOR_INPUT_BYTES - input->last < WANT_MAX) {
            memmove(input->buffer, input_bytes(input), input_available(input));
            input->last -= input->first;
            input->first = 0;
        }
        size_t got;
        if (read_some(input, input->buffer + input->last, EXTRACTOR_INPUT_BYTES - input->last, &got, error) < 0) {
            return -1;
        }
        input->last += got;
    }
    return 0;
}

void input_consume(struct input *input, size_t n_bytes)
{
    input->first += n_bytes;
    atomic_fetch_add_explicit(&input->consumed_bytes, n_bytes, memory_order_relaxed);
}

int input_read(struct input *input, void *buffer, size_t n_bytes, size_t *ret_bytes, struct bh_error *error)
{
    size_t buffered = input_available(input);
    if (buffered > 0) {
        *ret_bytes = buffered < n_bytes ? buffered : n_bytes;
        memcpy(buffer, input_bytes(input), *ret_bytes);
        input_consume(input, *ret_bytes);
        return 0;
    }
    if (read_some(input, buffer, n_bytes, ret_bytes, error) < 0) {
        return -1;
    }
    atomic_fetch_add_explicit(&input->consumed_bytes, *ret_bytes, memory_order_relaxed);
    return 0;
}
