/* SPDX-License-Identifier: Apache-2.0
 *
 * What images share and which names belong together, the tar headers of archives, and the documents at their root.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "services/engine/deletion_names.h"
#include "services/engine/image_chains.h"
#include "services/engine/images.h"
#include "services/engine/save_documents.h"
#include "services/engine/tar_write.h"

#define TEXT(text) ((char *)(uintptr_t)(text))

/* ---- names ------------------------------------------------------------------------------------------ */

#define D1 "@sha256:1111111111111111111111111111111111111111111111111111111111111111"

Test(images, names_of_one_repository)
{
    char *none[1] = {NULL}, *one[] = {TEXT("h/a:1")}, *with_digest[] = {TEXT("h/a:1"), TEXT("h/a" D1)};
    char *two_tags[] = {TEXT("h/a:1"), TEXT("h/a:2")}, *two_names[] = {TEXT("h/a:1"), TEXT("h/b" D1)};
    cr_assert(names_are_single(none, 0));
    cr_assert(names_are_single(one, 1));
    cr_assert(names_are_single(with_digest, 2));
    cr_assert_not(names_are_single(two_tags, 2));
    cr_assert_not(names_are_single(two_names, 2));
}

Test(images, the_last_tag_takes_its_digests_along)
{
    char *names[] = {TEXT("h:5000/a:1"), TEXT("h:5000/a" D1), TEXT("h:5000/b" D1)};
    cr_assert(names_go_together(names, 3, names[0], names[0]));
    cr_assert(names_go_together(names, 3, names[0], names[1]));
    cr_assert_not(names_go_together(names, 3, names[0], names[2]));
    cr_assert_not(names_go_together(names, 3, names[1], names[0]));
    char *more[] = {TEXT("h:5000/a:1"), TEXT("h:5000/a:2"), TEXT("h:5000/a" D1)};
    cr_assert_not(names_go_together(more, 3, more[0], more[2]));
}

/* ---- layers ----------------------------------------------------------------------------------------- */

struct fixture {
    struct image_row row;
    Bulkhead__ImageConfig config;
    ProtobufCBinaryData diff_ids[4];
    uint8_t bytes[4][32];
    struct image_layer layers[4];
};

/* An image whose layers are named by single digits; each has 10 times its digit in bytes. */
static struct fixture *image(const char *digits, uint8_t id)
{
    struct fixture *made = calloc(1, sizeof *made);
    bulkhead__image_config__init(&made->config);
    made->row.config = &made->config;
    made->row.layers = made->layers;
    made->row.id.bytes[0] = id;
    made->row.visible = true;
    made->config.diff_ids = made->diff_ids;
    for (size_t i = 0; digits[i]; i++) {
        made->bytes[i][0] = (uint8_t)(digits[i] - '0');
        made->diff_ids[i] = (ProtobufCBinaryData){.len = 32, .data = made->bytes[i]};
        made->layers[i].size_bytes = 10 * (uint64_t)(digits[i] - '0');
        made->config.n_diff_ids = made->row.n_layers = i + 1;
    }
    return made;
}

Test(images, layers_are_shared_from_the_base_up)
{
    struct fixture *a = image("123", 1), *b = image("124", 2), *c = image("23", 3);
    struct image_row all[] = {a->row, b->row, c->row};
    cr_assert_eq(image_chain_common(&a->row, &b->row), 2);
    cr_assert_eq(image_chain_common(&a->row, &c->row), 0);
    cr_assert_eq(image_chain_shared(&a->row, all, 3), 2);
    cr_assert_eq(image_chain_shared(&c->row, all, 3), 0);
    cr_assert_eq(image_chain_shared(&a->row, all, 1), 0, "an image shares nothing with itself");
    cr_assert_eq(image_chain_bytes(&a->row, 0, 2), 30);
    cr_assert_eq(image_chain_bytes(&a->row, 2, 9), 30);
    free(a);
    free(b);
    free(c);
}

