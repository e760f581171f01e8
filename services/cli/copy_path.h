/* SPDX-License-Identifier: Apache-2.0
 *
 * The rules by which `cp` reads its two arguments, as Docker's client has them: which side is a container, what a
 * trailing "/" or "/." means, and what the copied thing is called at the other end. Pure.
 */
#pragma once

#include <stdbool.h>

#include "common/error.h"

/* "web:/etc/hosts": *ret_path is what follows the colon and *ret_container (owned by the caller) what stands before it;
 * NULL for a local path, which has no colon, or starts with "/" or ".". */
int copy_path_split(const char *argument, char **ret_container, const char **ret_path, struct bh_error *error);

/* Folder and last element, as Go's path.Clean leaves them, but a last "." is kept: "a/b/." is "a/b" and ".". Both owned
 * by the caller. */
int copy_path_parts(const char *path, char **ret_folder, char **ret_base, struct bh_error *error);

/* `path` next to the link at `link`, which points to it: "/a/link" and "b" are "/a/b". Owned by the caller. */
int copy_path_of_link(const char *link, const char *target, char **ret_path, struct bh_error *error);

/* True if only a folder can be meant: "a/", "a/." */
bool copy_path_wants_folder(const char *path);

struct copy_end {
    const char *path;
    bool exists, is_folder;
};
/* What follows from both ends. Both texts are owned; copy_plan_free(). */
struct copy_plan {
    char *folder; /* where the archive is unpacked */
    char *name;   /* what its topmost entry is to be called; NULL: as it is */
};
int copy_plan_make(const struct copy_end *source, const struct copy_end *target, struct copy_plan *ret_plan,
                   struct bh_error *error);
void copy_plan_free(struct copy_plan *plan);

/* The place below the plan's folder for an archive's entry, owned by the caller; "" is the folder itself. `base` is the
 * last element of what was asked for ("." or "/" for all within it): an entry of another name, one with "..", and one
 * with an empty name are refused. */
int copy_plan_place(const struct copy_plan *plan, const char *base, const char *entry, char **ret_place,
                    struct bh_error *error);
