/* SPDX-License-Identifier: Apache-2.0
 *
 * What the engine may ask to be stored.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "common/limits.h"
#include "requests.h"

static uint8_t digest[BH_DIGEST_BYTES] = {1};
static Bulkhead__PipeSource pipe_source = BULKHEAD__PIPE_SOURCE__INIT;
static Bulkhead__SpoolRange range = BULKHEAD__SPOOL_RANGE__INIT;

static Bulkhead__BeginBlob blob(size_t digest_bytes, uint64_t size_bytes, uint64_t max_bytes)
{
    Bulkhead__BeginBlob message = BULKHEAD__BEGIN_BLOB__INIT;
    message.digest.data = digest;
    message.digest.len = digest_bytes;
    message.size_bytes = size_bytes;
    message.max_bytes = max_bytes;
    message.source_case = BULKHEAD__BEGIN_BLOB__SOURCE_PIPE;
    message.pipe = &pipe_source;
    return message;
}

static enum bh_code code_of(Bulkhead__BeginBlob message)
{
    struct blob_request request;
    struct bh_error error;
    return blob_request_from(&message, &request, &error) < 0 ? error.code : BH_OK;
}

Test(requests, accept_known_and_unknown_digests)
{
    cr_assert(eq(int, code_of(blob(32, 10, 0)), BH_OK));
    cr_assert(eq(int, code_of(blob(32, 10, 10)), BH_OK));
    cr_assert(eq(int, code_of(blob(0, 0, 10)), BH_OK));
    cr_assert(eq(int, code_of(blob(0, 10, 0)), BH_OK));
    cr_assert(eq(int, code_of(blob(32, BH_BLOB_BYTES_MAX, 0)), BH_OK));
}

Test(requests, refuse_digests_of_other_lengths)
{
    cr_assert(eq(int, code_of(blob(31, 10, 0)), BH_INVALID_ARGUMENT));
    cr_assert(eq(int, code_of(blob(1, 10, 0)), BH_INVALID_ARGUMENT));
}

Test(requests, refuse_sizes_that_bound_nothing)
{
    cr_assert(eq(int, code_of(blob(32, 0, 10)), BH_INVALID_ARGUMENT));
    cr_assert(eq(int, code_of(blob(0, 0, 0)), BH_INVALID_ARGUMENT));
    cr_assert(eq(int, code_of(blob(32, 11, 10)), BH_INVALID_ARGUMENT));
    cr_assert(eq(int, code_of(blob(32, BH_BLOB_BYTES_MAX + 1, 0)), BH_INVALID_ARGUMENT));
    cr_assert(eq(int, code_of(blob(0, 0, UINT64_MAX)), BH_INVALID_ARGUMENT));
}

Test(requests, refuse_a_missing_source)
{
    Bulkhead__BeginBlob message = blob(32, 10, 0);
    message.source_case = BULKHEAD__BEGIN_BLOB__SOURCE__NOT_SET;
    cr_assert(eq(int, code_of(message), BH_INVALID_ARGUMENT));
}

Test(requests, refuse_ranges_of_another_size)
{
    Bulkhead__BeginBlob message = blob(32, 10, 0);
    message.source_case = BULKHEAD__BEGIN_BLOB__SOURCE_SPOOL_RANGE;
    message.spool_range = &range;
    range.size_bytes = 10;
    cr_assert(eq(int, code_of(message), BH_OK));
    range.size_bytes = 11;
    cr_assert(eq(int, code_of(message), BH_INVALID_ARGUMENT));
    message = blob(0, 0, 10);
    message.source_case = BULKHEAD__BEGIN_BLOB__SOURCE_SPOOL_RANGE;
    message.spool_range = &range;
    cr_assert(eq(int, code_of(message), BH_INVALID_ARGUMENT));
    range.size_bytes = 10;
    cr_assert(eq(int, code_of(message), BH_OK));
}

Test(requests, bound_spools)
{
    Bulkhead__BeginSpool message = BULKHEAD__BEGIN_SPOOL__INIT;
    uint64_t max_bytes = 0;
    struct bh_error error;
    cr_assert(spool_request_from(&message, &max_bytes, &error) < 0);
    message.max_bytes = BH_LAYER_BYTES_MAX + 1;
    cr_assert(spool_request_from(&message, &max_bytes, &error) < 0);
    message.max_bytes = 5;
    cr_assert(spool_request_from(&message, &max_bytes, &error) == 0);
    cr_assert(eq(u64, max_bytes, 5));
}
