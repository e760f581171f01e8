/* SPDX-License-Identifier: Apache-2.0
 *
 * See archive_scan.h. `repositories`, the file of formats before 1.10 that claims names for image ids, is not read.
 */
#include "archive_scan.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "build.h"
#include "common/reference.h"
#include "decompress.h"
#include "bounds.h"

Bulkhead__ArchiveImage *archive_image_new(size_t n_layers, struct bh_error *error)
{
    bh_autoarchiveimage Bulkhead__ArchiveImage *image = build_message(&bulkhead__archive_image__descriptor, error);
    if (!image || build_array(&image->layers, n_layers, sizeof(image->layers[0]), error) < 0) {
        return NULL;
    }
    return bh_steal_pointer(&image);
}

Bulkhead__ArchiveMember *archive_member_new(const struct archive_range *range, const struct bh_digest *digest,
                                            struct bh_error *error)
{
    bh_autofree Bulkhead__ArchiveMember *member = build_message(&bulkhead__archive_member__descriptor, error);
    if (!member || (digest && build_bytes(&member->digest, digest->bytes, BH_DIGEST_BYTES, error) < 0)) {
        return NULL;
    }
    member->offset = range->offset;
    member->size_bytes = range->size_bytes;
    return bh_steal_pointer(&member);
}

int archive_image_add_reference(Bulkhead__ArchiveImage *image, const char *text, struct bh_error *error)
{
    struct bh_reference reference;
    if (bh_reference_parse(text, &reference, error) < 0) {
        return bh_error_wrap(error, "name \"%.100s\" in the archive", text);
    }
    if (reference.has_digest) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "name \"%.200s\" in the archive has a digest; an archive can only give tags", text);
    }
    if (!reference.tag[0]) {
        (void)snprintf(reference.tag, sizeof(reference.tag), "latest");
    }
    char whole[BH_REFERENCE_BYTES_MAX + BH_TAG_BYTES_MAX + BH_DIGEST_TEXT_SIZE];
    return build_append(image->references, &image->n_references, bh_reference_format(&reference, whole, sizeof(whole)),
                        error);
}

static int look_for_compression(int fd, bool *ret_compressed, struct bh_error *error)
{
    static const struct job_end no_end = {.channel_fd = -1, .stop_fd = -1};
    bh_autoinput struct input input = {0};
    bh_autodecompressor struct decompressor *decompressor = NULL;
    if (lseek(fd, 0, SEEK_SET) < 0) {
        return bh_error_errno(error, errno, "go to the archive's start");
    }
    if (input_open(fd, &no_end, &input, error) < 0 || decompressor_open(&input, 0, &decompressor, error) < 0) {
        return -1;
    }
    *ret_compressed = !decompressor_is_plain(decompressor);
    return 0;
}

int archive_scan(int fd, archive_image_found found, void *argument, struct archive_scan_result *ret_result,
                 struct bh_error *error)
{
    *ret_result = (struct archive_scan_result){0};
    if (look_for_compression(fd, &ret_result->compressed, error) < 0) {
        return -1;
    }
    if (ret_result->compressed) {
        return 0;
    }
    bh_autoindex struct archive_index *index = NULL;
    if (archive_index_build(fd, &index, error) < 0) {
        return -1;
    }
    if (archive_index_has(index, "manifest.json")) {
        return archive_docker_scan(index, found, argument, &ret_result->images, error);
    }
    if (archive_index_has(index, "index.json")) {
        return archive_oci_scan(index, found, argument, &ret_result->images, error);
    }
    if (archive_index_has(index, "repositories")) {
        return bh_error_set(
            error, BH_INVALID_ARGUMENT,
            "this archive was written by a Docker before 1.10 (it has no \"manifest.json\"): load it with "
            "a Docker up to 24 and save it again");
    }
    return bh_error_set(error, BH_INVALID_ARGUMENT,
                        "this is no image archive: it has neither \"manifest.json\" (docker save) nor \"index.json\" "
                        "(OCI layout)");
}
