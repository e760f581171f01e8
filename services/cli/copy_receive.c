/* SPDX-License-Identifier: Apache-2.0
 *
 * The archive is hostile: its names, links and order are the container's. Nothing outside the plan's folder can be
 * written, because every entry's folder is opened by the kernel with RESOLVE_BENEATH, from a descriptor of the plan's
 * folder, and the entry itself is made anew in it without following anything. Device nodes are not made, and set-id
 * bits only with --archive.
 */
#include "copy_receive.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "archive_library.h"
#include "cli.h"
#include "common/cleanup.h"
#include "common/io.h"
#include "string_list.h"

#define PIECE_BYTES 65536
#define FOLDERS_MAX 1000000 /* whose times are set at the end; one takes about a hundred bytes */

/* A folder gets its mode and times when nothing is written into it any more. */
struct folder {
    char *place;
    mode_t mode;
    struct timespec modified;
};

struct receiver {
    const struct archive_library *library;
    struct http_connection *connection;
    struct archive *archive;
    int root; /* the plan's folder */
    bool keep_owners;
    struct copy_received received;
    struct folder *folders;
    size_t n_folders;
    struct bh_error *error;
    char piece[PIECE_BYTES];
};

static void receiver_end(struct receiver *receiver)
{
    if (receiver->archive) {
        (void)receiver->library->archive_read_free(receiver->archive);
    }
    for (size_t i = 0; i < receiver->n_folders; i++) {
        free(receiver->folders[i].place);
    }
    free(receiver->folders);
    bh_close(&receiver->root);
}

static void receiver_cleanup(struct receiver **receiver)
{
    receiver_end(*receiver);
}

static la_ssize_t read_more(struct archive *archive, void *argument, const void **ret_bytes)
{
    struct receiver *receiver = argument;
    size_t n_read = 0;
    if (http_read(receiver->connection, receiver->piece, sizeof(receiver->piece), &n_read, receiver->error) < 0) {
        receiver->library->archive_set_error(archive, EIO, "the engine's stream broke off");
        return -1;
    }
    receiver->received.bytes += n_read;
    *ret_bytes = receiver->piece;
    return (la_ssize_t)n_read;
}

/* Opens what `place` leads to, which cannot be outside the root whatever links there are on the way. */
static int open_beneath(int root, const char *place, int flags)
{
    const struct open_how how = {.flags = (unsigned int)(flags | O_CLOEXEC),
                                 .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    return (int)syscall(SYS_openat2, root, place, &how, sizeof(how));
}

/* The folder of `place` as a descriptor; *ret_name is its last element, borrowed. */
static int open_folder_of(const struct receiver *receiver, const char *place, int *ret_fd, const char **ret_name,
                          struct bh_error *error)
{
    bh_autofree char *folder = strdup(place);
    char *slash = folder ? strrchr(folder, '/') : NULL;
    if (!folder) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "out of memory");
    }
    *ret_name = slash ? place + (slash - folder) + 1 : place;
    if (slash) {
        *slash = '\0';
    }
    int fd = open_beneath(receiver->root, slash ? folder : ".", O_PATH | O_DIRECTORY);
    if (fd < 0) {
        return bh_error_errno(error, errno, "open the folder for %s", place);
    }
    *ret_fd = fd;
    return 0;
}

/* Makes room for anything but a folder, and at the cost of anything but a device: /dev/null is everybody's. */
static int remove_old(int folder, const char *name, const char *place, struct bh_error *error)
{
    struct stat status;
    if (fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) < 0) {
        return errno == ENOENT ? 0 : bh_error_errno(error, errno, "look at %s", place);
    }
    if (S_ISDIR(status.st_mode)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "cannot overwrite directory \"%s\" with non-directory", place);
    }
    if (S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "cannot overwrite device \"%s\"; name a file, or - for the archive on standard output",
                            place);
    }
    return unlinkat(folder, name, 0) < 0 ? bh_error_errno(error, errno, "replace %s", place) : 0;
}

static mode_t mode_of(const struct receiver *receiver, struct archive_entry *entry)
{
    mode_t mode = receiver->library->archive_entry_perm(entry);
    return receiver->keep_owners ? mode : mode & ~(mode_t)(S_ISUID | S_ISGID);
}

static struct timespec modified_of(const struct receiver *receiver, struct archive_entry *entry)
{
    return (struct timespec){.tv_sec = receiver->library->archive_entry_mtime(entry),
                             .tv_nsec = receiver->library->archive_entry_mtime_nsec(entry)};
}

