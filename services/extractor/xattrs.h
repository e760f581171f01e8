/* SPDX-License-Identifier: Apache-2.0
 *
 * Extended attributes of one archive entry: which of them survive, and their form in an EROFS inode. Names and values
 * are untrusted; what could speak to overlayfs never passes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/erofs_format.h"
#include "common/error.h"
#include "bounds.h"

struct xattr {
    uint8_t index;      /* enum bh_erofs_xattr_index */
    const char *suffix; /* the name behind what the index stands for; borrowed */
    const void *value;  /* borrowed */
    size_t value_bytes;
};

struct xattrs {
    struct xattr list[EXTRACTOR_XATTRS_MAX];
    size_t n;
};

/* Adds an attribute by its Linux name if it is one that survives: user.* (but not user.overlay.*) on files and
 * directories, security.capability, system.posix_acl_*. Others are left out silently, as Docker does. A name that is
 * there already gets the new value. Refuses values that are too large or no ACL. `mode` is the inode's. */
int xattrs_add(struct xattrs *xattrs, const char *name, const void *value, size_t value_bytes, mode_t mode,
               struct bh_error *error);

/* Size of the whole area in the inode: 0 if there are none. Refuses more than BH_EROFS_XATTR_AREA_MAX. */
int xattrs_area_bytes(const struct xattrs *xattrs, uint32_t *ret_bytes, struct bh_error *error);

/* Writes the area, xattrs_area_bytes() long. */
void xattrs_write(const struct xattrs *xattrs, uint8_t *area);

/* Copies an area (may be NULL) and adds overlayfs' mark of an opaque directory to it. `area` has room for
 * XATTRS_OPAQUE_ROOM more. Returns the new size. */
#define XATTRS_OPAQUE_ROOM 64U
uint32_t xattrs_copy_opaque(const uint8_t *old, uint32_t old_bytes, uint8_t *area);
