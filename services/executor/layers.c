/* SPDX-License-Identifier: Apache-2.0
 *
 * The layer cache; see layers.h. Kernels from 6.12 mount the image file itself; older ones through a loop device that
 * goes away with the mount.
 */
#include "layers.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "loop.h"

#define LAYER_MODE 0400

static int open_image(int folder, uint32_t store_uid, const char *name, int *ret_image, struct stat *ret_status,
                      struct bh_error *error)
{
    struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV};
    bh_autoclose int image = (int)syscall(SYS_openat2, folder, name, &how, sizeof(how));
    if (image < 0 || fstat(image, ret_status) < 0) {
        return bh_error_errno(error, errno, "open layer %s", name);
    }
    if (!S_ISREG(ret_status->st_mode) || ret_status->st_uid != store_uid ||
        (ret_status->st_mode & 07777) != LAYER_MODE) {
        return bh_error_set(error, BH_DATA_LOSS, "layer %s is not as the store seals it (a file of uid %u, mode 0400)",
                            name, store_uid);
    }
    *ret_image = bh_steal_fd(&image);
    return 0;
}

static int mount_erofs(int source, int *ret_mount)
{
    char path[32];
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", source);
    bh_autoclose int context = fsopen("erofs", FSOPEN_CLOEXEC);
    if (context < 0 || fsconfig(context, FSCONFIG_SET_STRING, "source", path, 0) < 0 ||
        fsconfig(context, FSCONFIG_SET_FLAG, "ro", NULL, 0) < 0 ||
        fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0) {
        return -1;
    }
    *ret_mount = fsmount(context, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOATIME);
    return *ret_mount < 0 ? -1 : 0;
}

static int mount_image(int image, const char *name, int *ret_mount, struct bh_error *error)
{
    if (mount_erofs(image, ret_mount) == 0) {
        return 0;
    }
    if (errno != ENOTBLK) {
        return bh_error_errno(error, errno, "mount layer %s", name);
    }
    bh_autoclose int loop = -1;
    if (loop_attach(image, true, &loop, error) < 0) { /* only for kernels that cannot mount a file */
        return bh_error_wrap(error, "layer %s", name);
    }
    return mount_erofs(loop, ret_mount) < 0 ? bh_error_errno(error, errno, "mount layer %s", name) : 0;
}

static int root_is_opaque(int mount, const char *name, bool *ret_opaque, struct bh_error *error)
{
    char value[2];
    bh_autoclose int root = openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0) {
        return bh_error_errno(error, errno, "open the root of layer %s", name);
    }
    *ret_opaque = fgetxattr(root, "trusted.overlay.opaque", value, sizeof(value)) == 1 && value[0] == 'y';
    return 0;
}

