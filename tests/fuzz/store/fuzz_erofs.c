/* SPDX-License-Identifier: Apache-2.0
 *
 * A valid layer image, damaged: each five bytes of input are a place and what to write there. The store's check refuses
 * it or walks it to the end, within its bounds.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "erofs_check.h"
#include "image_builder.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    static struct image sample;
    if (!sample.bytes) {
        size_t n_nodes = 0;
        const struct image_node *nodes = image_sample(&n_nodes);
        image_build(nodes, n_nodes, &sample);
    }
    bh_autofree uint8_t *damaged = malloc(sample.n_bytes);
    bh_autoclose int fd = memfd_create("image", MFD_CLOEXEC);
    if (!damaged || fd < 0) {
        fuzz_wrong();
    }
    memcpy(damaged, sample.bytes, sample.n_bytes);
    for (size_t i = 0; i + 5 <= n_bytes; i += 5) {
        uint32_t place;
        memcpy(&place, bytes + i, sizeof(place));
        damaged[place % sample.n_bytes] = bytes[i + 4];
    }
    if (write(fd, damaged, sample.n_bytes) != (ssize_t)sample.n_bytes) {
        fuzz_wrong();
    }
    struct erofs_summary summary;
    struct bh_error error = {0};
    (void)erofs_check(fd, &summary, &error);
    return 0;
}
