/* SPDX-License-Identifier: Apache-2.0
 *
 * What honest layers must become: names, types, owners, times, attributes, links, whiteouts. Archives are made field
 * by field, images are judged by the store's check, fsck.erofs and the kernel.
 */
#include <criterion/criterion.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "image.h"
#include "job.h"
#include "tar_builder.h"

static struct extractor extractor;
static struct tar tar;
static struct mounted mounted;
static int image_fd = -1;

static void start(void)
{
    extractor_start(&extractor);
}

static void stop(void)
{
    tar_free(&tar);
    bh_close(&image_fd);
    extractor_stop(&extractor);
}

/* Extracts what `tar` holds and mounts the result. */
static struct extracted extract(void)
{
    struct extracted result;
    tar_end(&tar);
    enum bh_code code = extractor_layer(&extractor, tar.bytes, tar.n_bytes, &image_fd, &result);
    cr_assert_eq(code, BH_OK, "%s", extractor.error.message);
    struct bh_digest diff_id;
    cr_assert_eq(bh_digest_of(tar.bytes, tar.n_bytes, &diff_id, NULL), 0);
    cr_assert(bh_digest_equal(&diff_id, &result.diff_id));
    cr_assert_eq(result.uncompressed_bytes, tar.n_bytes);
    cr_assert(image_is_sound(image_fd));
    image_mount(image_fd, &mounted);
    return result;
}

static void done(void)
{
    image_unmount(&mounted);
}

TestSuite(extractor_layers, .init = start, .fini = stop, .timeout = 120);

Test(extractor_layers, an_empty_layer_is_an_empty_root)
{
    cr_assert_eq(extract().entries, 0);
    struct stat status;
    cr_assert(image_stat(&mounted, ".", &status));
    cr_assert_eq(status.st_mode, S_IFDIR | 0755);
    done();
}

Test(extractor_layers, no_byte_at_all_is_an_empty_layer_too)
{
    struct extracted result;
    cr_assert_eq(extractor_layer(&extractor, "", 0, &image_fd, &result), BH_OK, "%s", extractor.error.message);
    cr_assert(image_is_sound(image_fd));
}

Test(extractor_layers, every_property_of_an_entry_arrives)
{
    tar_pax(&tar, "mtime", "1417000000.123456789", NULL);
    tar_put(&tar, .name = "file", .mode = 04755, .uid = 65534, .gid = 7, .content = "hello", .size = 5);
    tar_put(&tar, .name = "old", .mtime = -5);
    tar_put(&tar, .name = "tmp/", .type = '5', .mode = 01777);
    tar_put(&tar, .name = "group/", .type = '5', .mode = 02775);
    tar_put(&tar, .name = "null", .type = '3', .major = 1, .minor = 3);
    tar_put(&tar, .name = "disk", .type = '4', .major = 259, .minor = 300000);
    tar_put(&tar, .name = "fifo", .type = '6');
    tar_put(&tar, .name = "link", .type = '2', .link = "/absolute/and/dangling");
    tar_pax(&tar, "uid", "4294967294", "gid", "4294967294", NULL);
    tar_put(&tar, .name = "high");
    extract();
    struct stat status;
    cr_assert(image_stat(&mounted, "file", &status));
    cr_assert(status.st_mode == (S_IFREG | 04755) && status.st_uid == 65534 && status.st_gid == 7);
    cr_assert(status.st_mtim.tv_sec == 1417000000 && status.st_mtim.tv_nsec == 123456789);
    cr_assert(image_file_is(&mounted, "file", "hello"));
    cr_assert(image_stat(&mounted, "old", &status) && status.st_mtim.tv_sec == -5);
    cr_assert(image_stat(&mounted, "tmp", &status) && status.st_mode == (S_IFDIR | 01777));
    cr_assert(image_stat(&mounted, "group", &status) && status.st_mode == (S_IFDIR | 02775));
    cr_assert(image_stat(&mounted, "null", &status) && S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3));
    cr_assert(image_stat(&mounted, "disk", &status) && S_ISBLK(status.st_mode) &&
              status.st_rdev == makedev(259, 300000));
    cr_assert(image_stat(&mounted, "fifo", &status) && S_ISFIFO(status.st_mode));
    cr_assert(image_link_is(&mounted, "link", "/absolute/and/dangling"));
    cr_assert(image_stat(&mounted, "high", &status) && status.st_uid == 4294967294 && status.st_gid == 4294967294);
    done();
}

