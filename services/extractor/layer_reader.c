/* SPDX-License-Identifier: Apache-2.0
 *
 * See layer_reader.h. Names stay the bytes they are: the process runs in the C locale, where libarchive hands on what
 * it cannot convert.
 */
#include "layer_reader.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "acl.h"
#include "common/erofs_format.h"
#include "bounds.h"
#include "xattrs.h"

#define ID_MAX    0xffffffffLL
#define MAJOR_MAX 0xfffU
#define MINOR_MAX 0xfffffU

struct layer_reader {
    struct pipeline *pipeline;
    struct layer_tree *tree;
    struct erofs_image *image;
    int (*tick)(void *argument, struct bh_error *error);
    void *tick_argument;
    struct archive *archive;
    struct layer_reader_result result;
    bool source_failed;
    struct bh_error source_error; /* what the pipeline said, behind libarchive's back */
    struct xattrs xattrs;
    uint8_t acl_access[ACL_BYTES_MAX], acl_default[ACL_BYTES_MAX];
};

static la_ssize_t read_archive(struct archive *archive, void *argument, const void **ret_buffer)
{
    struct layer_reader *reader = argument;
    size_t n_bytes;
    if (pipeline_next(reader->pipeline, ret_buffer, &n_bytes, &reader->source_error) < 0) {
        reader->source_failed = true;
        archive_set_error(archive, EIO, "the layer cannot be read");
        return ARCHIVE_FATAL;
    }
    return (la_ssize_t)n_bytes;
}

/* What libarchive has to say, as an error of ours. */
static int archive_failure(struct layer_reader *reader, struct bh_error *error)
{
    if (reader->source_failed) {
        *error = reader->source_error;
        return -1;
    }
    if (archive_errno(reader->archive) == ENOMEM) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED,
                            "the layer's archive needs more memory than a worker may have");
    }
    const char *text = archive_error_string(reader->archive);
    return bh_error_set(error, BH_INVALID_ARGUMENT, "the layer is no valid tar archive (behind entry %llu): %s",
                        (unsigned long long)reader->result.entries, text ? text : "unknown error");
}

/* ---- one entry's properties --------------------------------------------------------------------- */

static int read_owner(struct archive_entry *entry, struct layer_inode *inode, struct bh_error *error)
{
    la_int64_t uid = archive_entry_uid(entry), gid = archive_entry_gid(entry);
    if (uid < 0 || uid >= ID_MAX || gid < 0 || gid >= ID_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "its owner %lld:%lld is no valid pair of ids; they go from 0 to 4294967294", (long long)uid,
                            (long long)gid);
    }
    inode->uid = (uint32_t)uid;
    inode->gid = (uint32_t)gid;
    return 0;
}

static int read_time(struct archive_entry *entry, struct layer_inode *inode, struct bh_error *error)
{
    int64_t seconds = archive_entry_mtime(entry);
    long nanoseconds = archive_entry_mtime_nsec(entry);
    if (seconds == INT64_MAX || seconds <= -INT64_MAX || nanoseconds < 0 || nanoseconds >= 1000000000) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "its modification time does not fit into 64 bits");
    }
    if (seconds < 0 && nanoseconds > 0) { /* PAX' "-1.25", which libarchive cuts into -1 and +0.25, is -2 and +0.75 */
        seconds -= 1;
        nanoseconds = 1000000000 - nanoseconds;
    }
    inode->mtime = seconds;
    inode->mtime_nsec = (uint32_t)nanoseconds;
    return 0;
}

static int read_device(struct archive_entry *entry, struct layer_inode *inode, struct bh_error *error)
{
    dev_t major = archive_entry_rdevmajor(entry), minor = archive_entry_rdevminor(entry);
    if (major > MAJOR_MAX || minor > MINOR_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "device %llu:%llu does not exist; numbers go up to %u:%u",
                            (unsigned long long)major, (unsigned long long)minor, MAJOR_MAX, MINOR_MAX);
    }
    inode->u = bh_erofs_device((uint32_t)major, (uint32_t)minor);
    return 0;
}

static int read_target(struct layer_reader *reader, struct archive_entry *entry, struct layer_inode *inode,
                       struct bh_error *error)
{
    const char *target = archive_entry_symlink(entry);
    size_t n_bytes = target ? strlen(target) : 0;
    if (n_bytes == 0 || n_bytes > BH_EROFS_SYMLINK_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "a symbolic link to %zu bytes; there must be 1 to %u", n_bytes,
                            BH_EROFS_SYMLINK_MAX);
    }
    char *copy = layer_tree_allocate(reader->tree, n_bytes + 1, error);
    if (!copy) {
        return -1;
    }
    memcpy(copy, target, n_bytes + 1);
    inode->target = copy;
    inode->size = n_bytes;
    return 0;
}

