/* SPDX-License-Identifier: Apache-2.0
 *
 * One connection that speaks engine_monitor.proto. It never waits for its peer: an answer that finds no room is kept
 * (one of them, and nothing more is read until it has gone), and the socket's send buffer is as small as the kernel
 * allows, so a peer that never reads costs a few kilobytes and stops nobody. The peer is trusted for nothing but its
 * descriptor.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "common/message.h"
#include "engine_monitor.pb-c.h"

#define MONITOR_CONNECTIONS_MAX 64

struct connection {
    int fd; /* -1: free */
    bool watching, following;
    bool told; /* knows of the container's end */
    uint64_t watch_id, follow_id;
    uint64_t lines_told; /* the log's `lines` when LogGrew was last sent */
    uint8_t *pending;    /* a packet the socket had no room for */
    size_t n_pending;
};

/* Takes over a connected socket. */
void connection_open(struct connection *connection, int fd);
void connection_close(struct connection *connection);

/* Receives one request. Returns 1 and a message (the caller frees it), 0 if there is none now, -1 if the peer is gone
 * or broke the rules: close it. */
int connection_receive(struct connection *connection, struct bh_message **ret_message, struct bh_error *error);

/* Send an answer, or keep it. A peer that is gone is closed. Not to be called while something is pending. */
void connection_send(struct connection *connection, uint64_t id, bool more, Bulkhead__MonitorToEngine *packet);
void connection_send_done(struct connection *connection, uint64_t id);
void connection_fail(struct connection *connection, uint64_t id, const struct bh_error *error);

/* Sends what was kept. */
void connection_flush(struct connection *connection);
