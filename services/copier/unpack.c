/* SPDX-License-Identifier: Apache-2.0
 *
 * See unpack.h. libarchive reads tar and nothing else: no filter, no other format.
 */
#include "unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "attributes.h"
#include "common/cleanup.h"
#include "common/io.h"
#include "common/limits.h"
#include "names.h"
#include "place.h"
#include "tree.h"

#define READ_BYTES  (256 * 1024)
#define DRAIN_BYTES (1024 * 1024) /* what may follow the archive's end: padding */
#define IDS         BH_TENANT_IDS

/* A folder whose time is set once it is full. */
struct dated {
    struct dated *next;
    struct file_shape shape;
    char path[];
};

struct unpacking {
    const struct unpack *wish;
    int source, top;
    struct archive *archive;
    char *buffer;
    struct dated *dated;
    struct bh_error failure; /* of the source, behind libarchive's back */
};

/* ---- libarchive ------------------------------------------------------------------------------------------ */

static la_ssize_t read_source(struct archive *archive, void *argument, const void **ret_bytes)
{
    struct unpacking *unpacking = argument;
    ssize_t n;
    do {
        n = read(unpacking->source, unpacking->buffer, READ_BYTES);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        (void)bh_error_errno(&unpacking->failure, errno, "read the archive");
        archive_set_error(archive, EIO, "the archive cannot be read");
        return ARCHIVE_FATAL;
    }
    *ret_bytes = unpacking->buffer;
    return n;
}

static int archive_failure(const struct unpacking *unpacking, struct bh_error *error)
{
    if (unpacking->failure.code != BH_OK) {
        *error = unpacking->failure;
        return -1;
    }
    if (archive_errno(unpacking->archive) == ENOMEM) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "no memory for the archive");
    }
    const char *text = archive_error_string(unpacking->archive);
    return bh_error_set(error, BH_INVALID_ARGUMENT, "the archive is no tar, or a damaged one: %.300s",
                        text ? text : "no reason given");
}

static int open_archive(struct unpacking *unpacking, struct bh_error *error)
{
    unpacking->buffer = malloc(READ_BYTES);
    unpacking->archive = archive_read_new();
    if (!unpacking->buffer || !unpacking->archive) {
        return bh_error_errno(error, ENOMEM, "read the archive");
    }
    return archive_read_support_format_tar(unpacking->archive) != ARCHIVE_OK ||
                   archive_read_support_format_empty(unpacking->archive) != ARCHIVE_OK ||
                   archive_read_open(unpacking->archive, unpacking, NULL, read_source, NULL) != ARCHIVE_OK
               ? archive_failure(unpacking, error)
               : 0;
}

/* ---- the place ------------------------------------------------------------------------------------------- */

/* Said before anything is read, and in Docker's words: scripts look for them. */
static int check_writable(const struct unpacking *unpacking, struct bh_error *error)
{
    struct statx root, top;
    struct statvfs system;
    if (fstatvfs(unpacking->top, &system) < 0 ||
        statx(unpacking->wish->root, "", AT_EMPTY_PATH, STATX_MNT_ID, &root) < 0 ||
        statx(unpacking->top, "", AT_EMPTY_PATH, STATX_MNT_ID, &top) < 0) {
        return bh_error_errno(error, errno, "look at \"%.200s\"", unpacking->wish->path);
    }
    if (!(system.f_flag & ST_RDONLY)) {
        return 0;
    }
    return bh_error_set(error, BH_PERMISSION_DENIED, "%s",
                        root.stx_mnt_id == top.stx_mnt_id ? "container rootfs is marked read-only"
                                                          : "mounted volume is marked read-only");
}

static int open_top(struct unpacking *unpacking, struct bh_error *error)
{
    struct asked_path asked;
    if (asked_path_parse(unpacking->wish->path, &asked, error) < 0) {
        return -1;
    }
    unpacking->top = tree_open(unpacking->wish->root, asked.text, O_RDONLY | O_DIRECTORY);
    if (unpacking->top < 0) {
        return errno == ENOTDIR
                   ? bh_error_set(error, BH_INVALID_ARGUMENT, "extraction point is not a directory")
                   : bh_error_errno(error, errno, "find \"%.200s\" in the container", unpacking->wish->path);
    }
    if (tree_is_kernels(unpacking->top)) {
        return bh_error_set(error, BH_PERMISSION_DENIED, "\"%.200s\" is the kernel's: no file can be put there",
                            unpacking->wish->path);
    }
    return check_writable(unpacking, error);
}

/* ---- entries --------------------------------------------------------------------------------------------- */

