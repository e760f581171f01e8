/* SPDX-License-Identifier: Apache-2.0
 *
 * Records of the log drivers `local` and `journald` (proto/log_entry.proto); see log_format.h.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log_entry.pb-c.h"
#include "log_format.h"

#define SIZE_BYTES  4U
#define FRAME_BYTES (2 * SIZE_BYTES)

static size_t get_size(const char *at)
{
    const unsigned char *bytes = (const unsigned char *)at;
    return (size_t)bytes[0] << 24 | (size_t)bytes[1] << 16 | (size_t)bytes[2] << 8 | bytes[3];
}

static size_t next(const char *bytes, size_t n_bytes, size_t searched)
{
    (void)searched;
    if (n_bytes < SIZE_BYTES) {
        return 0;
    }
    size_t whole = get_size(bytes) + FRAME_BYTES;
    if (whole > LOG_ITEM_BYTES_MAX) {
        return LOG_ITEM_IMPOSSIBLE;
    }
    if (n_bytes < whole) {
        return 0;
    }
    return get_size(bytes + whole - SIZE_BYTES) == whole - FRAME_BYTES ? whole : LOG_ITEM_IMPOSSIBLE;
}

static int parse(char *bytes, size_t n_bytes, struct log_line *ret_line, struct bh_error *error)
{
    Bulkhead__LogEntry *entry =
        bulkhead__log_entry__unpack(NULL, n_bytes - FRAME_BYTES, (const uint8_t *)bytes + SIZE_BYTES);
    bool is_out = entry && strcmp(entry->source, "stdout") == 0;
    if (!entry || (!is_out && strcmp(entry->source, "stderr") != 0)) {
        bulkhead__log_entry__free_unpacked(entry, NULL);
        return bh_error_set(error, BH_DATA_LOSS, "a record of the log is damaged");
    }
    /* Back to where it stood, where the frame leaves room for the line's end. */
    size_t n_text = entry->line.len;
    if (n_text > 0) {
        memcpy(bytes, entry->line.data, n_text);
    }
    if (!entry->partial) {
        bytes[n_text++] = '\n';
    }
    *ret_line =
        (struct log_line){.text = bytes, .n_text = n_text, .stream = is_out ? 1 : 2, .time_ns = entry->time_nano};
    bulkhead__log_entry__free_unpacked(entry, NULL);
    return 0;
}

/* The size that stands before `end`, if a whole record lies there; 0 if not. */
static size_t record_before(int file, off_t end)
{
    char size[SIZE_BYTES];
    if (end < (off_t)FRAME_BYTES || pread(file, size, sizeof(size), end - (off_t)SIZE_BYTES) != SIZE_BYTES) {
        return 0;
    }
    size_t whole = get_size(size) + FRAME_BYTES;
    return whole <= LOG_ITEM_BYTES_MAX && (off_t)whole <= end &&
                   pread(file, size, sizeof(size), end - (off_t)whole) == SIZE_BYTES &&
                   get_size(size) + FRAME_BYTES == whole
               ? whole
               : 0;
}

/* Each record ends with its size, so this walks from one to the one before. A file that does not end with a whole
 * record was being written to at this moment, or damaged by a power cut: then all of it is taken. */
static int search_back(int file, char *block, uint64_t *items, off_t *ret_offset, struct bh_error *error)
{
    struct stat info;
    (void)block;
    if (fstat(file, &info) < 0) {
        return bh_error_errno(error, errno, "look at the log");
    }
    off_t position = info.st_size;
    while (position > 0 && *items > 0) {
        size_t whole = record_before(file, position);
        if (whole == 0) {
            break;
        }
        position -= (off_t)whole;
        --*items;
    }
    *ret_offset = *items == 0 ? position : 0;
    return *items == 0;
}

const struct log_format log_format_records = {.next = next, .parse = parse, .search_back = search_back};
