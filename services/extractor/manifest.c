/* SPDX-License-Identifier: Apache-2.0
 *
 * See manifest.h.
 */
#include "manifest.h"

#include <stdio.h>
#include <string.h>

#include "build.h"
#include "bounds.h"

#define TYPE(name)        BULKHEAD__MEDIA_TYPE__MEDIA_TYPE_##name
#define PLATFORM_TEXT_MAX 64

void manifest_document_free(struct manifest_document *document)
{
    if (document->manifest) {
        bulkhead__parsed_manifest__free_unpacked(document->manifest, NULL);
    }
    if (document->index) {
        bulkhead__parsed_index__free_unpacked(document->index, NULL);
    }
}

static int check_schema(json_t *json, struct bh_error *error)
{
    int64_t version;
    bool present;
    if (json_member_integer(json, "schemaVersion", "manifest", &version, &present, error) < 0) {
        return -1;
    }
    if (version == 1 || json_object_get(json, "fsLayers") || json_object_get(json, "signatures")) {
        return bh_error_set(
            error, BH_INVALID_ARGUMENT,
            "manifest: Docker schema 1 is not supported; the image must be pushed again as schema 2 or OCI");
    }
    if (!present || version != 2) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "manifest: \"schemaVersion\" must be 2");
    }
    return 0;
}

/* Finds out what the document is: by its own word and by its shape, which must agree with each other and with what was
 * announced. */
static int determine_type(json_t *json, Bulkhead__MediaType announced, Bulkhead__MediaType *ret_type,
                          struct bh_error *error)
{
    bool has_layers = json_object_get(json, "layers") || json_object_get(json, "config");
    bool has_manifests = json_object_get(json, "manifests");
    if (has_layers == has_manifests) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            has_layers
                                ? "manifest: has both \"manifests\" and \"layers\" or \"config\"; it must be either an "
                                  "index or a manifest"
                                : "manifest: has neither \"layers\" nor \"manifests\"");
    }
    const char *text;
    if (json_member_string(json, "mediaType", "manifest", &text, error) < 0) {
        return -1;
    }
    Bulkhead__MediaType type = text ? media_type_parse(text) : announced;
    if (!text && announced == TYPE(UNSPECIFIED)) {
        type = has_manifests ? TYPE(OCI_INDEX) : TYPE(OCI_MANIFEST); /* only OCI's may leave it out */
    }
    if (has_manifests ? !media_type_is_index(type) : !media_type_is_manifest(type)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "manifest: says it is \"%.100s\", but has the form of %s",
                            text ? text : media_type_name(type), has_manifests ? "an index" : "a manifest");
    }
    if (announced != TYPE(UNSPECIFIED) && announced != type) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "manifest: was announced as \"%s\", but says it is \"%s\"",
                            media_type_name(announced), media_type_name(type));
    }
    *ret_type = type;
    return 0;
}

/* Docker 1.10 pushed configurations as "application/octet-stream"; what they are is seen when they are parsed. */
static int check_config_type(struct descriptor *config, Bulkhead__MediaType manifest, struct bh_error *error)
{
    if (manifest == TYPE(DOCKER_MANIFEST) && strcmp(config->media_type_text, "application/octet-stream") == 0) {
        config->media_type = TYPE(DOCKER_CONFIG);
    }
    return media_type_is_config(config->media_type)
               ? 0
               : bh_error_set(error, BH_INVALID_ARGUMENT,
                              "manifest: its config is \"%.100s\"; this is not a container image",
                              config->media_type_text);
}

static int check_layer_type(const struct descriptor *layer, const char *path, struct bh_error *error)
{
    if (media_type_is_layer(layer->media_type)) {
        return 0;
    }
    bool foreign = strstr(layer->media_type_text, "nondistributable") || strstr(layer->media_type_text, ".foreign.");
    return bh_error_set(error, BH_INVALID_ARGUMENT, "%s: type \"%.100s\" %s", path, layer->media_type_text,
                        foreign ? "is content of another host; such layers are not supported"
                                : "is no layer of a container image");
}

static int parse_layers(json_t *layers, Bulkhead__ParsedManifest *manifest, struct bh_error *error)
{
    size_t n = json_array_size(layers);
    if (n > BH_LAYERS_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "manifest: %zu layers, at most %d are possible", n,
                            BH_LAYERS_MAX);
    }
    if (build_array(&manifest->layers, n, sizeof(manifest->layers[0]), error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < n; i++) {
        char path[32];
        snprintf(path, sizeof(path), "manifest: layer %zu", i);
        json_t *object;
        struct descriptor layer;
        if (json_element_object(layers, i, "manifest: layers", &object, error) < 0 ||
            descriptor_parse(object, path, BH_BLOB_BYTES_MAX, &layer, error) < 0 ||
            check_layer_type(&layer, path, error) < 0) {
            return -1;
        }
        manifest->layers[i] = descriptor_message(&layer, error);
        if (!manifest->layers[i]) {
            return -1;
        }
        manifest->n_layers = i + 1;
    }
    return 0;
}

