/* SPDX-License-Identifier: Apache-2.0
 *
 * See save_documents.h. Names stand in both formats: whole in OCI's annotations, as containerd writes them, and
 * familiar in docker-archive's RepoTags.
 */
#include "services/engine/save_documents.h"

#include <stdlib.h>
#include <string.h>

#include "common/reference.h"

#define REPOSITORY_SIZE (BH_REFERENCE_BYTES_MAX + 1)

void saved_document_clear(struct saved_document *document)
{
    free(document->manifest);
    *document = (struct saved_document){0};
}

/* ---- index.json ------------------------------------------------------------------------------------ */

/* `name` may be NULL: an image without one. */
static void write_index_entry(struct json_writer *writer, const struct saved_document *document, const char *name)
{
    const Bulkhead__ImageConfig *config = document->image->row.config;
    char text[BH_DIGEST_TEXT_SIZE];
    write_object(writer, NULL);
    write_string(writer, "mediaType", "application/vnd.oci.image.manifest.v1+json");
    write_string(writer, "digest", bh_digest_text(&document->manifest_digest, text));
    write_uint(writer, "size", document->manifest_bytes);
    if (name) {
        write_object(writer, "annotations");
        write_string(writer, "io.containerd.image.name", name);
        write_string(writer, "org.opencontainers.image.ref.name", strrchr(name, ':') + 1);
        write_object_end(writer);
    }
    if (*config->os && *config->architecture) {
        write_object(writer, "platform");
        write_string(writer, "architecture", config->architecture);
        write_string(writer, "os", config->os);
        if (*config->variant) {
            write_string(writer, "variant", config->variant);
        }
        write_object_end(writer);
    }
    write_object_end(writer);
}

int write_index_document(const struct saved_document *documents, size_t n_documents, struct json_writer *writer,
                         struct bh_error *error)
{
    (void)error;
    write_object(writer, NULL);
    write_int(writer, "schemaVersion", 2);
    write_string(writer, "mediaType", "application/vnd.oci.image.index.v1+json");
    write_array(writer, "manifests");
    for (size_t i = 0; i < n_documents; i++) {
        for (size_t j = 0; j < documents[i].image->n_names; j++) {
            write_index_entry(writer, &documents[i], documents[i].image->names[j]);
        }
        if (documents[i].image->n_names == 0) {
            write_index_entry(writer, &documents[i], NULL);
        }
    }
    write_array_end(writer);
    write_object_end(writer);
    return 0;
}

/* ---- manifest.json --------------------------------------------------------------------------------- */

static void write_blob_name(struct json_writer *writer, const char *key, const struct bh_digest *digest)
{
    char hex[BH_DIGEST_HEX_SIZE];
    write_format(writer, key, "blobs/sha256/%s", bh_digest_hex(digest, hex));
}

static int write_tags(struct json_writer *writer, const struct saved_image *image, struct bh_error *error)
{
    if (image->n_names == 0) {
        write_null(writer, "RepoTags");
        return 0;
    }
    write_array(writer, "RepoTags");
    for (size_t i = 0; i < image->n_names; i++) {
        struct bh_reference reference;
        char familiar[BH_REFERENCE_BYTES_MAX + 1];
        if (bh_reference_parse(image->names[i], &reference, error) < 0) {
            return -1;
        }
        write_string(writer, NULL, bh_reference_familiar(&reference, familiar, sizeof familiar));
    }
    write_array_end(writer);
    return 0;
}

int write_manifest_document(const struct saved_document *documents, size_t n_documents, struct json_writer *writer,
                            struct bh_error *error)
{
    write_array(writer, NULL);
    for (size_t i = 0; i < n_documents; i++) {
        const struct image_row *row = &documents[i].image->row;
        write_object(writer, NULL);
        write_blob_name(writer, "Config", &row->id);
        if (write_tags(writer, documents[i].image, error) < 0) {
            return -1;
        }
        write_array(writer, "Layers");
        for (size_t j = 0; j < row->n_layers; j++) {
            write_blob_name(writer, NULL, &documents[i].layers[j]);
        }
        write_array_end(writer);
        write_object_end(writer);
    }
    write_array_end(writer);
    return 0;
}

/* ---- repositories ---------------------------------------------------------------------------------- */

/* "library/busybox" is told as "busybox": the familiar form without its tag. */
static int read_name(const char *name, struct bh_reference *ret_reference, char ret_repository[static REPOSITORY_SIZE],
                     struct bh_error *error)
{
    if (bh_reference_parse(name, ret_reference, error) < 0) {
        return -1;
    }
    struct bh_reference bare = *ret_reference;
    bare.tag[0] = '\0';
    bare.has_digest = false;
    (void)bh_reference_familiar(&bare, ret_repository, REPOSITORY_SIZE);
    return 0;
}

/* The tags of one repository; nothing, if an earlier name is of it: then they have been told. */
static int write_repository(const struct saved_document *documents, size_t n_documents, size_t at, size_t name,
                            struct json_writer *writer, struct bh_error *error)
{
    struct bh_reference reference;
    char wanted[REPOSITORY_SIZE], repository[REPOSITORY_SIZE], hex[BH_DIGEST_HEX_SIZE];
    bool begun = false;
    if (read_name(documents[at].image->names[name], &reference, wanted, error) < 0) {
        return -1;
    }
    if (!reference.tag[0]) {
        return 0;
    }
    for (size_t i = 0; i < n_documents; i++) {
        for (size_t k = 0; k < documents[i].image->n_names; k++) {
            if (read_name(documents[i].image->names[k], &reference, repository, error) < 0) {
                return -1;
            }
            if (strcmp(repository, wanted) != 0 || !reference.tag[0]) {
                continue;
            }
            if (!begun && (i < at || (i == at && k < name))) {
                return 0;
            }
            if (!begun) {
                write_object(writer, wanted);
            }
            begun = true;
            write_string(writer, reference.tag, bh_digest_hex(&documents[i].image->row.id, hex));
        }
    }
    if (begun) {
        write_object_end(writer);
    }
    return 0;
}

int write_repositories_document(const struct saved_document *documents, size_t n_documents, struct json_writer *writer,
                                struct bh_error *error)
{
    write_object(writer, NULL);
    for (size_t i = 0; i < n_documents; i++) {
        for (size_t k = 0; k < documents[i].image->n_names; k++) {
            if (write_repository(documents, n_documents, i, k, writer, error) < 0) {
                return -1;
            }
        }
    }
    write_object_end(writer);
    return 0;
}

/* ---- oci-layout ------------------------------------------------------------------------------------ */

int write_layout_document(const struct saved_document *documents, size_t n_documents, struct json_writer *writer,
                          struct bh_error *error)
{
    (void)documents;
    (void)n_documents;
    (void)error;
    write_object(writer, NULL);
    write_string(writer, "imageLayoutVersion", "1.0.0");
    write_object_end(writer);
    return 0;
}
