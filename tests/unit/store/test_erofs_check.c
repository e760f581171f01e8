/* SPDX-License-Identifier: Apache-2.0
 *
 * Promise 3: what a layer image's structure may be. A valid image passes; every rule of common/erofs_format.h, broken
 * one at a time, is refused; damage at random never does more than be refused.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/erofs_format.h"
#include "erofs_check.h"
#include "image_builder.h"

static struct image image;
static int file = -1;

static void set_up(void)
{
    size_t n_nodes = 0;
    const struct image_node *nodes = image_sample(&n_nodes);
    image_build(nodes, n_nodes, &image);
    file = memfd_create("image", MFD_CLOEXEC);
    cr_assert(file >= 0);
}

static void tear_down(void)
{
    image_free(&image);
    close(file);
}

static int check_bytes(const uint8_t *bytes, size_t n_bytes, struct erofs_summary *ret_summary, struct bh_error *error)
{
    cr_assert(ftruncate(file, 0) == 0);
    cr_assert(pwrite(file, bytes, n_bytes, 0) == (ssize_t)n_bytes);
    return erofs_check(file, ret_summary, error);
}

static int check(struct bh_error *error)
{
    struct erofs_summary summary;
    return check_bytes(image.bytes, image.n_bytes, &summary, error);
}

/* The image as it is now must be refused, with these words. */
static void expect_refusal(const char *words, int line)
{
    struct bh_error error;
    char text[2048];
    bh_error_clear(&error);
    cr_expect(check(&error) < 0, "line %d: was accepted", line);
    cr_expect(error.code == BH_INVALID_ARGUMENT, "line %d: code %d", line, error.code);
    cr_expect(strstr(bh_error_format(&error, text, sizeof(text)), words) != NULL, "line %d: said \"%s\"", line, text);
}

/* Sets a place to a value, expects the refusal, and puts the old value back. */
#define BREAK(place, value, words)                                                                                     \
    do {                                                                                                               \
        __typeof__(place) old_ = (place);                                                                              \
        (place) = (__typeof__(place))(value);                                                                          \
        expect_refusal(words, __LINE__);                                                                               \
        (place) = old_;                                                                                                \
    } while (0)

static struct bh_erofs_super *super(void)
{
    return (struct bh_erofs_super *)(image.bytes + BH_EROFS_SUPER_OFFSET);
}

static struct bh_erofs_inode *inode(size_t node)
{
    return (struct bh_erofs_inode *)(image.bytes + image.offset[node]);
}

/* An entry of a directory's last block, found by its name. */
static struct bh_erofs_dirent *entry(size_t folder, const char *name)
{
    uint8_t *block = image.bytes + image.tail[folder];
    struct bh_erofs_dirent *entries = (struct bh_erofs_dirent *)block;
    size_t n = entries[0].name_offset / sizeof(*entries);
    for (size_t i = 0; i < n; i++) {
        if (memcmp(block + entries[i].name_offset, name, strlen(name)) == 0) {
            return &entries[i];
        }
    }
    abort(); /* a mistake in the test */
}

static uint8_t *name_of(size_t folder, const char *name)
{
    return image.bytes + image.tail[folder] + entry(folder, name)->name_offset;
}

TestSuite(erofs_check, .init = set_up, .fini = tear_down);

Test(erofs_check, accepts_a_valid_image)
{
    struct erofs_summary summary;
    struct bh_error error;
    char text[2048] = "";
    int result = check_bytes(image.bytes, image.n_bytes, &summary, &error);
    cr_assert(result == 0, "%s", result ? bh_error_format(&error, text, sizeof(text)) : "");
    cr_assert(eq(u64, summary.image_bytes, image.n_bytes));
    cr_assert(eq(u64, summary.inodes, SAMPLE_FIXED - 1 + 1000));
    cr_assert(eq(u64, summary.content_bytes, 2 * 21 + 3 * 4096));
}

Test(erofs_check, accepts_an_empty_layer)
{
    const struct image_node root = {.mode = S_IFDIR | 0755};
    struct erofs_summary summary;
    struct bh_error error;
    image_free(&image);
    image_build(&root, 1, &image);
    cr_assert(check_bytes(image.bytes, image.n_bytes, &summary, &error) == 0);
    cr_assert(eq(u64, summary.inodes, 1));
    cr_assert(eq(u64, summary.content_bytes, 0));
}

