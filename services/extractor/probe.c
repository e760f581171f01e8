/* SPDX-License-Identifier: Apache-2.0
 *
 * See probe.h.
 */
#include "probe.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "decompress.h"

static const struct {
    const char *name;
    Bulkhead__Compression compression;
} known[] = {
    {"gzip", BULKHEAD__COMPRESSION__COMPRESSION_GZIP},
    {"zstd", BULKHEAD__COMPRESSION__COMPRESSION_ZSTD},
    {"xz", BULKHEAD__COMPRESSION__COMPRESSION_XZ},
    {"bzip2", BULKHEAD__COMPRESSION__COMPRESSION_BZIP2},
};

int probe_compression(int fd, Bulkhead__Compression *ret_compression, struct bh_error *error)
{
    uint8_t bytes[COMPRESSION_MAGIC_BYTES];
    ssize_t got = pread(fd, bytes, sizeof(bytes), 0);
    if (got < 0) {
        return bh_error_errno(error, errno, "read the first bytes of a blob");
    }
    const char *name = compression_name(bytes, (size_t)got);
    *ret_compression = BULKHEAD__COMPRESSION__COMPRESSION_NONE;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(known[i].name, name) == 0) {
            *ret_compression = known[i].compression;
        }
    }
    return 0;
}
