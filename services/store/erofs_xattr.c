/* SPDX-License-Identifier: Apache-2.0
 *
 * Extended attributes of a layer image's inode; see erofs_xattr.h.
 */
#include "erofs_xattr.h"

#include <endian.h>
#include <linux/posix_acl_xattr.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/erofs_format.h"

/* One attribute, pointing into the area. */
struct attribute {
    uint8_t name_index;
    uint8_t name_bytes;
    uint16_t value_bytes;
    const uint8_t *name;
    const uint8_t *value;
};

static bool is(const uint8_t *bytes, size_t n_bytes, const char *text)
{
    return n_bytes == strlen(text) && memcmp(bytes, text, n_bytes) == 0;
}

/* linux/posix_acl_xattr.h: a version, then entries of tag, permissions and id. */
static int check_acl(const struct attribute *attribute, struct bh_error *error)
{
    struct posix_acl_xattr_header header;
    struct posix_acl_xattr_entry entry;
    size_t n_bytes = attribute->value_bytes;
    if (attribute->name_bytes != 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "an access control list has a name of %u bytes, must be 0",
                            attribute->name_bytes);
    }
    if (n_bytes < sizeof(header) || (n_bytes - sizeof(header)) % sizeof(entry) != 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "an access control list of %zu bytes, must be 4 + 8 * entries",
                            n_bytes);
    }
    memcpy(&header, attribute->value, sizeof(header));
    if (le32toh(header.a_version) != POSIX_ACL_XATTR_VERSION) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "an access control list of version %u, must be 2",
                            le32toh(header.a_version));
    }
    for (size_t at = sizeof(header); at < n_bytes; at += sizeof(entry)) {
        memcpy(&entry, attribute->value + at, sizeof(entry));
        unsigned int tag = le16toh(entry.e_tag);
        if (tag == 0 || tag > 0x20 || (tag & (tag - 1)) != 0 || le16toh(entry.e_perm) > 7) {
            return bh_error_set(error, BH_INVALID_ARGUMENT,
                                "an access control list has an entry of tag %#x with permissions %#o", tag,
                                le16toh(entry.e_perm));
        }
    }
    return 0;
}

static int check_attribute(const struct attribute *attribute, bool directory, struct bh_error *error)
{
    switch (attribute->name_index) {
    case BH_EROFS_XATTR_USER:
        if (attribute->name_bytes == 0 || memchr(attribute->name, '\0', attribute->name_bytes)) {
            return bh_error_set(error, BH_INVALID_ARGUMENT,
                                "a user attribute's name is empty or has a NUL, must be 1 to 255 bytes without");
        }
        if (attribute->name_bytes >= strlen("overlay.") && memcmp(attribute->name, "overlay.", 8) == 0) {
            return bh_error_set(error, BH_INVALID_ARGUMENT,
                                "the attribute \"user.%.*s\", which overlayfs could believe",
                                (int)attribute->name_bytes, (const char *)attribute->name);
        }
        return 0;
    case BH_EROFS_XATTR_ACL_DEFAULT:
        if (!directory) {
            return bh_error_set(error, BH_INVALID_ARGUMENT,
                                "a default access control list, which only directories may have");
        }
        return check_acl(attribute, error);
    case BH_EROFS_XATTR_ACL_ACCESS:
        return check_acl(attribute, error);
    case BH_EROFS_XATTR_SECURITY:
        if (!is(attribute->name, attribute->name_bytes, "capability")) {
            return bh_error_set(error, BH_INVALID_ARGUMENT,
                                "the attribute \"security.%.*s\", of which only \"security.capability\" is allowed",
                                (int)attribute->name_bytes, (const char *)attribute->name);
        }
        return 0;
    case BH_EROFS_XATTR_TRUSTED:
        if (!directory || !is(attribute->name, attribute->name_bytes, "overlay.opaque") ||
            !is(attribute->value, attribute->value_bytes, "y")) {
            return bh_error_set(error, BH_INVALID_ARGUMENT,
                                "the attribute \"trusted.%.*s\", of which only \"trusted.overlay.opaque\" = \"y\" on a "
                                "directory is allowed",
                                (int)attribute->name_bytes, (const char *)attribute->name);
        }
        return 0;
    default:
        return bh_error_set(error, BH_INVALID_ARGUMENT, "an attribute with the name index %u, which is not allowed",
                            attribute->name_index);
    }
}

static int compare(const void *left, const void *right)
{
    const struct attribute *a = left;
    const struct attribute *b = right;
    if (a->name_index != b->name_index) {
        return a->name_index < b->name_index ? -1 : 1;
    }
    if (a->name_bytes != b->name_bytes) {
        return a->name_bytes < b->name_bytes ? -1 : 1;
    }
    return memcmp(a->name, b->name, a->name_bytes);
}

static int check_unique(struct attribute *attributes, size_t n_attributes, struct bh_error *error)
{
    qsort(attributes, n_attributes, sizeof(*attributes), compare);
    for (size_t i = 1; i < n_attributes; i++) {
        if (compare(&attributes[i - 1], &attributes[i]) == 0) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "the attribute \"%.*s\" comes twice",
                                (int)attributes[i].name_bytes, (const char *)attributes[i].name);
        }
    }
    return 0;
}

/* Takes the entry at *at apart and moves *at behind its padding. */
static int parse_entry(const uint8_t *area, size_t n_bytes, size_t *at, struct attribute *ret_attribute,
                       struct bh_error *error)
{
    struct bh_erofs_xattr_entry entry;
    if (n_bytes - *at < sizeof(entry)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "its attributes end in the middle of an entry");
    }
    memcpy(&entry, area + *at, sizeof(entry));
    size_t name_at = *at + sizeof(entry);
    size_t value_at = name_at + entry.name_bytes;
    size_t end = value_at + le16toh(entry.value_bytes);
    size_t padded_end = (end + 3) & ~(size_t)3;
    if (padded_end > n_bytes) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "an attribute of %u + %u bytes goes beyond its area",
                            entry.name_bytes, le16toh(entry.value_bytes));
    }
    for (size_t i = end; i < padded_end; i++) {
        if (area[i] != 0) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "the padding behind an attribute is not zero");
        }
    }
    *ret_attribute = (struct attribute){.name_index = entry.name_index,
                                        .name_bytes = entry.name_bytes,
                                        .value_bytes = le16toh(entry.value_bytes),
                                        .name = area + name_at,
                                        .value = area + value_at};
    *at = padded_end;
    return 0;
}

int erofs_xattr_check(const uint8_t *area, size_t n_bytes, bool directory, struct bh_error *error)
{
    static const struct bh_erofs_xattr_header zero;
    if (n_bytes <= sizeof(zero) || memcmp(area, &zero, sizeof(zero)) != 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "its attributes do not begin with %zu zero bytes and at least one entry", sizeof(zero));
    }
    size_t n_most = n_bytes / sizeof(struct bh_erofs_xattr_entry);
    bh_autofree struct attribute *attributes = calloc(n_most, sizeof(*attributes));
    if (!attributes) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "no memory for %zu attributes", n_most);
    }
    size_t n_attributes = 0;
    for (size_t at = sizeof(zero); at < n_bytes; n_attributes++) {
        struct attribute *attribute = &attributes[n_attributes];
        if (parse_entry(area, n_bytes, &at, attribute, error) < 0 || check_attribute(attribute, directory, error) < 0) {
            return -1;
        }
    }
    return check_unique(attributes, n_attributes, error);
}
