/* SPDX-License-Identifier: Apache-2.0
 *
 * The mounts of a container; see mounts.h.
 */
#include "services/engine/mounts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/fields.h"
#include "services/engine/resolve.h"
#include "services/engine/policy.h"
#include "services/engine/volumes.h"

static void free_mount(Bulkhead__Mount **mount)
{
    if (*mount) {
        bulkhead__mount__free_unpacked(*mount, NULL);
    }
}

/* ---- pure ---------------------------------------------------------------------------------------- */

int mounts_read_from(const char *text, char ret_container[static BH_NAME_BYTES_MAX + 1], bool *ret_read_only,
                     struct bh_error *error)
{
    static const char *const modes[] = {"rw", "ro", "z", "Z", "nocopy"};
    size_t length = strcspn(text, ":");
    const char *mode = text[length] ? text + length + 1 : "rw";
    bool known = false;
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        known = known || strcmp(mode, modes[i]) == 0;
    }
    if (length == 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "volumes-from specification cannot be an empty string");
    }
    if (!known) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid mode: %.100s", mode);
    }
    if (length > BH_NAME_BYTES_MAX) {
        return bh_error_set(error, BH_NOT_FOUND, "No such container: %.200s", text);
    }
    memcpy(ret_container, text, length);
    ret_container[length] = '\0';
    *ret_read_only = strcmp(mode, "ro") == 0;
    return 0;
}

int mounts_put(Bulkhead__ContainerSpec *spec, const Bulkhead__Mount *mount, struct bh_error *error)
{
    ProtobufCMessage *copy = NULL;
    size_t place = 0;
    while (place < spec->n_mounts && strcmp(spec->mounts[place]->target, mount->target) != 0) {
        place++;
    }
    if (place == BH_MOUNTS_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "more than %d mounts are too many", BH_MOUNTS_MAX);
    }
    if (place == spec->n_mounts) {
        Bulkhead__Mount **larger = reallocarray(spec->mounts, place + 1, sizeof *larger);
        if (!larger) {
            return bh_error_errno(error, ENOMEM, "list mounts");
        }
        spec->mounts = larger;
    }
    if (message_copy(&mount->base, &copy, error) < 0) {
        return -1;
    }
    if (place == spec->n_mounts) {
        spec->n_mounts++;
    } else {
        bulkhead__mount__free_unpacked(spec->mounts[place], NULL);
    }
    spec->mounts[place] = (Bulkhead__Mount *)copy;
    return 0;
}

int mounts_clean_target(const char *text, char *ret_path, struct bh_error *error)
{
    size_t length = 0;
    ret_path[0] = '\0';
    for (const char *part = text; *part;) {
        part += strspn(part, "/");
        size_t n = strcspn(part, "/");
        bool up = n == 2 && part[0] == '.' && part[1] == '.';
        if (up || length + n + 1 > BH_PATH_BYTES_MAX) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid volume specification: '%.300s'", text);
        }
        if (n > 0 && !(n == 1 && part[0] == '.')) {
            ret_path[length++] = '/';
            memcpy(ret_path + length, part, n);
            length += n;
            ret_path[length] = '\0';
        }
        part += n;
    }
    if (length == 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "invalid volume specification: '%.300s': destination can't be '/'", text);
    }
    return strncmp(ret_path, "/proc", 5) == 0 && (ret_path[5] == '\0' || ret_path[5] == '/')
               ? bh_error_set(error, BH_INVALID_ARGUMENT,
                              "invalid volume specification: '%.300s': nothing can be mounted in /proc", text)
               : 0;
}

static size_t depth(const char *path)
{
    size_t n = 0;
    for (; *path; path++) {
        n += *path == '/';
    }
    return n;
}

void mounts_sort(Bulkhead__ContainerSpec *spec)
{
    for (size_t i = 1; i < spec->n_mounts; i++) { /* few, and mostly in order */
        Bulkhead__Mount *mount = spec->mounts[i];
        size_t k = i;
        for (; k > 0 && depth(spec->mounts[k - 1]->target) > depth(mount->target); k--) {
            spec->mounts[k] = spec->mounts[k - 1];
        }
        spec->mounts[k] = mount;
    }
}

/* ---- volumes ------------------------------------------------------------------------------------- */