static int read_size(struct layer_reader *reader, struct archive_entry *entry, struct layer_inode *inode,
                     struct bh_error *error)
{
    la_int64_t size = archive_entry_size(entry);
    if (size < 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "its size is negative");
    }
    inode->size = (uint64_t)size;
    if (__builtin_add_overflow(reader->result.content_bytes, inode->size, &reader->result.content_bytes) ||
        reader->result.content_bytes > BH_LAYER_BYTES_MAX) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED,
                            "with its %llu bytes the layer's files have more than %llu bytes together",
                            (unsigned long long)inode->size, BH_LAYER_BYTES_MAX);
    }
    return 0;
}

static int collect_xattrs(struct layer_reader *reader, struct archive_entry *entry, mode_t mode, struct bh_error *error)
{
    reader->xattrs.n = 0;
    size_t n_bytes;
    if (acl_encode(entry, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, reader->acl_access, &n_bytes, error) < 0 ||
        (n_bytes > 0 &&
         xattrs_add(&reader->xattrs, "system.posix_acl_access", reader->acl_access, n_bytes, mode, error) < 0)) {
        return -1;
    }
    if (acl_encode(entry, ARCHIVE_ENTRY_ACL_TYPE_DEFAULT, reader->acl_default, &n_bytes, error) < 0 ||
        (n_bytes > 0 &&
         xattrs_add(&reader->xattrs, "system.posix_acl_default", reader->acl_default, n_bytes, mode, error) < 0)) {
        return -1;
    }
    archive_entry_xattr_reset(entry);
    const char *name;
    const void *value;
    while (archive_entry_xattr_next(entry, &name, &value, &n_bytes) == ARCHIVE_OK) {
        if (xattrs_add(&reader->xattrs, name, value, n_bytes, mode, error) < 0) {
            return -1;
        }
    }
    return 0;
}

static int read_xattrs(struct layer_reader *reader, struct archive_entry *entry, struct layer_inode *inode,
                       struct bh_error *error)
{
    if (collect_xattrs(reader, entry, inode->mode, error) < 0 ||
        xattrs_area_bytes(&reader->xattrs, &inode->xattr_bytes, error) < 0) {
        return -1;
    }
    if (inode->xattr_bytes > 0) {
        uint8_t *area = layer_tree_allocate(reader->tree, inode->xattr_bytes, error);
        if (!area) {
            return -1;
        }
        xattrs_write(&reader->xattrs, area);
        inode->xattrs = area;
    }
    return 0;
}

static int read_inode(struct layer_reader *reader, struct archive_entry *entry, struct layer_inode *inode,
                      struct bh_error *error)
{
    mode_t type = archive_entry_filetype(entry);
    *inode = (struct layer_inode){.mode = (uint16_t)(type | (archive_entry_perm(entry) & 07777))};
    if (read_owner(entry, inode, error) < 0 || read_time(entry, inode, error) < 0 ||
        read_xattrs(reader, entry, inode, error) < 0) {
        return -1;
    }
    switch (type) {
    case AE_IFREG:
        return read_size(reader, entry, inode, error);
    case AE_IFLNK:
        return read_target(reader, entry, inode, error);
    case AE_IFCHR:
    case AE_IFBLK:
        return read_device(entry, inode, error);
    case AE_IFDIR:
    case AE_IFIFO:
        return 0;
    default:
        return bh_error_set(error, BH_INVALID_ARGUMENT, "its type is none that a layer can have");
    }
}

/* ---- contents ------------------------------------------------------------------------------------ */

/* Copies a file's data to the image, from a block boundary on; what the archive leaves out (sparse files) is zeros. */
static int copy_content(struct layer_reader *reader, struct layer_inode *inode, struct bh_error *error)
{
    if (inode->size == 0) {
        return 0;
    }
    if (erofs_image_align(reader->image, BH_EROFS_BLOCK_BYTES, error) < 0) {
        return -1;
    }
    inode->u = (uint32_t)(erofs_image_offset(reader->image) / BH_EROFS_BLOCK_BYTES); /* < 2^32: sizes are bounded */
    uint64_t at = 0;
    for (;;) {
        const void *bytes;
        size_t n_bytes;
        la_int64_t offset;
        int result = archive_read_data_block(reader->archive, &bytes, &n_bytes, &offset);
        if (result == ARCHIVE_EOF) {
            return erofs_image_zeros(reader->image, inode->size - at, error);
        }
        if (result != ARCHIVE_OK) {
            return archive_failure(reader, error);
        }
        uint64_t end;
        if (n_bytes == 0) {
            continue;
        }
        if (offset < 0 || (uint64_t)offset < at || __builtin_add_overflow((uint64_t)offset, n_bytes, &end) ||
            end > inode->size) {
            return bh_error_set(error, BH_INVALID_ARGUMENT,
                                "its data at %lld does not lie inside its %llu bytes, in order", (long long)offset,
                                (unsigned long long)inode->size);
        }
        if (erofs_image_zeros(reader->image, (uint64_t)offset - at, error) < 0 ||
            erofs_image_write(reader->image, bytes, n_bytes, error) < 0 ||
            reader->tick(reader->tick_argument, error) < 0) {
            return -1;
        }
        at = end;
    }
}

