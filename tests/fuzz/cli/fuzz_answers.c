/* SPDX-License-Identifier: Apache-2.0
 *
 * What an engine answers to the command line, which may be connected to another's: a head, a body in chunks, framed
 * streams. Whatever was decoded is no longer than what came.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "http_chunked.h"
#include "http_client.h"
#include "http_head.h"
#include "json_stream.h"
#include "stream_frames.h"
#include "fuzz.h"

static void read_chunks(const char *bytes, size_t n_bytes)
{
    struct http_chunked decoder = {0};
    struct bh_error error = {0};
    char output[1024];
    size_t total = 0;
    for (size_t at = 0; at < n_bytes && decoder.state != HTTP_CHUNKED_DONE;) {
        size_t used = 0, written = 0;
        if (http_chunked_decode(&decoder, bytes + at, n_bytes - at, &used, output, sizeof(output), &written, &error) <
            0) {
            return;
        }
        at += used;
        total += written;
        if (at > n_bytes || total > n_bytes || (used == 0 && written == 0)) {
            fuzz_wrong();
        }
    }
}

static int count(void *argument, int fd, const char *bytes, size_t n_bytes, struct bh_error *error)
{
    (void)bytes;
    (void)error;
    if (fd != 1 && fd != 2) {
        fuzz_wrong();
    }
    *(size_t *)argument += n_bytes;
    return 0;
}

static void read_frames(const char *bytes, size_t n_bytes)
{
    struct stream_frames frames = {0};
    struct bh_error error = {0};
    size_t total = 0;
    (void)stream_frames_decode(&frames, bytes, n_bytes, count, &total, &error);
    if (total > n_bytes) {
        fuzz_wrong();
    }
}

static int take(void *argument, const json_t *message, struct bh_error *error)
{
    (void)argument;
    (void)error;
    if (!json_is_object(message)) {
        fuzz_wrong();
    }
    return 0;
}

/* The whole of it as an answer on a socket: a stream of objects. */
static void receive(const uint8_t *bytes, size_t n_bytes, bool show)
{
    static struct http_head head;
    static FILE *nowhere;
    http_auto struct http_connection *connection = NULL;
    struct bh_error error = {0};
    int ends[2];
    nowhere = nowhere ? nowhere : fopen("/dev/null", "we");
    if (!nowhere || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
        fuzz_wrong();
    }
    bool written = write(ends[0], bytes, n_bytes) == (ssize_t)n_bytes;
    (void)close(ends[0]);
    if (!written || http_adopt(ends[1], &connection, &error) < 0 || http_receive(connection, &head, &error) < 0) {
        return;
    }
    (void)(show ? json_stream_show(connection, nowhere, false, &error)
                : json_stream_read(connection, take, NULL, &error));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    static struct http_head head;
    struct bh_error error = {0};
    const char *text = (const char *)bytes;
    size_t n_head = http_head_length(text, n_bytes);
    if (n_head > n_bytes) {
        fuzz_wrong();
    }
    if (n_head > 0) {
        (void)http_head_parse(text, n_head, &head, &error);
    }
    read_chunks(text + n_head, n_bytes - n_head);
    read_frames(text + n_head, n_bytes - n_head);
    if (n_bytes < 65536) { /* fits a socket's buffer */
        receive(bytes, n_bytes, true);
        receive(bytes, n_bytes, false);
    }
    return 0;
}