Test(extractor_layers, names_are_bytes)
{
    const char *names[] = {"with\nnewline",
                           "with\033escape",
                           "bad\xff\xfeutf8",
                           "caf\xc3\xa9",
                           "cafe\xcc\x81",
                           "-x",
                           "!",
                           ".-",
                           "...",
                           "..x",
                           ".a",
                           "~"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        tar_put(&tar, .name = names[i]);
        char pax[64];
        (void)snprintf(pax, sizeof(pax), "pax/%s", names[i]);
        tar_pax(&tar, "path", pax, NULL);
        tar_put(&tar, .name = "fallback");
    }
    extract();
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char pax[64];
        (void)snprintf(pax, sizeof(pax), "pax/%s", names[i]);
        cr_assert(image_has(&mounted, names[i]), "%s", names[i]);
        cr_assert(image_has(&mounted, pax), "%s", pax);
    }
    cr_assert_not(image_has(&mounted, "fallback"));
    done();
}

Test(extractor_layers, missing_parents_are_made_and_directories_may_come_again)
{
    tar_put(&tar, .name = "./usr/share/doc/readme", .content = "x", .size = 1);
    tar_put(&tar, .name = "usr/share/", .type = '5', .mode = 0700, .uid = 3);
    tar_put(&tar, .name = "/usr/share/", .type = '5', .mode = 0711, .uid = 4);
    tar_put(&tar, .name = "./", .type = '5', .mode = 0750);
    extract();
    struct stat status;
    cr_assert(image_file_is(&mounted, "usr/share/doc/readme", "x"));
    cr_assert(image_stat(&mounted, "usr/share/doc", &status) && status.st_mode == (S_IFDIR | 0755));
    cr_assert(image_stat(&mounted, "usr/share", &status) && status.st_mode == (S_IFDIR | 0711) && status.st_uid == 4);
    cr_assert(image_stat(&mounted, ".", &status) && status.st_mode == (S_IFDIR | 0750));
    done();
}

Test(extractor_layers, later_entries_replace_earlier_ones_of_any_type)
{
    tar_put(&tar, .name = "a", .content = "first", .size = 5);
    tar_put(&tar, .name = "a", .content = "second", .size = 6);
    tar_put(&tar, .name = "b/c/d", .content = "x", .size = 1);
    tar_put(&tar, .name = "b", .type = '2', .link = "a");
    tar_put(&tar, .name = "e", .type = '2', .link = "/etc");
    tar_put(&tar, .name = "e/", .type = '5');
    tar_put(&tar, .name = "e/f");
    extract();
    cr_assert(image_file_is(&mounted, "a", "second"));
    cr_assert(image_link_is(&mounted, "b", "a"));
    cr_assert(image_has(&mounted, "e/f"));
    cr_assert_not(image_has(&mounted, "etc"));
    done();
}

Test(extractor_layers, hard_links_share_their_inode)
{
    tar_put(&tar, .name = "usr/bin/perl", .content = "#!", .size = 2);
    tar_put(&tar, .name = "usr/bin/perl5", .type = '1', .link = "/usr/bin/perl");
    tar_put(&tar, .name = "opt/perl", .type = '1', .link = "./usr/bin/../bin/perl5");
    tar_put(&tar, .name = "lib", .type = '2', .link = "usr/lib");
    tar_put(&tar, .name = "usr/lib/so", .content = "so", .size = 2);
    tar_put(&tar, .name = "so2", .type = '1', .link = "lib/so");                /* through a link of the same layer */
    tar_put(&tar, .name = "usr/bin/perl", .type = '1', .link = "usr/bin/perl"); /* to itself: nothing happens */
    extract();
    struct stat a, b;
    cr_assert(image_stat(&mounted, "usr/bin/perl", &a) && image_stat(&mounted, "opt/perl", &b));
    cr_assert(a.st_ino == b.st_ino && a.st_nlink == 3);
    cr_assert(image_file_is(&mounted, "so2", "so"));
    done();
}

