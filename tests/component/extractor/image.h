/* SPDX-License-Identifier: Apache-2.0
 *
 * Looking at a layer image from outside: the store's check, fsck.erofs, and the kernel's own driver.
 */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>

struct mounted {
    char folder[32];
};

/* The store's checker and fsck.erofs both accept it. */
bool image_is_sound(int image_fd);
/* Mounts it (in a mount namespace of this process' own) and opens its root; image_unmount() undoes that. */
void image_mount(int image_fd, struct mounted *ret_mounted);
void image_unmount(struct mounted *mounted);

/* lstat(2) below the mounted root. */
bool image_stat(const struct mounted *mounted, const char *path, struct stat *ret_status);
bool image_has(const struct mounted *mounted, const char *path);
/* A regular file's content is this text. */
bool image_file_is(const struct mounted *mounted, const char *path, const char *text);
bool image_link_is(const struct mounted *mounted, const char *path, const char *target);
bool image_is_whiteout(const struct mounted *mounted, const char *path);
bool image_is_opaque(const struct mounted *mounted, const char *path);
/* -1 if there is no such attribute. */
long image_xattr(const struct mounted *mounted, const char *path, const char *name, void *value, unsigned long n_bytes);

/* The two trees are alike in names, types, modes, owners, times, links, devices, attributes and contents. Says what
 * differs. */
bool trees_are_equal(const char *expected, const char *actual);