/* An owner that does not exist inside (a user of the host's, most often) becomes the container's root. */
static void read_shape(const struct unpacking *unpacking, struct archive_entry *entry, struct file_shape *ret_shape)
{
    la_int64_t uid = archive_entry_uid(entry), gid = archive_entry_gid(entry);
    *ret_shape = (struct file_shape){
        .mode = archive_entry_filetype(entry) | (archive_entry_perm(entry) & 07777),
        .uid = uid >= 0 && uid < IDS ? (uid_t)uid : 0,
        .gid = gid >= 0 && gid < IDS ? (gid_t)gid : 0,
        .mtime = {.tv_sec = archive_entry_mtime(entry), .tv_nsec = archive_entry_mtime_nsec(entry)},
    };
    if (unpacking->wish->owner_set) {
        ret_shape->uid = unpacking->wish->uid;
        ret_shape->gid = unpacking->wish->gid;
    }
    if (ret_shape->mtime.tv_nsec < 0 || ret_shape->mtime.tv_nsec > 999999999) {
        ret_shape->mtime.tv_nsec = 0;
    }
}

static int set_attributes(int fd, struct archive_entry *entry, struct bh_error *error)
{
    const char *name;
    const void *value;
    size_t n_bytes;
    (void)archive_entry_xattr_reset(entry);
    while (archive_entry_xattr_next(entry, &name, &value, &n_bytes) == ARCHIVE_OK) {
        if (name && attribute_travels(name) && attribute_set(fd, name, value, n_bytes, error) < 0) {
            return -1;
        }
    }
    return 0;
}

/* The data where the archive says it belongs; what it leaves out is a hole. */
static int write_content(const struct unpacking *unpacking, int fd, struct archive_entry *entry, struct bh_error *error)
{
    la_int64_t size = archive_entry_size(entry);
    for (;;) {
        const void *bytes;
        size_t n_bytes;
        la_int64_t offset;
        int result = archive_read_data_block(unpacking->archive, &bytes, &n_bytes, &offset);
        if (result == ARCHIVE_EOF) {
            return ftruncate(fd, size) < 0 ? bh_error_errno(error, errno, "write") : 0;
        }
        if (result != ARCHIVE_OK) {
            return archive_failure(unpacking, error);
        }
        while (n_bytes > 0) {
            ssize_t n = pwrite(fd, bytes, n_bytes, offset);
            if (n < 0 && errno != EINTR) {
                return bh_error_errno(error, errno, "write");
            }
            bytes = (const char *)bytes + (n > 0 ? n : 0);
            n_bytes -= (size_t)(n > 0 ? n : 0);
            offset += n > 0 ? n : 0;
        }
    }
}

static int put_file(const struct unpacking *unpacking, const struct place *place, const struct file_shape *shape,
                    struct archive_entry *entry, struct bh_error *error)
{
    bh_autoclose int fd = -1;
    return place_file(place, &fd, error) < 0 || write_content(unpacking, fd, entry, error) < 0 ||
                   place_own(fd, place, shape, error) < 0 || set_attributes(fd, entry, error) < 0
               ? -1
               : place_date(fd, place, shape, error);
}

static int put_folder(struct unpacking *unpacking, const struct place *place, const struct file_shape *shape,
                      struct archive_entry *entry, struct bh_error *error)
{
    bh_autoclose int fd = -1;
    if (place_folder(place, shape, &fd, error) < 0 || set_attributes(fd, entry, error) < 0) {
        return -1;
    }
    size_t n = strlen(place->shown) + 1;
    struct dated *dated = malloc(sizeof(*dated) + n);
    if (!dated) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "no memory for the archive's folders");
    }
    dated->shape = *shape;
    memcpy(dated->path, place->shown, n);
    dated->next = unpacking->dated;
    unpacking->dated = dated;
    return 0;
}

static int put_hard_link(const struct unpacking *unpacking, const struct place *place, const char *target,
                         struct bh_error *error)
{
    char path[BH_PATH_BYTES_MAX + 1];
    __attribute__((cleanup(place_close))) struct place first = {.folder = -1};
    if (unpacked_path(target, path, error) < 0 || place_find(unpacking->top, path, &first, error) < 0) {
        return -1;
    }
    return linkat(first.folder, first.name, place->folder, place->name, 0) < 0
               ? bh_error_errno(error, errno, "link \"%.150s\" to \"%.150s\"", place->shown, path)
               : 0;
}

