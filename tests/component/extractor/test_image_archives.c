/* SPDX-License-Identifier: Apache-2.0
 *
 * Archives given to `load`: docker-archive old and hybrid, OCI layouts, and hostile ones.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "job.h"
#include "services/extractor/bounds.h"
#include "tar_builder.h"

static struct extractor extractor;
static struct tar tar;

struct seen {
    unsigned images;
    uint64_t config_offset, config_bytes, layer_offsets[8];
    size_t n_layers, n_references, digest_bytes;
    char reference[256];
};
static struct seen seen;

static void start(void)
{
    extractor_start(&extractor);
}

static void stop(void)
{
    tar_free(&tar);
    extractor_stop(&extractor);
}

TestSuite(extractor_image_archives, .init = start, .fini = stop, .timeout = 120);

static void look(const Bulkhead__ArchiveImage *image, void *argument)
{
    (void)argument;
    seen.images++;
    seen.config_offset = image->config->offset;
    seen.config_bytes = image->config->size_bytes;
    seen.digest_bytes = image->config->digest.len;
    seen.n_layers = image->n_layers;
    for (size_t i = 0; i < image->n_layers && i < 8; i++) {
        seen.layer_offsets[i] = image->layers[i]->offset;
    }
    seen.n_references = image->n_references;
    (void)snprintf(seen.reference, sizeof(seen.reference), "%s", image->n_references ? image->references[0] : "");
}

static enum bh_code scan(uint32_t *ret_kind)
{
    tar_end(&tar);
    bh_autoclose int fd = file_of(tar.bytes, tar.n_bytes);
    memset(&seen, 0, sizeof(seen));
    return extractor_scan(&extractor, fd, look, NULL, ret_kind);
}

static void accepted(void)
{
    uint32_t kind;
    cr_assert_eq(scan(&kind), BH_OK, "%s", extractor.error.message);
    cr_assert_eq(kind, BULKHEAD__EXTRACTOR_TO_ENGINE__BODY_ARCHIVE_SCANNED);
}

static void refused(const char *words)
{
    uint32_t kind;
    cr_assert_eq(scan(&kind), BH_INVALID_ARGUMENT);
    cr_assert(extractor_said(&extractor, words));
    tar_free(&tar);
}

static void put_text(const char *name, const char *text)
{
    tar_put(&tar, .name = name, .content = text, .size = strlen(text));
}

static struct bh_digest digest_of(const char *text)
{
    struct bh_digest digest;
    cr_assert_eq(bh_digest_of(text, strlen(text), &digest, NULL), 0);
    return digest;
}

/* Adds blobs/sha256/<digest>, and returns the descriptor that names it. */
static const char *put_blob(const char *text, const char *media_type)
{
    static char descriptors[8][400];
    static unsigned next;
    char name[128], hex[BH_DIGEST_HEX_SIZE];
    struct bh_digest digest = digest_of(text);
    (void)snprintf(name, sizeof(name), "blobs/sha256/%s", bh_digest_hex(&digest, hex));
    put_text(name, text);
    char *descriptor = descriptors[next++ % 8];
    (void)snprintf(descriptor, 400, "\"mediaType\":\"%s\",\"digest\":\"sha256:%s\",\"size\":%zu", media_type, hex,
                   strlen(text));
    return descriptor;
}

Test(extractor_image_archives, docker_save_as_of_old)
{
    put_text("aaaa/layer.tar", "first");
    tar_put(&tar, .name = "bbbb/layer.tar", .type = '2', .link = "../aaaa/layer.tar");
    put_text("cfg.json", "{\"c\":1}");
    put_text("repositories", "{\"debian\":{\"latest\":\"bbbb\"}}");
    put_text("manifest.json", "[{\"Config\":\"cfg.json\",\"RepoTags\":[\"busybox\",\"quay.io/a/b:1\"],\"Layers\":["
                              "\"aaaa/layer.tar\",\"bbbb/layer.tar\"]}]");
    accepted();
    cr_assert(seen.images == 1 && seen.n_layers == 2 && seen.n_references == 2 && seen.config_bytes == 7);
    cr_assert_str_eq(seen.reference, "docker.io/library/busybox:latest");
    cr_assert_eq(memcmp(tar.bytes + seen.config_offset, "{\"c\":1}", 7), 0);
    cr_assert_eq(memcmp(tar.bytes + seen.layer_offsets[1], "first", 5), 0);
    cr_assert_eq(seen.layer_offsets[0], seen.layer_offsets[1]);
}