/* Two files and a symlink with so many attributes that their records are longer than a block. */
static void build_long_records(void)
{
    static uint8_t area[12 + 4 + 1 + 5003];
    const struct bh_erofs_xattr_entry value = {.name_bytes = 1, .name_index = BH_EROFS_XATTR_USER, .value_bytes = 5003};
    memcpy(area + 12, &value, sizeof(value));
    area[16] = 'n';
    memset(area + 17, 'v', 5003);
    const struct image_node nodes[] = {
        {.mode = S_IFDIR | 0755},
        {.name = "a", .mode = S_IFREG | 0644, .xattrs = area, .xattr_bytes = sizeof(area)},
        {.name = "b", .mode = S_IFLNK | 0777, .content = "a", .content_bytes = 1, .xattrs = area, .xattr_bytes = 5020},
        {.name = "c", .mode = S_IFREG | 0644},
        {.name = "d", .mode = S_IFDIR | 0755, .xattrs = area, .xattr_bytes = sizeof(area)},
    };
    image_free(&image);
    image_build(nodes, 5, &image);
}

Test(erofs_check, accepts_records_longer_than_a_block)
{
    struct bh_error error;
    char text[2048] = "";
    build_long_records();
    int result = check(&error);
    cr_assert(result == 0, "%s", result ? bh_error_format(&error, text, sizeof(text)) : "");
    cr_assert(eq(u64, image.offset[1] % 4096, 0));
}

Test(erofs_check, refuses_gaps_between_records)
{
    const struct image_node nodes[] = {{.mode = S_IFDIR | 0755}, {.name = "f", .mode = S_IFREG | 0644}};
    image_free(&image);
    image_build(nodes, 2, &image);
    struct bh_erofs_dirent *name = entry(0, "f");
    memmove(image.bytes + image.offset[1] + 32, image.bytes + image.offset[1], 64);
    memset(image.bytes + image.offset[1], 0, 32);
    name->nid++;
    expect_refusal("does not follow", __LINE__);
}

Test(erofs_check, refuses_a_superblock_that_is_not_ours)
{
    static const char words[] = "superblock";
    BREAK(super()->magic, 0, words);
    BREAK(super()->checksum, 1, words);
    BREAK(super()->feature_compat, 0, words);
    BREAK(super()->feature_compat, 3, words);
    BREAK(super()->block_bits, 9, words);
    BREAK(super()->extension_slots, 1, words);
    BREAK(super()->root_nid, 3, words);
    BREAK(super()->build_time, 1, words);
    BREAK(super()->build_time_nsec, 1, words);
    BREAK(super()->xattr_blkaddr, 1, words);
    BREAK(super()->uuid[3], 1, words);
    BREAK(super()->volume_name[0], 'x', words);
    BREAK(super()->feature_incompat, 1, words);
    BREAK(super()->unused[43], 1, words);
    BREAK(super()->blocks, super()->blocks + 1, "blocks with metadata");
    BREAK(super()->blocks, 0, "blocks with metadata");
    BREAK(super()->meta_blkaddr, 0, "blocks with metadata");
    BREAK(super()->meta_blkaddr, super()->blocks, "blocks with metadata");
    BREAK(super()->meta_blkaddr, super()->meta_blkaddr - 1, "layer image");
    BREAK(super()->inodes, 0, "inodes");
    BREAK(super()->inodes, UINT64_MAX, "inodes");
    BREAK(super()->inodes, super()->inodes + 1, "are counted");
    BREAK(super()->inodes, super()->inodes - 1, "more inodes than");
}

Test(erofs_check, refuses_bytes_where_zeros_must_be)
{
    BREAK(image.bytes[0], 1, "must be 0");
    BREAK(image.bytes[1023], 1, "must be 0");
    BREAK(image.bytes[1152], 1, "must be 0");
    BREAK(image.bytes[4095], 1, "must be 0");
    BREAK(image.bytes[super()->meta_blkaddr * 4096UL + 63], 1, "must be 0");
    BREAK(image.bytes[image.n_bytes - 1], 1, "must be 0");
    BREAK(image.bytes[inode(SAMPLE_SH)->u * 4096UL + 21], 1, "must be 0");
    BREAK(image.bytes[image.offset[SAMPLE_SYMLINK] + 64 + 7], 1, "must be 0");
}

