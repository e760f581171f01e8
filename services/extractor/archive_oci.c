/* SPDX-License-Identifier: Apache-2.0
 *
 * OCI layout in a tar (image-spec image-layout.md): what podman, skopeo, umoci and buildx write. Members' names are
 * made from digests here; a manifest is only believed when its bytes have the digest by which it is named.
 */
#include <stdio.h>
#include <string.h>

#include "archive_scan.h"
#include "build.h"
#include "bounds.h"
#include "manifest.h"

#define PATH "index.json"

#if defined(__x86_64__)
#define HOST_ARCHITECTURE "amd64"
#elif defined(__aarch64__)
#define HOST_ARCHITECTURE "arm64"
#else
#error "images are chosen for x86-64 and arm64"
#endif

struct scan {
    const struct archive_index *index;
    archive_image_found found;
    void *argument;
    uint32_t images;
};

static void blob_name(const ProtobufCBinaryData *digest, char name[static 128])
{
    struct bh_digest copy;
    char hex[BH_DIGEST_HEX_SIZE];
    memcpy(copy.bytes, digest->data, BH_DIGEST_BYTES); /* descriptor_parse() made it: always 32 bytes */
    (void)snprintf(name, 128, "blobs/sha256/%s", bh_digest_hex(&copy, hex));
}

/* Reads the manifest or index that a descriptor names, and holds it to digest, size and type. */
static int read_document(const struct scan *scan, const Bulkhead__Descriptor *descriptor,
                         struct manifest_document *ret_document, struct bh_error *error)
{
    char name[128];
    blob_name(&descriptor->digest, name);
    bh_autofree char *bytes = NULL;
    size_t n_bytes;
    struct bh_digest digest;
    if (archive_index_read(scan->index, name, BH_MANIFEST_BYTES_MAX, &bytes, &n_bytes, error) < 0 ||
        bh_digest_of(bytes, n_bytes, &digest, error) < 0) {
        return -1;
    }
    if (memcmp(digest.bytes, descriptor->digest.data, BH_DIGEST_BYTES) != 0 || n_bytes != descriptor->size_bytes) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "member \"%s\" is not what its digest and size say", name);
    }
    bh_autojson json_t *json = NULL;
    return json_parse(bytes, n_bytes, name, &json, error) < 0
               ? -1
               : manifest_parse(json, descriptor->media_type, ret_document, error);
}

static Bulkhead__ArchiveMember *find_blob(const struct scan *scan, const Bulkhead__Descriptor *descriptor,
                                          struct bh_error *error)
{
    char name[128];
    struct archive_range range;
    struct bh_digest digest;
    blob_name(&descriptor->digest, name);
    if (archive_index_find(scan->index, name, &range, error) < 0) {
        return NULL;
    }
    if (range.size_bytes != descriptor->size_bytes) {
        bh_error_set(error, BH_INVALID_ARGUMENT, "member \"%s\" has %llu bytes, its descriptor says %llu", name,
                     (unsigned long long)range.size_bytes, (unsigned long long)descriptor->size_bytes);
        return NULL;
    }
    memcpy(digest.bytes, descriptor->digest.data, BH_DIGEST_BYTES);
    return archive_member_new(&range, &digest, error);
}

/* Names by annotation. A lone tag ("latest") names no repository, and so no image. */
static int take_references(json_t *annotations, Bulkhead__ArchiveImage *image, struct bh_error *error)
{
    static const char path[] = PATH ": annotations";
    const char *whole, *name;
    if (json_member_string(annotations, "io.containerd.image.name", path, &whole, error) < 0 ||
        json_member_string(annotations, "org.opencontainers.image.ref.name", path, &name, error) < 0 ||
        build_array(&image->references, 1, sizeof(image->references[0]), error) < 0) {
        return -1;
    }
    if (!whole && name && strpbrk(name, "/:")) {
        whole = name;
    }
    return whole ? archive_image_add_reference(image, whole, error) : 0;
}