Test(extractor_image_archives, offsets_hold_behind_long_names)
{
    tar_pax(&tar, "path", "deadbeef/layer.tar", "mtime", "1.5", NULL);
    put_text("x", "layer bytes");
    put_text("./c", "{}");
    put_text("./manifest.json", "[{\"Config\":\"c\",\"RepoTags\":null,\"Layers\":[\"deadbeef/layer.tar\"]}]");
    accepted();
    cr_assert_eq(memcmp(tar.bytes + seen.layer_offsets[0], "layer bytes", 11), 0);
    cr_assert_eq(seen.n_references, 0);
}

#define OCI_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define OCI_INDEX    "application/vnd.oci.image.index.v1+json"

/* A manifest with one layer; returns its descriptor. */
static const char *put_image(const char *config_text)
{
    char manifest[1200];
    const char *config = put_blob(config_text, "application/vnd.oci.image.config.v1+json");
    const char *layer = put_blob("layer", "application/vnd.oci.image.layer.v1.tar");
    (void)snprintf(manifest, sizeof(manifest), "{\"schemaVersion\":2,\"config\":{%s},\"layers\":[{%s}]}", config,
                   layer);
    return put_blob(manifest, OCI_MANIFEST);
}

Test(extractor_image_archives, oci_layout_with_its_names)
{
    char index[1200];
    (void)snprintf(index, sizeof(index),
                   "{\"schemaVersion\":2,\"manifests\":[{%s,\"annotations\":{"
                   "\"org.opencontainers.image.ref.name\":\"localhost:5000/x:y\"}}]}",
                   put_image("{}"));
    put_text("oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}");
    put_text("index.json", index);
    accepted();
    cr_assert(seen.images == 1 && seen.digest_bytes == 32);
    cr_assert_str_eq(seen.reference, "localhost:5000/x:y");
}

Test(extractor_image_archives, a_lone_tag_names_nothing)
{
    char index[1200];
    (void)snprintf(index, sizeof(index),
                   "{\"schemaVersion\":2,\"manifests\":[{%s,\"annotations\":{"
                   "\"org.opencontainers.image.ref.name\":\"latest\"}}]}",
                   put_image("{}"));
    put_text("index.json", index);
    accepted();
    cr_assert(seen.images == 1 && seen.n_references == 0);
}

Test(extractor_image_archives, nested_indexes_lead_to_this_platform)
{
    char nested[2400], index[1200];
    const char *other = put_image("{\"other\":1}"), *ours = put_image("{\"ours\":1}");
    (void)snprintf(nested, sizeof(nested),
                   "{\"schemaVersion\":2,\"manifests\":[{%s,\"platform\":{\"os\":\"linux\","
                   "\"architecture\":\"s390x\"}},{%s,\"platform\":{\"os\":\"linux\",\"architecture\":\"%s\"}}]}",
                   other, ours,
#if defined(__x86_64__)
                   "amd64"
#else
                   "arm64"
#endif
    );
    (void)snprintf(index, sizeof(index),
                   "{\"schemaVersion\":2,\"manifests\":[{%s,\"annotations\":{"
                   "\"io.containerd.image.name\":\"docker.io/library/multi:1\"}}]}",
                   put_blob(nested, OCI_INDEX));
    put_text("index.json", index);
    accepted();
    cr_assert_str_eq(seen.reference, "docker.io/library/multi:1");
    cr_assert_eq(memcmp(tar.bytes + seen.config_offset, "{\"ours\":1}", 10), 0);
}

static void refused_index(const char *entries, const char *words)
{
    char index[4096];
    (void)snprintf(index, sizeof(index), "{\"schemaVersion\":2,\"manifests\":[%s]}", entries);
    put_text("index.json", index);
    refused(words);
    tar_free(&tar);
    tar = (struct tar){0};
}

