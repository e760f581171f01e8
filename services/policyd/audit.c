/* SPDX-License-Identifier: Apache-2.0
 *
 * The audit log's file; see audit.h.
 */
#include "audit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "audit_line.h"
#include "common/cleanup.h"
#include "common/io.h"
#include "common/log.h"

#define HEAD_NAME     "audit.head"
#define SYNC_PAUSE_MS 1000

/* What "audit.head" holds: rewritten in place with every record, so that a log cut short shows. */
struct head {
    uint64_t records;
    struct bh_digest hash;
};

static int open_files(struct audit *audit, int folder, struct bh_error *error)
{
    audit->fd = openat(folder, AUDIT_NAME, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    audit->head_fd = openat(folder, HEAD_NAME, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    struct stat status;
    if (audit->fd < 0 || audit->head_fd < 0 || fstat(audit->fd, &status) < 0) {
        return bh_error_errno(error, errno, "open the audit log");
    }
    audit->size_bytes = (uint64_t)status.st_size;
    return 0;
}

/* Finds the last whole record; *ret_torn counts bytes behind it that are none. */
static int find_end(struct audit *audit, uint64_t *ret_torn, struct bh_error *error)
{
    char tail[2 * AUDIT_RECORD_BYTES_MAX];
    size_t n = audit->size_bytes < sizeof(tail) ? (size_t)audit->size_bytes : sizeof(tail);
    if (pread(audit->fd, tail, n, (off_t)(audit->size_bytes - n)) != (ssize_t)n) {
        return bh_error_errno(error, errno, "read the end of the audit log");
    }
    size_t end = n;
    while (end > 0) {
        while (end > 0 && tail[end - 1] != '\n') {
            end--;
        }
        if (end == 0) {
            break;
        }
        size_t start = end - 1;
        while (start > 0 && tail[start - 1] != '\n') {
            start--;
        }
        if (audit_line_read(tail + start, end - 1 - start, &audit->records, &audit->head)) {
            *ret_torn = n - end;
            return 0;
        }
        end = start;
    }
    *ret_torn = n;
    return audit->size_bytes > n
               ? bh_error_set(error, BH_DATA_LOSS,
                              "the audit log's last %zu bytes hold no record; move it away to start anew", n)
               : 0;
}

static int note(struct audit *audit, const char *operation, const char *reason, struct bh_error *error)
{
    bh_log_warning("audit log: %s", reason);
    const struct audit_record record = {.operation = operation, .verdict = "note", .reason = reason, .number = -1};
    return audit_append(audit, &record, error);
}

static int recover(struct audit *audit, struct bh_error *error)
{
    uint64_t torn = 0;
    struct head head = {0};
    char reason[160];
    if (audit->size_bytes > 0 && find_end(audit, &torn, error) < 0) {
        return -1;
    }
    bool has_head = pread(audit->head_fd, &head, sizeof(head), 0) == (ssize_t)sizeof(head);
    bool behind = has_head && (head.records > audit->records ||
                               (head.records == audit->records && !bh_digest_equal(&head.hash, &audit->head)));
    if (torn > 0) {
        if (ftruncate(audit->fd, (off_t)(audit->size_bytes - torn)) < 0) {
            return bh_error_errno(error, errno, "cut a torn record off the audit log");
        }
        audit->size_bytes -= torn;
        (void)snprintf(reason, sizeof(reason), "a torn last record of %llu bytes was cut off",
                       (unsigned long long)torn);
        if (note(audit, "AuditRecovered", reason, error) < 0) {
            return -1;
        }
    }
    if (behind) {
        (void)snprintf(reason, sizeof(reason), "the log ended before record %llu, which had been written",
                       (unsigned long long)head.records);
        return note(audit, "AuditGap", reason, error);
    }
    return 0;
}

/* Makes what was written durable, about once a second while there is something. */
static void *keep_durable(void *argument)
{
    struct audit *audit = argument;
    (void)pthread_mutex_lock(&audit->lock);
    while (!audit->stopping) {
        if (!audit->dirty) {
            (void)pthread_cond_wait(&audit->changed, &audit->lock);
            continue;
        }
        audit->dirty = false;
        (void)pthread_mutex_unlock(&audit->lock);
        if (fdatasync(audit->fd) < 0 || fdatasync(audit->head_fd) < 0) {
            bh_log_error("make the audit log durable: %s", strerror(errno));
        }
        (void)pthread_mutex_lock(&audit->lock);
        struct timespec until;
        (void)clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += SYNC_PAUSE_MS / 1000;
        while (!audit->stopping && pthread_cond_timedwait(&audit->changed, &audit->lock, &until) == 0) {
        }
    }
    (void)pthread_mutex_unlock(&audit->lock);
    return NULL;
}

int audit_open(struct audit *audit, int folder, struct bh_error *error)
{
    *audit = (struct audit){.fd = -1, .head_fd = -1};
    (void)pthread_mutex_init(&audit->lock, NULL);
    (void)pthread_cond_init(&audit->changed, NULL);
    if (open_files(audit, folder, error) < 0 || recover(audit, error) < 0) {
        return -1;
    }
    int failed = pthread_create(&audit->syncer, NULL, keep_durable, audit);
    if (failed) {
        return bh_error_errno(error, failed, "start the audit log's thread");
    }
    audit->running = true;
    return 0;
}

int audit_append(struct audit *audit, const struct audit_record *record, struct bh_error *error)
{
    char line[AUDIT_RECORD_BYTES_MAX];
    struct bh_digest hash;
    size_t n = audit_line_format(line, record, audit->records + 1, bh_wall_ns(), &audit->head, &hash);
    if (n == 0) {
        return bh_error_set(error, BH_INTERNAL, "an audit record of %s does not fit", record->operation);
    }
    if (bh_write_all(audit->fd, line, n, "the audit log", error) < 0) {
        (void)!ftruncate(audit->fd, (off_t)audit->size_bytes); /* whole records or none */
        return bh_error_wrap(error, "nothing is passed on without a record of it");
    }
    audit->size_bytes += n;
    audit->records++;
    audit->head = hash;
    const struct head head = {.records = audit->records, .hash = hash};
    if (pwrite(audit->head_fd, &head, sizeof(head), 0) != (ssize_t)sizeof(head)) {
        bh_log_warning("the audit log's head could not be written: %s", strerror(errno));
    }
    (void)pthread_mutex_lock(&audit->lock);
    audit->dirty = true;
    (void)pthread_cond_signal(&audit->changed);
    (void)pthread_mutex_unlock(&audit->lock);
    return 0;
}

void audit_close(struct audit *audit)
{
    if (audit->running) {
        (void)pthread_mutex_lock(&audit->lock);
        audit->stopping = true;
        (void)pthread_cond_signal(&audit->changed);
        (void)pthread_mutex_unlock(&audit->lock);
        (void)pthread_join(audit->syncer, NULL);
        (void)fdatasync(audit->fd);
    }
    bh_close(&audit->fd);
    bh_close(&audit->head_fd);
}
