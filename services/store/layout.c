/* SPDX-License-Identifier: Apache-2.0
 *
 * Names and places of files in the store; see layout.h. Cleaning up at start is in layout_open.c, listing in
 * layout_list.c.
 */
#include "layout.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "layout_names.h"

const char *layout_record_name(const char *layer, char buffer[static LAYOUT_RECORD_NAME_SIZE])
{
    (void)snprintf(buffer, LAYOUT_RECORD_NAME_SIZE, "%.64s.meta", layer);
    return buffer;
}

/* ---- files being written --------------------------------------------------------------------------------------- */

int layout_create(const struct layout *layout, uint64_t number, struct layout_name *ret_name, int *ret_fd,
                  struct bh_error *error)
{
    struct layout_name name = {.folder = layout->ingest};
    (void)snprintf(name.text, sizeof(name.text), "%016" PRIx64, number);
    int fd = openat(name.folder, name.text, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        return bh_error_errno(error, errno, "make ingest/%s", name.text);
    }
    *ret_name = name;
    *ret_fd = fd;
    return 0;
}

int layout_create_partial(const struct layout *layout, const struct bh_digest *digest, uint64_t max_bytes,
                          struct layout_name *ret_name, int *ret_fd, uint64_t *ret_bytes, struct bh_error *error)
{
    struct layout_name name = {.folder = layout->partial};
    (void)bh_digest_hex(digest, name.text);
    bh_autoclose int fd = openat(name.folder, name.text, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        return bh_error_errno(error, errno, "open partial/%s", name.text);
    }
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        return bh_error_set(error, BH_FAILED_PRECONDITION, "partial/%s is being written by another ingest", name.text);
    }
    struct stat status;
    if (fstat(fd, &status) < 0) {
        return bh_error_errno(error, errno, "look at partial/%s", name.text);
    }
    /* Between open and lock its last holder may have published or removed it: then this is not the file of that name.
     */
    struct stat named;
    if (fstatat(name.folder, name.text, &named, AT_SYMLINK_NOFOLLOW) < 0 || named.st_ino != status.st_ino) {
        return bh_error_set(error, BH_FAILED_PRECONDITION, "partial/%s went away meanwhile", name.text);
    }
    if ((uint64_t)status.st_size > max_bytes) {
        status.st_size = 0;
        if (ftruncate(fd, 0) < 0) {
            return bh_error_errno(error, errno, "empty partial/%s", name.text);
        }
    }
    *ret_name = name;
    *ret_bytes = (uint64_t)status.st_size;
    *ret_fd = bh_steal_fd(&fd);
    return 0;
}

int layout_reopen(const struct layout_name *name, int *ret_fd, struct bh_error *error)
{
    int fd = openat(name->folder, name->text, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return bh_error_errno(error, errno, "open ingest/%s again", name->text);
    }
    *ret_fd = fd;
    return 0;
}

void layout_discard(struct layout_name *name)
{
    if (name->folder >= 0) {
        (void)unlinkat(name->folder, name->text, 0);
    }
    *name = LAYOUT_NOWHERE;
}

/* ---- publishing ------------------------------------------------------------------------------------------------ */

static int publish(struct layout_name *name, int folder, const char *text, unsigned int flags, struct bh_error *error)
{
    if (renameat2(name->folder, name->text, folder, text, flags) < 0) {
        if (errno == EEXIST) {
            layout_discard(name);
            return 0;
        }
        return bh_error_errno(error, errno, "move a finished file to its place as %s", text);
    }
    *name = LAYOUT_NOWHERE;
    return 0;
}

int layout_publish_blob(const struct layout *layout, struct layout_name *name, const struct bh_digest *digest,
                        struct bh_error *error)
{
    char hex[BH_DIGEST_HEX_SIZE];
    return publish(name, layout->blobs, bh_digest_hex(digest, hex), RENAME_NOREPLACE, error);
}