Test(images, chain_ids)
{
    struct fixture *a = image("12", 1);
    struct bh_digest ids[2], expected;
    struct bh_error error = {0};
    const char *text = "sha256:0100000000000000000000000000000000000000000000000000000000000000 "
                       "sha256:0200000000000000000000000000000000000000000000000000000000000000";
    cr_assert_eq(image_chain_ids(&a->row, ids, &error), 0);
    cr_assert_eq(memcmp(ids[0].bytes, a->bytes[0], 32), 0);
    cr_assert_eq(bh_digest_of(text, strlen(text), &expected, &error), 0);
    cr_assert(bh_digest_equal(&ids[1], &expected));
    free(a);
}

Test(images, children)
{
    struct fixture *parent = image("1", 1), *child = image("12", 2);
    child->row.has_parent = true;
    child->row.parent = parent->row.id;
    struct image_row all[] = {parent->row, child->row};
    cr_assert(image_has_children(&parent->row, all, 2));
    cr_assert_not(image_has_children(&child->row, all, 2));
    all[1].visible = false; /* kept for a container only */
    cr_assert_not(image_has_children(&parent->row, all, 2));
    free(parent);
    free(child);
}

/* ---- archives --------------------------------------------------------------------------------------- */

static unsigned checksum(const char *block)
{
    unsigned sum = 8 * ' ';
    for (size_t i = 0; i < TAR_BLOCK_BYTES; i++) {
        sum += i >= 148 && i < 156 ? 0 : (unsigned char)block[i];
    }
    return sum;
}

Test(images, tar_headers)
{
    char block[TAR_BLOCK_BYTES];
    tar_header("blobs/", TAR_FOLDER, 0, block);
    cr_assert_str_eq(block, "blobs/");
    cr_assert_eq(block[156], '5');
    cr_assert_eq(strtoul(block + 148, NULL, 8), checksum(block));
    tar_header("x", TAR_FILE, 8589934591ULL, block);
    cr_assert_str_eq(block + 124, "77777777777");
    tar_header("x", TAR_FILE, 8589934592ULL, block);
    cr_assert_eq(memcmp(block + 124, "\x80\0\0\0\0\0\0\2\0\0\0\0", 12), 0);
    cr_assert_eq(strtoul(block + 148, NULL, 8), checksum(block));
    cr_assert_eq(tar_padding(0), 0);
    cr_assert_eq(tar_padding(1), 511);
    cr_assert_eq(tar_padding(512), 0);
}

Test(images, documents_of_an_archive)
{
    struct fixture *a = image("1", 1);
    struct saved_image saved = {
        .row = a->row, .names = (const char *[]){"docker.io/library/x:1", "h:5/y:2"}, .n_names = 2};
    struct saved_document document = {
        .image = &saved, .manifest_bytes = 7, .manifest_digest = {{2}}, .layers = {{{3}}}};
    struct json_writer writer = {0};
    struct bh_error error = {0};
#define ZEROS "00000000000000000000000000000000000000000000000000000000000000"
    const char *manifest = "[{\"Config\":\"blobs/sha256/01" ZEROS "\",\"RepoTags\":[\"x:1\",\"h:5/y:2\"],\"Layers\":["
                           "\"blobs/sha256/03" ZEROS "\"]}]";
    const char *index =
        "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"manifests\":["
        "{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"digest\":\"sha256:02" ZEROS "\",\"size\":7,"
        "\"annotations\":{\"io.containerd.image.name\":\"docker.io/library/"
        "x:1\",\"org.opencontainers.image.ref.name\":\"1\"}},"
        "{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"digest\":\"sha256:02" ZEROS "\",\"size\":7,"
        "\"annotations\":{\"io.containerd.image.name\":\"h:5/y:2\",\"org.opencontainers.image.ref.name\":\"2\"}}]}";
    cr_assert_eq(write_manifest_document(&document, 1, &writer, &error), 0);
    cr_assert_eq(writer.n_bytes, strlen(manifest));
    cr_assert_eq(memcmp(writer.bytes, manifest, writer.n_bytes), 0, "%.*s", (int)writer.n_bytes, writer.bytes);
    json_writer_free(&writer);
    cr_assert_eq(write_index_document(&document, 1, &writer, &error), 0);
    cr_assert_eq(writer.n_bytes, strlen(index));
    cr_assert_eq(memcmp(writer.bytes, index, writer.n_bytes), 0, "%.*s", (int)writer.n_bytes, writer.bytes);
    json_writer_free(&writer);
    free(a);
}
