/* SPDX-License-Identifier: Apache-2.0
 *
 * Options of the local volume driver.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "services/engine/volume_options.h"

static Bulkhead__KeyValue pairs[4];
static Bulkhead__KeyValue *options[4];
static struct volume_plan plan;
static struct bh_error error;

/* Reads options given as key, value, ..., NULL. */
static int read_options(const char *const *words)
{
    size_t n = 0;
    for (; words[2 * n]; n++) {
        bulkhead__key_value__init(&pairs[n]);
        pairs[n].key = (char *)(uintptr_t)words[2 * n];
        pairs[n].value = (char *)(uintptr_t)words[2 * n + 1];
        options[n] = &pairs[n];
    }
    memset(&error, 0, sizeof error);
    return volume_options_read(options, n, &plan, &error);
}
#define READ(...) read_options((const char *const[]){__VA_ARGS__, NULL})

Test(volume_options, nothing_is_a_folder)
{
    cr_assert_eq(volume_options_read(NULL, 0, &plan, &error), 0);
    cr_assert_eq(plan.kind, BULKHEAD__VOLUME_KIND__VOLUME_KIND_FOLDER);
    cr_assert_str_eq(plan.source, "");
}

Test(volume_options, a_size_is_a_disk)
{
    cr_assert_eq(READ("size", "1.g"), -1);
    cr_assert_eq(READ("size", "2g"), 0);
    cr_assert_eq(plan.kind, BULKHEAD__VOLUME_KIND__VOLUME_KIND_DISK);
    cr_assert_eq(plan.size_bytes, 2ULL << 30);
    cr_assert_eq(READ("size", "1023k"), -1);
    cr_assert(strstr(error.message, "size=1023k"));
    cr_assert_eq(READ("size", "17t"), -1);
    cr_assert_eq(READ("size", "99999999999999999999"), -1);
    cr_assert_eq(READ("size", "1g", "type", "tmpfs", "device", "tmpfs"), -1);
}

Test(volume_options, tmpfs)
{
    cr_assert_eq(READ("type", "tmpfs", "device", "tmpfs", "o", "size=1m,uid=1000,gid=5,mode=700,ro,noexec"), 0);
    cr_assert_eq(plan.kind, BULKHEAD__VOLUME_KIND__VOLUME_KIND_TMPFS);
    cr_assert_eq(plan.tmpfs_bytes, 1 << 20);
    cr_assert(plan.tmpfs_uid == 1000 && plan.tmpfs_gid == 5 && plan.tmpfs_mode == 0700);
    cr_assert(plan.read_only && plan.no_exec && !plan.allow_setuid);
    cr_assert_eq(READ("type", "tmpfs", "device", "tmpfs"), 0);
    cr_assert_eq(plan.tmpfs_mode, 01777);
    static const char *const wrong[] = {"uid=65536",   "uid=-1",        "mode=9", "size=x",
                                        "huge=always", "context=u:r:t", "bind"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        cr_expect_eq(READ("type", "tmpfs", "device", "tmpfs", "o", wrong[i]), -1, "%s", wrong[i]);
        cr_expect(strstr(error.message, wrong[i]), "%s", error.message);
    }
}

Test(volume_options, bind)
{
    cr_assert_eq(READ("type", "none", "device", "/srv/data", "o", "bind,ro"), 0);
    cr_assert_eq(plan.kind, BULKHEAD__VOLUME_KIND__VOLUME_KIND_BIND);
    cr_assert_str_eq(plan.source, "/srv/data");
    cr_assert(plan.read_only && !plan.recursive);
    cr_assert_eq(READ("type", "none", "device", "/srv", "o", "rbind"), 0);
    cr_assert(plan.recursive);
    cr_assert_eq(READ("type", "none", "device", "srv", "o", "bind"), -1);
    cr_assert_eq(READ("type", "none", "device", "/srv"), -1);
    cr_assert_eq(READ("type", "none", "device", "/srv", "o", "bind,uid=0"), -1);
}

Test(volume_options, all_else_is_refused_by_name)
{
    cr_assert_eq(READ("type", "nfs", "device", ":/export", "o", "addr=10.0.0.1"), -1);
    cr_assert_eq(error.code, BH_UNIMPLEMENTED);
    cr_assert(strstr(error.message, "\"nfs\""));
    cr_assert_eq(READ("foo", "bar"), -1);
    cr_assert_str_eq(error.message, "invalid option: \"foo\"");
    cr_assert_eq(READ("type", "tmpfs"), -1);
    cr_assert_str_eq(error.message, "missing required option: \"device\"");
    cr_assert_eq(READ("o", "bind"), -1);
}