Test(extractor_layers, links_in_the_middle_of_names_lead_inside_the_layer_only)
{
    tar_put(&tar, .name = "var/run", .type = '2', .link = "/run");
    tar_put(&tar, .name = "var/run/pid", .content = "1", .size = 1);
    tar_put(&tar, .name = "up", .type = '2', .link = "../../../../etc");
    tar_put(&tar, .name = "up/passwd", .content = "root", .size = 4);
    extract();
    cr_assert(image_link_is(&mounted, "var/run", "/run"));
    cr_assert(image_file_is(&mounted, "run/pid", "1"));
    cr_assert(image_file_is(&mounted, "etc/passwd", "root"));
    done();
}

Test(extractor_layers, whiteouts_take_the_form_that_overlayfs_knows)
{
    tar_put(&tar, .name = "etc/.wh.gone");
    tar_put(&tar, .name = "var/cache/.wh..wh..opq");
    tar_put(&tar, .name = "var/cache/new", .content = "n", .size = 1);
    tar_put(&tar, .name = ".wh.dir");
    tar_put(&tar, .name = "dir/", .type = '5'); /* hidden and made again: it shows nothing from below */
    tar_put(&tar, .name = "dir/x");
    tar_put(&tar, .name = "kept");
    tar_put(&tar, .name = ".wh.kept"); /* about lower layers: what this layer has stays */
    tar_put(&tar, .name = ".wh..wh.plnk/12.3");
    extract();
    cr_assert(image_is_whiteout(&mounted, "etc/gone"));
    cr_assert(image_is_opaque(&mounted, "var/cache"));
    cr_assert(image_file_is(&mounted, "var/cache/new", "n"));
    cr_assert(image_is_opaque(&mounted, "dir"));
    cr_assert(image_has(&mounted, "dir/x"));
    cr_assert(image_has(&mounted, "kept") && !image_is_whiteout(&mounted, "kept"));
    cr_assert_not(image_has(&mounted, ".wh..wh.plnk"));
    cr_assert_not(image_has(&mounted, "etc/.wh.gone"));
    done();
}

Test(extractor_layers, an_opaque_root_is_marked)
{
    tar_put(&tar, .name = ".wh..wh..opq");
    extract();
    cr_assert(image_is_opaque(&mounted, "."));
    done();
}

Test(extractor_layers, attributes_that_mean_something_survive_and_overlays_own_do_not)
{
    static const unsigned char capability[20] = {1, 0, 0, 2, 0, 0x20}; /* version 2, effective, cap_net_raw */
    static const unsigned char acl[] = {2, 0, 0,    0,    1,    0,    7,    0, 0xff, 0xff, 0xff, 0xff, 4,    0,
                                        5, 0, 0xff, 0xff, 0xff, 0xff, 0x20, 0, 5,    0,    0xff, 0xff, 0xff, 0xff};
    tar_pax_bytes(&tar, "SCHILY.xattr.security.capability", capability, sizeof(capability));
    tar_put(&tar, .name = "ping", .mode = 0755, .content = "p", .size = 1);
    tar_pax(&tar, "SCHILY.xattr.user.note", "hello", "SCHILY.xattr.trusted.overlay.redirect", "/etc",
            "SCHILY.xattr.trusted.overlay.opaque", "y", "SCHILY.xattr.user.overlay.opaque", "y",
            "SCHILY.xattr.security.selinux", "x", NULL);
    tar_put(&tar, .name = "dir/", .type = '5');
    tar_pax_bytes(&tar, "SCHILY.xattr.system.posix_acl_access", acl, sizeof(acl));
    tar_put(&tar, .name = "listed", .mode = 0755);
    extract();
    char value[64];
    cr_assert_eq(image_xattr(&mounted, "ping", "security.capability", value, sizeof(value)), 20);
    cr_assert_eq(memcmp(value, capability, sizeof(capability)), 0);
    cr_assert_eq(image_xattr(&mounted, "dir", "user.note", value, sizeof(value)), 5);
    cr_assert_eq(image_xattr(&mounted, "dir", "trusted.overlay.redirect", value, sizeof(value)), -1);
    cr_assert_eq(image_xattr(&mounted, "dir", "user.overlay.opaque", value, sizeof(value)), -1);
    cr_assert_eq(image_xattr(&mounted, "dir", "security.selinux", value, sizeof(value)), -1);
    cr_assert_not(image_is_opaque(&mounted, "dir"));
    done();
}

