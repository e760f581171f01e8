/* SPDX-License-Identifier: Apache-2.0
 *
 * See log_reader.h. Files are read by offset: the descriptors may be shared with other readers.
 */
#include "log_reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"

static void close_all(const int *files, size_t n_files)
{
    for (size_t i = 0; i < n_files; i++) {
        bh_cleanup_close(&files[i]);
    }
}

/* Goes to the beginning of a file. */
static int enter(struct log_reader *reader, size_t index, struct bh_error *error)
{
    uint64_t inode;
    log_unpack_close(reader->unpack);
    reader->unpack = NULL;
    reader->current = index;
    reader->offset = 0;
    reader->start = reader->end = 0;
    reader->skipping = reader->lost = false;
    return index < reader->n_files && log_unpack_recognizes(reader->files[index], &inode)
               ? log_unpack_open(reader->files[index], &reader->unpack, error)
               : 0;
}

int log_reader_init(struct log_reader *reader, const struct log_format *format, const int *files, size_t n_files,
                    struct bh_error *error)
{
    *reader = (struct log_reader){.format = format, .buffer = malloc(LOG_ITEM_BYTES_MAX)};
    if (!reader->buffer || n_files > BH_MESSAGE_FDS_MAX) {
        close_all(files, n_files);
        return bh_error_errno(error, ENOMEM, "read the log");
    }
    for (size_t i = 0; i < n_files; i++) {
        reader->files[i] = files[n_files - 1 - i];
    }
    reader->n_files = n_files;
    if (enter(reader, 0, error) < 0) {
        log_reader_free(reader);
        return -1;
    }
    return 0;
}

void log_reader_free(struct log_reader *reader)
{
    close_all(reader->files, reader->n_files);
    log_unpack_close(reader->unpack);
    free(reader->buffer);
    *reader = (struct log_reader){0};
}

/* 1, 0 at the end of the current file, -1. What is damaged in a compressed one is lost with all that follows. */
static int read_on(struct log_reader *reader, char *to, size_t room, size_t *ret_bytes, struct bh_error *error)
{
    if (!reader->unpack) {
        ssize_t n = pread(reader->files[reader->current], to, room, reader->offset);
        *ret_bytes = n > 0 ? (size_t)n : 0;
        return n < 0 ? bh_error_errno(error, errno, "read the log") : n > 0;
    }
    struct bh_error failure = {0};
    if (log_unpack_read(reader->unpack, to, room, ret_bytes, &failure) == 0) {
        return *ret_bytes > 0;
    }
    if (failure.code != BH_DATA_LOSS) {
        return bh_error_set(error, failure.code, "%s", failure.message);
    }
    reader->lost = true;
    return 0;
}

/* Reads more of the current file behind what is buffered. 1, 0 at its end, -1. */
static int fill(struct log_reader *reader, struct bh_error *error)
{
    if (reader->lost) {
        return 0;
    }
    if (reader->start > 0) {
        memmove(reader->buffer, reader->buffer + reader->start, reader->end - reader->start);
        reader->end -= reader->start;
        reader->start = 0;
    }
    if (reader->end == LOG_ITEM_BYTES_MAX) {
        reader->skipping = true;
        reader->end = 0;
    }
    size_t n;
    int result = read_on(reader, reader->buffer + reader->end, LOG_ITEM_BYTES_MAX - reader->end, &n, error);
    if (result <= 0) {
        return result;
    }
    reader->end += n;
    reader->offset += (off_t)n;
    return 1;
}

/* Takes one whole item out of the buffer, or reads on. 0 at the end of the current file. */
static int take_item_here(struct log_reader *reader, char **ret_bytes, size_t *ret_n_bytes, struct bh_error *error)
{
    size_t searched = 0; /* nothing in the first so many bytes of the item */
    for (;;) {
        size_t available = reader->end - reader->start;
        char *bytes = reader->buffer + reader->start;
        size_t whole = reader->format->next(bytes, available, searched);
        if (whole == LOG_ITEM_IMPOSSIBLE) { /* where the next begins cannot be told: the rest of this file is lost */
            reader->start = reader->end;
            reader->lost = true;
            available = whole = 0;
        }
        if (whole > 0) {
            *ret_bytes = bytes;
            *ret_n_bytes = whole;
            reader->start += whole;
            return 1;
        }
        searched = available;
        int filled = fill(reader, error);
        if (filled < 0) {
            return -1;
        }
        if (reader->end < searched) {
            searched = 0; /* an overlong item was dropped */
        }
        if (filled == 0) {
            return 0;
        }
    }
}