static int parse_manifest(json_t *json, Bulkhead__MediaType type, struct manifest_document *document,
                          struct bh_error *error)
{
    json_t *config, *layers;
    if (json_member_object(json, "config", "manifest", &config, error) < 0 ||
        json_member_array(json, "layers", "manifest", &layers, error) < 0) {
        return -1;
    }
    if (!config || !layers) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "manifest: has no \"%s\"", config ? "layers" : "config");
    }
    struct descriptor parsed;
    if (descriptor_parse(config, "manifest: config", BH_CONFIG_BYTES_MAX, &parsed, error) < 0 ||
        check_config_type(&parsed, type, error) < 0) {
        return -1;
    }
    document->manifest = build_message(&bulkhead__parsed_manifest__descriptor, error);
    if (!document->manifest) {
        return -1;
    }
    document->manifest->media_type = type;
    document->manifest->config = descriptor_message(&parsed, error);
    return document->manifest->config ? parse_layers(layers, document->manifest, error) : -1;
}

static int parse_platform(json_t *object, Bulkhead__IndexEntry *entry, struct bh_error *error)
{
    json_t *platform;
    const char *os, *architecture, *variant;
    if (json_member_object(object, "platform", "index entry", &platform, error) < 0) {
        return -1;
    }
    if (!platform) {
        return 0;
    }
    if (json_member_string(platform, "os", "index entry: platform", &os, error) < 0 ||
        json_member_string(platform, "architecture", "index entry: platform", &architecture, error) < 0 ||
        json_member_string(platform, "variant", "index entry: platform", &variant, error) < 0) {
        return -1;
    }
    if ((os && strlen(os) > PLATFORM_TEXT_MAX) || (architecture && strlen(architecture) > PLATFORM_TEXT_MAX) ||
        (variant && strlen(variant) > PLATFORM_TEXT_MAX)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "index entry: platform: longer than %d bytes",
                            PLATFORM_TEXT_MAX);
    }
    entry->platform = build_message(&bulkhead__platform__descriptor, error);
    return entry->platform && build_string(&entry->platform->os, os, error) == 0 &&
                   build_string(&entry->platform->architecture, architecture, error) == 0 &&
                   build_string(&entry->platform->variant, variant, error) == 0
               ? 0
               : -1;
}

/* Entries of types that we do not know are left out, as image-index.md says. */
static int parse_entry(json_t *object, size_t number, Bulkhead__ParsedIndex *index, struct bh_error *error)
{
    char path[32];
    snprintf(path, sizeof(path), "index: entry %zu", number);
    struct descriptor parsed;
    if (descriptor_parse(object, path, BH_MANIFEST_BYTES_MAX, &parsed, error) < 0) {
        return -1;
    }
    if (!media_type_is_manifest(parsed.media_type) && !media_type_is_index(parsed.media_type)) {
        return 0;
    }
    Bulkhead__IndexEntry *entry = build_message(&bulkhead__index_entry__descriptor, error);
    if (!entry) {
        return -1;
    }
    index->entries[index->n_entries++] = entry;
    entry->manifest = descriptor_message(&parsed, error);
    return entry->manifest ? parse_platform(object, entry, error) : -1;
}

static int parse_index(json_t *json, Bulkhead__MediaType type, struct manifest_document *document,
                       struct bh_error *error)
{
    json_t *manifests;
    if (json_member_array(json, "manifests", "index", &manifests, error) < 0) {
        return -1;
    }
    size_t n = json_array_size(manifests);
    if (n > BH_INDEX_ENTRIES_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "index: %zu entries, at most %d are possible", n,
                            BH_INDEX_ENTRIES_MAX);
    }
    document->index = build_message(&bulkhead__parsed_index__descriptor, error);
    if (!document->index || build_array(&document->index->entries, n, sizeof(document->index->entries[0]), error) < 0) {
        return -1;
    }
    document->index->media_type = type;
    for (size_t i = 0; i < n; i++) {
        json_t *object;
        if (json_element_object(manifests, i, "index: manifests", &object, error) < 0 ||
            parse_entry(object, i, document->index, error) < 0) {
            return -1;
        }
    }
    return 0;
}

int manifest_parse(json_t *json, Bulkhead__MediaType announced, struct manifest_document *ret_document,
                   struct bh_error *error)
{
    Bulkhead__MediaType type = TYPE(UNSPECIFIED);
    if (!json_is_object(json)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "manifest: is no JSON object");
    }
    if (check_schema(json, error) < 0 || determine_type(json, announced, &type, error) < 0) {
        return -1;
    }
    bh_autodocument struct manifest_document document = {0};
    if ((media_type_is_index(type) ? parse_index : parse_manifest)(json, type, &document, error) < 0) {
        return -1;
    }
    *ret_document = document;
    document = (struct manifest_document){0};
    return 0;
}

int manifest_read(int fd, Bulkhead__MediaType announced, struct manifest_document *ret_document, struct bh_error *error)
{
    bh_autojson json_t *json = NULL;
    return json_read(fd, BH_MANIFEST_BYTES_MAX, "manifest", &json, error) < 0
               ? -1
               : manifest_parse(json, announced, ret_document, error);
}