Test(extractor_layers, lists_of_rights_in_words_become_the_kernels)
{
    static const unsigned char expected[] = {
        2,    0,    0,    0,    1,    0, 7, 0, 0xff, 0xff, 0xff, 0xff, 2,    0, 6, 0, 0xe8, 3,    0,    0,   4, 0, 5, 0,
        0xff, 0xff, 0xff, 0xff, 0x10, 0, 7, 0, 0xff, 0xff, 0xff, 0xff, 0x20, 0, 5, 0, 0xff, 0xff, 0xff, 0xff};
    tar_pax(&tar, "SCHILY.acl.access", "user::rwx,user:joe:rw-:1000,group::r-x,mask::rwx,other::r-x", NULL);
    tar_put(&tar, .name = "known", .mode = 0775);
    tar_pax(&tar, "SCHILY.acl.access", "user::rwx,user:joe:rw-,group::r-x,mask::rwx,other::r-x", NULL);
    tar_put(&tar, .name = "unknown", .mode = 0775); /* "joe" is somebody on another host */
    extract();
    unsigned char value[64];
    cr_assert_eq(image_xattr(&mounted, "known", "system.posix_acl_access", value, sizeof(value)), sizeof(expected));
    cr_assert_eq(memcmp(value, expected, sizeof(expected)), 0);
    cr_assert_eq(image_xattr(&mounted, "unknown", "system.posix_acl_access", value, sizeof(value)), -1);
    done();
}

Test(extractor_layers, device_zero_from_an_archive_hides_nothing)
{
    tar_put(&tar, .name = "etc/passwd", .type = '3', .major = 0, .minor = 0);
    tar_put(&tar, .name = "dev/zero", .type = '3', .major = 1, .minor = 5);
    extract();
    cr_assert_not(image_has(&mounted, "etc/passwd"));
    cr_assert(image_has(&mounted, "dev/zero"));
    done();
}

Test(extractor_layers, sparse_files_have_their_whole_size)
{
    /* PAX "GNU sparse 1.0": the map stands before the data. 5 bytes at 10 MiB, 11 MiB in all. */
    char map[512] = "1\n10485760\n5\n";
    char content[517];
    memcpy(content, map, 512);
    memcpy(content + 512, "after", 5);
    tar_pax(&tar, "GNU.sparse.major", "1", "GNU.sparse.minor", "0", "GNU.sparse.name", "sparse", "GNU.sparse.realsize",
            "11534336", NULL);
    tar_put(&tar, .name = "GNUSparseFile.0/sparse", .content = content, .size = sizeof(content));
    tar_put(&tar, .name = "next", .content = "n", .size = 1);
    extract();
    struct stat status, image;
    cr_assert(image_stat(&mounted, "sparse", &status) && status.st_size == 11534336);
    char path[64], read_back[8] = "";
    (void)snprintf(path, sizeof(path), "%s/sparse", mounted.folder);
    FILE *file = fopen(path, "r");
    cr_assert(file && fseek(file, 10485758, SEEK_SET) == 0 && fread(read_back, 1, 8, file) == 8);
    fclose(file);
    cr_assert_eq(memcmp(read_back, "\0\0after\0", 8), 0);
    cr_assert(image_file_is(&mounted, "next", "n"));
    cr_assert(fstat(image_fd, &image) == 0 && image.st_blocks * 512 < 1024 * 1024, "holes take no room");
    done();
}

Test(extractor_layers, ten_thousand_names_in_one_directory)
{
    for (int i = 0; i < 10000; i++) {
        char name[80];
        (void)snprintf(name, sizeof(name), "many/%d-%s", i,
                       i % 3 ? "short" : "a-name-that-is-somewhat-longer-than-others");
        tar_put(&tar, .name = name, .content = name, .size = strlen(name));
    }
    cr_assert_eq(extract().entries, 10000);
    for (int i = 0; i < 10000; i += 97) {
        char name[80];
        (void)snprintf(name, sizeof(name), "many/%d-%s", i,
                       i % 3 ? "short" : "a-name-that-is-somewhat-longer-than-others");
        cr_assert(image_file_is(&mounted, name, name));
    }
    done();
}

Test(extractor_layers, what_follows_the_archive_is_part_of_the_diff_id)
{
    tar_put(&tar, .name = "f");
    tar_end(&tar);
    tar_raw(&tar, "trailing garbage", 16);
    extract(); /* compares the digest with that of all bytes */
    cr_assert(image_has(&mounted, "f"));
    done();
}