Test(extractor_image_archives, indexes_without_an_image_for_this_host_say_so)
{
    static const char elsewhere[] = "\"platform\":{\"os\":\"linux\",\"architecture\":\"s390x\"}";
    char entry[1024], nested[2048];
    (void)snprintf(entry, sizeof(entry), "{%s,%s}", put_image("{}"), elsewhere);
    refused_index(entry, "the archive has no image for linux/");

    (void)snprintf(nested, sizeof(nested), "{\"schemaVersion\":2,\"manifests\":[{%s,%s}]}", put_image("{}"), elsewhere);
    (void)snprintf(entry, sizeof(entry), "{%s}", put_blob(nested, OCI_INDEX));
    refused_index(entry, "an index of the archive has no image for linux/");

    /* two that say nothing are as good as none */
    (void)snprintf(nested, sizeof(nested), "{\"schemaVersion\":2,\"manifests\":[{%s},{%s}]}", put_image("{\"a\":1}"),
                   put_image("{\"b\":1}"));
    (void)snprintf(entry, sizeof(entry), "{%s}", put_blob(nested, OCI_INDEX));
    refused_index(entry, "an index of the archive has no image for linux/");
}

Test(extractor_image_archives, indexes_of_indexes_have_an_end)
{
    char entry[1024], nested[2048];
    (void)snprintf(entry, sizeof(entry), "{%s}", put_image("{}"));
    for (int depth = 0; depth < EXTRACTOR_INDEX_DEPTH_MAX; depth++) {
        (void)snprintf(nested, sizeof(nested), "{\"schemaVersion\":2,\"manifests\":[%s]}", entry);
        (void)snprintf(entry, sizeof(entry), "{%s}", put_blob(nested, OCI_INDEX));
    }
    refused_index(entry, "deep");
}

Test(extractor_image_archives, documents_that_are_something_else)
{
    char manifest[2048], entry[1024];
    (void)snprintf(manifest, sizeof(manifest), "{\"schemaVersion\":2,\"config\":{%s},\"layers\":[]}",
                   put_blob("{}", "application/vnd.oci.image.config.v1+json"));
    put_text("index.json", manifest);
    refused("is no index");
    tar_free(&tar);
    tar = (struct tar){0};
    (void)snprintf(entry, sizeof(entry), "{%s,\"annotations\":[]}", put_image("{}"));
    refused_index(entry, "annotations");
    (void)snprintf(entry, sizeof(entry), "{%s,\"annotations\":{\"org.opencontainers.image.ref.name\":7}}",
                   put_image("{}"));
    refused_index(entry, "ref.name");
}

Test(extractor_image_archives, sizes_that_are_not_the_members)
{
    char manifest[2048], entry[1024];
    char *layer = (char *)(uintptr_t)put_blob("layer", "application/vnd.oci.image.layer.v1.tar");
    layer[strlen(layer) - 1] = '6'; /* of five bytes */
    (void)snprintf(manifest, sizeof(manifest), "{\"schemaVersion\":2,\"config\":{%s},\"layers\":[{%s}]}",
                   put_blob("{}", "application/vnd.oci.image.config.v1+json"), layer);
    (void)snprintf(entry, sizeof(entry), "{%s}", put_blob(manifest, OCI_MANIFEST));
    refused_index(entry, "has 5 bytes, its descriptor says 6");
}

Test(extractor_image_archives, a_manifest_that_is_not_what_its_digest_says_is_refused)
{
    char index[1200];
    (void)snprintf(index, sizeof(index), "{\"schemaVersion\":2,\"manifests\":[{%s}]}", put_image("{}"));
    put_text("index.json", index);
    for (size_t i = 0; i + 13 < tar.n_bytes; i++) {
        if (memcmp(tar.bytes + i, "\"layers\":[{\"m", 13) == 0) {
            tar.bytes[i + 1] = 'L';
        }
    }
    refused("digest");
}