Test(erofs_check, refuses_files_of_a_wrong_size)
{
    struct erofs_summary summary;
    struct bh_error error;
    cr_assert(check_bytes(image.bytes, 0, &summary, &error) < 0);
    cr_assert(check_bytes(image.bytes, 4096, &summary, &error) < 0);
    cr_assert(check_bytes(image.bytes, image.n_bytes - 1, &summary, &error) < 0);
    cr_assert(check_bytes(image.bytes, image.n_bytes - 4096, &summary, &error) < 0);
    uint8_t *longer = calloc(1, image.n_bytes + 4096);
    memcpy(longer, image.bytes, image.n_bytes);
    cr_assert(check_bytes(longer, image.n_bytes + 4096, &summary, &error) < 0);
    ((struct bh_erofs_super *)(longer + 1024))->blocks++;
    cr_assert(check_bytes(longer, image.n_bytes + 4096, &summary, &error) < 0, "a block behind the end");
    free(longer);
}

Test(erofs_check, refuses_inodes_that_break_a_rule)
{
    BREAK(inode(SAMPLE_SH)->format, 0, "format");
    BREAK(inode(SAMPLE_SH)->format, 3, "format");
    BREAK(inode(SAMPLE_SH)->format, 9, "format");
    BREAK(inode(SAMPLE_SH)->format, BH_EROFS_FORMAT_INLINE, "inline tail");
    BREAK(inode(SAMPLE_LARGE)->format, BH_EROFS_FORMAT_INLINE, "inline tail of no bytes");
    BREAK(inode(SAMPLE_SH)->reserved, 1, "reserved");
    BREAK(inode(SAMPLE_SH)->reserved2[15], 1, "reserved");
    BREAK(inode(SAMPLE_SH)->mode, S_IFSOCK | 0755, "type that is not allowed");
    BREAK(inode(SAMPLE_SH)->mode, 0, "type that is not allowed");
    BREAK(inode(SAMPLE_SH)->mtime_nsec, 1000000000, "nanoseconds");
    BREAK(inode(SAMPLE_SH)->ino, 0, "number");
    BREAK(inode(SAMPLE_SH)->ino, 1, "number");
    BREAK(inode(SAMPLE_SH)->xattr_icount, 0xffff, "attributes");
    BREAK(inode(SAMPLE_EMPTY)->u, 1, "first block");
    BREAK(inode(SAMPLE_FIFO)->size, 1, "device or FIFO");
    BREAK(inode(SAMPLE_FIFO)->u, 1, "FIFO");
    BREAK(inode(SAMPLE_DEVICE)->size, 4096, "device or FIFO");
    BREAK(inode(SAMPLE_DEVICE)->mode, S_IFREG | 0666, "");
    BREAK(inode(SAMPLE_ROOT)->mode, S_IFREG | 0755, "");
}

Test(erofs_check, refuses_wrong_link_counts)
{
    BREAK(inode(SAMPLE_SH)->nlink, 1, "more names than");
    BREAK(inode(SAMPLE_SH)->nlink, 3, "fewer names than");
    BREAK(inode(SAMPLE_SH)->nlink, 0, "out of range");
    BREAK(inode(SAMPLE_SH)->nlink, 65536, "out of range");
    BREAK(inode(SAMPLE_ROOT)->nlink, 4, "child directory");
    BREAK(inode(SAMPLE_ROOT)->nlink, 6, "child directory");
    BREAK(inode(SAMPLE_NESTED)->nlink, 1, "out of range");
    BREAK(inode(SAMPLE_WHITEOUT)->nlink, 2, "whiteout");
}

Test(erofs_check, refuses_blocks_outside_or_shared)
{
    BREAK(inode(SAMPLE_SH)->u, 0, "do not lie between");
    BREAK(inode(SAMPLE_SH)->u, super()->meta_blkaddr, "do not lie between");
    BREAK(inode(SAMPLE_SH)->u, UINT32_MAX, "do not lie between");
    BREAK(inode(SAMPLE_SH)->size, UINT64_MAX, "layer image");
    BREAK(inode(SAMPLE_SH)->size, 1ULL << 62, "do not lie between");
    BREAK(inode(SAMPLE_LARGE)->u, super()->meta_blkaddr - 2, "do not lie between");
    BREAK(inode(SAMPLE_SH)->u, inode(SAMPLE_LARGE)->u + 2, "");
    BREAK(inode(SAMPLE_SH)->u, inode(SAMPLE_BIG_FOLDER)->u, "");
    BREAK(inode(SAMPLE_BIG_FOLDER)->u, inode(SAMPLE_BIG_FOLDER)->u - 1, "");
    BREAK(inode(SAMPLE_SH)->size, 4097, "");
    BREAK(inode(SAMPLE_BIG_FOLDER)->size, 0x80000000U, "");
    BREAK(inode(SAMPLE_NESTED)->size, 0, "");
}

