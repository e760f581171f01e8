/* SPDX-License-Identifier: Apache-2.0
 *
 * Decoding and checking the mounts of a container's description; see spec.h.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "common/digest.h"
#include "common/limits.h"
#include "spec_parts.h"
#include "text.h"

static bool is_at_or_below(const char *path, const char *folder)
{
    size_t length = strlen(folder);
    return strncmp(path, folder, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

/* "" or "a/b": relative, without . and .. */
static bool is_subpath(const char *text)
{
    char rooted[BH_PATH_BYTES_MAX + 2] = "/";
    return !*text || (*text != '/' && strlen(text) < BH_PATH_BYTES_MAX &&
                      memccpy(rooted + 1, text, '\0', sizeof(rooted) - 1) && text_is_path(rooted));
}

static int decode_propagation(const Bulkhead__Mount *message, uint64_t *ret_propagation, struct bh_error *error)
{
    *ret_propagation = MS_PRIVATE;
    if (message->propagation_presence_case == BULKHEAD__MOUNT__PROPAGATION_PRESENCE__NOT_SET) {
        return 0;
    }
    switch (message->propagation) {
    case BULKHEAD__PROPAGATION__PROPAGATION_PRIVATE:
    case BULKHEAD__PROPAGATION__PROPAGATION_RPRIVATE:
        return 0;
    case BULKHEAD__PROPAGATION__PROPAGATION_SLAVE:
    case BULKHEAD__PROPAGATION__PROPAGATION_RSLAVE:
        *ret_propagation = MS_SLAVE;
        return 0;
    default:
        return bh_error_set(
            error, BH_INVALID_ARGUMENT,
            "mount at \"%s\": its propagation must be private or slave; a container shows the host none "
            "of its mounts",
            message->target);
    }
}

static int decode_bind(const Bulkhead__Mount *message, struct spec_mount *ret_mount, struct bh_error *error)
{
    ret_mount->kind = SPEC_MOUNT_BIND;
    if (!text_is_path(message->source) || message->tmpfs_bytes > 0 || message->volume.len > 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "bind source \"%s\" must be an absolute path without ..",
                            message->source);
    }
    return decode_propagation(message, &ret_mount->propagation, error);
}

static int decode_tmpfs(const Bulkhead__Mount *message, struct bh_error *error)
{
    return !*message->source && message->tmpfs_mode <= 07777 && message->tmpfs_uid < BH_TENANT_IDS &&
                   message->tmpfs_gid < BH_TENANT_IDS
               ? 0
               : bh_error_set(error, BH_INVALID_ARGUMENT,
                              "tmpfs at \"%s\" must have no source, a mode up to 7777, and an owner up to %u",
                              message->target, BH_TENANT_IDS - 1);
}

static int decode_volume(const Bulkhead__Mount *message, struct spec_mount *ret_mount, struct bh_error *error)
{
    struct bh_digest id;
    ret_mount->kind = SPEC_MOUNT_VOLUME;
    if (bh_digest_from_bytes(message->volume.data, message->volume.len, &id, error) < 0) {
        return bh_error_wrap(error, "volume at \"%s\"", message->target);
    }
    memcpy(ret_mount->volume, id.bytes, sizeof(ret_mount->volume));
    if (!is_subpath(message->subpath)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "volume subpath \"%s\" must be a relative path without . and ..", message->subpath);
    }
    return decode_tmpfs(message, error);
}

static int decode_mount(const Bulkhead__Mount *message, struct spec_mount *ret_mount, struct bh_error *error)
{
    if (!text_is_path(message->target) || strspn(message->target, "/") == strlen(message->target) ||
        is_at_or_below(message->target, "/proc")) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "mount target \"%s\" must be an absolute path without .., and neither / nor in /proc",
                            message->target);
    }
    *ret_mount = (struct spec_mount){
        .source = message->source,
        .target = message->target,
        .read_only = message->read_only,
        .no_exec = message->no_exec,
        .recursive = message->recursive,
        .must_be_owned = message->must_be_owned,
        .create_source = message->create_source,
        .top_read_only = message->top_read_only,
        .tmpfs_bytes = message->tmpfs_bytes,
        .tmpfs_inodes = message->tmpfs_inodes,
        .tmpfs_mode = message->tmpfs_mode,
        .tmpfs_uid = message->tmpfs_uid,
        .tmpfs_gid = message->tmpfs_gid,
        .allow_devices = message->allow_devices,
        .allow_setuid = message->allow_setuid,
        .volume_name = message->volume_name,
        .volume_tmpfs = message->volume_tmpfs,
        .no_copy = message->no_copy,
        .subpath = message->subpath,
        .propagation = MS_PRIVATE,
        .held = -1,
    };
    switch (message->kind) {
    case BULKHEAD__MOUNT_KIND__MOUNT_KIND_BIND:
        return decode_bind(message, ret_mount, error);
    case BULKHEAD__MOUNT_KIND__MOUNT_KIND_TMPFS:
        ret_mount->kind = SPEC_MOUNT_TMPFS;
        return decode_tmpfs(message, error);
    case BULKHEAD__MOUNT_KIND__MOUNT_KIND_VOLUME:
        return decode_volume(message, ret_mount, error);
    default:
        return bh_error_set(error, BH_INVALID_ARGUMENT, "mount at \"%s\" has an unknown kind %d", message->target,
                            (int)message->kind);
    }
}

int spec_decode_mounts(const Bulkhead__ContainerSpec *message, struct container_spec *spec, struct bh_error *error)
{
    spec->mounts = calloc(message->n_mounts + 1, sizeof(spec->mounts[0]));
    if (!spec->mounts || message->n_mounts > BH_MOUNTS_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "%zu mounts are more than %d", message->n_mounts,
                            BH_MOUNTS_MAX);
    }
    for (; spec->n_mounts < message->n_mounts; spec->n_mounts++) {
        if (decode_mount(message->mounts[spec->n_mounts], &spec->mounts[spec->n_mounts], error) < 0) {
            return -1;
        }
    }
    return 0;
}
