/* SPDX-License-Identifier: Apache-2.0
 *
 * User namespaces that exist only as id maps: what mount_setattr(MOUNT_ATTR_IDMAP) wants. One per map, cached.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

#define USERNS_LINES_MAX 2
#define USERNS_CACHE_MAX 64

struct userns_line {
    uint32_t inside, outside, count;
};

struct userns_map {
    struct userns_line uids[USERNS_LINES_MAX], gids[USERNS_LINES_MAX]; /* a line of count 0 is none */
};

struct userns_cache {
    struct {
        struct userns_map map;
        int fd;
    } entries[USERNS_CACHE_MAX];
    size_t n, next;
};

/* How layers are shown: on-disk n is the tenant's id_base + n. */
struct userns_map userns_map_shift(uint32_t id_base, uint32_t id_count);
/* How another tenant's bind mounts are shown: what belongs to the tenant belongs to the container's root, and what the
 * container's other ids write belongs to the tenant's shifted ids. */
struct userns_map userns_map_tenant(uint32_t tenant_uid, uint32_t tenant_gid, uint32_t id_base, uint32_t id_count);

/* The text that /proc/PID/uid_map takes. Returns its length. */
size_t userns_format(const struct userns_line lines[static USERNS_LINES_MAX], char *buffer, size_t buffer_bytes);

/* Writes both maps of a process that is in a new user namespace. */
int userns_write(int32_t pid, const struct userns_map *map, struct bh_error *error);

/* A descriptor of a namespace with that map, borrowed from the cache. */
int userns_get(struct userns_cache *cache, const struct userns_map *map, int *ret_fd, struct bh_error *error);
void userns_free(struct userns_cache *cache);
