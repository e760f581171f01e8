/* SPDX-License-Identifier: Apache-2.0
 *
 * ScanArchive: which images an archive given to `load` holds, and where in it their parts lie. Two formats:
 * docker-archive (manifest.json, archive_docker.c) and OCI layout (index.json, archive_oci.c). What is said about
 * content (digests, sizes) is checked again by the store when it takes the parts in.
 */
#pragma once

#include "archive_index.h"
#include "engine_extractor.pb-c.h"

/* Takes one image as it is found; it is borrowed. Not 0: nobody listens any more. */
typedef int (*archive_image_found)(void *argument, Bulkhead__ArchiveImage *image);

struct archive_scan_result {
    bool compressed; /* as a whole: nothing was looked at */
    uint32_t images;
};

/* Scans the archive in `fd`, a file. */
int archive_scan(int fd, archive_image_found found, void *argument, struct archive_scan_result *ret_result,
                 struct bh_error *error);

/* The two formats, for archive_scan(). */
int archive_docker_scan(const struct archive_index *index, archive_image_found found, void *argument,
                        uint32_t *ret_images, struct bh_error *error);
int archive_oci_scan(const struct archive_index *index, archive_image_found found, void *argument, uint32_t *ret_images,
                     struct bh_error *error);

/* ---- parts of an image, for both ---- */

Bulkhead__ArchiveImage *archive_image_new(size_t n_layers, struct bh_error *error);
static inline void archive_image_cleanup(Bulkhead__ArchiveImage **image)
{
    if (*image) {
        bulkhead__archive_image__free_unpacked(*image, NULL);
    }
}
#define bh_autoarchiveimage bh_cleanup(archive_image_cleanup)

/* A range of the archive as a message; `digest` may be NULL. */
Bulkhead__ArchiveMember *archive_member_new(const struct archive_range *range, const struct bh_digest *digest,
                                            struct bh_error *error);
/* Adds a name to an image: parsed, normalized, with the tag "latest" if it has none. The array must have room. */
int archive_image_add_reference(Bulkhead__ArchiveImage *image, const char *text, struct bh_error *error);