int layers_init(struct layer_cache *cache, int folder, int detached, struct bh_error *error)
{
    cache->attic = -1;
    bh_autoclose int copy = open_tree(detached, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    if (copy >= 0) {
        return 0;
    }
    bh_autoclose int context = fsopen("tmpfs", FSOPEN_CLOEXEC);
    if (context < 0 || fsconfig(context, FSCONFIG_SET_STRING, "mode", "0700", 0) < 0 ||
        fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0) {
        return bh_error_errno(error, errno, "make a place for mounted layers");
    }
    bh_autoclose int attic = fsmount(context, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
    if (attic < 0 || move_mount(attic, "", folder, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0 ||
        mkdirat(attic, "empty", 0700) < 0 || move_mount(detached, "", attic, "empty", MOVE_MOUNT_F_EMPTY_PATH) < 0) {
        return bh_error_errno(error, errno, "attach a place for mounted layers");
    }
    cache->attic = bh_steal_fd(&attic);
    return 0;
}

/* A place is named by what is unique as long as the layer is mounted: its descriptor, and whose it is. */
static void name_place(int mount, char *ret_place, size_t place_bytes)
{
    (void)snprintf(ret_place, place_bytes, "%d-%d", (int)getpid(), mount);
}

int layers_attach(const struct layer_cache *cache, int mount)
{
    char place[32];
    name_place(mount, place, sizeof(place));
    return cache->attic >= 0 && ((mkdirat(cache->attic, place, 0700) < 0 && errno != EEXIST) ||
                                 move_mount(mount, "", cache->attic, place, MOVE_MOUNT_F_EMPTY_PATH) < 0)
               ? -1
               : 0;
}

void layers_detach(const struct layer_cache *cache, int mount)
{
    char place[32], path[64];
    if (cache->attic >= 0) {
        name_place(mount, place, sizeof(place));
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", cache->attic, place);
        (void)umount2(path, MNT_DETACH);
        (void)unlinkat(cache->attic, place, AT_REMOVEDIR);
    }
}

static void drop(struct layer_cache *cache, size_t index)
{
    layers_detach(cache, cache->entries[index].mount);
    bh_close(&cache->entries[index].mount);
    bh_close(&cache->entries[index].image);
    cache->entries[index] = cache->entries[--cache->n];
}

static void make_room(struct layer_cache *cache)
{
    size_t oldest = 0;
    for (size_t i = 1; i < cache->n; i++) {
        oldest = cache->entries[i].used < cache->entries[oldest].used ? i : oldest;
    }
    if (cache->n == LAYER_CACHE_MAX) {
        drop(cache, oldest);
    }
}

int layers_get(struct layer_cache *cache, struct userns_cache *userns, int folder, uint32_t store_uid,
               const struct bh_digest *digest, uint32_t id_base, uint32_t id_count, int *ret_mount, bool *ret_opaque,
               struct bh_error *error)
{
    char name[BH_DIGEST_HEX_SIZE];
    struct stat status;
    bh_autoclose int image = -1, mount = -1;
    if (open_image(folder, store_uid, bh_digest_hex(digest, name), &image, &status, error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < cache->n; i++) {
        struct layer_mount *entry = &cache->entries[i];
        if (entry->id_base == id_base && entry->inode == status.st_ino && entry->device == status.st_dev &&
            bh_digest_equal(&entry->digest, digest)) {
            entry->used = ++cache->clock;
            *ret_mount = entry->mount;
            *ret_opaque = entry->opaque;
            return 0;
        }
    }
    const struct userns_map map = userns_map_shift(id_base, id_count);
    struct mount_attr attributes = {.attr_set = MOUNT_ATTR_IDMAP};
    bool opaque = false;
    int userns_fd;
    if (mount_image(image, name, &mount, error) < 0 || root_is_opaque(mount, name, &opaque, error) < 0 ||
        userns_get(userns, &map, &userns_fd, error) < 0) {
        return -1;
    }
    attributes.userns_fd = (unsigned int)userns_fd;
    if (mount_setattr(mount, "", AT_EMPTY_PATH, &attributes, sizeof(attributes)) < 0) {
        return bh_error_errno(error, errno, "shift the ids of layer %s", name);
    }
    if (layers_attach(cache, mount) < 0) {
        return bh_error_errno(error, errno, "attach layer %s", name);
    }
    make_room(cache);
    *ret_mount = mount;
    *ret_opaque = opaque;
    cache->entries[cache->n++] = (struct layer_mount){.digest = *digest,
                                                      .id_base = id_base,
                                                      .device = status.st_dev,
                                                      .inode = status.st_ino,
                                                      .used = ++cache->clock,
                                                      .opaque = opaque,
                                                      .image = bh_steal_fd(&image),
                                                      .mount = bh_steal_fd(&mount)};
    return 0;
}

void layers_sweep(struct layer_cache *cache)
{
    for (size_t i = cache->n; i > 0; i--) {
        struct stat status;
        if (fstat(cache->entries[i - 1].image, &status) < 0 || status.st_nlink == 0) {
            drop(cache, i - 1);
        }
    }
}

void layers_free(struct layer_cache *cache)
{
    while (cache->n > 0) {
        drop(cache, cache->n - 1);
    }
}
