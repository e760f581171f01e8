/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as frames of a WebSocket, whole and one by one: both readings are the same.
 */
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "websocket.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    struct websocket whole = {0}, pieces = {0};
    size_t n_pieces = 0;
    bh_autofree unsigned char *at_once = malloc(n_bytes + 1);
    bh_autofree unsigned char *one_by_one = malloc(n_bytes + 1);
    memcpy(at_once, bytes, n_bytes);
    size_t n_whole = websocket_read(&whole, at_once, n_bytes);
    for (size_t i = 0; i < n_bytes; i++) {
        unsigned char byte = bytes[i];
        if (websocket_read(&pieces, &byte, 1) == 1) {
            one_by_one[n_pieces++] = byte;
        }
    }
    if (n_whole != n_pieces || memcmp(at_once, one_by_one, n_whole) != 0 || whole.closed != pieces.closed ||
        whole.n_reply != pieces.n_reply || memcmp(whole.reply, pieces.reply, whole.n_reply) != 0) {
        fuzz_wrong();
    }
    return 0;
}