static int remember(struct mounts_made *made, struct volume_row *row, struct bh_error *error)
{
    struct volume_row *larger = reallocarray(made->rows, made->n_rows + 1, sizeof *larger);
    if (!larger) {
        return bh_error_errno(error, ENOMEM, "remember a volume");
    }
    made->rows = larger;
    made->rows[made->n_rows++] = *row;
    memset(row, 0, sizeof *row);
    return 0;
}

/* What a volume's options make of a mount of it. */
static int apply_options(const struct volume_row *row, Bulkhead__Mount *mount, struct bh_error *error)
{
    struct volume_plan plan;
    if (volume_options_read(row->details->options, row->details->n_options, &plan, error) < 0) {
        return bh_error_wrap(error, "volume %s", row->name);
    }
    mount->read_only = mount->read_only || plan.read_only;
    mount->no_exec = plan.no_exec;
    if (plan.kind == BULKHEAD__VOLUME_KIND__VOLUME_KIND_BIND) {
        if (mount->subpath[0]) {
            return bh_error_set(error, BH_UNIMPLEMENTED, "a subpath of volume %s, which is a bind, is not supported",
                                row->name);
        }
        mount->kind = BULKHEAD__MOUNT_KIND__MOUNT_KIND_BIND;
        mount->recursive = plan.recursive;
        return string_set(&mount->source, plan.source, error);
    }
    mount->volume_tmpfs = plan.kind == BULKHEAD__VOLUME_KIND__VOLUME_KIND_TMPFS;
    mount->tmpfs_bytes = plan.tmpfs_bytes;
    mount->tmpfs_inodes = plan.tmpfs_inodes;
    mount->tmpfs_mode = plan.tmpfs_mode;
    mount->tmpfs_uid = plan.tmpfs_uid;
    mount->tmpfs_gid = plan.tmpfs_gid;
    return bytes_set(&mount->volume, row->id, sizeof row->id, error);
}

/* Finds or makes the volume that `mount` wishes for, and writes it into the mount. */
static int find_volume(struct job *job, const char *driver, Bulkhead__Mount *mount, struct mounts_made *made,
                       struct bh_error *error)
{
    volume_row_auto struct volume_row row = {0};
    Bulkhead__CreateVolume wish = BULKHEAD__CREATE_VOLUME__INIT;
    bool is_new;
    wish.name = mount->volume_name;
    wish.driver = mount->volume_driver[0] ? mount->volume_driver : (char *)(uintptr_t)driver;
    wish.labels = mount->volume_labels;
    wish.n_labels = mount->n_volume_labels;
    wish.labels_set = mount->n_volume_labels > 0;
    wish.options = mount->volume_options;
    wish.n_options = mount->n_volume_options;
    wish.options_set = mount->n_volume_options > 0;
    if (volume_get(job, &wish, &row, &is_new, error) < 0) {
        return -1;
    }
    mount->anonymous = !mount->volume_name[0];
    if (string_set(&mount->volume_name, row.name, error) < 0 || apply_options(&row, mount, error) < 0) {
        if (is_new) {
            struct bh_error ignored;
            (void)volume_remove(job, &row, &ignored);
        }
        return -1;
    }
    return is_new ? remember(made, &row, error) : 0;
}

/* The client's words have been understood: policyd and the executor are told what became of them. */
static int forget_words(Bulkhead__Mount *mount, struct bh_error *error)
{
    Bulkhead__KeyValue **lists[] = {mount->volume_labels, mount->volume_options};
    size_t lengths[] = {mount->n_volume_labels, mount->n_volume_options};
    for (size_t list = 0; list < 2; list++) {
        for (size_t i = 0; i < lengths[list]; i++) {
            bulkhead__key_value__free_unpacked(lists[list][i], NULL);
        }
        free(lists[list]);
    }
    mount->volume_labels = mount->volume_options = NULL;
    mount->n_volume_labels = mount->n_volume_options = 0;
    mount->from_mounts = false;
    return string_set(&mount->mode_text, "", error) < 0 || string_set(&mount->volume_driver, "", error) < 0 ||
                   string_set(&mount->tmpfs_text, "", error) < 0
               ? -1
               : 0;
}

/* ---- the list ------------------------------------------------------------------------------------ */

