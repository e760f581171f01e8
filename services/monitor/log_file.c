/* SPDX-License-Identifier: Apache-2.0
 *
 * The container's log; see log_file.h. Records are gathered and written in one call per chunk. The file holds whole
 * lines only: a write that failed half-way is cut off again.
 */
#include "log_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "json_line.h"
#include "local_record.h"
#include "memory.h"

#define LOG_NAME     "container.log"
#define LOG_NEW_NAME "container.log.new"
/* One write(2) gathers this much; a record always fits. */
#define BATCH_BYTES (256U * 1024U)

static const char *const stream_names[MONITOR_STREAMS] = {"stdout", "stderr"};

int log_file_open(struct log_file *log, int folder, const struct bh_monitor_start *start, struct bh_error *error)
{
    *log = (struct log_file){.folder = folder, .fd = -1, .driver = start->log_driver, .journal = {.fd = -1}};
    if (log->driver == BH_LOG_DRIVER_NONE) {
        return 0;
    }
    log->max_bytes = start->log_max_bytes;
    log->max_files = start->log_max_files;
    log_pack_open(&log->pack, folder, start->log_compress ? start->log_max_files : 0);
    log->batch = memory_reserve(BATCH_BYTES);
    for (int i = 0; i < MONITOR_STREAMS; i++) {
        log->partial[i].bytes = memory_reserve(MONITOR_LINE_BYTES_MAX);
    }
    if (!log->batch || !log->partial[0].bytes || !log->partial[1].bytes) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "no memory for the log's buffers");
    }
    bh_autoclose int fd =
        openat(folder, LOG_NAME, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, LOG_FILE_MODE);
    if (fd < 0) {
        return bh_error_errno(error, errno, "open %s", LOG_NAME);
    }
    struct stat status;
    if (fstat(fd, &status) < 0) {
        return bh_error_errno(error, errno, "stat %s", LOG_NAME);
    }
    log->size_bytes = (uint64_t)status.st_size;
    log->fd = bh_steal_fd(&fd);
    return 0;
}

void log_file_add_journal(struct log_file *log, int fd, const char *fields, size_t n_fields)
{
    log->journal = (struct journal){.fd = fd, .fields = fields, .n_fields = n_fields};
}

/* Says once that lines are being lost, until some can be written again. */
static void tell_failure(struct log_file *log, const char *what, int err)
{
    if (!log->failing) {
        bh_log_error("%s: %s; lines are dropped until it succeeds", what, strerror(err));
    }
    log->failing = true;
}

/* How much of the first `n_bytes` of the batch is whole records. */
static size_t whole_records(const struct log_file *log, size_t n_bytes)
{
    if (log->driver != BH_LOG_DRIVER_JSON_FILE) {
        return monitor_local_whole(log->batch, n_bytes);
    }
    while (n_bytes > 0 && log->batch[n_bytes - 1] != '\n') {
        n_bytes--;
    }
    return n_bytes;
}

static void write_batch(struct log_file *log)
{
    size_t done = 0;
    while (done < log->n_batch) {
        ssize_t n = write(log->fd, log->batch + done, log->n_batch - done);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            tell_failure(log, "write " LOG_NAME, errno);
            break;
        }
        done += (size_t)n;
    }
    if (done == log->n_batch) {
        log->failing = false;
    } else {
        done = whole_records(log, done);
        (void)!ftruncate(log->fd, (off_t)(log->size_bytes + done));
    }
    log->size_bytes += done;
    log->lines += done > 0 ? 1 : 0;
    log->n_batch = 0;
}

const char *log_file_name(char ret_name[static LOG_FILE_NAME_SIZE], uint32_t index, bool packed)
{
    if (index == 0) {
        return LOG_NAME;
    }
    (void)snprintf(ret_name, LOG_FILE_NAME_SIZE, LOG_NAME ".%u%s", index, packed ? ".gz" : "");
    return ret_name;
}

/* Renames all files of one kind, the oldest first; it falls off. Most are of the other kind, or were never there. */
static void move_on(const struct log_file *log, bool packed)
{
    char from[LOG_FILE_NAME_SIZE], to[LOG_FILE_NAME_SIZE];
    (void)unlinkat(log->folder, log_file_name(to, log->max_files - 1, packed), 0);
    for (uint32_t i = log->max_files - 1; i > packed; i--) {
        (void)renameat(log->folder, log_file_name(from, i - 1, packed), log->folder, log_file_name(to, i, packed));
    }
}