Test(extractor_image_archives, paths_in_manifests_are_names_in_the_archive)
{
    put_text("manifest.json", "[{\"Config\":\"../../../../etc/passwd\",\"RepoTags\":[],\"Layers\":[]}]");
    refused("etc/passwd");
    put_text("manifest.json", "[{\"Config\":\"/etc/passwd\",\"RepoTags\":[],\"Layers\":[]}]");
    refused("no member");
    put_text("c", "{}");
    tar_put(&tar, .name = "l/layer.tar", .type = '2', .link = "/etc/shadow");
    put_text("manifest.json", "[{\"Config\":\"c\",\"RepoTags\":[],\"Layers\":[\"l/layer.tar\"]}]");
    refused("links to none");
    put_text("c", "{}");
    tar_put(&tar, .name = "a", .type = '2', .link = "b");
    tar_put(&tar, .name = "b", .type = '2', .link = "a");
    put_text("manifest.json", "[{\"Config\":\"c\",\"RepoTags\":[],\"Layers\":[\"a\"]}]");
    refused("too many links");
}

Test(extractor_image_archives, names_outside_the_grammar_are_refused)
{
    static const char *const names[] = {"../../etc", "UPPER:x", "a b", "x:", "http://x/y", "", "\\u001b[31m"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char manifest[256];
        (void)snprintf(manifest, sizeof(manifest), "[{\"Config\":\"c\",\"RepoTags\":[\"%s\"],\"Layers\":[]}]",
                       names[i]);
        put_text("c", "{}");
        put_text("manifest.json", manifest);
        refused("in the archive");
    }
}

Test(extractor_image_archives, what_is_no_image_archive_is_refused)
{
    put_text("hello", "world");
    refused("no image archive");
    put_text("manifest.json", "{}");
    refused("list");
    put_text("manifest.json", "[]");
    refused("list");
    put_text("manifest.json", "[{\"Layers\":[]}]");
    refused("Config");
    tar_put(&tar, .name = "manifest.json", .raw_size = "77777777777\0");
    refused("does not end inside");
    put_text("index.json", "{\"schemaVersion\":2,\"manifests\":[]}");
    refused("no image for");
}

Test(extractor_image_archives, one_of_before_1_10_is_named_so)
{
    put_text("aaaa/layer.tar", "first");
    put_text("aaaa/json", "{}");
    put_text("repositories", "{\"debian\":{\"latest\":\"aaaa\"}}");
    refused("before 1.10");
}

/* Scans the first `n_bytes` of what was built. */
static enum bh_code scan_part(size_t n_bytes, uint32_t *ret_kind)
{
    bh_autoclose int fd = file_of(tar.bytes, n_bytes);
    memset(&seen, 0, sizeof(seen));
    return extractor_scan(&extractor, fd, look, NULL, ret_kind);
}

Test(extractor_image_archives, the_last_padding_may_be_missing_but_no_content)
{
    uint32_t kind;
    put_text("cfg.json", "{\"c\":1}");
    put_text("manifest.json", "[{\"Config\":\"cfg.json\",\"Layers\":[\"layer.tar\"]}]");
    put_text("layer.tar", "content");
    size_t end = tar.n_bytes - 512 + strlen("content");
    cr_assert_eq(scan_part(end, &kind), BH_OK, "%s", extractor.error.message);
    cr_assert(seen.images == 1 && seen.n_layers == 1);
    cr_assert_eq(scan_part(end - 1, &kind), BH_INVALID_ARGUMENT);
    cr_assert(extractor_said(&extractor, "\"layer.tar\" does not end inside"));
    cr_assert_eq(scan_part(tar.n_bytes - 512 - 100, &kind), BH_INVALID_ARGUMENT);
}

Test(extractor_image_archives, compressed_as_a_whole_is_said_so)
{
    static const uint8_t gzip[] = {0x1f, 0x8b, 8, 0};
    bh_autoclose int fd = file_of(gzip, sizeof(gzip));
    uint32_t kind;
    cr_assert_eq(extractor_scan(&extractor, fd, NULL, NULL, &kind), BH_OK);
    cr_assert_eq(kind, BULKHEAD__EXTRACTOR_TO_ENGINE__BODY_ARCHIVE_COMPRESSED);
}
