/* SPDX-License-Identifier: Apache-2.0
 *
 * Mounts in JSON; see mounts_json.h.
 */
#include "mounts_json.h"

#include <string.h>

void write_mount_points(struct json_writer *writer, Bulkhead__MountPoint *const *points, size_t n_points)
{
    write_array(writer, "Mounts");
    for (size_t i = 0; i < n_points; i++) {
        const Bulkhead__MountPoint *point = points[i];
        write_object(writer, NULL);
        write_string(writer, "Type", point->type);
        if (*point->name) {
            write_string(writer, "Name", point->name);
        }
        write_string(writer, "Source", point->source);
        write_string(writer, "Destination", point->destination);
        if (*point->driver) {
            write_string(writer, "Driver", point->driver);
        }
        write_string(writer, "Mode", point->mode);
        write_bool(writer, "RW", !point->read_only);
        write_string(writer, "Propagation", point->propagation);
        write_object_end(writer);
    }
    write_array_end(writer);
}

void write_host_tmpfs(struct json_writer *writer, const Bulkhead__ContainerRequest *request)
{
    bool any = false;
    for (size_t i = 0; i < request->n_mounts; i++) {
        const Bulkhead__Mount *mount = request->mounts[i];
        if (mount->kind != BULKHEAD__MOUNT_KIND__MOUNT_KIND_TMPFS || mount->from_mounts) {
            continue;
        }
        if (!any) { /* Docker leaves the field out where there is none */
            write_object(writer, "Tmpfs");
        }
        any = true;
        write_string(writer, mount->target, mount->tmpfs_text);
    }
    if (any) {
        write_object_end(writer);
    }
}

static void write_bind_options(struct json_writer *writer, const Bulkhead__Mount *mount)
{
    static const char *const words[] = {"", "private", "rprivate", "slave", "rslave", "shared", "rshared"};
    bool chosen = mount->propagation_presence_case == BULKHEAD__MOUNT__PROPAGATION_PRESENCE_PROPAGATION;
    if (!chosen && mount->recursive && !mount->create_source && !mount->top_read_only) {
        return;
    }
    write_object(writer, "BindOptions");
    if (chosen && (size_t)mount->propagation < sizeof(words) / sizeof(words[0])) {
        write_string(writer, "Propagation", words[mount->propagation]);
    }
    if (!mount->recursive) {
        write_bool(writer, "NonRecursive", true);
    }
    if (mount->create_source) {
        write_bool(writer, "CreateMountpoint", true);
    }
    if (mount->top_read_only) {
        write_bool(writer, "ReadOnlyNonRecursive", true);
    }
    write_object_end(writer);
}

static void write_volume_options(struct json_writer *writer, const Bulkhead__Mount *mount)
{
    bool driver = *mount->volume_driver || mount->n_volume_options > 0;
    if (!mount->no_copy && !*mount->subpath && mount->n_volume_labels == 0 && !driver) {
        return;
    }
    write_object(writer, "VolumeOptions");
    if (mount->no_copy) {
        write_bool(writer, "NoCopy", true);
    }
    if (mount->n_volume_labels > 0) {
        write_map(writer, "Labels", mount->volume_labels, mount->n_volume_labels);
    }
    if (*mount->subpath) {
        write_string(writer, "Subpath", mount->subpath);
    }
    if (driver) {
        write_object(writer, "DriverConfig");
        write_string(writer, "Name", mount->volume_driver);
        write_map(writer, "Options", mount->volume_options, mount->n_volume_options);
        write_object_end(writer);
    }
    write_object_end(writer);
}

static void write_tmpfs_options(struct json_writer *writer, const Bulkhead__Mount *mount)
{
    if (mount->tmpfs_bytes == 0 && mount->tmpfs_mode == 01777) {
        return;
    }
    write_object(writer, "TmpfsOptions");
    if (mount->tmpfs_bytes > 0) {
        write_uint(writer, "SizeBytes", mount->tmpfs_bytes);
    }
    if (mount->tmpfs_mode != 01777) {
        write_uint(writer, "Mode", mount->tmpfs_mode);
    }
    write_object_end(writer);
}

static void write_host_mount(struct json_writer *writer, const Bulkhead__Mount *mount)
{
    bool volume = mount->kind == BULKHEAD__MOUNT_KIND__MOUNT_KIND_VOLUME;
    bool bind = mount->kind == BULKHEAD__MOUNT_KIND__MOUNT_KIND_BIND;
    const char *source = volume ? mount->volume_name : mount->source;
    write_object(writer, NULL);
    write_string(writer, "Type", volume ? "volume" : bind ? "bind" : "tmpfs");
    if (*source) {
        write_string(writer, "Source", source);
    }
    write_string(writer, "Target", mount->target);
    if (mount->read_only) {
        write_bool(writer, "ReadOnly", true);
    }
    if (volume) {
        write_volume_options(writer, mount);
    } else if (bind) {
        write_bind_options(writer, mount);
    } else {
        write_tmpfs_options(writer, mount);
    }
    write_object_end(writer);
}

void write_host_mounts(struct json_writer *writer, const Bulkhead__ContainerRequest *request)
{
    bool any = false;
    for (size_t i = 0; i < request->n_mounts; i++) {
        if (!request->mounts[i]->from_mounts) {
            continue;
        }
        if (!any) { /* Docker leaves the field out where there is none */
            write_array(writer, "Mounts");
        }
        any = true;
        write_host_mount(writer, request->mounts[i]);
    }
    if (any) {
        write_array_end(writer);
    }
}
