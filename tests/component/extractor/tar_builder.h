/* SPDX-License-Identifier: Apache-2.0
 *
 * Builds tar archives in memory, field by field, so that tests can write what no tar program would.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct tar {
    uint8_t *bytes;
    size_t n_bytes, room;
};

/* One header and its content. Fields left out are those of an empty file of root's with mode 0644. */
struct tar_member {
    const char *name, *link;
    char type; /* 0: '0' */
    unsigned mode, uid, gid;
    int64_t mtime;
    const void *content;
    size_t size;          /* of `content` */
    const char *raw_size; /* 12 bytes for the size field instead */
    const char *raw_uid;  /* 8 bytes */
    const char *raw_mtime;
    unsigned major, minor;
    int bad_checksum;
};

void tar_add(struct tar *tar, const struct tar_member *member);
#define tar_put(tar, ...) tar_add(tar, &(struct tar_member){__VA_ARGS__})
/* A PAX header before the next member: pairs of key and value, ending with NULL. */
void tar_pax(struct tar *tar, ...);
/* One record whose value may hold any bytes. */
void tar_pax_bytes(struct tar *tar, const char *key, const void *value, size_t n_bytes);
void tar_raw(struct tar *tar, const void *bytes, size_t n_bytes);
/* The two blocks of zeros. */
void tar_end(struct tar *tar);
void tar_free(struct tar *tar);
