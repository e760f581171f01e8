/* SPDX-License-Identifier: Apache-2.0
 *
 * Archives made to do harm. Each is refused with an error that names what is wrong, or becomes something harmless;
 * the worker never crashes, and the next honest job succeeds.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "image.h"
#include "job.h"
#include "tar_builder.h"

static struct extractor extractor;
static struct tar tar;

static void start(void)
{
    extractor_start(&extractor);
}

/* Every test ends with an honest layer: whatever came before did not hurt the service. */
static void stop(void)
{
    struct tar honest = {0};
    struct extracted result;
    int image_fd;
    tar_put(&honest, .name = "honest", .content = "1", .size = 1);
    tar_end(&honest);
    cr_assert_eq(extractor_layer(&extractor, honest.bytes, honest.n_bytes, &image_fd, &result), BH_OK);
    cr_assert(image_is_sound(image_fd));
    bh_close(&image_fd);
    tar_free(&honest);
    tar_free(&tar);
    extractor_stop(&extractor);
}

static enum bh_code extract(void)
{
    struct extracted result;
    int image_fd;
    tar_end(&tar);
    enum bh_code code = extractor_layer(&extractor, tar.bytes, tar.n_bytes, &image_fd, &result);
    cr_assert(code != BH_OK || image_is_sound(image_fd));
    bh_close(&image_fd);
    return code;
}

static void refused(enum bh_code code, const char *words)
{
    cr_assert_eq(extract(), code);
    cr_assert(extractor_said(&extractor, words));
}

TestSuite(extractor_hostile_archives, .init = start, .fini = stop, .timeout = 300);

Test(extractor_hostile_archives, names_that_lead_out_are_refused)
{
    tar_put(&tar, .name = "../../etc/cron.d/evil");
    refused(BH_INVALID_ARGUMENT, "../../etc/cron.d/evil");
}

Test(extractor_hostile_archives, names_that_lead_out_in_the_middle_are_refused)
{
    tar_put(&tar, .name = "a/../../b");
    refused(BH_INVALID_ARGUMENT, "a/../../b");
}

Test(extractor_hostile_archives, absolute_symlink_then_write_through_it_stays_inside)
{
    tar_put(&tar, .name = "escape", .type = '2', .link = "/tmp");
    tar_put(&tar, .name = "escape/bh-canary-of-the-extractor", .content = "x", .size = 1);
    cr_assert_eq(extract(), BH_OK);
    cr_assert_neq(access("/tmp/bh-canary-of-the-extractor", F_OK), 0);
}

Test(extractor_hostile_archives, links_in_a_circle_are_refused)
{
    tar_put(&tar, .name = "a", .type = '2', .link = "b");
    tar_put(&tar, .name = "b", .type = '2', .link = "a");
    tar_put(&tar, .name = "a/x");
    refused(BH_INVALID_ARGUMENT, "too many symbolic links");
}

Test(extractor_hostile_archives, hard_link_outside_the_layer_is_refused)
{
    tar_put(&tar, .name = "shadow", .type = '1', .link = "/etc/shadow");
    refused(BH_INVALID_ARGUMENT, "etc/shadow");
}

Test(extractor_hostile_archives, hard_link_that_leads_out_is_refused)
{
    tar_put(&tar, .name = "shadow", .type = '1', .link = "../../etc/shadow");
    refused(BH_INVALID_ARGUMENT, "shadow");
}

Test(extractor_hostile_archives, hard_link_to_a_directory_is_refused)
{
    tar_put(&tar, .name = "d/", .type = '5');
    tar_put(&tar, .name = "d/loop", .type = '1', .link = "d");
    refused(BH_INVALID_ARGUMENT, "directory");
}

Test(extractor_hostile_archives, hard_link_that_replaces_the_directory_of_its_target)
{
    tar_put(&tar, .name = "d/e/f", .content = "x", .size = 1);
    tar_put(&tar, .name = "d", .type = '1', .link = "d/e/f");
    cr_assert_eq(extract(), BH_OK);
}

Test(extractor_hostile_archives, file_replaced_by_a_symlink_and_back)
{
    for (int i = 0; i < 1000; i++) {
        tar_put(&tar, .name = "x", .type = '2', .link = "/etc");
        tar_put(&tar, .name = "x", .content = "x", .size = 1);
        tar_put(&tar, .name = "x/", .type = '5');
        tar_put(&tar, .name = "x/y/z");
    }
    cr_assert_eq(extract(), BH_OK);
}

Test(extractor_hostile_archives, a_file_is_no_directory)
{
    tar_put(&tar, .name = "f", .content = "x", .size = 1);
    tar_put(&tar, .name = "f/g");
    refused(BH_INVALID_ARGUMENT, "no directory");
}

Test(extractor_hostile_archives, whiteouts_of_nothing_are_refused)
{
    static const char *const names[] = {".wh.", "a/.wh..", "a/.wh...", ".wh..wh.x", ".wh.d/x"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        tar_put(&tar, .name = names[i]);
        refused(BH_INVALID_ARGUMENT, "whiteout");
        tar_free(&tar);
    }
}

