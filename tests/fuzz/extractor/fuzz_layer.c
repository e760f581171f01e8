/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a layer: refused, or an image that the store's check accepts.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "extract.h"

#include "common/cleanup.h"
#include "services/store/erofs_check.h"

static void ignore(void *argument, uint64_t compressed_bytes)
{
    (void)argument;
    (void)compressed_bytes;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    static const struct job_end no_end = {.channel_fd = -1, .stop_fd = -1};
    bh_autoclose int source = memfd_create("source", MFD_CLOEXEC);
    bh_autoclose int image = memfd_create("image", MFD_CLOEXEC);
    if (source < 0 || image < 0 || write(source, bytes, n_bytes) != (ssize_t)n_bytes ||
        lseek(source, 0, SEEK_SET) < 0) {
        abort();
    }
    struct extract_result result;
    struct bh_error error = {0};
    if (extract_layer(source, image, &no_end, ignore, NULL, &result, &error) < 0) {
        return 0;
    }
    struct erofs_summary summary;
    if (erofs_check(image, &summary, &error) < 0) {
        abort();
    }
    return 0;
}