/* container.log.1 is the newest of the old ones. The new file exists before the old one moves, so that a full disk
 * leaves the log as it was. */
static void rotate(struct log_file *log)
{
    if (log->max_files <= 1) {
        if (ftruncate(log->fd, 0) < 0) {
            tell_failure(log, "empty " LOG_NAME, errno);
            return;
        }
        log->size_bytes = 0;
        log->rotations++;
        return;
    }
    int fd = openat(log->folder, LOG_NEW_NAME, O_WRONLY | O_APPEND | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
                    LOG_FILE_MODE);
    if (fd < 0) {
        tell_failure(log, "make the next " LOG_NAME, errno);
        return;
    }
    move_on(log, true);
    move_on(log, false); /* with container.log itself */
    (void)renameat(log->folder, LOG_NEW_NAME, log->folder, LOG_NAME);
    log->rotations++;
    log_pack_rotated(&log->pack);
    (void)close(log->fd);
    log->fd = fd;
    log->size_bytes = 0;
}

/* When a chunk was read, in both forms that records want. */
struct moment {
    int64_t wall_ns;
    char text[MONITOR_TIME_SIZE]; /* for json-file */
    size_t n_text;
};

static struct moment moment_of(const struct log_file *log, int64_t wall_ns)
{
    struct moment moment = {.wall_ns = wall_ns};
    if (log->driver == BH_LOG_DRIVER_JSON_FILE) {
        moment.n_text = monitor_time_format(wall_ns, moment.text);
    }
    return moment;
}

static void add_line(struct log_file *log, enum monitor_stream stream, const uint8_t *text, size_t n_text, bool newline,
                     const struct moment *moment)
{
    bool full = log->max_bytes > 0 && log->size_bytes + log->n_batch >= log->max_bytes;
    if (full || BATCH_BYTES - log->n_batch < MONITOR_RECORD_BYTES_MAX) {
        write_batch(log);
    }
    if (full && log->size_bytes >= log->max_bytes) {
        rotate(log);
    }
    uint8_t *at = log->batch + log->n_batch;
    log->n_batch +=
        log->driver == BH_LOG_DRIVER_JSON_FILE
            ? monitor_json_line((char *)at, text, n_text, newline, stream_names[stream], moment->text, moment->n_text)
            : monitor_local_record(at, text, n_text, !newline, stream_names[stream], moment->wall_ns);
    journal_send(&log->journal, text, n_text, stream == MONITOR_STDERR, !newline);
}

void log_file_write(struct log_file *log, enum monitor_stream stream, const uint8_t *bytes, size_t n_bytes,
                    int64_t wall_ns)
{
    if (log->fd < 0) {
        return;
    }
    const struct moment moment = moment_of(log, wall_ns);
    uint8_t *partial = log->partial[stream].bytes;
    size_t n_partial = log->partial[stream].n_bytes;
    while (n_bytes > 0) {
        size_t room = MONITOR_LINE_BYTES_MAX - n_partial;
        size_t window = n_bytes < room ? n_bytes : room;
        const uint8_t *end = memchr(bytes, '\n', window);
        size_t taken = end ? (size_t)(end - bytes) : window;
        bool complete = end || taken == room;
        if (n_partial == 0 && complete) { /* the common case: straight from the chunk */
            add_line(log, stream, bytes, taken, end != NULL, &moment);
        } else {
            memcpy(partial + n_partial, bytes, taken);
            n_partial += taken;
            if (complete) {
                add_line(log, stream, partial, n_partial, end != NULL, &moment);
                n_partial = 0;
            }
        }
        taken += end ? 1 : 0;
        bytes += taken;
        n_bytes -= taken;
    }
    log->partial[stream].n_bytes = n_partial;
    write_batch(log);
}

void log_file_end(struct log_file *log, enum monitor_stream stream, int64_t wall_ns)
{
    if (log->fd < 0 || log->partial[stream].n_bytes == 0) {
        return;
    }
    const struct moment moment = moment_of(log, wall_ns);
    add_line(log, stream, log->partial[stream].bytes, log->partial[stream].n_bytes, false, &moment);
    log->partial[stream].n_bytes = 0;
    write_batch(log);
}

void log_file_idle(struct log_file *log)
{
    if (log->fd < 0) {
        return;
    }
    memory_forget(log->batch, BATCH_BYTES);
    for (int i = 0; i < MONITOR_STREAMS; i++) {
        if (log->partial[i].n_bytes == 0) {
            memory_forget(log->partial[i].bytes, MONITOR_LINE_BYTES_MAX);
        }
    }
}