/* Goes over to the next file at the end of one. */
static int take_item(struct log_reader *reader, char **ret_bytes, size_t *ret_n_bytes, struct bh_error *error)
{
    int taken;
    while ((taken = take_item_here(reader, ret_bytes, ret_n_bytes, error)) == 0 &&
           reader->current + 1 < reader->n_files) {
        if (enter(reader, reader->current + 1, error) < 0) {
            return -1;
        }
    }
    return taken;
}

/* ---- the last N lines -------------------------------------------------------------------------------- */

/* Takes up to `max` items of the current file. */
static int take_items(struct log_reader *reader, uint64_t max, uint64_t *ret_taken, struct bh_error *error)
{
    char *bytes;
    size_t n_bytes;
    int taken = 1;
    for (*ret_taken = 0; *ret_taken < max && (taken = take_item_here(reader, &bytes, &n_bytes, error)) > 0;) {
        (*ret_taken)++;
    }
    return taken < 0 ? -1 : 0;
}

/* A compressed file cannot be read backwards: its items are counted, then those before the wanted ones are passed. As
 * search_back(). */
static int search_packed(struct log_reader *reader, uint64_t *lines, struct bh_error *error)
{
    uint64_t here, passed;
    if (take_items(reader, UINT64_MAX, &here, error) < 0 || enter(reader, reader->current, error) < 0) {
        return -1;
    }
    if (here < *lines) {
        *lines -= here;
        return 0;
    }
    return take_items(reader, here - *lines, &passed, error) < 0 ? -1 : 1;
}

int log_reader_seek_tail(struct log_reader *reader, uint64_t lines, struct bh_error *error)
{
    for (size_t i = reader->n_files; i-- > 0;) {
        struct stat info;
        if (enter(reader, i, error) < 0) {
            return -1;
        }
        if (lines == 0) {
            if (fstat(reader->files[i], &info) < 0) {
                return bh_error_errno(error, errno, "look at the log");
            }
            reader->offset = info.st_size;
            return 0;
        }
        int found = reader->unpack
                        ? search_packed(reader, &lines, error)
                        : reader->format->search_back(reader->files[i], reader->buffer, &lines, &reader->offset, error);
        if (found != 0) {
            return found < 0 ? -1 : 0;
        }
    }
    return 0;
}

/* ---- line by line, over rotations ------------------------------------------------------------------------- */

int log_reader_next(struct log_reader *reader, struct log_line *ret_line, struct bh_error *error)
{
    char *bytes;
    size_t n_bytes;
    if (reader->n_files == 0) {
        return 0;
    }
    for (;;) {
        int taken = take_item(reader, &bytes, &n_bytes, error);
        if (taken <= 0) {
            return taken;
        }
        bool whole = !reader->skipping;
        reader->skipping = false;
        if (whole && reader->format->parse(bytes, n_bytes, ret_line, NULL) == 0) {
            return 1;
        }
    }
}

/* Which file this is, or was before it was compressed. */
static int identify(int file, struct stat *ret_info, struct bh_error *error)
{
    uint64_t inode;
    if (fstat(file, ret_info) < 0) {
        return bh_error_errno(error, errno, "look at the log");
    }
    if (log_unpack_recognizes(file, &inode)) {
        ret_info->st_ino = inode;
    }
    return 0;
}

int log_reader_rotated(struct log_reader *reader, const int *files, size_t n_files, bool *ret_moved,
                       struct bh_error *error)
{
    struct stat reading;
    size_t newer = n_files; /* how many of them are newer than the one being read */
    *ret_moved = false;
    if (reader->n_files == 0 || identify(reader->files[reader->current], &reading, error) < 0) {
        reading = (struct stat){0};
    }
    for (size_t i = 0; i < n_files && newer == n_files; i++) {
        struct stat info;
        if (identify(files[i], &info, error) < 0) {
            close_all(files, n_files);
            return -1;
        }
        if (reader->n_files > 0 && info.st_ino == reading.st_ino && info.st_dev == reading.st_dev) {
            newer = i;
        }
    }
    int kept = reader->n_files > 0 ? reader->files[reader->current] : -1;
    for (size_t i = 0; i < reader->n_files; i++) {
        if (i != reader->current) {
            bh_cleanup_close(&reader->files[i]);
        }
    }
    reader->n_files = 0;
    reader->current = 0;
    if (kept >= 0) {
        reader->files[reader->n_files++] = kept;
    }
    for (size_t i = n_files; i-- > 0;) {
        if (i < newer && reader->n_files < BH_MESSAGE_FDS_MAX) {
            reader->files[reader->n_files++] = files[i];
            *ret_moved = true;
        } else {
            bh_cleanup_close(&files[i]);
        }
    }
    return 0;
}
