/* SPDX-License-Identifier: Apache-2.0
 *
 * See xattrs.h; the form on disk is in common/erofs_format.h.
 */
#include "xattrs.h"

#include <endian.h>
#include <string.h>
#include <sys/stat.h>

#define ACL_VERSION     2U
#define ACL_HEADER      4U
#define ACL_ENTRY       8U
#define OPAQUE_SUFFIX   "overlay.opaque"
#define XATTR_NAME_MAX_ 255U /* XATTR_NAME_MAX, the whole name */

static bool survives(const char *name, mode_t mode, struct xattr *ret_xattr)
{
    bool file_or_directory = S_ISREG(mode) || S_ISDIR(mode);
    if (strncmp(name, "user.", 5) == 0 && name[5] && file_or_directory) {
        *ret_xattr = (struct xattr){.index = BH_EROFS_XATTR_USER, .suffix = name + 5};
        return strncmp(name, "user.overlay.", 13) != 0;
    }
    if (strcmp(name, "security.capability") == 0 && file_or_directory) {
        *ret_xattr = (struct xattr){.index = BH_EROFS_XATTR_SECURITY, .suffix = name + 9};
        return true;
    }
    if (strcmp(name, "system.posix_acl_access") == 0 && !S_ISLNK(mode)) {
        *ret_xattr = (struct xattr){.index = BH_EROFS_XATTR_ACL_ACCESS, .suffix = ""};
        return true;
    }
    if (strcmp(name, "system.posix_acl_default") == 0 && S_ISDIR(mode)) {
        *ret_xattr = (struct xattr){.index = BH_EROFS_XATTR_ACL_DEFAULT, .suffix = ""};
        return true;
    }
    return false;
}

static bool is_acl(const void *value, size_t value_bytes)
{
    uint32_t version;
    if (value_bytes < ACL_HEADER + ACL_ENTRY || (value_bytes - ACL_HEADER) % ACL_ENTRY != 0) {
        return false;
    }
    memcpy(&version, value, sizeof(version));
    return le32toh(version) == ACL_VERSION;
}

int xattrs_add(struct xattrs *xattrs, const char *name, const void *value, size_t value_bytes, mode_t mode,
               struct bh_error *error)
{
    struct xattr xattr;
    if (!survives(name, mode, &xattr)) {
        return 0;
    }
    if (strlen(name) > XATTR_NAME_MAX_) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "extended attribute \"%.60s...\": its name is longer than %u bytes", name, XATTR_NAME_MAX_);
    }
    if (value_bytes > BH_EROFS_XATTR_VALUE_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "extended attribute \"%.255s\": its value has %zu bytes, at most %u are possible", name,
                            value_bytes, BH_EROFS_XATTR_VALUE_MAX);
    }
    bool acl = xattr.index == BH_EROFS_XATTR_ACL_ACCESS || xattr.index == BH_EROFS_XATTR_ACL_DEFAULT;
    if (acl && !is_acl(value, value_bytes)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "extended attribute \"%s\": its value is no ACL", name);
    }
    xattr.value = value;
    xattr.value_bytes = value_bytes;
    for (size_t i = 0; i < xattrs->n; i++) {
        if (xattrs->list[i].index == xattr.index && strcmp(xattrs->list[i].suffix, xattr.suffix) == 0) {
            xattrs->list[i] = xattr;
            return 0;
        }
    }
    if (xattrs->n == EXTRACTOR_XATTRS_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "it has more than %d extended attributes",
                            EXTRACTOR_XATTRS_MAX);
    }
    xattrs->list[xattrs->n++] = xattr;
    return 0;
}

static size_t entry_bytes(const struct xattr *xattr)
{
    size_t n = sizeof(struct bh_erofs_xattr_entry) + strlen(xattr->suffix) + xattr->value_bytes;
    return (n + 3) & ~(size_t)3;
}

int xattrs_area_bytes(const struct xattrs *xattrs, uint32_t *ret_bytes, struct bh_error *error)
{
    size_t total = xattrs->n > 0 ? sizeof(struct bh_erofs_xattr_header) : 0;
    for (size_t i = 0; i < xattrs->n; i++) {
        total += entry_bytes(&xattrs->list[i]); /* at most 512 times 64 KiB */
    }
    if (total + XATTRS_OPAQUE_ROOM > BH_EROFS_XATTR_AREA_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "its extended attributes take %zu bytes, at most %u are possible", total,
                            BH_EROFS_XATTR_AREA_MAX - XATTRS_OPAQUE_ROOM);
    }
    *ret_bytes = (uint32_t)total;
    return 0;
}

static uint8_t *write_entry(const struct xattr *xattr, uint8_t *at)
{
    size_t name_bytes = strlen(xattr->suffix), size = entry_bytes(xattr);
    struct bh_erofs_xattr_entry entry = {.name_bytes = (uint8_t)name_bytes,
                                         .name_index = xattr->index,
                                         .value_bytes = htole16((uint16_t)xattr->value_bytes)};
    memset(at, 0, size);
    memcpy(at, &entry, sizeof(entry));
    memcpy(at + sizeof(entry), xattr->suffix, name_bytes);
    if (xattr->value_bytes > 0) {
        memcpy(at + sizeof(entry) + name_bytes, xattr->value, xattr->value_bytes);
    }
    return at + size;
}

void xattrs_write(const struct xattrs *xattrs, uint8_t *area)
{
    if (xattrs->n > 0) {
        memset(area, 0, sizeof(struct bh_erofs_xattr_header));
        area += sizeof(struct bh_erofs_xattr_header);
    }
    for (size_t i = 0; i < xattrs->n; i++) {
        area = write_entry(&xattrs->list[i], area);
    }
}

uint32_t xattrs_copy_opaque(const uint8_t *old, uint32_t old_bytes, uint8_t *area)
{
    static const struct xattr opaque = {
        .index = BH_EROFS_XATTR_TRUSTED, .suffix = OPAQUE_SUFFIX, .value = "y", .value_bytes = 1};
    uint8_t *at = area;
    if (old_bytes > 0) {
        memcpy(at, old, old_bytes);
        at += old_bytes;
    } else {
        memset(at, 0, sizeof(struct bh_erofs_xattr_header));
        at += sizeof(struct bh_erofs_xattr_header);
    }
    return (uint32_t)(write_entry(&opaque, at) - area);
}