Test(erofs_check, refuses_directories_among_contents)
{
    /* A long symlink's target trades places with a file's only block: nothing overlaps, but the areas are mixed. */
    uint32_t content = inode(SAMPLE_SH)->u;
    uint32_t target = inode(SAMPLE_LONG_SYMLINK)->u;
    uint8_t block[4096];
    memcpy(block, image.bytes + content * 4096UL, sizeof(block));
    memcpy(image.bytes + content * 4096UL, image.bytes + target * 4096UL, sizeof(block));
    memcpy(image.bytes + target * 4096UL, block, sizeof(block));
    inode(SAMPLE_SH)->u = target;
    inode(SAMPLE_LONG_SYMLINK)->u = content;
    expect_refusal("directories begin at", __LINE__);
}

Test(erofs_check, refuses_bad_symlinks)
{
    BREAK(inode(SAMPLE_SYMLINK)->size, 0, "inline tail of no bytes");
    BREAK(inode(SAMPLE_SYMLINK)->size, 4096 + 7, "1 to 4095");
    BREAK(inode(SAMPLE_LONG_SYMLINK)->size, 4096, "1 to 4095");
    BREAK(inode(SAMPLE_LONG_SYMLINK)->size, 100, "would fit");
    BREAK(inode(SAMPLE_SYMLINK)->u, 1, "first block");
    BREAK(image.bytes[image.offset[SAMPLE_SYMLINK] + 64 + 3], 0, "NUL");
    BREAK(image.bytes[inode(SAMPLE_LONG_SYMLINK)->u * 4096UL + 3], 0, "NUL");
}

Test(erofs_check, refuses_bad_names)
{
    uint8_t *bin = name_of(SAMPLE_ROOT, "bin");
    uint8_t *link = name_of(SAMPLE_ROOT, "zz-link");
    uint8_t *dot = name_of(SAMPLE_NESTED, ".");
    struct bh_erofs_dirent *first = entry(SAMPLE_ROOT, ".");
    struct bh_erofs_dirent *third = entry(SAMPLE_ROOT, "bin");
    BREAK(bin[1], '/', "slash");
    BREAK(bin[1], 0, "slash or a NUL");
    BREAK(bin[0], 'z', "out of order");
    BREAK(link[0], 'a', "out of order");
    BREAK(*dot, 'x', "");
    BREAK(*dot, '-', "second name for a directory");
    BREAK(third->name_offset, 4000, "name of entry");
    BREAK(third->name_offset, 0, "name of entry");
    BREAK(first->name_offset, 0, "first name begins");
    BREAK(first->name_offset, 13, "first name begins");
    BREAK(first->name_offset, 0xffff, "first name begins");
    BREAK(third->reserved, 1, "reserved");
}

Test(erofs_check, refuses_dots_that_lead_elsewhere)
{
    struct bh_erofs_dirent *dot = entry(SAMPLE_NESTED, ".");
    struct bh_erofs_dirent *dot_dot = entry(SAMPLE_NESTED, "..");
    struct bh_erofs_dirent *root = entry(SAMPLE_ROOT, "..");
    BREAK(dot->nid, 2, "must be directory");
    BREAK(dot_dot->nid, 2, "must be directory");
    BREAK(root->nid, 3, "must be directory");
    BREAK(dot_dot->file_type, BH_EROFS_TYPE_REGULAR, "must be directory");
}

Test(erofs_check, refuses_names_that_lead_astray)
{
    struct bh_erofs_dirent *bin = entry(SAMPLE_ROOT, "bin");
    struct bh_erofs_dirent *opaque = entry(SAMPLE_ROOT, "opaque");
    struct bh_erofs_dirent *nested = entry(SAMPLE_OPAQUE, "nested");
    struct bh_erofs_dirent *link = entry(SAMPLE_ROOT, "zz-link");
    BREAK(opaque->nid, bin->nid, "second name for a directory");
    BREAK(nested->nid, 2, "second name for a directory");
    BREAK(bin->nid, bin->nid + 1, "");
    BREAK(bin->nid, 0, "middle of a record");
    BREAK(bin->nid, UINT64_MAX, "outside the metadata");
    BREAK(bin->nid, 1ULL << 59, "outside the metadata");
    BREAK(bin->file_type, BH_EROFS_TYPE_REGULAR, "another type");
    BREAK(link->file_type, BH_EROFS_TYPE_DIRECTORY, "another type");
    BREAK(bin->file_type, 0, "another type");
}

