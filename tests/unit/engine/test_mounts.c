/* SPDX-License-Identifier: Apache-2.0
 *
 * The pure parts of a container's mounts: --volumes-from, places, order, paths that an image names.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "services/engine/mounts.h"

static struct bh_error error;

Test(mounts, volumes_from)
{
    char name[BH_NAME_BYTES_MAX + 1];
    bool read_only;
    cr_assert_eq(mounts_read_from("other", name, &read_only, &error), 0);
    cr_assert(strcmp(name, "other") == 0 && !read_only);
    cr_assert_eq(mounts_read_from("other:ro", name, &read_only, &error), 0);
    cr_assert(strcmp(name, "other") == 0 && read_only);
    cr_assert_eq(mounts_read_from("other:z", name, &read_only, &error), 0);
    cr_assert_eq(mounts_read_from("other:rslave", name, &read_only, &error), -1);
    cr_assert_eq(mounts_read_from("other:", name, &read_only, &error), -1);
    cr_assert_eq(mounts_read_from("", name, &read_only, &error), -1);
    cr_assert_eq(mounts_read_from(":ro", name, &read_only, &error), -1);
}

static Bulkhead__ContainerSpec *new_spec(void)
{
    Bulkhead__ContainerSpec *spec = malloc(sizeof *spec);
    bulkhead__container_spec__init(spec);
    return spec;
}

static void put(Bulkhead__ContainerSpec *spec, const char *target, const char *source)
{
    Bulkhead__Mount mount = BULKHEAD__MOUNT__INIT;
    mount.kind = BULKHEAD__MOUNT_KIND__MOUNT_KIND_BIND;
    mount.target = (char *)(uintptr_t)target;
    mount.source = (char *)(uintptr_t)source;
    cr_assert_eq(mounts_put(spec, &mount, &error), 0);
}

Test(mounts, a_later_one_takes_the_place_of_an_earlier_one)
{
    Bulkhead__ContainerSpec *spec = new_spec();
    put(spec, "/a", "/1");
    put(spec, "/b", "/2");
    put(spec, "/a", "/3");
    cr_assert_eq(spec->n_mounts, 2);
    cr_assert_str_eq(spec->mounts[0]->source, "/3");
    bulkhead__container_spec__free_unpacked(spec, NULL);
}

Test(mounts, folders_come_before_what_lies_in_them)
{
    Bulkhead__ContainerSpec *spec = new_spec();
    put(spec, "/a/b/c", "/1");
    put(spec, "/z", "/2");
    put(spec, "/a/b", "/3");
    put(spec, "/a", "/4");
    mounts_sort(spec);
    static const char *const wanted[] = {"/2", "/4", "/3", "/1"};
    for (size_t i = 0; i < 4; i++) {
        cr_expect_str_eq(spec->mounts[i]->source, wanted[i]);
    }
    bulkhead__container_spec__free_unpacked(spec, NULL);
}

Test(mounts, there_is_a_limit)
{
    Bulkhead__ContainerSpec *spec = new_spec();
    char target[16];
    for (int i = 0; i < BH_MOUNTS_MAX; i++) {
        snprintf(target, sizeof target, "/m%d", i);
        put(spec, target, "/x");
    }
    Bulkhead__Mount mount = BULKHEAD__MOUNT__INIT;
    mount.target = (char *)(uintptr_t) "/more";
    cr_assert_eq(mounts_put(spec, &mount, &error), -1);
    put(spec, "/m0", "/y"); /* a place that is taken already */
    bulkhead__container_spec__free_unpacked(spec, NULL);
}

Test(mounts, what_an_image_may_name)
{
    static const struct {
        const char *text, *path; /* NULL: refused */
    } rows[] = {
        {"/data", "/data"},
        {"/data/", "/data"},
        {"data", "/data"},
        {"/a//b/./c", "/a/b/c"},
        {"/a/../b", NULL},
        {"..", NULL},
        {"/", NULL},
        {"", NULL},
        {"/proc", NULL},
        {"/proc/sys", NULL},
        {"/process", "/process"},
    };
    char path[BH_PATH_BYTES_MAX + 1];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int result = mounts_clean_target(rows[i].text, path, &error);
        cr_expect_eq(result, rows[i].path ? 0 : -1, "%s", rows[i].text);
        if (result == 0) {
            cr_expect_str_eq(path, rows[i].path);
        }
    }
    char *long_path = malloc(5002);
    memset(long_path, 'x', 5000);
    long_path[0] = '/';
    long_path[5001] = long_path[5000] = 0;
    cr_expect_eq(mounts_clean_target(long_path, path, &error), -1);
    free(long_path);
}
