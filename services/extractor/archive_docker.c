/* SPDX-License-Identifier: Apache-2.0
 *
 * docker-archive: what `docker save`, podman and skopeo write. manifest.json lists images; configurations and layers
 * are named by their members, which are looked up in the archive's own table and nowhere else. Layers may be links to
 * others' layers, and compressed.
 */
#include "archive_scan.h"
#include "build.h"
#include "bounds.h"

#define PATH "manifest.json"

static int take_config(const struct archive_index *index, json_t *object, Bulkhead__ArchiveImage *image,
                       struct bh_error *error)
{
    const char *name;
    struct archive_range range;
    if (json_member_string(object, "Config", PATH, &name, error) < 0) {
        return -1;
    }
    if (!name) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, PATH ": an image has no \"Config\"");
    }
    if (archive_index_find(index, name, &range, error) < 0) {
        return bh_error_wrap(error, PATH ": Config");
    }
    if (range.size_bytes == 0 || range.size_bytes > BH_CONFIG_BYTES_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, PATH ": \"%.200s\" has %llu bytes, it must have 1 to %llu",
                            name, (unsigned long long)range.size_bytes, BH_CONFIG_BYTES_MAX);
    }
    image->config = archive_member_new(&range, NULL, error);
    return image->config ? 0 : -1;
}

static int take_layers(const struct archive_index *index, json_t *layers, Bulkhead__ArchiveImage *image,
                       struct bh_error *error)
{
    size_t n = json_array_size(layers);
    for (size_t i = 0; i < n; i++) {
        const char *name;
        struct archive_range range;
        if (json_element_string(layers, i, PATH ": Layers", &name, error) < 0) {
            return -1;
        }
        if (archive_index_find(index, name, &range, error) < 0) {
            return bh_error_wrap(error, PATH ": layer %zu", i);
        }
        image->layers[i] = archive_member_new(&range, NULL, error);
        if (!image->layers[i]) {
            return -1;
        }
        image->n_layers = i + 1;
    }
    return 0;
}

static int take_references(json_t *tags, Bulkhead__ArchiveImage *image, struct bh_error *error)
{
    size_t n = json_array_size(tags);
    if (n > EXTRACTOR_REFERENCES_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, PATH ": an image with %zu names, at most %d are possible", n,
                            EXTRACTOR_REFERENCES_MAX);
    }
    if (build_array(&image->references, n, sizeof(image->references[0]), error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < n; i++) {
        const char *text;
        if (json_element_string(tags, i, PATH ": RepoTags", &text, error) < 0 ||
            archive_image_add_reference(image, text, error) < 0) {
            return -1;
        }
    }
    return 0;
}

static int take_image(const struct archive_index *index, json_t *object, archive_image_found found, void *argument,
                      struct bh_error *error)
{
    json_t *layers, *tags;
    if (json_member_array(object, "Layers", PATH, &layers, error) < 0 ||
        json_member_array(object, "RepoTags", PATH, &tags, error) < 0) {
        return -1;
    }
    if (json_array_size(layers) > BH_LAYERS_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, PATH ": an image with %zu layers, at most %d are possible",
                            json_array_size(layers), BH_LAYERS_MAX);
    }
    bh_autoarchiveimage Bulkhead__ArchiveImage *image = archive_image_new(json_array_size(layers), error);
    if (!image || take_config(index, object, image, error) < 0 || take_layers(index, layers, image, error) < 0 ||
        take_references(tags, image, error) < 0) {
        return -1;
    }
    return found(argument, image) == 0 ? 0 : bh_error_set(error, BH_CANCELLED, "nobody waits for this job any more");
}

int archive_docker_scan(const struct archive_index *index, archive_image_found found, void *argument,
                        uint32_t *ret_images, struct bh_error *error)
{
    bh_autojson json_t *json = NULL;
    if (archive_index_json(index, PATH, BH_MANIFEST_BYTES_MAX, &json, error) < 0) {
        return -1;
    }
    size_t n = json_array_size(json);
    if (!json_is_array(json) || n == 0 || n > EXTRACTOR_IMAGES_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, PATH ": must be a list of 1 to %d images",
                            EXTRACTOR_IMAGES_MAX);
    }
    for (size_t i = 0; i < n; i++) {
        json_t *object;
        if (json_element_object(json, i, PATH, &object, error) < 0 ||
            take_image(index, object, found, argument, error) < 0) {
            return -1;
        }
    }
    *ret_images = (uint32_t)n;
    return 0;
}
