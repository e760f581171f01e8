/* SPDX-License-Identifier: Apache-2.0
 *
 * Opening the store's folders and cleaning up what a crash left in them; see layout.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "layout_names.h"

/* The beginning of a blob that nobody came back for. */
#define PARTIAL_AGE_MAX_S     (7 * 24 * 3600)
#define PARTIAL_AGE_RUNNING_S (24 * 3600)

struct cleaning {
    const struct layout *layout;
    unsigned int n_removed;
};

static int open_folder(int root, const char *name, int *ret_fd, struct bh_error *error)
{
    if (mkdirat(root, name, 0700) < 0 && errno != EEXIST) {
        return bh_error_errno(error, errno, "make the store's folder %s", name);
    }
    struct stat status;
    bh_autoclose int fd = openat(root, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) < 0) {
        return bh_error_errno(error, errno, "open the store's folder %s", name);
    }
    if ((status.st_mode & 07777) != 0700 && fchmod(fd, 0700) < 0) {
        return bh_error_errno(error, errno, "make the store's folder %s private", name);
    }
    *ret_fd = bh_steal_fd(&fd);
    return 0;
}

static void remove_one(struct cleaning *cleaning, int folder, const char *name)
{
    if (unlinkat(folder, name, 0) == 0) {
        cleaning->n_removed++;
    }
}

static int clean_ingest(const char *name, void *argument, struct bh_error *error)
{
    (void)error;
    struct cleaning *cleaning = argument;
    remove_one(cleaning, cleaning->layout->ingest, name);
    return 0;
}

static int clean_partial(const char *name, void *argument, struct bh_error *error)
{
    (void)error;
    struct cleaning *cleaning = argument;
    struct bh_digest digest;
    struct stat status;
    int folder = cleaning->layout->partial;
    if (layout_classify(name, &digest) != LAYOUT_ENTRY_DIGEST ||
        fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) < 0 || status.st_size == 0 ||
        time(NULL) - status.st_mtime > PARTIAL_AGE_MAX_S ||
        faccessat(cleaning->layout->blobs, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
        remove_one(cleaning, folder, name);
    }
    return 0;
}

static int expire_partial(const char *name, void *argument, struct bh_error *error)
{
    (void)error;
    const struct layout *layout = argument;
    struct stat status;
    if (fstatat(layout->partial, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
        time(NULL) - status.st_mtime > PARTIAL_AGE_RUNNING_S) {
        (void)unlinkat(layout->partial, name, 0); /* nobody writes what has not changed for so long */
    }
    return 0;
}

int layout_expire_partials(struct layout *layout, struct bh_error *error)
{
    return layout_each(layout->partial, "partial", expire_partial, layout, error);
}

/* Everything between image and record is checked again, so what was acknowledged is what is found. A failing disk is
 * told from a record that does not fit: nothing is deleted because of EIO. */
static int clean_layer(const char *name, void *argument, struct bh_error *error)
{
    struct cleaning *cleaning = argument;
    struct bh_digest digest;
    struct layer_record record;
    char hex[BH_DIGEST_HEX_SIZE];
    int folder = cleaning->layout->layers;
    switch (layout_classify(name, &digest)) {
    case LAYOUT_ENTRY_DIGEST:
        if (layout_read_layer(folder, name, &record, error) < 0) {
            if (error->code != BH_NOT_FOUND && error->code != BH_DATA_LOSS) {
                return -1;
            }
            remove_one(cleaning, folder, name);
        }
        return 0;
    case LAYOUT_ENTRY_RECORD:
        if (faccessat(folder, bh_digest_hex(&digest, hex), F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT) {
            remove_one(cleaning, folder, name);
        }
        return 0;
    case LAYOUT_ENTRY_FOREIGN:
        break;
    }
    return 0; /* not ours to delete */
}

int layout_open(const char *root, struct layout *ret_layout, unsigned int *ret_removed, struct bh_error *error)
{
    struct layout layout = {.blobs = -1, .layers = -1, .partial = -1, .ingest = -1};
    struct cleaning cleaning = {.layout = &layout};
    bh_autoclose int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return bh_error_errno(error, errno, "open the store's root \"%s\"", root);
    }
    if (open_folder(fd, "blobs", &layout.blobs, error) < 0 || open_folder(fd, "layers", &layout.layers, error) < 0 ||
        open_folder(fd, "partial", &layout.partial, error) < 0 ||
        open_folder(fd, "ingest", &layout.ingest, error) < 0 ||
        layout_each(layout.ingest, "ingest", clean_ingest, &cleaning, error) < 0 ||
        layout_each(layout.partial, "partial", clean_partial, &cleaning, error) < 0 ||
        layout_each(layout.layers, "layers", clean_layer, &cleaning, error) < 0) {
        layout_close(&layout);
        return -1;
    }
    *ret_layout = layout;
    *ret_removed = cleaning.n_removed;
    return 0;
}

void layout_close(struct layout *layout)
{
    bh_close(&layout->blobs);
    bh_close(&layout->layers);
    bh_close(&layout->partial);
    bh_close(&layout->ingest);
}
