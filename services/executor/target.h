/* SPDX-License-Identifier: Apache-2.0
 *
 * Finding places inside a container's root by name, from inside its namespaces. The image made the tree: every link in
 * it may lie, so that all of it is resolved by the kernel below `root` (openat2(2)), without magic links.
 */
#pragma once

#include <stdbool.h>

#include "common/error.h"

/* An O_PATH descriptor of what is there; NOT_FOUND if nothing is. */
int target_find(int root, const char *path, int *ret_fd, struct bh_error *error);
/* The same; what is missing is made: folders, and a folder or an empty file at the end. */
int target_open(int root, const char *path, bool is_folder, int *ret_fd, struct bh_error *error);
/* A real folder, reached without any symbolic link; made if it is missing. */
int target_folder(int root, const char *path, int *ret_fd, struct bh_error *error);
/* Opens a regular file for reading; never waits for a FIFO's writer. */
int target_open_file(int root, const char *path, int *ret_fd, struct bh_error *error);
