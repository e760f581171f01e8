/* SPDX-License-Identifier: Apache-2.0
 *
 * See descriptor.h.
 */
#include "descriptor.h"

#include <string.h>

#include "build.h"

#define TYPE(name) BULKHEAD__MEDIA_TYPE__MEDIA_TYPE_##name

static const struct {
    const char *text;
    Bulkhead__MediaType type;
} media_types[] = {
    {"application/vnd.docker.distribution.manifest.v2+json", TYPE(DOCKER_MANIFEST)},
    {"application/vnd.docker.distribution.manifest.list.v2+json", TYPE(DOCKER_MANIFEST_LIST)},
    {"application/vnd.oci.image.manifest.v1+json", TYPE(OCI_MANIFEST)},
    {"application/vnd.oci.image.index.v1+json", TYPE(OCI_INDEX)},
    {"application/vnd.docker.container.image.v1+json", TYPE(DOCKER_CONFIG)},
    {"application/vnd.oci.image.config.v1+json", TYPE(OCI_CONFIG)},
    {"application/vnd.docker.image.rootfs.diff.tar.gzip", TYPE(DOCKER_LAYER)},
    {"application/vnd.docker.image.rootfs.diff.tar", TYPE(DOCKER_LAYER)},
    {"application/vnd.docker.image.rootfs.diff.tar.zstd", TYPE(DOCKER_LAYER)},
    {"application/vnd.oci.image.layer.v1.tar+gzip", TYPE(OCI_LAYER)},
    {"application/vnd.oci.image.layer.v1.tar", TYPE(OCI_LAYER)},
    {"application/vnd.oci.image.layer.v1.tar+zstd", TYPE(OCI_LAYER)},
};

Bulkhead__MediaType media_type_parse(const char *text)
{
    for (size_t i = 0; i < sizeof(media_types) / sizeof(media_types[0]); i++) {
        if (strcmp(media_types[i].text, text) == 0) {
            return media_types[i].type;
        }
    }
    return TYPE(UNSPECIFIED);
}

const char *media_type_name(Bulkhead__MediaType type)
{
    for (size_t i = 0; i < sizeof(media_types) / sizeof(media_types[0]); i++) {
        if (media_types[i].type == type) {
            return media_types[i].text;
        }
    }
    return "an unknown type";
}

static int refuse_urls(json_t *object, const char *path, struct bh_error *error)
{
    json_t *urls;
    if (json_member_array(object, "urls", path, &urls, error) < 0) {
        return -1;
    }
    return json_array_size(urls) == 0
               ? 0
               : bh_error_set(error, BH_INVALID_ARGUMENT,
                              "%s: has \"urls\"; content is only ever fetched from the image's own registry", path);
}

int descriptor_parse(json_t *object, const char *path, uint64_t max_bytes, struct descriptor *ret_descriptor,
                     struct bh_error *error)
{
    const char *digest, *media_type;
    int64_t size;
    bool has_size;
    if (json_member_string(object, "mediaType", path, &media_type, error) < 0 ||
        json_member_string(object, "digest", path, &digest, error) < 0 ||
        json_member_integer(object, "size", path, &size, &has_size, error) < 0 ||
        refuse_urls(object, path, error) < 0) {
        return -1;
    }
    if (!digest) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "%s: has no \"digest\"", path);
    }
    struct bh_digest parsed;
    if (bh_digest_parse(digest, &parsed, error) < 0) {
        return bh_error_wrap(error, "%s", path);
    }
    if (!has_size) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "%s: has no \"size\"", path);
    }
    if (size <= 0 || (uint64_t)size > max_bytes) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "%s: size %lld, it must be from 1 to %llu", path,
                            (long long)size, (unsigned long long)max_bytes);
    }
    *ret_descriptor = (struct descriptor){.media_type = media_type ? media_type_parse(media_type) : TYPE(UNSPECIFIED),
                                          .media_type_text = media_type ? media_type : "",
                                          .digest = parsed,
                                          .size_bytes = (uint64_t)size};
    return 0;
}

Bulkhead__Descriptor *descriptor_message(const struct descriptor *descriptor, struct bh_error *error)
{
    bh_autofree Bulkhead__Descriptor *message = build_message(&bulkhead__descriptor__descriptor, error);
    if (!message) {
        return NULL;
    }
    message->media_type = descriptor->media_type;
    message->size_bytes = descriptor->size_bytes;
    if (build_bytes(&message->digest, descriptor->digest.bytes, BH_DIGEST_BYTES, error) < 0) {
        return NULL;
    }
    return bh_steal_pointer(&message);
}