static int take_manifest(struct scan *scan, const Bulkhead__ParsedManifest *manifest, json_t *annotations,
                         struct bh_error *error)
{
    bh_autoarchiveimage Bulkhead__ArchiveImage *image = archive_image_new(manifest->n_layers, error);
    if (!image || !(image->config = find_blob(scan, manifest->config, error)) ||
        take_references(annotations, image, error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < manifest->n_layers; i++) {
        image->layers[i] = find_blob(scan, manifest->layers[i], error);
        if (!image->layers[i]) {
            return -1;
        }
        image->n_layers = i + 1;
    }
    scan->images++;
    return scan->found(scan->argument, image) == 0
               ? 0
               : bh_error_set(error, BH_CANCELLED, "nobody waits for this job any more");
}

static bool fits_host(const Bulkhead__Platform *platform)
{
    return strcmp(platform->os, "linux") == 0 && strcmp(platform->architecture, HOST_ARCHITECTURE) == 0 &&
           (!platform->variant[0] || strcmp(platform->variant, "v8") == 0 || strcmp(platform->variant, "v1") == 0);
}

/* The entry for this host: the first that says so; or the only one, if it says nothing. */
static const Bulkhead__Descriptor *choose(const Bulkhead__ParsedIndex *index)
{
    for (size_t i = 0; i < index->n_entries; i++) {
        if (index->entries[i]->platform && fits_host(index->entries[i]->platform)) {
            return index->entries[i]->manifest;
        }
    }
    return index->n_entries == 1 && !index->entries[0]->platform ? index->entries[0]->manifest : NULL;
}

/* Follows indexes down to a manifest. */
static int take_entry(struct scan *scan, const Bulkhead__IndexEntry *entry, json_t *annotations, struct bh_error *error)
{
    bh_autodocument struct manifest_document document = {0};
    const Bulkhead__Descriptor *at = entry->manifest;
    for (int depth = 0; depth < EXTRACTOR_INDEX_DEPTH_MAX; depth++) {
        struct manifest_document next = {0};
        if (read_document(scan, at, &next, error) < 0) {
            return -1;
        }
        manifest_document_free(&document);
        document = next;
        if (document.manifest) {
            return take_manifest(scan, document.manifest, annotations, error);
        }
        at = choose(document.index);
        if (!at) {
            return bh_error_set(error, BH_INVALID_ARGUMENT,
                                PATH ": an index of the archive has no image for linux/" HOST_ARCHITECTURE);
        }
    }
    return bh_error_set(error, BH_INVALID_ARGUMENT, PATH ": indexes name indexes more than %d deep",
                        EXTRACTOR_INDEX_DEPTH_MAX);
}

/* The annotations of the entry with that digest; the parsed index does not carry them. */
static int find_annotations(json_t *manifests, size_t *position, const Bulkhead__Descriptor *descriptor,
                            json_t **ret_annotations, struct bh_error *error)
{
    struct bh_digest wanted;
    char text[BH_DIGEST_TEXT_SIZE];
    memcpy(wanted.bytes, descriptor->digest.data, BH_DIGEST_BYTES);
    (void)bh_digest_text(&wanted, text);
    json_t *object;
    do { /* entries keep their order, some are left out */
        object = json_array_get(manifests, (*position)++);
    } while (object && strcmp(json_string_value(json_object_get(object, "digest")), text) != 0);
    return json_member_object(object, "annotations", PATH, ret_annotations, error);
}

int archive_oci_scan(const struct archive_index *index, archive_image_found found, void *argument, uint32_t *ret_images,
                     struct bh_error *error)
{
    bh_autojson json_t *json = NULL;
    bh_autodocument struct manifest_document document = {0};
    if (archive_index_json(index, PATH, BH_MANIFEST_BYTES_MAX, &json, error) < 0 ||
        manifest_parse(json, BULKHEAD__MEDIA_TYPE__MEDIA_TYPE_UNSPECIFIED, &document, error) < 0) {
        return -1;
    }
    if (!document.index) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, PATH ": is no index");
    }
    struct scan scan = {.index = index, .found = found, .argument = argument};
    size_t position = 0;
    for (size_t i = 0; i < document.index->n_entries; i++) {
        const Bulkhead__IndexEntry *entry = document.index->entries[i];
        json_t *annotations;
        if (find_annotations(json_object_get(json, "manifests"), &position, entry->manifest, &annotations, error) < 0) {
            return -1;
        }
        if (entry->platform && !fits_host(entry->platform)) {
            continue;
        }
        if (take_entry(&scan, entry, annotations, error) < 0) {
            return -1;
        }
    }
    if (scan.images == 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, PATH ": the archive has no image for linux/" HOST_ARCHITECTURE);
    }
    *ret_images = scan.images;
    return 0;
}
