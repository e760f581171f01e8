/* SPDX-License-Identifier: Apache-2.0
 *
 * Promise 5: what a crash leaves in the store's folders is cleaned up, and nothing else is.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "layout.h"

#define HEX_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HEX_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define HEX_C "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"

static char root[32];
static struct layout layout;
static struct bh_error error;

static unsigned int reopen(void)
{
    unsigned int n_removed = 0;
    layout_close(&layout);
    cr_assert(layout_open(root, &layout, &n_removed, &error) == 0);
    return n_removed;
}

static void set_up(void)
{
    (void)snprintf(root, sizeof(root), "/tmp/bh-XXXXXX");
    cr_assert(mkdtemp(root) != NULL);
    layout = (struct layout){-1, -1, -1, -1};
    cr_assert(eq(uint, reopen(), 0));
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)status;
    (void)type;
    (void)place;
    return remove(path);
}

static void tear_down(void)
{
    layout_close(&layout);
    (void)nftw(root, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static void put(const char *path, const void *bytes, size_t n_bytes, mode_t mode)
{
    char whole[256];
    (void)snprintf(whole, sizeof(whole), "%s/%s", root, path);
    int fd = open(whole, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
    cr_assert(fd >= 0);
    cr_assert(write(fd, bytes, n_bytes) == (ssize_t)n_bytes);
    cr_assert(fchmod(fd, mode) == 0);
    close(fd);
}

static bool has(const char *path)
{
    char whole[256];
    (void)snprintf(whole, sizeof(whole), "%s/%s", root, path);
    return access(whole, F_OK) == 0;
}

static struct bh_digest digest(const char *hex)
{
    char text[BH_DIGEST_TEXT_SIZE];
    struct bh_digest result;
    (void)snprintf(text, sizeof(text), "sha256:%s", hex);
    cr_assert(bh_digest_parse(text, &result, &error) == 0);
    return result;
}

static void put_layer(const char *hex, uint64_t image_bytes, mode_t mode)
{
    char path[128];
    uint8_t bytes[LAYER_RECORD_BYTES];
    const struct layer_record record = {.blob = digest(hex), .image_bytes = image_bytes};
    cr_assert(layer_record_encode(&record, bytes, &error) == 0);
    (void)snprintf(path, sizeof(path), "layers/%s.meta", hex);
    put(path, bytes, sizeof(bytes), 0600);
    (void)snprintf(path, sizeof(path), "layers/%s", hex);
    put(path, "1234", 4, mode);
}

TestSuite(layout, .init = set_up, .fini = tear_down);

Test(layout, makes_private_folders)
{
    static const char *const folders[] = {"blobs", "layers", "partial", "ingest"};
    for (size_t i = 0; i < 4; i++) {
        char path[64];
        struct stat status;
        (void)snprintf(path, sizeof(path), "%s/%s", root, folders[i]);
        cr_assert(stat(path, &status) == 0);
        cr_assert(eq(u32, status.st_mode, S_IFDIR | 0700));
    }
}

Test(layout, empties_ingest_and_keeps_what_is_whole)
{
    put("ingest/0000000000000001", "half", 4, 0600);
    put("blobs/" HEX_A, "whole", 5, 0600);
    put("partial/" HEX_B, "begin", 5, 0600);
    put_layer(HEX_A, 4, 0400);
    cr_assert(eq(uint, reopen(), 1));
    cr_assert(not(has("ingest/0000000000000001")));
    cr_assert(has("blobs/" HEX_A));
    cr_assert(has("partial/" HEX_B));
    cr_assert(has("layers/" HEX_A));
    cr_assert(has("layers/" HEX_A ".meta"));
}

Test(layout, removes_partials_nobody_needs)
{
    struct timespec old[2] = {{.tv_sec = time(NULL) - 8 * 24 * 3600}, {.tv_sec = time(NULL) - 8 * 24 * 3600}};
    char path[128];
    put("blobs/" HEX_A, "whole", 5, 0600);
    put("partial/" HEX_A, "who", 3, 0600);
    put("partial/" HEX_B, "old", 3, 0600);
    put("partial/" HEX_C, "", 0, 0600);
    put("partial/not-a-digest", "x", 1, 0600);
    (void)snprintf(path, sizeof(path), "%s/partial/%s", root, HEX_B);
    cr_assert(utimensat(AT_FDCWD, path, old, 0) == 0);
    cr_assert(eq(uint, reopen(), 4));
    cr_assert(has("blobs/" HEX_A));
}

Test(layout, lets_go_of_partials_while_it_runs)
{
    struct timespec old[2] = {{.tv_sec = time(NULL) - 2 * 24 * 3600}, {.tv_sec = time(NULL) - 2 * 24 * 3600}};
    char path[128];
    put("partial/" HEX_A, "new", 3, 0600);
    put("partial/" HEX_B, "old", 3, 0600);
    (void)snprintf(path, sizeof(path), "%s/partial/%s", root, HEX_B);
    cr_assert(utimensat(AT_FDCWD, path, old, 0) == 0);
    cr_assert(layout_expire_partials(&layout, &error) == 0);
    cr_assert(has("partial/" HEX_A));
    cr_assert(not(has("partial/" HEX_B)));
}

Test(layout, removes_layers_that_do_not_fit_their_record)
{
    put_layer(HEX_A, 5, 0400); /* another size */
    put_layer(HEX_B, 4, 0600); /* writable */
    put("layers/" HEX_C, "no record", 9, 0400);
    put("layers/README", "foreign", 7, 0600);
    (void)reopen();
    (void)reopen(); /* records of layers that went with the first */
    cr_assert(not(has("layers/" HEX_A)));
    cr_assert(not(has("layers/" HEX_A ".meta")));
    cr_assert(not(has("layers/" HEX_B)));
    cr_assert(not(has("layers/" HEX_C)));
    cr_assert(has("layers/README"), "what is not ours stays");
}

