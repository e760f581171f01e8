/* SPDX-License-Identifier: Apache-2.0
 *
 * WebSocket frames (RFC 6455) for attaching: what a client sends becomes bytes of stdin, what the container says
 * becomes binary frames. Called by pump.c with a client's bytes, which are trusted for nothing: a frame that breaks the
 * rules ends the session.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

#define WEBSOCKET_HEAD_BYTES    4 /* of what we send: at most 65535 bytes a frame, not masked */
#define WEBSOCKET_PAYLOAD_MAX   65535U
#define WEBSOCKET_CONTROL_BYTES 125 /* section 5.5 */
#define WEBSOCKET_KEY_SIZE      25  /* 16 bytes in base64, with NUL */
#define WEBSOCKET_ACCEPT_SIZE   29  /* 20 bytes in base64, with NUL */

struct websocket {
    /* the frame being read */
    unsigned char head[14];
    size_t n_head;
    uint64_t left, position; /* of its payload */
    unsigned char mask[4];
    unsigned opcode;
    bool in_payload, in_message; /* in_message: a data message goes on in the next frame */
    unsigned char control[WEBSOCKET_CONTROL_BYTES];
    /* what is to be sent: a pong, or the closing frame */
    unsigned char reply[WEBSOCKET_HEAD_BYTES + WEBSOCKET_CONTROL_BYTES];
    size_t n_reply;
    bool closed; /* nothing more is read, and after the reply nothing is sent */
};

/* What answers a client's Sec-WebSocket-Key (section 4.2.2). INVALID_ARGUMENT if that is not 16 bytes in base64. */
int websocket_accept(const char *key, char ret_accept[static WEBSOCKET_ACCEPT_SIZE], struct bh_error *error);

/* Takes `n_bytes` that the client sent and leaves the data in them at `bytes`, in place. Returns how much that is. */
size_t websocket_read(struct websocket *websocket, unsigned char *bytes, size_t n_bytes);

/* Writes the head of a binary frame of `n_bytes` (at most WEBSOCKET_PAYLOAD_MAX) so that it ends at `end`; returns its
 * length. */
size_t websocket_head(unsigned char *end, size_t n_bytes);

/* Queues the closing frame: the container's output has ended. */
void websocket_close(struct websocket *websocket);
