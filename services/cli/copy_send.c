/* SPDX-License-Identifier: Apache-2.0
 *
 * Walks the user's own files by descriptors and writes them as a pax archive. Links are packed, not followed; a file
 * with several names is packed once. Sockets are left out, as every tar does.
 */
#include "copy_send.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive_library.h"
#include "common/cleanup.h"
#include "common/limits.h"
#include "string_list.h"

#define PIECE_BYTES 65536
#define DEPTH_MAX   400  /* a descriptor each, of usually 1024 */
#define NAMES_MAX   4096 /* of files with several names; what is beyond is packed again */

struct seen_file {
    dev_t device;
    ino_t inode;
    char *name;
};

struct sender {
    const struct archive_library *library;
    struct http_connection *connection;
    struct archive *archive;
    struct archive_entry *entry;
    struct seen_file seen[NAMES_MAX];
    size_t n_seen;
    uint64_t bytes;
    bool refused; /* the engine has stopped reading */
    struct bh_error *error;
};

static void sender_cleanup(struct sender **slot)
{
    struct sender *sender = *slot;
    if (sender->archive) {
        (void)sender->library->archive_write_free(sender->archive);
    }
    if (sender->entry) {
        sender->library->archive_entry_free(sender->entry);
    }
    for (size_t i = 0; i < sender->n_seen; i++) {
        free(sender->seen[i].name);
    }
}

static la_ssize_t write_chunk(struct archive *archive, void *argument, const void *bytes, size_t n_bytes)
{
    struct sender *sender = argument;
    int sent =
        sender->refused || n_bytes == 0 ? 0 : http_write_chunk(sender->connection, bytes, n_bytes, sender->error);
    if (sent != 0) {
        sender->refused = sent > 0;
        sender->library->archive_set_error(archive, EPIPE, "the engine has stopped reading");
        return -1;
    }
    sender->bytes += n_bytes;
    return (la_ssize_t)n_bytes;
}

/* libarchive failed while writing: our own error says why if there is one; a refusal is the engine's to explain. */
static int write_failed(const struct sender *sender, const char *name, struct bh_error *error)
{
    if (sender->refused || error->code) {
        return -1;
    }
    return bh_error_set(error, BH_INTERNAL, "pack %s: %s", name,
                        sender->library->archive_error_string(sender->archive));
}

/* The name under which this file is packed already, or NULL; then it is remembered. */
static const char *seen_before(struct sender *sender, const struct stat *status, const char *name)
{
    for (size_t i = 0; i < sender->n_seen; i++) {
        if (sender->seen[i].device == status->st_dev && sender->seen[i].inode == status->st_ino) {
            return sender->seen[i].name;
        }
    }
    char *copy = sender->n_seen < NAMES_MAX ? strdup(name) : NULL;
    if (copy) {
        sender->seen[sender->n_seen++] =
            (struct seen_file){.device = status->st_dev, .inode = status->st_ino, .name = copy};
    }
    return NULL;
}

static int write_header(struct sender *sender, const struct stat *status, const char *name, const char *symlink,
                        const char *hardlink, struct bh_error *error)
{
    const struct archive_library *library = sender->library;
    if (sender->entry) {
        library->archive_entry_free(sender->entry);
    }
    sender->entry = library->archive_entry_new();
    if (!sender->entry) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "out of memory");
    }
    library->archive_entry_copy_stat(sender->entry, status);
    library->archive_entry_copy_pathname(sender->entry, name);
    if (symlink) {
        library->archive_entry_copy_symlink(sender->entry, symlink);
    }
    if (hardlink) {
        library->archive_entry_copy_hardlink(sender->entry, hardlink);
    }
    if (!S_ISREG(status->st_mode) || hardlink) {
        library->archive_entry_set_size(sender->entry, 0);
    }
    return library->archive_write_header(sender->archive, sender->entry) == ARCHIVE_OK
               ? 0
               : write_failed(sender, name, error);
}

/* As many bytes as the header promised: a file that grows meanwhile is cut, one that shrinks is filled up. */
static int send_content(struct sender *sender, int fd, const char *name, struct bh_error *error)
{
    static char bytes[PIECE_BYTES];
    ssize_t n_read;
    while ((n_read = read(fd, bytes, sizeof(bytes))) != 0) {
        if (n_read < 0 && errno == EINTR) {
            continue;
        }
        if (n_read < 0) {
            return bh_error_errno(error, errno, "read %s", name);
        }
        la_ssize_t written = sender->library->archive_write_data(sender->archive, bytes, (size_t)n_read);
        if (written < 0) {
            return write_failed(sender, name, error);
        }
        if (written == 0) {
            break;
        }
    }
    return 0;
}

