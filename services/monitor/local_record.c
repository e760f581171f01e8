/* SPDX-License-Identifier: Apache-2.0
 *
 * The record; see local_record.h.
 */
#include "local_record.h"

#include "log_entry.pb-c.h"

#define SIZE_BYTES 4U

static void put_size(uint8_t *at, size_t n_bytes)
{
    at[0] = (uint8_t)(n_bytes >> 24);
    at[1] = (uint8_t)(n_bytes >> 16);
    at[2] = (uint8_t)(n_bytes >> 8);
    at[3] = (uint8_t)n_bytes;
}

static size_t get_size(const uint8_t *at)
{
    return (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];
}

size_t monitor_local_record(uint8_t *buffer, const uint8_t *text, size_t n_text, bool partial, const char *stream,
                            int64_t wall_ns)
{
    Bulkhead__LogEntry entry = BULKHEAD__LOG_ENTRY__INIT;
    entry.source = (char *)(uintptr_t)stream; /* protobuf-c's strings are not const, though packing only reads them */
    entry.time_nano = wall_ns;
    entry.line = (ProtobufCBinaryData){.len = n_text, .data = (uint8_t *)(uintptr_t)text};
    entry.partial = partial;
    size_t n_bytes = bulkhead__log_entry__pack(&entry, buffer + SIZE_BYTES);
    put_size(buffer, n_bytes);
    put_size(buffer + SIZE_BYTES + n_bytes, n_bytes);
    return n_bytes + 2 * SIZE_BYTES;
}

size_t monitor_local_whole(const uint8_t *buffer, size_t n_bytes)
{
    size_t whole = 0;
    while (n_bytes - whole >= SIZE_BYTES) {
        size_t record = get_size(buffer + whole) + 2 * SIZE_BYTES;
        if (record > n_bytes - whole) {
            break;
        }
        whole += record;
    }
    return whole;
}
