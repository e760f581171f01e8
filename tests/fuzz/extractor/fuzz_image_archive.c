/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as an archive for `load`: every range that is answered lies inside of it.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "archive_scan.h"
#include "fuzz.h"

static void must_lie_inside(const Bulkhead__ArchiveMember *member, size_t n_bytes)
{
    if (member->offset > n_bytes || member->size_bytes > n_bytes - member->offset) {
        fuzz_wrong();
    }
}

static int check(void *argument, Bulkhead__ArchiveImage *image)
{
    const size_t *n_bytes = argument;
    must_lie_inside(image->config, *n_bytes);
    for (size_t i = 0; i < image->n_layers; i++) {
        must_lie_inside(image->layers[i], *n_bytes);
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    bh_autoclose int fd = memfd_create("archive", MFD_CLOEXEC);
    if (fd < 0 || write(fd, bytes, n_bytes) != (ssize_t)n_bytes) {
        fuzz_wrong();
    }
    struct archive_scan_result result;
    struct bh_error error = {0};
    (void)archive_scan(fd, check, &n_bytes, &result, &error);
    return 0;
}