static int send_any(struct sender *sender, int folder, const char *file, bool follow, const char *name, int depth,
                    struct bh_error *error);

static int send_folder(struct sender *sender, int fd, const char *name, int depth, struct bh_error *error)
{
    bh_autoclosedir DIR *stream = fdopendir(dup(fd));
    const struct dirent *child;
    if (!stream) {
        return bh_error_errno(error, errno, "read the folder %s", name);
    }
    if (depth >= DEPTH_MAX) {
        return bh_error_set(error, BH_OUT_OF_RANGE, "%s is nested deeper than %d folders", name, DEPTH_MAX);
    }
    while ((child = readdir(stream)) != NULL) {
        bh_autofree char *child_name = NULL;
        if (strcmp(child->d_name, ".") == 0 || strcmp(child->d_name, "..") == 0) {
            continue;
        }
        if (strings_format(&child_name, error, "%s/%s", name, child->d_name) < 0 ||
            send_any(sender, fd, child->d_name, false, child_name, depth + 1, error) < 0) {
            return -1;
        }
    }
    return 0;
}

/* What has content is opened first and looked at then, so that it is one and the same. */
static int send_opened(struct sender *sender, int folder, const char *file, bool follow, const char *name, int depth,
                       struct bh_error *error)
{
    struct stat status;
    bh_autoclose int fd = openat(folder, file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | (follow ? 0 : O_NOFOLLOW));
    if (fd < 0 || fstat(fd, &status) < 0) {
        return bh_error_errno(error, errno, "open %s", name);
    }
    const char *earlier = S_ISREG(status.st_mode) && status.st_nlink > 1 ? seen_before(sender, &status, name) : NULL;
    if (write_header(sender, &status, name, NULL, earlier, error) < 0) {
        return -1;
    }
    if (S_ISDIR(status.st_mode)) {
        return send_folder(sender, fd, name, depth, error);
    }
    return S_ISREG(status.st_mode) && !earlier ? send_content(sender, fd, name, error) : 0;
}

static int send_any(struct sender *sender, int folder, const char *file, bool follow, const char *name, int depth,
                    struct bh_error *error)
{
    char target[BH_PATH_BYTES_MAX + 1];
    struct stat status;
    if (fstatat(folder, file, &status, follow ? 0 : AT_SYMLINK_NOFOLLOW) < 0) {
        return bh_error_errno(error, errno, "look at %s", depth == 0 ? file : name);
    }
    if (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode)) {
        return send_opened(sender, folder, file, follow, name, depth, error);
    }
    if (S_ISSOCK(status.st_mode)) {
        return 0;
    }
    if (!S_ISLNK(status.st_mode)) {
        return write_header(sender, &status, name, NULL, NULL, error);
    }
    ssize_t length = readlinkat(folder, file, target, sizeof(target) - 1);
    if (length < 0) {
        return bh_error_errno(error, errno, "read the link %s", name);
    }
    target[length] = '\0';
    return write_header(sender, &status, name, target, NULL, error);
}

int copy_send(struct http_connection *connection, const char *path, const char *name, bool follow, uint64_t *ret_bytes,
              struct bh_error *error)
{
    static struct sender storage; /* large, and there is one copy a process */
    storage = (struct sender){.connection = connection, .error = error};
    bh_cleanup(sender_cleanup) struct sender *sender = &storage;
    if (archive_library_load(&sender->library, error) < 0) {
        return -1;
    }
    const struct archive_library *library = sender->library;
    sender->archive = library->archive_write_new();
    if (!sender->archive) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "out of memory");
    }
    (void)library->archive_write_set_format_pax_restricted(sender->archive);
    (void)library->archive_write_set_bytes_per_block(sender->archive, PIECE_BYTES);
    (void)library->archive_write_set_bytes_in_last_block(sender->archive, 1);
    if (library->archive_write_open(sender->archive, sender, NULL, write_chunk, NULL) != ARCHIVE_OK) {
        return write_failed(sender, name, error);
    }
    int sent = send_any(sender, AT_FDCWD, path, follow, name, 0, error);
    if (sent == 0 && library->archive_write_close(sender->archive) != ARCHIVE_OK) {
        sent = write_failed(sender, name, error);
    }
    *ret_bytes = sender->bytes;
    if (sender->refused) {
        return 0;
    }
    return sent < 0 ? -1 : http_write_chunk(connection, NULL, 0, error) < 0 ? -1 : 0;
}
