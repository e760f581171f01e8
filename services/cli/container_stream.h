/* SPDX-License-Identifier: Apache-2.0
 *
 * Being attached to a container: its streams to ours, our signals to it, and its exit code in the end. Used by run,
 * start, attach, and for the programs that exec starts.
 */
#pragma once

#include "container_request.h"
#include "engine.h"

struct container_stream {
    struct engine *engine;
    const char *id;      /* of the container, for signals and resizing; borrowed */
    const char *exec_id; /* of the program that exec starts instead; NULL: the container's own */
    struct container_attachment attachment;
    bool tty;
    bool signals_forwarded;          /* --sig-proxy, and not for a raw terminal's own keys */
    const char *detach_keys;         /* "ctrl-p,ctrl-q"; NULL: that */
    struct http_connection *stream;  /* owned: the hijacked connection */
    struct http_connection *waiting; /* owned: the answer to wait */
    int signal_fd;                   /* owned; -1 before container_stream_open() */
};

/* Attaches and asks for the exit code, both at once. Returns when both are in effect, so that a start from now on loses
 * nothing. (A program of exec is started by this.) `condition` is the API's: "next-exit", "removed", "not-running". */
int container_stream_open(struct container_stream *stream, const char *condition, struct bh_error *error);

/* Pumps until the container has ended. Returns its exit code, -1 for an error. If the user detached by keys: 0. */
int container_stream_run(struct container_stream *stream, struct bh_error *error);

void container_stream_close(struct container_stream *stream);
#define container_stream_auto bh_cleanup(container_stream_close)

/* Writes all of it to standard output or error (fd 1 or 2): what stream_frames_decode() calls. */
int container_stream_write(void *argument, int fd, const char *bytes, size_t n_bytes, struct bh_error *error);

/* Sends a signal by name. */
int container_signal(struct engine *engine, const char *id, const char *signal_name, struct bh_error *error);