Test(erofs_check, refuses_attributes_that_are_not_allowed)
{
    uint8_t *area = image.bytes + image.offset[SAMPLE_ATTRIBUTES] + 64;
    uint8_t *opaque = image.bytes + image.offset[SAMPLE_OPAQUE] + 64;
    BREAK(area[0], 1, "zero bytes");
    BREAK(area[4], 1, "zero bytes");
    BREAK(area[12 + 1], 0, "name index 0");
    BREAK(area[12 + 1], 5, "name index 5");
    BREAK(area[12 + 1], 0x81, "name index");
    BREAK(area[12 + 1], BH_EROFS_XATTR_TRUSTED, "trusted.name");
    BREAK(area[12 + 1], BH_EROFS_XATTR_SECURITY, "security.name");
    BREAK(area[12 + 1], BH_EROFS_XATTR_ACL_ACCESS, "access control list");
    BREAK(area[12 + 4], 0, "user attribute");
    BREAK(area[12], 0, "");
    BREAK(area[12 + 15], 1, "padding");
    BREAK(area[12 + 2], 0xff, "");
    BREAK(area[12 + 3], 0xff, "beyond");
    BREAK(area[28 + 4], 'x', "security.xapability");
    BREAK(area[12 + 16 + 36 + 4], 1, "version");
    BREAK(area[12 + 16 + 36 + 8], 3, "tag");
    BREAK(area[12 + 16 + 36 + 10], 8, "permissions");
    BREAK(opaque[12 + 4 + 14], 'n', "trusted.overlay.opaque");
    BREAK(opaque[12 + 4 + 8], 'O', "trusted.overlay.Opaque");
    BREAK(inode(SAMPLE_SH)->xattr_icount, 1, "");
    memcpy(opaque + 12 + 4, "overlay.redire", 14);
    expect_refusal("trusted.overlay.redire", __LINE__);
}

Test(erofs_check, refuses_opaque_marks_on_files_and_repeated_attributes)
{
    static const char redirect[] = "\0\0\0\0\0\0\0\0\0\0\0\0\x10\1\1\0overlay.redirecta\0\0\0";
    static const char opaque_mark[] = "\0\0\0\0\0\0\0\0\0\0\0\0\x0e\x04\x01\x00overlay.opaquey";
    static const char twice[] = "\0\0\0\0\0\0\0\0\0\0\0\0\1\1\1\0na\0\0\1\1\1\0nb\0";
    struct image_node nodes[] = {
        {.mode = S_IFDIR | 0755},
        {.name = "f", .mode = S_IFREG | 0644, .xattrs = opaque_mark, .xattr_bytes = 32},
    };
    image_free(&image);
    image_build(nodes, 2, &image);
    expect_refusal("trusted.overlay.opaque", __LINE__);
    nodes[1].xattrs = twice;
    nodes[1].xattr_bytes = 28;
    image_free(&image);
    image_build(nodes, 2, &image);
    expect_refusal("comes twice", __LINE__);
    nodes[1].xattrs = redirect;
    nodes[1].xattr_bytes = 36;
    image_free(&image);
    image_build(nodes, 2, &image);
    expect_refusal("user.overlay.redirect", __LINE__);
}

/* A small generator with a fixed seed: failures can be repeated. */
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

Test(erofs_check, survives_damage_at_random, .timeout = 120)
{
    uint64_t state = 0x9e3779b97f4a7c15ULL;
    uint8_t *copy = malloc(image.n_bytes);
    size_t meta = super()->meta_blkaddr * 4096UL;
    struct erofs_summary summary;
    struct bh_error error;
    for (int round = 0; round < 3000; round++) {
        memcpy(copy, image.bytes, image.n_bytes);
        for (uint64_t i = next_random(&state) % 4; i < 4; i++) {
            /* Mostly where it hurts: the superblock and the first records. */
            uint64_t where = next_random(&state);
            size_t at = where % 8 == 0 ? 1024 + (where >> 8) % 128 : meta + (where >> 8) % (image.n_bytes - meta);
            copy[at] = (uint8_t)next_random(&state);
        }
        (void)check_bytes(copy, image.n_bytes, &summary, &error);
    }
    free(copy);
}