Test(layout, publishes_without_replacing)
{
    struct bh_digest a = digest(HEX_A);
    struct layout_content content;
    for (int i = 1; i <= 2; i++) {
        struct layout_name name;
        int fd = -1;
        cr_assert(layout_create(&layout, (uint64_t)i, &name, &fd, &error) == 0);
        cr_assert(write(fd, "twice", (size_t)i) == i);
        close(fd);
        cr_assert(layout_publish_blob(&layout, &name, &a, &error) == 0);
        cr_assert(eq(int, name.folder, -1));
    }
    cr_assert(layout_stat(&layout, &a, &content, &error) == 0);
    cr_assert(content.blob);
    cr_assert(eq(u64, content.blob_bytes, 1), "the first stays");
    cr_assert(eq(uint, reopen(), 0));
}

Test(layout, lends_a_partial_to_one_only)
{
    struct bh_digest a = digest(HEX_A);
    struct layout_name name;
    int first = -1;
    int second = -1;
    uint64_t n_bytes = 0;
    put("partial/" HEX_A, "begin", 5, 0600);
    cr_assert(layout_create_partial(&layout, &a, 100, &name, &first, &n_bytes, &error) == 0);
    cr_assert(eq(u64, n_bytes, 5));
    cr_assert(layout_create_partial(&layout, &a, 100, &name, &second, &n_bytes, &error) < 0);
    cr_assert(eq(int, error.code, BH_FAILED_PRECONDITION));
    close(first);
    cr_assert(layout_create_partial(&layout, &a, 4, &name, &second, &n_bytes, &error) == 0);
    cr_assert(eq(u64, n_bytes, 0), "longer than it may be: from the start");
    close(second);
}

Test(layout, lists_each_digest_once)
{
    struct bh_digest *digests = NULL;
    struct bh_digest a = digest(HEX_A);
    struct bh_digest b = digest(HEX_B);
    size_t count = 0;
    put("blobs/" HEX_B, "b", 1, 0600);
    put("blobs/" HEX_A, "a", 1, 0600);
    put("blobs/foreign", "x", 1, 0600);
    put_layer(HEX_A, 4, 0400);
    cr_assert(layout_list(&layout, &digests, &count, &error) == 0);
    cr_assert(eq(sz, count, 2));
    cr_assert(bh_digest_equal(&digests[0], &a) && bh_digest_equal(&digests[1], &b));
    free(digests);
    cr_assert(layout_delete(&layout, &a, &error) == 0);
    cr_assert(layout_delete(&layout, &a, &error) == 0, "absent is no error");
    cr_assert(layout_list(&layout, &digests, &count, &error) == 0);
    cr_assert(eq(sz, count, 1));
    free(digests);
}
