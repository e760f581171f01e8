/* SPDX-License-Identifier: Apache-2.0
 *
 * See tar_writer.h. What is written was found in a hostile tree; the archive's reader is somebody else, who knows that.
 */
#include "tar_writer.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "attributes.h"
#include "common/cleanup.h"
#include "common/io.h"
#include "common/limits.h"
#include "hard_links.h"
#include "tree.h"

#define BLOCK_BYTES (256 * 1024) /* as much as one write to the pipe moves at a time */

struct tar_writer {
    struct archive *archive;
    struct archive_entry *entry;
    int fd;
    struct bh_error failure; /* of the pipe, behind libarchive's back */
    bool abandoned;          /* nothing is written any more */
    struct hard_links links;
    char *buffer;
};

static la_ssize_t write_block(struct archive *archive, void *argument, const void *bytes, size_t n_bytes)
{
    struct tar_writer *writer = argument;
    if (writer->abandoned) {
        return (la_ssize_t)n_bytes;
    }
    if (bh_write_all(writer->fd, bytes, n_bytes, "the archive's pipe", &writer->failure) < 0) {
        archive_set_error(archive, EPIPE, "the archive cannot be written");
        return -1;
    }
    return (la_ssize_t)n_bytes;
}

static int archive_failure(const struct tar_writer *writer, struct bh_error *error)
{
    if (writer->failure.code != BH_OK) {
        *error = writer->failure;
        return -1;
    }
    const char *text = archive_error_string(writer->archive);
    return bh_error_set(error, BH_INTERNAL, "write the archive: %.300s", text ? text : "no reason given");
}

int tar_writer_open(int fd, struct tar_writer **ret_writer, struct bh_error *error)
{
    tar_writer_auto struct tar_writer *writer = calloc(1, sizeof(*writer));
    if (!writer || !(writer->buffer = malloc(BLOCK_BYTES)) || !(writer->archive = archive_write_new()) ||
        !(writer->entry = archive_entry_new())) {
        return bh_error_errno(error, ENOMEM, "make an archive");
    }
    writer->fd = fd;
    if (archive_write_set_format_pax_restricted(writer->archive) != ARCHIVE_OK ||
        archive_write_set_option(writer->archive, "pax", "xattrheader", "SCHILY") != ARCHIVE_OK ||
        archive_write_set_bytes_per_block(writer->archive, BLOCK_BYTES) != ARCHIVE_OK ||
        archive_write_set_bytes_in_last_block(writer->archive, 1) != ARCHIVE_OK ||
        archive_write_open(writer->archive, writer, NULL, write_block, NULL) != ARCHIVE_OK) {
        return archive_failure(writer, error);
    }
    *ret_writer = bh_steal_pointer(&writer);
    return 0;
}

int tar_writer_finish(struct tar_writer *writer, struct bh_error *error)
{
    return archive_write_close(writer->archive) != ARCHIVE_OK ? archive_failure(writer, error) : 0;
}

void tar_writer_free(struct tar_writer **pointer)
{
    struct tar_writer *writer = *pointer;
    if (!writer) {
        return;
    }
    if (writer->archive) {
        writer->abandoned = true; /* no end is written by freeing */
        (void)archive_write_free(writer->archive);
    }
    archive_entry_free(writer->entry);
    hard_links_free(&writer->links);
    free(writer->buffer);
    free(writer);
    *pointer = NULL;
}

/* ---- entries --------------------------------------------------------------------------------------------- */

static void describe(struct tar_writer *writer, const char *name, const struct stat *status)
{
    struct archive_entry *entry = archive_entry_clear(writer->entry);
    archive_entry_copy_pathname(entry, name);
    archive_entry_set_filetype(entry, status->st_mode & S_IFMT);
    archive_entry_set_perm(entry, status->st_mode & 07777);
    archive_entry_set_uid(entry, status->st_uid);
    archive_entry_set_gid(entry, status->st_gid);
    archive_entry_set_mtime(entry, status->st_mtim.tv_sec, 0);
    archive_entry_set_size(entry, S_ISREG(status->st_mode) ? status->st_size : 0);
    if (S_ISCHR(status->st_mode) || S_ISBLK(status->st_mode)) {
        archive_entry_set_rdevmajor(entry, major(status->st_rdev));
        archive_entry_set_rdevminor(entry, minor(status->st_rdev));
    }
}

/* A name that is no UTF-8 makes libarchive warn, and write it as it is. */
static int write_header(struct tar_writer *writer, struct bh_error *error)
{
    int result = archive_write_header(writer->archive, writer->entry);
    return result == ARCHIVE_OK || result == ARCHIVE_WARN ? 0 : archive_failure(writer, error);
}

