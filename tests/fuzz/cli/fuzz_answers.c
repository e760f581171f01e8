/* SPDX-License-Identifier: Apache-2.0
 *
 * What an engine answers to the command line, which may be connected to another's: a head, a body in chunks, framed
 * streams. Whatever was decoded is no longer than what came.
 */
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "http_chunked.h"
#include "http_head.h"
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
    return 0;
}
