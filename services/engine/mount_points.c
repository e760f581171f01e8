/* SPDX-License-Identifier: Apache-2.0
 *
 * A container's mounts as `ps` and `inspect` show them: the spec says what is mounted, the request how it was asked
 * for; see mounts.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/fields.h"
#include "services/engine/mounts.h"
#include "services/engine/volumes.h"

static const Bulkhead__Mount *find_wish(const Bulkhead__ContainerRequest *request, const char *target)
{
    for (size_t i = 0; i < request->n_mounts; i++) {
        if (strcmp(request->mounts[i]->target, target) == 0) {
            return request->mounts[i];
        }
    }
    return NULL;
}

static const char *propagation_word(const Bulkhead__Mount *mount)
{
    static const char *const words[] = {
        [BULKHEAD__PROPAGATION__PROPAGATION_PRIVATE] = "private",
        [BULKHEAD__PROPAGATION__PROPAGATION_RPRIVATE] = "rprivate",
        [BULKHEAD__PROPAGATION__PROPAGATION_SLAVE] = "slave",
        [BULKHEAD__PROPAGATION__PROPAGATION_RSLAVE] = "rslave",
        [BULKHEAD__PROPAGATION__PROPAGATION_SHARED] = "shared",
        [BULKHEAD__PROPAGATION__PROPAGATION_RSHARED] = "rshared",
    };
    bool chosen = mount->propagation_presence_case == BULKHEAD__MOUNT__PROPAGATION_PRESENCE_PROPAGATION;
    size_t index = (size_t)mount->propagation;
    return chosen && index < sizeof words / sizeof *words && words[index] ? words[index] : "rprivate";
}

static int describe(const struct job *job, const struct container_row *row, const Bulkhead__Mount *mount,
                    Bulkhead__MountPoint *point, struct bh_error *error)
{
    const Bulkhead__Mount *wish = find_wish(row->request, mount->target);
    bool volume = mount->volume_name[0] != '\0';
    bool bind = !volume && mount->kind == BULKHEAD__MOUNT_KIND__MOUNT_KIND_BIND;
    char path[BH_PATH_BYTES_MAX + 1];
    const char *source = mount->source, *mode = wish ? wish->mode_text : "";
    if (volume) {
        struct volume_row stored = {.tenant_uid = row->tenant_uid};
        if (mount->volume.len == sizeof stored.id) {
            memcpy(stored.id, mount->volume.data, sizeof stored.id);
            source = volume_mountpoint(job->engine, &stored, path);
        }
        mode = wish && !mode[0] ? "z" : mode; /* what Docker's local driver writes there, SELinux or not */
    }
    point->read_only = mount->read_only;
    return string_set(&point->type,
                      volume ? "volume"
                      : bind ? "bind"
                             : "tmpfs",
                      error) < 0 ||
                   string_set(&point->name, mount->volume_name, error) < 0 ||
                   string_set(&point->source, source, error) < 0 ||
                   string_set(&point->destination, mount->target, error) < 0 ||
                   string_set(&point->driver, volume ? VOLUME_DRIVER : "", error) < 0 ||
                   string_set(&point->mode, mode, error) < 0 ||
                   string_set(&point->propagation, bind ? propagation_word(mount) : "", error) < 0
               ? -1
               : 0;
}

/* HostConfig.Tmpfs has a place of its own in Docker's answers; a tmpfs of HostConfig.Mounts stands with the others. */
static bool is_shown(const struct container_row *row, const Bulkhead__Mount *mount)
{
    const Bulkhead__Mount *wish = find_wish(row->request, mount->target);
    return mount->kind != BULKHEAD__MOUNT_KIND__MOUNT_KIND_TMPFS || (wish && wish->from_mounts);
}

int mount_points_of(const struct job *job, const struct container_row *row, Bulkhead__MountPoint ***ret_points,
                    size_t *ret_n_points, struct bh_error *error)
{
    size_t n = 0;
    Bulkhead__MountPoint **points = calloc(row->spec->n_mounts + 1, sizeof *points);
    if (!points) {
        return bh_error_errno(error, ENOMEM, "list mounts");
    }
    for (size_t i = 0; i < row->spec->n_mounts; i++) {
        if (!is_shown(row, row->spec->mounts[i])) {
            continue;
        }
        points[n] = malloc(sizeof **points);
        if (!points[n]) {
            mount_points_free(points, n);
            return bh_error_errno(error, ENOMEM, "list mounts");
        }
        bulkhead__mount_point__init(points[n]);
        if (describe(job, row, row->spec->mounts[i], points[n++], error) < 0) {
            mount_points_free(points, n);
            return -1;
        }
    }
    *ret_points = points;
    *ret_n_points = n;
    return 0;
}

void mount_points_free(Bulkhead__MountPoint **points, size_t n_points)
{
    for (size_t i = 0; i < n_points; i++) {
        bulkhead__mount_point__free_unpacked(points[i], NULL);
    }
    free(points);
}