/* Owner first: changing it takes set-id bits away. Without the right to give files away the owner stays. */
static int take_owner(const struct receiver *receiver, struct archive_entry *entry, int folder, const char *name,
                      const char *place, struct bh_error *error)
{
    uid_t uid = (uid_t)receiver->library->archive_entry_uid(entry);
    gid_t gid = (gid_t)receiver->library->archive_entry_gid(entry);
    if (receiver->keep_owners && fchownat(folder, name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0) {
        return bh_error_errno(error, errno, "give %s to %u:%u", place, uid, gid);
    }
    return 0;
}

static int make_file(struct receiver *receiver, struct archive_entry *entry, int folder, const char *name,
                     const char *place, struct bh_error *error)
{
    static char bytes[PIECE_BYTES];
    bh_autoclose int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        return bh_error_errno(error, errno, "make %s", place);
    }
    la_ssize_t n_read;
    while ((n_read = receiver->library->archive_read_data(receiver->archive, bytes, sizeof(bytes))) > 0) {
        if (bh_write_all(fd, bytes, (size_t)n_read, place, error) < 0) {
            return -1;
        }
    }
    if (n_read < 0) {
        return receiver->error->code ? -1
                                     : bh_error_set(error, BH_INTERNAL, "read the archive's %s: %s", place,
                                                    receiver->library->archive_error_string(receiver->archive));
    }
    const struct timespec times[2] = {modified_of(receiver, entry), modified_of(receiver, entry)};
    if (take_owner(receiver, entry, folder, name, place, error) < 0) {
        return -1;
    }
    if (fchmod(fd, mode_of(receiver, entry)) < 0 || futimens(fd, times) < 0) {
        return bh_error_errno(error, errno, "set mode and time of %s", place);
    }
    return 0;
}

static int make_folder(struct receiver *receiver, struct archive_entry *entry, int folder, const char *name,
                       const char *place, struct bh_error *error)
{
    struct stat status;
    if (mkdirat(folder, name, 0700) < 0) {
        int failure = errno;
        if (failure != EEXIST || fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) < 0) {
            return bh_error_errno(error, failure, "make the folder %s", place);
        }
        if (!S_ISDIR(status.st_mode)) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "cannot overwrite non-directory \"%s\" with directory",
                                place);
        }
    }
    if (receiver->n_folders >= FOLDERS_MAX) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "the archive has more than %d folders", FOLDERS_MAX);
    }
    struct folder *grown = reallocarray(receiver->folders, receiver->n_folders + 1, sizeof(*grown));
    char *copy = strdup(place);
    receiver->folders = grown ? grown : receiver->folders;
    if (!grown || !copy) {
        free(copy);
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "out of memory");
    }
    receiver->folders[receiver->n_folders++] =
        (struct folder){.place = copy, .mode = mode_of(receiver, entry), .modified = modified_of(receiver, entry)};
    return take_owner(receiver, entry, folder, name, place, error);
}

/* A second name for a file that the archive had before: found beneath the root like everything else. */
static int make_link(const struct receiver *receiver, const char *target, int folder, const char *name,
                     const char *place, struct bh_error *error)
{
    bh_autoclose int target_folder = -1;
    const char *target_name = NULL;
    if (open_folder_of(receiver, target, &target_folder, &target_name, error) < 0) {
        return -1;
    }
    return linkat(target_folder, target_name, folder, name, 0) < 0
               ? bh_error_errno(error, errno, "link %s to %s", place, target)
               : 0;
}

static int make_other(struct receiver *receiver, struct archive_entry *entry, int folder, const char *name,
                      const char *place, struct bh_error *error)
{
    const struct archive_library *library = receiver->library;
    mode_t type = library->archive_entry_filetype(entry);
    if (type == S_IFLNK) {
        /* where it points to is only a text: nothing here ever follows it out of the root */
        const char *target = library->archive_entry_symlink(entry);
        if (symlinkat(target ? target : "", folder, name) < 0) {
            return bh_error_errno(error, errno, "make the symbolic link %s", place);
        }
    } else if (type == S_IFIFO) {
        if (mkfifoat(folder, name, mode_of(receiver, entry)) < 0) {
            return bh_error_errno(error, errno, "make the pipe %s", place);
        }
    } else {
        struct bh_error told = {0};
        (void)bh_error_set(&told, BH_PERMISSION_DENIED, "skipped %s: a device node of a container is not made here",
                           place);
        cli_print_error(&told);
        receiver->received.skipped++;
        return 0;
    }
    const struct timespec times[2] = {modified_of(receiver, entry), modified_of(receiver, entry)};
    (void)utimensat(folder, name, times, AT_SYMLINK_NOFOLLOW);
    return take_owner(receiver, entry, folder, name, place, error);
}

