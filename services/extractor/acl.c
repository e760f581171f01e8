/* SPDX-License-Identifier: Apache-2.0
 *
 * See acl.h. The form is that of <linux/posix_acl_xattr.h>: a version, then tag, permissions and id of each entry, in
 * the order that the kernel demands: by tag, then by id.
 */
#include "acl.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#define NO_ID 0xffffffffU

struct __attribute__((packed)) acl_entry {
    uint16_t tag, permissions;
    uint32_t id;
};

/* The kernel's tag for libarchive's, 0 if there is none. */
static uint16_t kernel_tag(int tag)
{
    switch (tag) {
    case ARCHIVE_ENTRY_ACL_USER_OBJ:
        return 0x01;
    case ARCHIVE_ENTRY_ACL_USER:
        return 0x02;
    case ARCHIVE_ENTRY_ACL_GROUP_OBJ:
        return 0x04;
    case ARCHIVE_ENTRY_ACL_GROUP:
        return 0x08;
    case ARCHIVE_ENTRY_ACL_MASK:
        return 0x10;
    case ARCHIVE_ENTRY_ACL_OTHER:
        return 0x20;
    default:
        return 0;
    }
}

static int compare(const void *a, const void *b)
{
    const struct acl_entry *x = a, *y = b;
    if (x->tag != y->tag) {
        return x->tag < y->tag ? -1 : 1;
    }
    return x->id < y->id ? -1 : x->id > y->id;
}

int acl_encode(struct archive_entry *entry, int type, uint8_t value[static ACL_BYTES_MAX], size_t *ret_bytes,
               struct bh_error *error)
{
    struct acl_entry entries[ACL_ENTRIES_MAX];
    size_t n = 0;
    *ret_bytes = 0;
    int permissions, tag, id, kind;
    const char *name;
    if (archive_entry_acl_reset(entry, type) == 0) {
        return 0;
    }
    while (archive_entry_acl_next(entry, type, &kind, &permissions, &tag, &id, &name) == ARCHIVE_OK) {
        uint16_t mapped = kernel_tag(tag);
        bool named = mapped == 0x02 || mapped == 0x08;
        if (!mapped || (named && id < 0)) {
            return 0;
        }
        if (n == ACL_ENTRIES_MAX) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "its ACL has more than %d entries", ACL_ENTRIES_MAX);
        }
        entries[n++] = (struct acl_entry){mapped, (uint16_t)(permissions & 7), named ? (uint32_t)id : NO_ID};
    }
    qsort(entries, n, sizeof(entries[0]), compare);
    uint32_t version = htole32(2);
    memcpy(value, &version, sizeof(version));
    for (size_t i = 0; i < n; i++) {
        struct acl_entry swapped = {htole16(entries[i].tag), htole16(entries[i].permissions), htole32(entries[i].id)};
        memcpy(value + sizeof(version) + i * sizeof(swapped), &swapped, sizeof(swapped));
    }
    *ret_bytes = n > 0 ? sizeof(version) + n * sizeof(struct acl_entry) : 0;
    return 0;
}