Test(extractor_hostile_archives, names_beyond_the_limits_of_linux_are_refused)
{
    char name[6000];
    memset(name, 'a', sizeof(name));
    name[256] = '\0';
    tar_pax(&tar, "path", name, NULL);
    tar_put(&tar, .name = "x");
    refused(BH_INVALID_ARGUMENT, "component");
    tar_free(&tar);
    for (int i = 0; i < 4200; i++) {
        name[i] = i % 100 == 99 ? '/' : 'a';
    }
    name[4200] = '\0';
    tar_pax(&tar, "path", name, NULL);
    tar_put(&tar, .name = "x");
    refused(BH_INVALID_ARGUMENT, "4095");
}

Test(extractor_hostile_archives, depth_of_a_hundred_thousand_is_refused)
{
    /* Each link leads 1,900 levels deeper; the directories behind it go on from there. */
    static char path[200010];
    for (int i = 0; i < 100000; i++) {
        path[2 * i] = 'd';
        path[2 * i + 1] = '/';
    }
    path[200000] = '\0';
    tar_pax(&tar, "path", path, NULL);
    tar_put(&tar, .name = "x", .type = '5');
    refused(BH_INVALID_ARGUMENT, "4095");
    tar_free(&tar);
    path[3800] = '\0';
    char link[64] = "";
    for (int i = 0; i < 4; i++) {
        char name[4000], next[32];
        (void)snprintf(name, sizeof(name), "%s%.3900s", link, path);
        tar_pax(&tar, "path", name, NULL);
        tar_put(&tar, .name = "x", .type = '5');
        (void)snprintf(next, sizeof(next), "l%d", i);
        name[strlen(name) - 1] = '\0';
        tar_pax(&tar, "linkpath", name, NULL);
        tar_put(&tar, .name = next, .type = '2', .link = "x");
        (void)snprintf(link, sizeof(link), "l%d/", i);
    }
    refused(BH_INVALID_ARGUMENT, "2048 deep");
}

Test(extractor_hostile_archives, pax_names_with_nul_end_there_or_are_refused)
{
    tar_pax_bytes(&tar, "path", "etc\0/passwd", 11);
    tar_put(&tar, .name = "x");
    enum bh_code code = extract();
    cr_assert(code == BH_OK || code == BH_INVALID_ARGUMENT);
}

Test(extractor_hostile_archives, pax_length_overflow_is_refused)
{
    static const char record[] = "99999999999999999999 path=x\n";
    tar_put(&tar, .name = "PaxHeader", .type = 'x', .content = record, .size = sizeof(record) - 1);
    tar_put(&tar, .name = "x");
    refused(BH_INVALID_ARGUMENT, "tar");
}

Test(extractor_hostile_archives, gnu_long_name_of_a_gigabyte_is_refused)
{
    tar_put(&tar, .name = "././@LongLink", .type = 'L', .raw_size = "10000000000\0");
    refused(BH_INVALID_ARGUMENT, "tar");
}

Test(extractor_hostile_archives, sparse_file_of_eight_exbibytes_is_refused)
{
    char map[512] = "1\n0\n0\n";
    tar_pax(&tar, "GNU.sparse.major", "1", "GNU.sparse.minor", "0", "GNU.sparse.name", "huge", "GNU.sparse.realsize",
            "9223372036854775807", NULL);
    tar_put(&tar, .name = "GNUSparseFile.0/huge", .content = map, .size = sizeof(map));
    refused(BH_RESOURCE_EXHAUSTED, "huge");
}

Test(extractor_hostile_archives, many_sparse_files_count_together)
{
    for (int i = 0; i < 5; i++) {
        char map[512] = "1\n0\n0\n", name[16];
        (void)snprintf(name, sizeof(name), "s%d", i);
        tar_pax(&tar, "GNU.sparse.major", "1", "GNU.sparse.minor", "0", "GNU.sparse.name", name, "GNU.sparse.realsize",
                "17179869184", NULL);
        tar_put(&tar, .name = "GNUSparseFile.0/s", .content = map, .size = sizeof(map));
    }
    refused(BH_RESOURCE_EXHAUSTED, "s4");
}

Test(extractor_hostile_archives, sparse_maps_out_of_order_are_refused)
{
    char content[1024] = "2\n4096\n5\n0\n5\n";
    tar_pax(&tar, "GNU.sparse.major", "1", "GNU.sparse.minor", "0", "GNU.sparse.name", "s", "GNU.sparse.realsize",
            "8192", NULL);
    tar_put(&tar, .name = "GNUSparseFile.0/s", .content = content, .size = 522);
    cr_assert_eq(extract(), BH_INVALID_ARGUMENT);
}