/* Makes room: two folders become one, all else is replaced. */
static int make_room(const struct unpacking *unpacking, const struct place *place, bool is_folder,
                     struct bh_error *error)
{
    struct stat there;
    if (fstatat(place->folder, place->name, &there, AT_SYMLINK_NOFOLLOW) < 0) {
        return errno == ENOENT ? 0 : bh_error_errno(error, errno, "look at \"%.200s\"", place->shown);
    }
    bool was_folder = S_ISDIR(there.st_mode);
    if (was_folder && is_folder) {
        return 0;
    }
    if (unpacking->wish->no_overwrite_dir_non_dir && was_folder != is_folder) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "cannot overwrite %s \"%.200s\" with %s",
                            was_folder ? "directory" : "non-directory", place->shown,
                            is_folder ? "directory" : "non-directory");
    }
    return place_clear(place, error);
}

static int put(struct unpacking *unpacking, const struct place *place, struct archive_entry *entry,
               struct bh_error *error)
{
    struct file_shape shape;
    const char *first = archive_entry_hardlink(entry);
    read_shape(unpacking, entry, &shape);
    mode_t type = shape.mode & S_IFMT;
    if (!first && (type == S_IFCHR || type == S_IFBLK)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "it is a device, and no device can be made in a container");
    }
    if (!first && type == S_IFSOCK) {
        return 0; /* nothing can listen on a socket from an archive */
    }
    if (make_room(unpacking, place, !first && type == S_IFDIR, error) < 0) {
        return -1;
    }
    if (first) {
        return put_hard_link(unpacking, place, first, error);
    }
    switch (type) {
    case S_IFREG:
        return put_file(unpacking, place, &shape, entry, error);
    case S_IFDIR:
        return put_folder(unpacking, place, &shape, entry, error);
    case S_IFLNK: {
        const char *target = archive_entry_symlink(entry);
        return place_link(place, target ? target : "", &shape, error);
    }
    case S_IFIFO:
        return place_fifo(place, &shape, error);
    default:
        return bh_error_set(error, BH_INVALID_ARGUMENT, "its type is none that a file can have");
    }
}

static int unpack_entry(struct unpacking *unpacking, struct archive_entry *entry, struct bh_error *error)
{
    char path[BH_PATH_BYTES_MAX + 1];
    const char *name = archive_entry_pathname(entry);
    __attribute__((cleanup(place_close))) struct place place = {.folder = -1};
    if (!name) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "an entry of the archive has no name");
    }
    if (unpacked_path(name, path, error) < 0) {
        return -1;
    }
    if (!*path) {
        return 0; /* the place itself: it is there, and stays as it is */
    }
    if (place_find(unpacking->top, path, &place, error) < 0 || put(unpacking, &place, entry, error) < 0) {
        /* What is missing is missing in the archive's own eyes: the place it goes to is there. */
        error->code = error->code == BH_NOT_FOUND ? BH_INVALID_ARGUMENT : error->code;
        return bh_error_wrap(error, "entry \"%.100s\"", path);
    }
    return 0;
}

/* ---- all of it ------------------------------------------------------------------------------------------- */

/* The last first: what is in a folder before the folder. One that is no folder any more has no time to be set. */
static void set_dates(const struct unpacking *unpacking)
{
    for (const struct dated *dated = unpacking->dated; dated; dated = dated->next) {
        bh_autoclose int fd = tree_open_as_process(unpacking->top, dated->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
        const struct place place = {.folder = -1, .shown = dated->path};
        struct bh_error ignored;
        if (fd >= 0) {
            (void)place_date(fd, &place, &dated->shape, &ignored);
        }
    }
}

static void drain(const struct unpacking *unpacking)
{
    for (size_t total = 0; total < DRAIN_BYTES;) {
        ssize_t n = read(unpacking->source, unpacking->buffer, READ_BYTES);
        if (n <= 0) {
            return;
        }
        total += (size_t)n;
    }
}

static int run(struct unpacking *unpacking, struct bh_error *error)
{
    if (open_top(unpacking, error) < 0 || open_archive(unpacking, error) < 0) {
        return -1;
    }
    for (;;) {
        struct archive_entry *entry;
        int result = archive_read_next_header(unpacking->archive, &entry);
        if (result == ARCHIVE_EOF) {
            set_dates(unpacking);
            drain(unpacking);
            return 0;
        }
        if (result != ARCHIVE_OK && result != ARCHIVE_WARN) {
            return archive_failure(unpacking, error);
        }
        if (unpack_entry(unpacking, entry, error) < 0) {
            return -1;
        }
    }
}

int unpack(const struct unpack *wish, int source, struct bh_error *error)
{
    struct unpacking unpacking = {.wish = wish, .source = source, .top = -1};
    int result = run(&unpacking, error);
    if (unpacking.archive) {
        (void)archive_read_free(unpacking.archive);
    }
    while (unpacking.dated) {
        struct dated *dated = unpacking.dated;
        unpacking.dated = dated->next;
        free(dated);
    }
    free(unpacking.buffer);
    bh_close(&unpacking.top);
    return result;
}
