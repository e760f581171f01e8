/* SPDX-License-Identifier: Apache-2.0
 *
 * The mounts of a container: what the client asked for, what other containers have (--volumes-from), and the volumes
 * its image wants, as one list in the order they are to be made. Volumes are found or made on the way.
 */
#pragma once

#include "services/engine/database.h"
#include "services/engine/jobs.h"

/* Volumes that were made on the way to a container that then was not: to be removed again. */
struct mounts_made {
    struct volume_row *rows;
    size_t n_rows;
};

/* Fills in spec->mounts. Even if it fails, *ret_made says what was made; mounts_undo() or mounts_keep() it. */
int mounts_resolve(struct job *job, const Bulkhead__ImageConfig *image, const Bulkhead__ContainerRequest *request,
                   Bulkhead__ContainerSpec *spec, struct mounts_made *ret_made, struct bh_error *error);
/* Fills the volumes that the container is to find filled. */
int mounts_fill(struct job *job, Bulkhead__ContainerSpec *spec, struct bh_error *error);
void mounts_undo(struct job *job, struct mounts_made *made);
void mounts_keep(struct mounts_made *made);

/* What `ps` and `inspect` show of them. Owned by the caller: mount_points_free(). */
int mount_points_of(const struct job *job, const struct container_row *row, Bulkhead__MountPoint ***ret_points,
                    size_t *ret_n_points, struct bh_error *error);
void mount_points_free(Bulkhead__MountPoint **points, size_t n_points);

/* ---- pure ---- */

/* "container[:mode]" in its two parts. */
int mounts_read_from(const char *text, char ret_container[static BH_NAME_BYTES_MAX + 1], bool *ret_read_only,
                     struct bh_error *error);
/* Appends a copy of `mount`, in the place of one at the same target. */
int mounts_put(Bulkhead__ContainerSpec *spec, const Bulkhead__Mount *mount, struct bh_error *error);
/* A path of an image's VOLUME in the form we use: absolute, without "." and double slashes. Refuses "..", "/" and what
 * lies in /proc. `ret_path` holds BH_PATH_BYTES_MAX + 1. */
int mounts_clean_target(const char *text, char *ret_path, struct bh_error *error);
/* Folders before what lies in them, else as they were. */
void mounts_sort(Bulkhead__ContainerSpec *spec);