static int take_from(struct job *job, const char *text, Bulkhead__ContainerSpec *spec, struct bh_error *error)
{
    char name[BH_NAME_BYTES_MAX + 1];
    container_row_auto struct container_row other = {0};
    bool read_only;
    if (mounts_read_from(text, name, &read_only, error) < 0) {
        return -1;
    }
    if (resolve_container(job, name, &other, error) < 0) {
        error->code = error->code == BH_NOT_FOUND ? BH_INVALID_ARGUMENT : error->code; /* it is one word of a request */
        return -1;
    }
    for (size_t i = 0; i < other.spec->n_mounts; i++) {
        Bulkhead__Mount mount = *other.spec->mounts[i];
        mount.read_only = mount.read_only || read_only;
        mount.no_copy = true; /* it is the other container's to fill */
        if (mount.kind != BULKHEAD__MOUNT_KIND__MOUNT_KIND_TMPFS && mounts_put(spec, &mount, error) < 0) {
            return -1;
        }
    }
    return 0;
}

static int add_wish(struct job *job, const Bulkhead__ContainerRequest *request, const Bulkhead__Mount *wish,
                    Bulkhead__ContainerSpec *spec, struct mounts_made *made, struct bh_error *error)
{
    ProtobufCMessage *copy = NULL;
    if (message_copy(&wish->base, &copy, error) < 0) {
        return -1;
    }
    bh_cleanup(free_mount) Bulkhead__Mount *mount = (Bulkhead__Mount *)copy;
    if (mount->kind == BULKHEAD__MOUNT_KIND__MOUNT_KIND_VOLUME &&
        find_volume(job, request->volume_driver, mount, made, error) < 0) {
        return -1;
    }
    return forget_words(mount, error) < 0 ? -1 : mounts_put(spec, mount, error);
}

static bool is_taken(const Bulkhead__ContainerSpec *spec, const char *target)
{
    for (size_t i = 0; i < spec->n_mounts; i++) {
        if (strcmp(spec->mounts[i]->target, target) == 0) {
            return true;
        }
    }
    return false;
}

/* -v /path and VOLUME: an anonymous volume, unless something is mounted there anyway. */
static int add_anonymous(struct job *job, const Bulkhead__ContainerRequest *request, char *const *paths, size_t n_paths,
                         Bulkhead__ContainerSpec *spec, struct mounts_made *made, struct bh_error *error)
{
    for (size_t i = 0; i < n_paths; i++) {
        char target[BH_PATH_BYTES_MAX + 1];
        Bulkhead__Mount wish = BULKHEAD__MOUNT__INIT;
        if (mounts_clean_target(paths[i], target, error) < 0) {
            return -1;
        }
        wish.kind = BULKHEAD__MOUNT_KIND__MOUNT_KIND_VOLUME;
        wish.target = target;
        if (!is_taken(spec, target) && add_wish(job, request, &wish, spec, made, error) < 0) {
            return -1;
        }
    }
    return 0;
}

int mounts_resolve(struct job *job, const Bulkhead__ImageConfig *image, const Bulkhead__ContainerRequest *request,
                   Bulkhead__ContainerSpec *spec, struct mounts_made *ret_made, struct bh_error *error)
{
    *ret_made = (struct mounts_made){0};
    for (size_t i = 0; i < request->n_volumes_from; i++) {
        if (take_from(job, request->volumes_from[i], spec, error) < 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < request->n_mounts; i++) {
        if (add_wish(job, request, request->mounts[i], spec, ret_made, error) < 0) {
            return -1;
        }
    }
    if (add_anonymous(job, request, request->volumes, request->n_volumes, spec, ret_made, error) < 0 ||
        add_anonymous(job, request, image->volumes, image->n_volumes, spec, ret_made, error) < 0) {
        return -1;
    }
    mounts_sort(spec);
    return 0;
}

int mounts_fill(struct job *job, Bulkhead__ContainerSpec *spec, struct bh_error *error)
{
    for (size_t i = 0; i < spec->n_mounts; i++) {
        const Bulkhead__Mount *mount = spec->mounts[i];
        if (mount->kind == BULKHEAD__MOUNT_KIND__MOUNT_KIND_VOLUME && !mount->volume_tmpfs && !mount->no_copy &&
            !mount->subpath[0]) {
            return policy_fill_volumes(job, spec, error);
        }
    }
    return 0;
}

void mounts_undo(struct job *job, struct mounts_made *made)
{
    for (size_t i = 0; i < made->n_rows; i++) {
        struct bh_error ignored; /* if another container has taken it meanwhile, it stays */
        (void)volume_remove(job, &made->rows[i], &ignored);
    }
    mounts_keep(made);
}

void mounts_keep(struct mounts_made *made)
{
    volume_rows_free(made->rows, made->n_rows);
    *made = (struct mounts_made){0};
}
