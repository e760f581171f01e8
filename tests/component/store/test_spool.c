/* SPDX-License-Identifier: Apache-2.0
 *
 * Spools: bytes without a name, and blobs that are parts of them.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "common/cleanup.h"

#define SIZE (2 * 1024 * 1024 + 100)

static struct client client;
static uint8_t *bytes;

static void set_up(void)
{
    memset(&client, 0, sizeof(client));
    client_start(&client);
    bytes = make_bytes(SIZE, 3);
}

static void tear_down(void)
{
    free(bytes);
    client_stop(&client);
}

static uint64_t store_spool(void)
{
    struct ingesting ingesting;
    uint64_t n_bytes = 0;
    cr_assert(eq(int, client_begin_spool(&client, SIZE, &ingesting), BH_OK));
    uint64_t spool = ingesting.id;
    struct mover *writer = write_in_thread(bh_steal_fd(&ingesting.fds[0]), bytes, SIZE);
    cr_assert(eq(int, client_finish_spool(&client, &ingesting, &n_bytes), BH_OK));
    (void)wait_for(writer, NULL);
    cr_assert(eq(u64, n_bytes, SIZE));
    return spool;
}

static enum bh_code begin_range(uint64_t spool, uint64_t offset, uint64_t n_bytes, struct bh_digest *digest,
                                struct ingesting *ret_ingesting)
{
    Bulkhead__BeginBlob message = client_blob(digest, n_bytes, true);
    Bulkhead__SpoolRange range = BULKHEAD__SPOOL_RANGE__INIT;
    range.spool = spool;
    range.offset = offset;
    range.size_bytes = n_bytes;
    message.source_case = BULKHEAD__BEGIN_BLOB__SOURCE_SPOOL_RANGE;
    message.spool_range = &range;
    return client_begin_blob(&client, &message, ret_ingesting);
}

TestSuite(store_spool, .init = set_up, .fini = tear_down, .timeout = 60);

Test(store_spool, can_be_read_until_it_is_aborted)
{
    uint64_t spool = store_spool();
    uint64_t n_bytes = 0;
    bh_autoclose int first = -1;
    bh_autoclose int second = -1;
    bh_autofree uint8_t *copy = malloc(SIZE);
    cr_assert(eq(int, client_open_spool(&client, spool, &first, &n_bytes), BH_OK));
    cr_assert(eq(int, client_open_spool(&client, spool, &second, &n_bytes), BH_OK));
    cr_assert(eq(u64, n_bytes, SIZE));
    cr_assert(read(first, copy, SIZE) == SIZE);
    cr_assert(memcmp(copy, bytes, SIZE) == 0);
    cr_assert(read(second, copy, 1) == 1, "each has a position of its own");
    cr_assert(copy[0] == bytes[0]);
    cr_assert(eq(int, client_abort(&client, spool), BH_OK));
    cr_assert(eq(int, client_open_spool(&client, spool, &first, &n_bytes), BH_NOT_FOUND));
    cr_assert(client_is_clean(&client));
}

Test(store_spool, gives_blobs_by_ranges)
{
    uint64_t spool = store_spool();
    uint64_t n_bytes = 0;
    const size_t offset = 777;
    const size_t size = 1024 * 1024;
    struct bh_digest digest = digest_of(bytes + offset, size);
    struct bh_digest stored;
    struct ingesting ingesting;
    cr_assert(eq(int, begin_range(spool, offset, size, &digest, &ingesting), BH_OK));
    struct mover *reader = read_in_thread(bh_steal_fd(&ingesting.fds[0]), SIZE); /* no pipe: the tee comes first */
    bh_autofree uint8_t *copy = NULL;
    cr_assert(eq(int, client_finish_blob(&client, &ingesting, &stored, &n_bytes), BH_OK));
    cr_assert(eq(sz, wait_for(reader, &copy), size));
    cr_assert(memcmp(copy, bytes + offset, size) == 0);
    cr_assert(client_file_is(&client, "blobs", &digest, bytes + offset, size));
    cr_assert(eq(sz, client_count(&client, "ingest"), 1), "the spool stays");
    cr_assert(eq(sz, client_count(&client, "partial"), 0));
}

Test(store_spool, refuses_ranges_outside_and_wrong_digests)
{
    uint64_t spool = store_spool();
    uint64_t n_bytes = 0;
    struct bh_digest digest = digest_of(bytes, 10);
    struct ingesting ingesting;
    cr_assert(eq(int, begin_range(spool, SIZE - 9, 10, &digest, &ingesting), BH_OUT_OF_RANGE));
    cr_assert(eq(int, begin_range(spool, UINT64_MAX, 10, &digest, &ingesting), BH_OUT_OF_RANGE));
    cr_assert(eq(int, begin_range(spool + 100, 0, 10, &digest, &ingesting), BH_NOT_FOUND));
    cr_assert(eq(int, begin_range(spool, 1, 10, &digest, &ingesting), BH_OK));
    cr_assert(eq(int, client_finish_blob(&client, &ingesting, &digest, &n_bytes), BH_DATA_LOSS));
    cr_assert(eq(sz, client_count(&client, "blobs"), 0));
    cr_assert(eq(sz, client_count(&client, "partial"), 0));
}

Test(store_spool, cannot_be_used_before_it_is_whole)
{
    struct ingesting ingesting;
    uint64_t n_bytes = 0;
    int fd = -1;
    cr_assert(eq(int, client_begin_spool(&client, SIZE, &ingesting), BH_OK));
    cr_assert(eq(int, client_open_spool(&client, ingesting.id, &fd, &n_bytes), BH_FAILED_PRECONDITION));
    struct mover *writer = write_in_thread(bh_steal_fd(&ingesting.fds[0]), bytes, SIZE);
    cr_assert(eq(int, client_finish_spool(&client, &ingesting, &n_bytes), BH_OK));
    (void)wait_for(writer, NULL);
}

Test(store_spool, refuses_more_than_its_ceiling)
{
    struct ingesting ingesting;
    uint64_t n_bytes = 0;
    cr_assert(eq(int, client_begin_spool(&client, 1000, &ingesting), BH_OK));
    struct mover *writer = write_in_thread(bh_steal_fd(&ingesting.fds[0]), bytes, SIZE);
    cr_assert(eq(int, client_finish_spool(&client, &ingesting, &n_bytes), BH_INVALID_ARGUMENT));
    (void)wait_for(writer, NULL);
    cr_assert(client_is_clean(&client));
}