/* `place` is below the root; "" is the root itself, which stays as it is. */
static int make_entry(struct receiver *receiver, struct archive_entry *entry, char *place, const char *link_place,
                      struct bh_error *error)
{
    bh_autoclose int folder = -1;
    const char *name = NULL;
    for (size_t length = strlen(place); length > 0 && place[length - 1] == '/';) {
        place[--length] = '\0';
    }
    if (!*place) {
        return 0;
    }
    if (open_folder_of(receiver, place, &folder, &name, error) < 0) {
        return -1;
    }
    mode_t type = receiver->library->archive_entry_filetype(entry);
    if (!link_place && type == S_IFDIR) {
        return make_folder(receiver, entry, folder, name, place, error);
    }
    if (remove_old(folder, name, place, error) < 0) {
        return -1;
    }
    if (link_place) {
        return make_link(receiver, link_place, folder, name, place, error);
    }
    return type == S_IFREG ? make_file(receiver, entry, folder, name, place, error)
                           : make_other(receiver, entry, folder, name, place, error);
}

/* Innermost first, so that setting one's times does not change another's. */
static int finish_folders(struct receiver *receiver, struct bh_error *error)
{
    for (size_t i = receiver->n_folders; i-- > 0;) {
        const struct folder *folder = &receiver->folders[i];
        const struct timespec times[2] = {folder->modified, folder->modified};
        bh_autoclose int fd = open_beneath(receiver->root, folder->place, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
        if (fd < 0 || fchmod(fd, folder->mode) < 0 || futimens(fd, times) < 0) {
            return bh_error_errno(error, errno, "set mode and time of %s", folder->place);
        }
    }
    return 0;
}

static int receive_entries(struct receiver *receiver, const struct copy_plan *plan, const char *base,
                           struct bh_error *error)
{
    const struct archive_library *library = receiver->library;
    struct archive_entry *entry = NULL;
    int result;
    while ((result = library->archive_read_next_header(receiver->archive, &entry)) == ARCHIVE_OK ||
           result == ARCHIVE_WARN) {
        bh_autofree char *place = NULL, *link_place = NULL;
        const char *name = library->archive_entry_pathname(entry), *link = library->archive_entry_hardlink(entry);
        if (copy_plan_place(plan, base, name ? name : "", &place, error) < 0 ||
            (link && copy_plan_place(plan, base, link, &link_place, error) < 0) ||
            make_entry(receiver, entry, place, link_place, error) < 0) {
            return -1;
        }
    }
    if (result != ARCHIVE_EOF) {
        return error->code ? -1
                           : bh_error_set(error, BH_INTERNAL, "read the archive: %s",
                                          library->archive_error_string(receiver->archive));
    }
    return finish_folders(receiver, error);
}

int copy_receive(struct http_connection *connection, const struct copy_plan *plan, const char *base, bool keep_owners,
                 struct copy_received *ret_received, struct bh_error *error)
{
    static struct receiver storage; /* its buffer is large, and there is one copy a process */
    storage = (struct receiver){.connection = connection, .root = -1, .keep_owners = keep_owners, .error = error};
    bh_cleanup(receiver_cleanup) struct receiver *receiver = &storage;
    if (archive_library_load(&receiver->library, error) < 0) {
        return -1;
    }
    receiver->root = open(plan->folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (receiver->root < 0) {
        return bh_error_errno(error, errno, "open %s", plan->folder);
    }
    receiver->archive = receiver->library->archive_read_new();
    if (!receiver->archive) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "out of memory");
    }
    (void)receiver->library->archive_read_support_format_tar(receiver->archive);
    if (receiver->library->archive_read_open(receiver->archive, receiver, NULL, read_more, NULL) != ARCHIVE_OK) {
        return error->code ? -1
                           : bh_error_set(error, BH_INTERNAL, "read the archive: %s",
                                          receiver->library->archive_error_string(receiver->archive));
    }
    int result = receive_entries(receiver, plan, base, error);
    *ret_received = receiver->received;
    return result;
}
