/* SPDX-License-Identifier: Apache-2.0
 *
 * The walk over the audit log's chain; see audit.h. Runs in a thread of its own beside the loop that appends: it looks
 * at no byte beyond the size it was told.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit_line.h"
#include "common/cleanup.h"

#define WINDOW_BYTES (256U * 1024U)

struct walk {
    uint64_t number; /* of the record expected next */
    struct bh_digest previous;
};

static int check_lines(struct walk *walk, const char *text, size_t n_bytes, size_t *ret_used, struct bh_error *error)
{
    size_t used = 0;
    for (const char *end; (end = memchr(text + used, '\n', n_bytes - used)); used = (size_t)(end - text) + 1) {
        struct bh_digest hash;
        bool gap = false;
        if (!audit_line_check(text + used, (size_t)(end - text) - used, walk->number, &walk->previous, &hash, &gap)) {
            return bh_error_set(error, BH_DATA_LOSS, "audit record %llu was altered, or one before it was removed",
                                (unsigned long long)walk->number);
        }
        if (gap) {
            return bh_error_set(error, BH_DATA_LOSS, "audit record %llu notes that records before it were lost",
                                (unsigned long long)walk->number);
        }
        walk->previous = hash;
        walk->number++;
    }
    *ret_used = used;
    return 0;
}

int audit_verify(int fd, uint64_t size_bytes, uint64_t records, const struct bh_digest *head, bool (*cancelled)(void *),
                 void *argument, struct bh_error *error)
{
    bh_autofree char *window = malloc(WINDOW_BYTES);
    if (!window) {
        return bh_error_errno(error, ENOMEM, "read the audit log");
    }
    struct walk walk = {.number = 1};
    for (uint64_t at = 0; at < size_bytes;) {
        if (cancelled && cancelled(argument)) {
            return bh_error_set(error, BH_CANCELLED, "the walk over the audit log was cancelled");
        }
        size_t wanted = size_bytes - at < WINDOW_BYTES ? (size_t)(size_bytes - at) : WINDOW_BYTES;
        ssize_t n = pread(fd, window, wanted, (off_t)at);
        if (n <= 0) {
            return bh_error_set(error, BH_DATA_LOSS, "the audit log ends within record %llu",
                                (unsigned long long)walk.number);
        }
        size_t used = 0;
        if (check_lines(&walk, window, (size_t)n, &used, error) < 0) {
            return -1;
        }
        if (used == 0) {
            return bh_error_set(error, BH_DATA_LOSS, "audit record %llu has no end", (unsigned long long)walk.number);
        }
        at += used;
    }
    if (walk.number != records + 1 || !bh_digest_equal(&walk.previous, head)) {
        return bh_error_set(error, BH_DATA_LOSS, "the audit log ends with record %llu; record %llu is missing",
                            (unsigned long long)(walk.number - 1), (unsigned long long)records);
    }
    return 0;
}
