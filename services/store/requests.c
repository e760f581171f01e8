/* SPDX-License-Identifier: Apache-2.0
 *
 * Validation of the engine's messages; see requests.h.
 */
#include "requests.h"

#include <inttypes.h>

#include "common/limits.h"

static int size_from(const Bulkhead__BeginBlob *message, struct blob_request *request, struct bh_error *error)
{
    if (message->size_bytes > BH_BLOB_BYTES_MAX || message->max_bytes > BH_BLOB_BYTES_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "a blob of %" PRIu64 " bytes, at most %llu may be stored",
                            message->size_bytes > message->max_bytes ? message->size_bytes : message->max_bytes,
                            BH_BLOB_BYTES_MAX);
    }
    if (request->digest_known && message->size_bytes == 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "a blob of known digest without its size");
    }
    if (message->size_bytes == 0 && message->max_bytes == 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "a blob with neither a size nor a ceiling");
    }
    if (message->max_bytes != 0 && message->size_bytes > message->max_bytes) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "a blob of %" PRIu64 " bytes above its ceiling of %" PRIu64,
                            message->size_bytes, message->max_bytes);
    }
    request->size_bytes = message->size_bytes;
    request->max_bytes = message->max_bytes;
    return 0;
}

static int range_from(const Bulkhead__SpoolRange *range, struct blob_request *request, struct bh_error *error)
{
    if (request->size_bytes != 0 && request->size_bytes != range->size_bytes) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "a blob of %" PRIu64 " bytes from a range of %" PRIu64,
                            request->size_bytes, range->size_bytes);
    }
    if (request->size_bytes == 0 && range->size_bytes > request->max_bytes) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "a range of %" PRIu64 " bytes above the ceiling of %" PRIu64,
                            range->size_bytes, request->max_bytes);
    }
    request->ranged = true;
    request->spool = range->spool;
    request->range_offset = range->offset;
    request->range_bytes = range->size_bytes;
    return 0;
}

int blob_request_from(const Bulkhead__BeginBlob *message, struct blob_request *ret_request, struct bh_error *error)
{
    struct blob_request request = {.digest_known = message->digest.len != 0, .tee = message->tee != 0};
    if (request.digest_known &&
        bh_digest_from_bytes(message->digest.data, message->digest.len, &request.digest, error) < 0) {
        return -1;
    }
    if (size_from(message, &request, error) < 0) {
        return -1;
    }
    switch (message->source_case) {
    case BULKHEAD__BEGIN_BLOB__SOURCE_PIPE:
        break;
    case BULKHEAD__BEGIN_BLOB__SOURCE_SPOOL_RANGE:
        if (range_from(message->spool_range, &request, error) < 0) {
            return -1;
        }
        break;
    default:
        return bh_error_set(error, BH_INVALID_ARGUMENT, "a blob without a source, must be a pipe or a spool's range");
    }
    *ret_request = request;
    return 0;
}

int spool_request_from(const Bulkhead__BeginSpool *message, uint64_t *ret_max_bytes, struct bh_error *error)
{
    if (message->max_bytes == 0 || message->max_bytes > BH_LAYER_BYTES_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "a spool of at most %" PRIu64 " bytes, must be 1 to %llu",
                            message->max_bytes, BH_LAYER_BYTES_MAX);
    }
    *ret_max_bytes = message->max_bytes;
    return 0;
}