Test(extractor_hostile_archives, size_beyond_the_stream_is_refused)
{
    tar_put(&tar, .name = "short", .raw_size = "77777777777\0");
    cr_assert_neq(extract(), BH_OK);
    cr_assert(extractor_said(&extractor, "tar") || extractor_said(&extractor, "short"));
}

Test(extractor_hostile_archives, bad_checksum_is_refused)
{
    tar_put(&tar, .name = "good");
    tar_put(&tar, .name = "bad", .bad_checksum = 1);
    refused(BH_INVALID_ARGUMENT, "behind entry 1");
}

Test(extractor_hostile_archives, truncated_is_refused)
{
    struct extracted result;
    int image_fd;
    char content[5000] = "x";
    tar_put(&tar, .name = "file", .content = content, .size = sizeof(content));
    cr_assert_neq(extractor_layer(&extractor, tar.bytes, 2000, &image_fd, &result), BH_OK);
    bh_close(&image_fd);
}

Test(extractor_hostile_archives, ids_that_are_none_are_refused)
{
    tar_pax(&tar, "uid", "4294967295", NULL);
    tar_put(&tar, .name = "a");
    refused(BH_INVALID_ARGUMENT, "4294967295");
    tar_free(&tar);
    tar_put(&tar, .name = "b", .raw_uid = "\xff\xff\xff\xff\xff\xff\xff\xfe"); /* -2 in base 256 */
    enum bh_code code = extract();
    cr_assert_eq(code, BH_INVALID_ARGUMENT);
    tar_free(&tar);
    tar_pax(&tar, "gid", "18446744073709551617", NULL);
    tar_put(&tar, .name = "c");
    refused(BH_INVALID_ARGUMENT, "\"c\"");
}

Test(extractor_hostile_archives, times_beyond_64_bits_are_refused)
{
    tar_pax(&tar, "mtime", "99999999999999999999999", NULL);
    tar_put(&tar, .name = "late");
    refused(BH_INVALID_ARGUMENT, "modification time");
}

Test(extractor_hostile_archives, attributes_too_large_are_refused)
{
    static char value[70000];
    memset(value, 'v', sizeof(value));
    tar_pax_bytes(&tar, "SCHILY.xattr.user.big", value, sizeof(value));
    tar_put(&tar, .name = "a");
    refused(BH_INVALID_ARGUMENT, "user.big");
    tar_free(&tar);
    tar_pax_bytes(&tar, "SCHILY.xattr.system.posix_acl_access", "nonsense", 8);
    tar_put(&tar, .name = "b");
    refused(BH_INVALID_ARGUMENT, "no ACL");
}

Test(extractor_hostile_archives, a_symlink_to_nothing_or_too_far_is_refused)
{
    char target[5000];
    memset(target, 't', sizeof(target));
    target[4999] = '\0';
    tar_pax(&tar, "linkpath", target, NULL);
    tar_put(&tar, .name = "l", .type = '2', .link = "x");
    refused(BH_INVALID_ARGUMENT, "4095");
    tar_free(&tar);
    tar_put(&tar, .name = "empty", .type = '2');
    refused(BH_INVALID_ARGUMENT, "symbolic link");
}

Test(extractor_hostile_archives, what_is_no_archive_is_refused)
{
    struct extracted result;
    int image_fd;
    static const char text[] = "GET / HTTP/1.1\r\n\r\n";
    char noise[4096];
    memset(noise, 'n', sizeof(noise));
    cr_assert_eq(extractor_layer(&extractor, text, sizeof(text), &image_fd, &result), BH_INVALID_ARGUMENT);
    bh_close(&image_fd);
    cr_assert_eq(extractor_layer(&extractor, noise, sizeof(noise), &image_fd, &result), BH_INVALID_ARGUMENT);
    bh_close(&image_fd);
}

Test(extractor_hostile_archives, more_links_than_an_inode_can_count_are_refused)
{
    tar_put(&tar, .name = "f");
    for (int i = 0; i < 65535; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "l/%d", i);
        tar_put(&tar, .name = name, .type = '1', .link = "f");
    }
    refused(BH_INVALID_ARGUMENT, "65535 links");
}

Test(extractor_hostile_archives, devices_that_no_kernel_has_are_refused)
{
    tar_put(&tar, .name = "dev/far", .type = '3', .major = 4096, .minor = 1);
    refused(BH_INVALID_ARGUMENT, "device 4096:1 does not exist");
    tar_free(&tar);
    tar = (struct tar){0};
    tar_put(&tar, .name = "dev/far", .type = '4', .major = 1, .minor = 1048576);
    refused(BH_INVALID_ARGUMENT, "device 1:1048576 does not exist");
    tar_free(&tar);
    tar = (struct tar){0};
    tar_put(&tar, .name = "dev/last", .type = '4', .major = 4095, .minor = 1048575);
    cr_assert_eq(extract(), BH_OK, "the last of them");
}

Test(extractor_hostile_archives, an_entry_without_a_name_is_refused)
{
    tar_put(&tar, .name = "");
    refused(BH_INVALID_ARGUMENT, "has no name");
}
