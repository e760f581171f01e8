/* SPDX-License-Identifier: Apache-2.0
 *
 * See manifest_json.h.
 */
#include "services/engine/manifest_json.h"

#include <errno.h>

#include "common/json_write.h"

const char *manifest_layer_type(Bulkhead__Compression compression)
{
    switch (compression) {
    case BULKHEAD__COMPRESSION__COMPRESSION_GZIP:
        return "application/vnd.oci.image.layer.v1.tar+gzip";
    case BULKHEAD__COMPRESSION__COMPRESSION_ZSTD:
        return "application/vnd.oci.image.layer.v1.tar+zstd";
    default:
        return "application/vnd.oci.image.layer.v1.tar";
    }
}

static void write_descriptor(struct json_writer *writer, const char *key, const char *media_type,
                             const struct manifest_blob *blob)
{
    char text[BH_DIGEST_TEXT_SIZE];
    write_object(writer, key);
    write_string(writer, "mediaType", media_type);
    write_string(writer, "digest", bh_digest_text(&blob->digest, text));
    write_uint(writer, "size", blob->size_bytes);
    write_object_end(writer);
}

/* `layer_type` NULL: that of each layer's compression. */
static int write_manifest(const char *media_type, const char *config_type, const char *layer_type,
                          const struct manifest_blob *config, const struct manifest_blob *layers, size_t n_layers,
                          struct json_writer *writer, struct bh_error *error)
{
    write_object(writer, NULL);
    write_int(writer, "schemaVersion", 2);
    write_string(writer, "mediaType", media_type);
    write_descriptor(writer, "config", config_type, config);
    write_array(writer, "layers");
    for (size_t i = 0; i < n_layers; i++) {
        write_descriptor(writer, NULL, layer_type ? layer_type : manifest_layer_type(layers[i].compression),
                         &layers[i]);
    }
    write_array_end(writer);
    write_object_end(writer);
    if (writer->failed) {
        json_writer_free(writer);
        return bh_error_errno(error, ENOMEM, "write an image's manifest");
    }
    return 0;
}

int manifest_json_write(const struct manifest_blob *config, const struct manifest_blob *layers, size_t n_layers,
                        char **ret_bytes, size_t *ret_n_bytes, struct bh_error *error)
{
    struct json_writer writer = {0};
    if (write_manifest("application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.config.v1+json", NULL,
                       config, layers, n_layers, &writer, error) < 0) {
        return -1;
    }
    *ret_bytes = writer.bytes;
    *ret_n_bytes = writer.n_bytes;
    return 0;
}

int manifest_json_write_docker(const struct manifest_blob *config, const struct manifest_blob *layers, size_t n_layers,
                               char **ret_bytes, size_t *ret_n_bytes, struct bh_error *error)
{
    struct json_writer writer = {0};
    if (write_manifest(
            "application/vnd.docker.distribution.manifest.v2+json", "application/vnd.docker.container.image.v1+json",
            "application/vnd.docker.image.rootfs.diff.tar.gzip", config, layers, n_layers, &writer, error) < 0) {
        return -1;
    }
    *ret_bytes = writer.bytes;
    *ret_n_bytes = writer.n_bytes;
    return 0;
}
