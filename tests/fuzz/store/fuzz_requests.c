/* SPDX-License-Identifier: Apache-2.0
 *
 * The engine's messages to the store as it takes them, and the record beside a layer as a disk may give it back. The
 * first byte chooses. A record that is believed was written by us.
 */
#include <stdlib.h>
#include <string.h>

#include "layer_record.h"
#include "requests.h"
#include "fuzz.h"

static void take_blob(const uint8_t *bytes, size_t n_bytes)
{
    struct blob_request request;
    struct bh_error error = {0};
    Bulkhead__BeginBlob *message = bulkhead__begin_blob__unpack(NULL, n_bytes, bytes);
    if (message) {
        if (blob_request_from(message, &request, &error) < 0 && error.code != BH_INVALID_ARGUMENT) {
            fuzz_wrong();
        }
        bulkhead__begin_blob__free_unpacked(message, NULL);
    }
}

static void take_spool(const uint8_t *bytes, size_t n_bytes)
{
    struct bh_error error = {0};
    uint64_t max_bytes = 0;
    Bulkhead__BeginSpool *message = bulkhead__begin_spool__unpack(NULL, n_bytes, bytes);
    if (message) {
        if (spool_request_from(message, &max_bytes, &error) < 0 && error.code != BH_INVALID_ARGUMENT) {
            fuzz_wrong();
        }
        bulkhead__begin_spool__free_unpacked(message, NULL);
    }
}

static void take_record(const uint8_t *bytes, size_t n_bytes)
{
    struct layer_record record;
    uint8_t again[LAYER_RECORD_BYTES];
    struct bh_error error = {0};
    if (layer_record_decode(bytes, n_bytes, &record, &error) == 0 &&
        (layer_record_encode(&record, again, &error) < 0 || n_bytes != sizeof(again) ||
         memcmp(again, bytes, n_bytes) != 0)) {
        fuzz_wrong();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    static void (*const takers[])(const uint8_t *, size_t) = {take_blob, take_spool, take_record};
    if (n_bytes > 0) {
        takers[bytes[0] % 3](bytes + 1, n_bytes - 1);
    }
    return 0;
}