int layout_publish_layer(const struct layout *layout, struct layout_name *image, struct layout_name *record,
                         const struct bh_digest *digest, struct bh_error *error)
{
    char hex[BH_DIGEST_HEX_SIZE];
    char record_name[LAYOUT_RECORD_NAME_SIZE];
    (void)layout_record_name(bh_digest_hex(digest, hex), record_name);
    if (faccessat(layout->layers, hex, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
        layout_discard(record); /* the record of the layer that is here must stay */
        layout_discard(image);
        return 0;
    }
    /* The record first: a layer is never visible without it. An orphan of a crash is replaced. */
    if (publish(record, layout->layers, record_name, 0, error) < 0) {
        return -1;
    }
    return publish(image, layout->layers, hex, RENAME_NOREPLACE, error);
}

/* ---- what is stored -------------------------------------------------------------------------------------------- */

int layout_read_layer(int folder, const char *hex, struct layer_record *ret_record, struct bh_error *error)
{
    struct stat status;
    char record_name[LAYOUT_RECORD_NAME_SIZE];
    if (fstatat(folder, hex, &status, AT_SYMLINK_NOFOLLOW) < 0) {
        return bh_error_errno(error, errno, "look at layers/%s", hex);
    }
    bh_autoclose int fd =
        openat(folder, layout_record_name(hex, record_name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        return bh_error_errno(error, errno, "open layers/%s", record_name);
    }
    uint8_t bytes[LAYER_RECORD_BYTES + 1];
    size_t n_bytes = 0;
    char name[BH_DIGEST_HEX_SIZE];
    if (bh_read_full(fd, bytes, sizeof(bytes), &n_bytes, record_name, error) < 0 ||
        layer_record_decode(bytes, n_bytes, ret_record, error) < 0) {
        return bh_error_wrap(error, "layers/%s", record_name);
    }
    if (strcmp(bh_digest_hex(&ret_record->blob, name), hex) != 0 || !S_ISREG(status.st_mode) ||
        (status.st_mode & 07777) != 0400 || (uint64_t)status.st_size != ret_record->image_bytes) {
        return bh_error_set(error, BH_DATA_LOSS, "layers/%s is not the file that its record describes", hex);
    }
    return 0;
}

int layout_stat(const struct layout *layout, const struct bh_digest *digest, struct layout_content *ret_content,
                struct bh_error *error)
{
    char hex[BH_DIGEST_HEX_SIZE];
    struct stat status;
    struct layout_content content = {.blob = false};
    if (fstatat(layout->blobs, bh_digest_hex(digest, hex), &status, AT_SYMLINK_NOFOLLOW) == 0) {
        content.blob = true;
        content.blob_bytes = (uint64_t)status.st_size;
    } else if (errno != ENOENT) {
        return bh_error_errno(error, errno, "look at blobs/%s", hex);
    }
    struct bh_error why;
    if (layout_read_layer(layout->layers, hex, &content.record, &why) == 0) {
        content.layer = true;
    } else if (why.code != BH_NOT_FOUND) {
        *error = why;
        return -1;
    }
    *ret_content = content;
    return 0;
}

int layout_open_blob(const struct layout *layout, const struct bh_digest *digest, int *ret_fd, uint64_t *ret_bytes,
                     struct bh_error *error)
{
    char hex[BH_DIGEST_HEX_SIZE];
    struct stat status;
    bh_autoclose int fd = openat(layout->blobs, bh_digest_hex(digest, hex), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return errno == ENOENT ? bh_error_set(error, BH_NOT_FOUND, "blob sha256:%s is not stored", hex)
                               : bh_error_errno(error, errno, "open blobs/%s", hex);
    }
    if (fstat(fd, &status) < 0) {
        return bh_error_errno(error, errno, "look at blobs/%s", hex);
    }
    *ret_bytes = (uint64_t)status.st_size;
    *ret_fd = bh_steal_fd(&fd);
    return 0;
}

static int remove_file(int folder, const char *what, const char *name, struct bh_error *error)
{
    if (unlinkat(folder, name, 0) < 0 && errno != ENOENT) {
        return bh_error_errno(error, errno, "delete %s/%s", what, name);
    }
    return 0;
}

int layout_delete(const struct layout *layout, const struct bh_digest *digest, struct bh_error *error)
{
    char hex[BH_DIGEST_HEX_SIZE];
    char record_name[LAYOUT_RECORD_NAME_SIZE];
    (void)layout_record_name(bh_digest_hex(digest, hex), record_name);
    /* The layer before its record, and before its blob: what a crash leaves is whole, or cleaned up at start. */
    if (remove_file(layout->layers, "layers", hex, error) < 0 ||
        remove_file(layout->layers, "layers", record_name, error) < 0 ||
        remove_file(layout->blobs, "blobs", hex, error) < 0) {
        return -1;
    }
    bh_autoclose int partial = openat(layout->partial, hex, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (partial >= 0 && flock(partial, LOCK_EX | LOCK_NB) == 0) {
        return remove_file(layout->partial, "partial", hex, error); /* nobody is writing it */
    }
    return 0;
}