/* ---- entries -------------------------------------------------------------------------------------- */

static int take_link(struct layer_reader *reader, const struct layer_path *path, const char *link,
                     struct bh_error *error)
{
    struct layer_path target;
    return layer_path_clean(link, &target, error) < 0 ? -1 : layer_tree_link(reader->tree, path, &target, error);
}

static int take_inode(struct layer_reader *reader, const struct layer_path *path, struct archive_entry *entry,
                      struct bh_error *error)
{
    struct layer_inode model, *inode;
    if (archive_entry_filetype(entry) == AE_IFSOCK) { /* nothing can listen on a socket from an archive */
        return 0;
    }
    if (read_inode(reader, entry, &model, error) < 0 ||
        (S_ISREG(model.mode) && copy_content(reader, &model, error) < 0)) {
        return -1;
    }
    if (layer_inode_is_whiteout(&model)) { /* device 0:0 is none; in an overlay it would hide a file */
        return 0;
    }
    return layer_tree_put(reader->tree, path, &model, &inode, error);
}

static int take_entry(struct layer_reader *reader, const char *name, struct archive_entry *entry,
                      struct bh_error *error)
{
    struct layer_path path;
    enum layer_whiteout whiteout;
    if (layer_path_clean(name, &path, error) < 0 || layer_path_whiteout(&path, &whiteout, error) < 0) {
        return -1;
    }
    switch (whiteout) {
    case LAYER_WHITEOUT_IGNORED:
        return 0;
    case LAYER_WHITEOUT_FILE:
        return layer_tree_hide(reader->tree, &path, error);
    case LAYER_WHITEOUT_OPAQUE:
        return layer_tree_hide_all(reader->tree, &path, error);
    case LAYER_WHITEOUT_NONE:
        break;
    }
    const char *link = archive_entry_hardlink(entry);
    return link ? take_link(reader, &path, link, error) : take_inode(reader, &path, entry, error);
}

/* 1: an entry; 0: the end; -1. A name that is not in the C locale's character set is all that libarchive may warn
 * about. */
static int next_header(struct layer_reader *reader, struct archive_entry **ret_entry, struct bh_error *error)
{
    int result = archive_read_next_header(reader->archive, ret_entry);
    if (result == ARCHIVE_EOF) {
        return 0;
    }
    bool conversion = result == ARCHIVE_WARN && archive_errno(reader->archive) == EILSEQ;
    if (result != ARCHIVE_OK && !conversion) {
        return archive_failure(reader, error);
    }
    return 1;
}

static int read_entries(struct layer_reader *reader, struct bh_error *error)
{
    struct archive_entry *entry;
    int more;
    while ((more = next_header(reader, &entry, error)) > 0) {
        const char *name = archive_entry_pathname(entry);
        if (++reader->result.entries > BH_LAYER_ENTRIES_MAX) {
            return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "the layer has more than %llu entries",
                                BH_LAYER_ENTRIES_MAX);
        }
        if (!name || !*name) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "entry %llu has no name",
                                (unsigned long long)reader->result.entries);
        }
        if (take_entry(reader, name, entry, error) < 0) {
            if (!strstr(error->message, "entry \"") && error->n_context == 0) {
                bh_error_wrap(error, "entry \"%.100s\"", name);
            }
            return -1;
        }
        if (reader->tick(reader->tick_argument, error) < 0) {
            return -1;
        }
    }
    return more;
}

static int open_archive(struct layer_reader *reader, struct bh_error *error)
{
    reader->archive = archive_read_new();
    if (!reader->archive) {
        return bh_error_errno(error, ENOMEM, "allocate an archive reader");
    }
    if (archive_read_support_format_tar(reader->archive) != ARCHIVE_OK ||
        archive_read_support_format_empty(reader->archive) != ARCHIVE_OK ||
        archive_read_open(reader->archive, reader, NULL, read_archive, NULL) != ARCHIVE_OK) {
        return archive_failure(reader, error);
    }
    return 0;
}

int layer_reader_run(struct pipeline *pipeline, struct layer_tree *tree, struct erofs_image *image,
                     int (*tick)(void *argument, struct bh_error *error), void *argument,
                     struct layer_reader_result *ret_result, struct bh_error *error)
{
    bh_autofree struct layer_reader *reader = calloc(1, sizeof(*reader));
    if (!reader) {
        return bh_error_errno(error, ENOMEM, "allocate a layer reader");
    }
    reader->pipeline = pipeline;
    reader->tree = tree;
    reader->image = image;
    reader->tick = tick;
    reader->tick_argument = argument;
    int result = open_archive(reader, error) < 0 ? -1 : read_entries(reader, error);
    *ret_result = reader->result;
    (void)archive_read_free(reader->archive);
    return result;
}