static void add_attribute(void *argument, const char *name, const void *value, size_t n_bytes)
{
    archive_entry_xattr_add_entry(argument, name, value, n_bytes);
}

/* As many bytes as the header promised: a file that shrinks meanwhile is made up with zeros, as tar does. */
static int write_content(struct tar_writer *writer, int file, uint64_t size, struct bh_error *error)
{
    bool ended = false;
    while (size > 0) {
        size_t wanted = size < BLOCK_BYTES ? (size_t)size : BLOCK_BYTES;
        ssize_t n = ended ? 0 : read(file, writer->buffer, wanted);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return bh_error_errno(error, errno, "read \"%.200s\"", archive_entry_pathname(writer->entry));
        }
        if (n == 0) {
            ended = true;
            memset(writer->buffer, 0, wanted);
            n = (ssize_t)wanted;
        }
        if (archive_write_data(writer->archive, writer->buffer, (size_t)n) != n) {
            return archive_failure(writer, error);
        }
        size -= (uint64_t)n;
    }
    return 0;
}

/* What is there no longer, or is something else by now, is none of the archive's. */
static bool has_gone(int err)
{
    return err == ENOENT || err == ELOOP || err == EINVAL || err == ENXIO || err == ENOTDIR;
}

static int add_file(struct tar_writer *writer, int folder, const char *name, const char *entry, struct bh_error *error)
{
    struct stat status;
    bh_autoclose int file = tree_open_file(folder, name, &status);
    bool no_memory = false;
    if (file < 0) {
        return has_gone(errno) ? 0 : bh_error_errno(error, errno, "open \"%.200s\"", entry);
    }
    const char *first = status.st_nlink > 1 ? hard_links_meet(&writer->links, &status, entry, &no_memory) : NULL;
    if (no_memory) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "the container has too many hard links");
    }
    if (first) {
        status.st_size = 0;
        describe(writer, entry, &status);
        archive_entry_copy_hardlink(writer->entry, first);
        return write_header(writer, error);
    }
    describe(writer, entry, &status);
    if (attributes_read(file, add_attribute, writer->entry, error) < 0 || write_header(writer, error) < 0) {
        return bh_error_wrap(error, "\"%.100s\"", entry);
    }
    return write_content(writer, file, (uint64_t)status.st_size, error);
}

static int add_link(struct tar_writer *writer, int folder, const char *name, const char *entry,
                    const struct stat *status, struct bh_error *error)
{
    char target[BH_PATH_BYTES_MAX + 2];
    ssize_t n = readlinkat(folder, name, target, sizeof(target) - 1);
    if (n < 0) {
        return has_gone(errno) ? 0 : bh_error_errno(error, errno, "read link \"%.200s\"", entry);
    }
    target[n] = '\0';
    describe(writer, entry, status);
    archive_entry_copy_symlink(writer->entry, target);
    return write_header(writer, error);
}

int tar_writer_add_folder(struct tar_writer *writer, int folder, const char *entry, struct bh_error *error)
{
    struct stat status;
    bh_autoclose int readable = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (readable < 0 || fstat(readable, &status) < 0) {
        return bh_error_errno(error, errno, "look at folder \"%.200s\"", entry);
    }
    describe(writer, entry, &status);
    return attributes_read(readable, add_attribute, writer->entry, error) < 0 ? -1 : write_header(writer, error);
}

int tar_writer_add(struct tar_writer *writer, int folder, const char *name, const char *entry,
                   const struct stat *status, struct bh_error *error)
{
    switch (status->st_mode & S_IFMT) {
    case S_IFREG:
        return add_file(writer, folder, name, entry, error);
    case S_IFLNK:
        return add_link(writer, folder, name, entry, status, error);
    case S_IFDIR: {
        bh_autoclose int opened = tree_open_name(folder, name, O_RDONLY | O_DIRECTORY);
        if (opened < 0) {
            return has_gone(errno) ? 0 : bh_error_errno(error, errno, "open \"%.200s\"", entry);
        }
        return tar_writer_add_folder(writer, opened, entry, error);
    }
    case S_IFCHR:
    case S_IFBLK:
    case S_IFIFO:
        describe(writer, entry, status);
        return write_header(writer, error);
    default:
        return 0;
    }
}

int tar_writer_add_mark(struct tar_writer *writer, const char *entry, struct bh_error *error)
{
    const struct stat status = {.st_mode = S_IFREG};
    describe(writer, entry, &status);
    return write_header(writer, error);
}
