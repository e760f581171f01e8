/* SPDX-License-Identifier: Apache-2.0
 *
 * Which extended attributes of an archive survive, and their form.
 */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/stat.h>

#include "siphash.h"
#include "xattrs.h"

static struct xattrs xattrs;
static struct bh_error error;

static void start(void)
{
    xattrs.n = 0;
}

TestSuite(xattrs, .init = start);

static size_t kept(const char *name, mode_t mode)
{
    xattrs.n = 0;
    static const uint8_t acl[12] = {2, 0, 0, 0, 1, 0, 7, 0, 0xff, 0xff, 0xff, 0xff};
    cr_assert_eq(xattrs_add(&xattrs, name, acl, sizeof(acl), mode, &error), 0, "%s", error.message);
    return xattrs.n;
}

Test(xattrs, only_what_is_harmless_survives)
{
    cr_assert_eq(kept("user.x", S_IFREG), 1);
    cr_assert_eq(kept("user.x", S_IFLNK), 0);
    cr_assert_eq(kept("user.", S_IFREG), 0);
    cr_assert_eq(kept("user.overlay.opaque", S_IFDIR), 0);
    cr_assert_eq(kept("trusted.overlay.opaque", S_IFDIR), 0);
    cr_assert_eq(kept("trusted.overlay.redirect", S_IFDIR), 0);
    cr_assert_eq(kept("security.capability", S_IFREG), 1);
    cr_assert_eq(kept("security.selinux", S_IFREG), 0);
    cr_assert_eq(kept("security.ima", S_IFREG), 0);
    cr_assert_eq(kept("system.posix_acl_access", S_IFREG), 1);
    cr_assert_eq(kept("system.posix_acl_default", S_IFREG), 0);
    cr_assert_eq(kept("system.posix_acl_default", S_IFDIR), 1);
    cr_assert_eq(kept("system.nfs4_acl", S_IFREG), 0);
}

Test(xattrs, the_last_value_of_a_name_counts)
{
    cr_assert_eq(xattrs_add(&xattrs, "user.x", "one", 3, S_IFREG, &error), 0);
    cr_assert_eq(xattrs_add(&xattrs, "user.x", "2", 1, S_IFREG, &error), 0);
    uint32_t n_bytes;
    cr_assert_eq(xattrs_area_bytes(&xattrs, &n_bytes, &error), 0);
    cr_assert_eq(n_bytes, 12 + 8);
    uint8_t area[20];
    xattrs_write(&xattrs, area);
    cr_assert_eq(memcmp(area + 12, "\1\1\1\0x2\0\0", 8), 0);
}

Test(xattrs, an_opaque_mark_is_added_behind)
{
    uint8_t area[BH_EROFS_XATTR_AREA_MAX];
    uint32_t n_bytes = xattrs_copy_opaque(NULL, 0, area);
    cr_assert_eq(n_bytes, 12 + 20);
    cr_assert_eq(memcmp(area + 12, "\x0e\4\1\0overlay.opaquey", 19), 0);
    uint8_t more[128];
    cr_assert_eq(xattrs_copy_opaque(area, n_bytes, more), n_bytes + 20);
}

Test(xattrs, too_much_is_refused)
{
    static char value[70000], name[300];
    cr_assert_eq(xattrs_add(&xattrs, "user.x", value, 65536, S_IFREG, &error), -1);
    memset(name, 'n', 299);
    memcpy(name, "user.", 5);
    cr_assert_eq(xattrs_add(&xattrs, name, value, 1, S_IFREG, &error), -1);
    cr_assert_eq(xattrs_add(&xattrs, "user.a", value, 65000, S_IFREG, &error), 0);
    cr_assert_eq(xattrs_add(&xattrs, "user.b", value, 1000, S_IFREG, &error), 0);
    uint32_t n_bytes;
    cr_assert_eq(xattrs_area_bytes(&xattrs, &n_bytes, &error), -1);
    cr_assert_eq(error.code, BH_INVALID_ARGUMENT);
}

Test(siphash, is_siphash_1_3)
{
    /* Key 00..0f, messages of 0 and 8 bytes 00..07: values of the Rust standard library's test. */
    static const uint64_t key[2] = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
    static const uint8_t bytes[] = {0, 1, 2, 3, 4, 5, 6, 7};
    cr_assert_eq(siphash(key, bytes, 0), 0xabac0158050fc4dc);
    cr_assert_neq(siphash(key, bytes, 8), siphash(key, bytes, 7));
}
