/* SPDX-License-Identifier: Apache-2.0
 *
 * One line of the audit log; see audit_line.h. The order of keys is fixed, so that a line can be checked by its bytes.
 */
#include "audit_line.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define GAP_OPERATION "\"operation\":\"AuditGap\""
#define HASH_KEY      ",\"hash\":\""
#define HASH_TAIL     (sizeof(HASH_KEY) - 1 + 64 + 2) /* ,"hash":"<64>"} */

struct line {
    char *buffer;
    size_t used;
    bool full;
};

static void put(struct line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void put(struct line *line, const char *format, ...)
{
    size_t room = AUDIT_RECORD_BYTES_MAX - line->used;
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(line->buffer + line->used, room, format, arguments);
    va_end(arguments);
    if (n < 0 || (size_t)n >= room) {
        line->full = true;
    } else {
        line->used += (size_t)n;
    }
}

/* A text from outside can end neither its value nor the line; anything that is not plain ASCII becomes \u00XX by byte.
 */
static void put_text(struct line *line, const char *key, const char *text)
{
    if (!text || !*text) {
        return;
    }
    put(line, ",\"%s\":\"", key);
    for (; *text && !line->full; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\') {
            put(line, "\\%c", c);
        } else if (c < 0x20 || c >= 0x7f) {
            put(line, "\\u%04x", c);
        } else {
            put(line, "%c", c);
        }
    }
    put(line, "\"");
}

static void put_digest(struct line *line, const char *key, const struct bh_digest *digest)
{
    char text[BH_DIGEST_TEXT_SIZE];
    if (digest) {
        put(line, ",\"%s\":\"%s\"", key, bh_digest_text(digest, text));
    }
}

size_t audit_line_format(char *buffer, const struct audit_record *record, uint64_t number, int64_t wall_ns,
                         const struct bh_digest *previous, struct bh_digest *ret_hash)
{
    struct line line = {.buffer = buffer};
    char hex[BH_DIGEST_HEX_SIZE];
    char time_text[32] = "";
    struct tm parts;
    time_t seconds = (time_t)(wall_ns / 1000000000);
    (void)gmtime_r(&seconds, &parts);
    (void)strftime(time_text, sizeof(time_text), "%Y-%m-%dT%H:%M:%S", &parts);
    put(&line,
        "{\"record\":%" PRIu64 ",\"previous\":\"%s\",\"time\":\"%s.%06dZ\",\"operation\":\"%s\",\"verdict\":\"%s\"",
        number, bh_digest_hex(previous, hex), time_text, (int)(wall_ns % 1000000000 / 1000), record->operation,
        record->verdict);
    if (record->trace) {
        put(&line, ",\"request\":\"%016" PRIx64 "\"", record->trace);
    }
    if (record->has_tenant) {
        put(&line, ",\"tenant\":%u", record->tenant_uid);
    }
    if (record->container) {
        struct bh_digest id;
        memcpy(id.bytes, record->container, sizeof(id.bytes));
        put(&line, ",\"container\":\"%s\"", bh_digest_hex(&id, hex));
    }
    if (record->number >= 0) {
        put(&line, ",\"number\":%" PRId64, record->number);
    }
    put_text(&line, "image", record->image);
    put_digest(&line, "image_digest", record->image_digest);
    put_digest(&line, "spec", record->spec);
    put_text(&line, "volume", record->volume);
    put_text(&line, "network", record->network);
    put_text(&line, "rule", record->rule);
    put_text(&line, "origin", record->origin);
    put_text(&line, "reason", record->reason);
    if (line.full || bh_digest_of(buffer, line.used, ret_hash, NULL) < 0) {
        return 0;
    }
    put(&line, HASH_KEY "%s\"}\n", bh_digest_hex(ret_hash, hex));
    return line.full ? 0 : line.used;
}

/* The line's own hash, if what it says of itself is true. */
static bool check_hash(const char *line, size_t n_bytes, struct bh_digest *ret_hash)
{
    char hex[BH_DIGEST_HEX_SIZE];
    if (n_bytes < HASH_TAIL || bh_digest_of(line, n_bytes - HASH_TAIL, ret_hash, NULL) < 0) {
        return false;
    }
    const char *tail = line + n_bytes - HASH_TAIL;
    return memcmp(tail, HASH_KEY, sizeof(HASH_KEY) - 1) == 0 &&
           memcmp(tail + sizeof(HASH_KEY) - 1, bh_digest_hex(ret_hash, hex), 64) == 0 &&
           memcmp(line + n_bytes - 2, "\"}", 2) == 0;
}

bool audit_line_check(const char *line, size_t n_bytes, uint64_t number, const struct bh_digest *previous,
                      struct bh_digest *ret_hash, bool *ret_gap)
{
    char wanted[160];
    char hex[BH_DIGEST_HEX_SIZE];
    int n = snprintf(wanted, sizeof(wanted), "{\"record\":%" PRIu64 ",\"previous\":\"%s\",", number,
                     bh_digest_hex(previous, hex));
    *ret_gap = memmem(line, n_bytes, GAP_OPERATION, sizeof(GAP_OPERATION) - 1) != NULL;
    return n_bytes > (size_t)n && memcmp(line, wanted, (size_t)n) == 0 && check_hash(line, n_bytes, ret_hash);
}

bool audit_line_read(const char *line, size_t n_bytes, uint64_t *ret_number, struct bh_digest *ret_hash)
{
    static const char start[] = "{\"record\":";
    if (n_bytes < sizeof(start) || memcmp(line, start, sizeof(start) - 1) != 0 ||
        !check_hash(line, n_bytes, ret_hash)) {
        return false;
    }
    *ret_number = strtoull(line + sizeof(start) - 1, NULL, 10);
    return true;
}
