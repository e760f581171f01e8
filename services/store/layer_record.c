/* SPDX-License-Identifier: Apache-2.0
 *
 * The record beside a layer; see layer_record.h.
 */
#include "layer_record.h"

#include <assert.h>
#include <endian.h>
#include <stddef.h>
#include <string.h>

#define RECORD_MAGIC   0x524c4842U /* "BHLR" */
#define RECORD_VERSION 1U

/* As it lies on the disk; numbers are little-endian. */
struct __attribute__((packed)) stored {
    uint32_t magic, version;
    uint8_t blob[BH_DIGEST_BYTES];
    uint8_t diff_id[BH_DIGEST_BYTES];
    uint64_t image_bytes, content_bytes, inodes;
    uint8_t checksum[BH_DIGEST_BYTES]; /* sha256 of all that stands before it */
};
static_assert(sizeof(struct stored) == LAYER_RECORD_BYTES, "layer record");

static int checksum(const struct stored *stored, struct bh_digest *ret_digest, struct bh_error *error)
{
    return bh_digest_of(stored, offsetof(struct stored, checksum), ret_digest, error);
}

int layer_record_encode(const struct layer_record *record, uint8_t bytes[static LAYER_RECORD_BYTES],
                        struct bh_error *error)
{
    struct stored stored = {.magic = htole32(RECORD_MAGIC),
                            .version = htole32(RECORD_VERSION),
                            .image_bytes = htole64(record->image_bytes),
                            .content_bytes = htole64(record->content_bytes),
                            .inodes = htole64(record->inodes)};
    memcpy(stored.blob, record->blob.bytes, BH_DIGEST_BYTES);
    memcpy(stored.diff_id, record->diff_id.bytes, BH_DIGEST_BYTES);
    struct bh_digest digest;
    if (checksum(&stored, &digest, error) < 0) {
        return -1;
    }
    memcpy(stored.checksum, digest.bytes, sizeof(stored.checksum));
    memcpy(bytes, &stored, sizeof(stored));
    return 0;
}

int layer_record_decode(const uint8_t *bytes, size_t n_bytes, struct layer_record *ret_record, struct bh_error *error)
{
    struct stored stored;
    struct bh_digest digest;
    if (n_bytes != sizeof(stored)) {
        return bh_error_set(error, BH_DATA_LOSS, "a layer's record of %zu bytes, must be %zu", n_bytes, sizeof(stored));
    }
    memcpy(&stored, bytes, sizeof(stored));
    if (le32toh(stored.magic) != RECORD_MAGIC || le32toh(stored.version) != RECORD_VERSION) {
        return bh_error_set(error, BH_DATA_LOSS, "a layer's record of an unknown kind");
    }
    if (checksum(&stored, &digest, error) < 0) {
        return -1;
    }
    if (memcmp(stored.checksum, digest.bytes, sizeof(stored.checksum)) != 0) {
        return bh_error_set(error, BH_DATA_LOSS, "a layer's record does not have its checksum");
    }
    *ret_record = (struct layer_record){.image_bytes = le64toh(stored.image_bytes),
                                        .content_bytes = le64toh(stored.content_bytes),
                                        .inodes = le64toh(stored.inodes)};
    memcpy(ret_record->blob.bytes, stored.blob, BH_DIGEST_BYTES);
    memcpy(ret_record->diff_id.bytes, stored.diff_id, BH_DIGEST_BYTES);
    return 0;
}
